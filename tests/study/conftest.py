"""Small studies, ready for people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from study_commands import STUDY
from study_kit import write_small_study

from photochrom.study.store import StudyStore


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that is prepared, and the process in the folder of its project."""
    monkeypatch.chdir(tmp_path)
    STUDY.parent.mkdir(parents=True)
    return write_small_study(STUDY)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of six prepared sessions."""
    return write_small_study(tmp_path / "study.db")


@pytest.fixture
def store(study: Path) -> Iterator[StudyStore]:
    opened = StudyStore.open(study)
    yield opened
    opened.close()
