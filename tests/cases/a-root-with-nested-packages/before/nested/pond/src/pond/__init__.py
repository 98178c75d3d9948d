"""The module pond."""
