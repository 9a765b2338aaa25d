"""What tests of the pages share: the kits of the study's own tests, and a small study served."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Studies and simulated people are the same behind a browser.
sys.path.append(str(Path(__file__).parent.parent / "study"))

from web_kit import Site, serving, write_study


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(write_study(tmp_path / "study.db")) as served:
        yield served
