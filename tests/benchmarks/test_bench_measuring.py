"""Timing two things in turn, and the machine."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from group_device import Traffic
from machine import commit, machine
from measuring import Row, Setting, Spread, threads
from photochrom.params import load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    params = load_params(ROOT / "params.yaml")
    return Setting(params, torch.device("cpu"), tmp_path, rounds=3, quick=True)


def test_spread_is_median_and_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)
    assert Spread.of([1.0, 2.0, 3.0]).scaled(10).width == 10.0


def test_both_are_timed_in_turn_after_one_run_of_each(setting: Setting) -> None:
    order: list[str] = []
    times = setting.interleaved("both", lambda: order.append("A"), lambda: order.append("B"))
    assert "".join(order) == "AB" + 3 * "AB"
    assert [len(part) for part in times] == [3, 3]


def test_short_work_is_repeated_within_a_timing(setting: Setting) -> None:
    calls: list[int] = []
    times = Setting(setting.params, setting.device, setting.scratch, rounds=1).alone(
        "an empty call", lambda: calls.append(0)
    )
    assert len(times) == 1
    assert len(calls) > 100


@pytest.mark.parametrize(
    ("better", "goal", "met"),
    [("lower", 1.6, True), ("lower", 1.4, False), ("higher", 1.4, True), ("higher", 1.6, False)],
)
def test_goal_is_a_bound_on_the_worse_side(better: str, goal: float, met: bool) -> None:
    value = Spread(1.5, 1.5, 1.5)
    assert Row("a", "filter", value, "x", better, goal=goal).met is met  # type: ignore[arg-type]
    assert Row("a", "filter", value, "x", better).met is None  # type: ignore[arg-type]


def test_threads_are_set_back() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_traffic_of_a_matrix_product_is_its_three_matrices() -> None:
    one, other = torch.zeros(3, 5), torch.zeros(5, 7)
    with Traffic() as traffic, FlopCounterMode(display=False) as flops:
        one.T.contiguous()
        one @ other
    # The transposed copy reads and writes 15 numbers; the view itself moves nothing.
    assert traffic.bytes == 4 * (15 + 15) + 4 * (15 + 35 + 21)
    assert flops.get_total_flops() == 2 * 3 * 5 * 7


def test_machine_and_commit_are_told() -> None:
    here = machine()
    assert here["cores"] >= 1
    assert here["device"] == "cpu" or here["gpu"]
    assert set(commit()) == {"commit", "dirty"}
