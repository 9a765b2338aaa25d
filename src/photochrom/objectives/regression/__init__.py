"""Regression: the network gives ab itself."""
