"""What all tests share."""

import pytest
from hypothesis import settings

# A busy machine is no failure: pytest's timeout stops what hangs.
settings.register_profile("photochrom", deadline=None)
settings.load_profile("photochrom")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Small networks compute faster on one thread than on threads that wait for each other."""
    import torch

    torch.set_num_threads(1)
