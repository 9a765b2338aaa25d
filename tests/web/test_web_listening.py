"""Where the pages can be listened for, and under which names."""

import pytest

from photochrom.cli import listening


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("x.test", False),
    ],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:
    assert listening.is_local(host) == local


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", {"127.0.0.1", "localhost", "[::1]"}),
        ("::1", {"127.0.0.1", "localhost", "[::1]"}),
        ("127.0.0.2", {"127.0.0.1", "localhost", "[::1]", "127.0.0.2"}),
        ("0.0.0.0", {"*"}),
    ],
)
def test_this_machine_alone_is_asked_by_its_own_names(host: str, names: set[str]) -> None:
    assert set(listening.names(host)) == names
