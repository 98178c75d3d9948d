"""The module kite."""
