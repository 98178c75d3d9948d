"""The module plain."""
