"""The module near."""
