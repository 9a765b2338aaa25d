"""Training: one engine for every objective, resumable to the bit."""
