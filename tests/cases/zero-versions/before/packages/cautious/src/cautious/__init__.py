"""The module cautious."""
