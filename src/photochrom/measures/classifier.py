"""How well a classifier knows what it knows."""

from photochrom.measures.base import Measure

LOGITS = "Only classifiers have it."

MEASURES = (
    Measure(
        "bin_top1",
        "classifier",
        "Bin accuracy",
        "%",
        "higher",
        1,
        "Share of pixels whose likeliest bin is the true one, in the model's own bins at its own "
        "resolution (true ab averaged down to it).",
        LOGITS,
    ),
    Measure(
        "bin_top5",
        "classifier",
        "Bin accuracy in 5",
        "%",
        "higher",
        1,
        "Share of pixels whose true bin is among the five likeliest.",
        LOGITS,
    ),
    Measure(
        "calibration_error",
        "classifier",
        "Calibration error",
        "%",
        "lower",
        1,
        "Expected calibration error of the likeliest bin (Guo et al. 2017, 15 equal intervals of "
        "confidence) at temperature 1: how far confidence and accuracy lie apart. Rebalanced "
        "training bends it on purpose. Of few pixels it is biased upward, and its interval shows "
        "how far the biased value moves.",
        LOGITS,
    ),
)
