"""Options: what cannot be used is refused in a sentence that says what to set instead."""

from typing import Any

import pytest

from photochrom.colorizer.options import OptionError, Options


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 15}, "size is 15: set it from 16 to 1024 pixels."),
        ({"size": 64.5}, "size is 64.5: set it from 16 to 1024 pixels."),
        ({"size": "a"}, "size is a: set it from 16 to 1024 pixels."),
        ({"size": 1025}, "size is 1025: set it from 16 to 1024 pixels."),
        ({"temperature": 0.0}, "temperature is 0: set it from 0.05 to 10.0."),
        ({"temperature": float("nan")}, "temperature is nan: set it from 0.05 to 10.0."),
        ({"saturation": -0.1}, "saturation is -0.1: set it from 0 to 4.0."),
        ({"saturation": float("inf")}, "saturation is inf: set it from 0 to 4.0."),
        ({"upsampling": "nearest"}, "upsampling is 'nearest': set it to bicubic or guided."),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        Options(**changes)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "changes",
    [{"size": 16}, {"size": 1024}, {"temperature": 0.05}, {"temperature": 10.0}, {"saturation": 4}],
)
def test_the_limits_can_be_used(changes: dict[str, Any]) -> None:
    Options(**changes)
