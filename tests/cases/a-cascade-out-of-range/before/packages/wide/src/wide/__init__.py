"""The module wide."""
