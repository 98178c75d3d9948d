"""The module hull."""
