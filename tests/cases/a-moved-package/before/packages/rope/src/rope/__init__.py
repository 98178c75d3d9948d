"""The module rope."""
