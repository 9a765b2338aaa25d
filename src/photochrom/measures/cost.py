"""What a colorizer costs."""

from photochrom.measures.base import Measure

MEASURES = (
    Measure(
        "milliseconds",
        "cost",
        "Time",
        "ms",
        "lower",
        2,
        "Median time to color one photograph, one at a time, on the machine that evaluated.",
    ),
    Measure("parameters", "cost", "Parameters", "", "none", 0, "Trained numbers in the colorizer."),
)
