"""The module tent."""
