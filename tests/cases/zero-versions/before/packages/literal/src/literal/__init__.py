"""The module literal."""
