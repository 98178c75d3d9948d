"""The module oar."""
