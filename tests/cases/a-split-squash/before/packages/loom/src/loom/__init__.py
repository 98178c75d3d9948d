"""The module loom."""
