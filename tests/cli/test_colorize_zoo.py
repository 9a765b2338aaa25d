"""Every kind of input through one run of ``photochrom colorize``."""

from pathlib import Path

import pytest
from cli_kit import Run

from inputs_kit import INPUTS


@pytest.mark.usefixtures("models")
def test_each_kind_of_input_is_colored_or_refused_in_one_line(here: Path, photochrom: Run) -> None:
    assert len(INPUTS) >= 60
    for kind in INPUTS:
        (here / f"{kind.name}{kind.suffix}").write_bytes(kind.data)
    names = [f"{kind.name}{kind.suffix}" for kind in INPUTS]
    ended = photochrom("colorize", *names, "-o", "out/", "--json", "-q", "--model", "painter")
    assert ended.status == 3
    told = {one["input"]: one for one in ended.json["photographs"]}
    states = {name: one["state"] for name, one in told.items()}
    assert states == {
        name: "colored" if kind.expected == "colored" else "failed"
        for name, kind in zip(names, INPUTS, strict=True)
    }
    failed = [name for name, state in states.items() if state == "failed"]
    assert sorted(ended.lines) == sorted(f"{name}: {told[name]['error']}" for name in failed)
    assert all(len(one["outputs"]) == (one["state"] == "colored") for one in told.values())
    assert all(Path(path).stat().st_size for one in told.values() for path in one["outputs"])
    assert not list(here.rglob("*.part"))
