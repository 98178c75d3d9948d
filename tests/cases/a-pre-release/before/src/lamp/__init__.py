"""The module lamp."""
