"""The module poet."""
