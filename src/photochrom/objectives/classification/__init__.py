"""Classification: the network gives a distribution over color bins."""
