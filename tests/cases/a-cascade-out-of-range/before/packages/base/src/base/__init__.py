"""The module base."""
