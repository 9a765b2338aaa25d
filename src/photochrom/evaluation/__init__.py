"""Evaluation: the same measures for every colorizer and every untrained baseline."""
