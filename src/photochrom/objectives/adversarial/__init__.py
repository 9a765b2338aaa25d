"""Adversarial: a generator of colors against a discriminator."""
