"""The module clock."""
