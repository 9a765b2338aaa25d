"""What all tests share."""

from hypothesis import settings

# A busy machine is no failure: pytest's timeout stops what hangs.
settings.register_profile("photochrom", deadline=None)
settings.load_profile("photochrom")
