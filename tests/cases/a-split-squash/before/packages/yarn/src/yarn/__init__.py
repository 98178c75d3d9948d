"""The module yarn."""
