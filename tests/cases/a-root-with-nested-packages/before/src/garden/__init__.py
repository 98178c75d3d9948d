"""The module garden."""
