"""The module grown."""
