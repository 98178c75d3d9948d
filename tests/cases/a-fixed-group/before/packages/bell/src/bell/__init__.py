"""The module bell."""
