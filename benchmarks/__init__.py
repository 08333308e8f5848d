"""Measured comparisons: not part of the product, run by `make bench`."""
