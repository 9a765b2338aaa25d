"""Runs as they are kept, and what is told of the change since."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from history import change, earlier, facts, is_slower, keep
from measuring import Better, Row, Setting, Spread
from photochrom.params import load_params
from showing import since, verdict

ROOT = Path(__file__).parents[2]


def row(median: float, width: float = 0.0, better: Better = "lower") -> Row:
    value = Spread(median, median - width / 2, median + width / 2)
    return Row("b", "step of unet313", value, "x the floor", better, goal=1.1)


def run_of(
    rows: list[Row], date: str = "2026-01-02T00:00:00+00:00", **other: Any
) -> dict[str, Any]:
    setting = Setting(load_params(ROOT / "params.yaml"), torch.device("cpu"), Path())
    return facts(rows, setting, "make bench") | {"date": date, "commit": "abc"} | other


def kept(folder: Path, *runs: dict[str, Any]) -> None:
    for run in runs:
        keep(run, folder)


def test_run_tells_where_of_what_and_how() -> None:
    run = run_of([row(1.05)])
    assert set(run) == {
        "format", "date", "command", "commit", "dirty", "hardware", "versions", "settings",
        "rounds", "rows",
    }  # fmt: skip
    assert set(run["hardware"]) == {"processor", "cores", "gpu", "device", "precision"}
    assert run["hardware"]["processor"]
    assert {"python", "torch", "numpy"} <= set(run["versions"])
    assert run["rows"][0]["value"] == {"median": 1.05, "lower": 1.05, "upper": 1.05}


def test_run_is_kept_under_its_date(tmp_path: Path) -> None:
    run = run_of([row(1.0)])
    path = keep(run, tmp_path)
    assert path.name == "20260102-000000.json"
    assert json.loads(path.read_text(encoding="utf-8")) == run


def test_latest_earlier_value_counts_even_of_a_run_of_one_group(tmp_path: Path) -> None:
    other = replace(row(3.0), group="c", name="soft encoding")
    kept(
        tmp_path,
        run_of([row(9.0), other], "2026-01-01T00:00:00+00:00"),
        run_of([row(1.0)], "2026-01-02T00:00:00+00:00"),
        run_of([row(5.0)], "2026-01-04T00:00:00+00:00"),
    )
    found = earlier(run_of([row(1.2)], "2026-01-03T00:00:00+00:00"), tmp_path)
    assert found["b", "step of unet313"]["value"]["median"] == 1.0
    assert found["c", "soft encoding"]["value"]["median"] == 3.0


@pytest.mark.parametrize(
    "other",
    [
        {"hardware": {"processor": "Another", "cores": 2}},
        {"settings": {"quick": True, "photographs": None}},
        {"settings": {"quick": False, "photographs": "real.zip"}},
        {"format": 1},
    ],
)
def test_other_hardware_and_other_sizes_are_not_compared(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    kept(tmp_path, run_of([row(1.0)], "2026-01-01T00:00:00+00:00", **other))
    assert earlier(run_of([row(1.0)]), tmp_path) == {}


def test_record_of_an_older_form_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "20251121-085300.json").write_text('{"ratios": [], "date": "2025-11-21"}')
    assert earlier(run_of([row(1.0)]), tmp_path) == {}


@pytest.mark.parametrize(
    ("before", "now", "slower"),
    [
        (row(1.0), row(1.2), True),
        (row(1.0), row(1.09), False),
        (row(1.0), row(0.5), False),
        (row(1.0, width=0.3), row(1.2), False),
        (row(1.0), row(1.2, width=0.3), False),
        (row(1.0, width=0.1), row(1.2, width=0.1), True),
        (row(40.0, better="higher"), row(30.0, better="higher"), True),
        (row(40.0, better="higher"), row(50.0, better="higher"), False),
    ],
)
def test_slower_is_more_than_a_tenth_and_more_than_both_spreads(
    before: Row, now: Row, slower: bool
) -> None:
    former = run_of([before])["rows"][0]
    assert is_slower(now, former) is slower
    assert ("SLOWER" in since(now, former)) is slower


def test_change_is_the_share_by_which_the_value_has_grown() -> None:
    former = run_of([row(2.0)])["rows"][0]
    assert change(row(2.5), former) == pytest.approx(0.25)
    assert since(row(2.5), former) == "+25% SLOWER"
    assert since(row(1.0), former) == "-50%"
    assert since(row(1.0), None) == "–"


def test_verdict_names_what_is_missed_and_what_is_slower(tmp_path: Path) -> None:
    kept(tmp_path, run_of([row(1.0)], "2026-01-01T00:00:00+00:00"))
    before = earlier(run_of([row(1.2)]), tmp_path)
    lines = verdict([row(1.2)], before)
    assert lines == [
        "Goals met: 0 of 1.",
        "Missed: step of unet313, 1.2 (1.2 to 1.2) x the floor.",
        "Compared with 2026-01-01T00:00:00+00:00 (abc).",
        "Slower: step of unet313, +20%.",
    ]
    assert verdict([row(1.0)], before)[-1] == "Nothing became slower."
    assert verdict([row(1.0)], {}) == [
        "Goals met: 1 of 1.",
        "There is no earlier run on this hardware to compare with.",
    ]
