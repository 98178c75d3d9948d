"""The module wheel."""
