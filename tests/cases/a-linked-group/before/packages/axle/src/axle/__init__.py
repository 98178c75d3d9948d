"""The module axle."""
