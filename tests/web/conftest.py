"""What tests of the pages share: the kits of the study's own tests, and a small study served."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Studies and simulated people are the same behind a browser.
sys.path.append(str(Path(__file__).parent.parent / "study"))

from coloring_kit import Service, coloring_service, write_models
from web_kit import Site, serving, write_study


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(write_study(tmp_path / "study.db")) as served:
        yield served


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the models of ``coloring_kit``."""
    return write_models(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all temporary files of the tests of a module."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def service(project: Path, temporary: Path) -> Iterator[Service]:
    with coloring_service(project, temporary) as found:
        yield found
