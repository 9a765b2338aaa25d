from pathlib import Path

import pytest
from tracking_project import CODE, params_of, write_evaluation

from photochrom.measures import Better
from photochrom.tracking.champion import Registration, champion, measured


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ({"a": 1.0, "b": 2.0}, "higher", "b"),
        ({"a": 1.0, "b": 2.0}, "lower", "a"),
        ({"a": -1.0, "b": 2.0, "c": -0.5}, "closest to 0", "c"),
        ({"a": -3.0, "b": -2.0}, "higher", "b"),
        ({"b": 2.0, "a": 2.0}, "higher", "a"),
        ({"b": -2.0, "a": 2.0}, "closest to 0", "a"),
        ({"only": 0.0}, "lower", "only"),
        ({}, "higher", None),
    ],
)
def test_the_champion(values: dict[str, float], better: Better, best: str | None) -> None:
    assert champion(values, better) == best


def test_a_measure_without_direction_has_no_champion() -> None:
    with pytest.raises(ValueError, match="direction"):
        champion({"a": 1.0}, "none")


def test_the_registration_is_what_params_yaml_asks_for() -> None:
    params = params_of("one", "two", measure="colorfulness_delta", direction="closest to 0")
    asked = Registration.of(params, CODE)
    assert (asked.measure, asked.better) == ("colorfulness_delta", "closest to 0")
    assert (asked.name, asked.models) == ("colorizers", ("one", "two"))


def test_what_is_not_evaluated_is_left_out(tmp_path: Path) -> None:
    write_evaluation(tmp_path, "one", auc=3.0)
    assert measured(tmp_path, ("one", "two"))["one"]["auc"] == 3.0
    assert set(measured(tmp_path, ("one", "two"))) == {"one"}
