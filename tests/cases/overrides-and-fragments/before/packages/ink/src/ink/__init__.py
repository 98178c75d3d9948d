"""The module ink."""
