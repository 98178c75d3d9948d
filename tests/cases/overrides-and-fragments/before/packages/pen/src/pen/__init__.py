"""The module pen."""
