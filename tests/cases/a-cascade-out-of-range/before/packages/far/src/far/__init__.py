"""The module far."""
