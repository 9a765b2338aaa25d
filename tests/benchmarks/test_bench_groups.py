"""Every group of `make bench`, at sizes so small that only the scripts are tried."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from run import GROUPS, main

NAMED = {
    "a": ["filter", "lab", "filter and lab"],
    "b": ["step of", "step of", "step of", "epoch of", "epoch of"],
    "c": ["soft encoding"] * 2 + ["classification loss"] * 2 + ["memory of"] * 2,
    "d": ["coloring with"] * 2,
    "e": ["evaluation of"],
    "f": ["matrix product", "copy", "step of", "step of", "step of"],
    "g": ["python -c"],
}
"""How the rows of a group begin."""


def measured(group: str, results: Path) -> list[dict[str, Any]]:
    main(["--quick", "--only", group, "--rounds", "1", "--results", str(results)])
    [path] = results.glob("*.json")
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


@pytest.mark.parametrize("group", GROUPS)
def test_group_measures_and_keeps(
    group: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = measured(group, tmp_path)
    shown = capsys.readouterr()
    assert [row["group"] for row in rows] == [group] * len(NAMED[group])
    for row, begins in zip(rows, NAMED[group], strict=True):
        assert row["name"].startswith(begins)
        value = row["value"]
        assert 0 < value["lower"] <= value["median"] <= value["upper"] < math.inf
        assert row["goal"] is None, "tiny sizes have no goal"
        assert row["name"] in shown.out
        if row["reference"] is not None:
            assert value["median"] == pytest.approx(ratio(row))
        if row["name"].endswith("a dense target") and row["unit"] == "x less":
            assert value["median"] > 1, "a dense target takes more memory"
    assert GROUPS[group][0] in shown.err
    assert "Kept in" in shown.out


def ratio(row: dict[str, Any]) -> float:
    """Return the value that a row's times give."""
    one, other = (row[key]["median"] for key in ("milliseconds", "reference"))
    return float(one / other if row["unit"] == "x the floor" else other / one)


def test_nothing_is_kept_unless_wanted(tmp_path: Path) -> None:
    main(["--quick", "--only", "g", "--rounds", "1", "--no-keep", "--results", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "b,z"], "there is no group z; there are a, b, c, d, e, f, g"),
        (["--rounds", "0"], "0 must be a whole number of at least 1"),
        (["--photographs", "missing.zip"], "there is no file missing.zip"),
    ],
)
def test_wrong_options_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert said in " ".join(capsys.readouterr().err.split())
