"""The measures of the comparison: their names, units, directions and definitions.

This is the one place that says what a column of the table means. How each is computed stands in
:mod:`photochrom.evaluation.metrics` under the same name.
"""

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "closest to 0", "none"]


@dataclass(frozen=True)
class Measure:
    """A number by which colorizers are compared.

    Attributes
    ----------
    key : its name in metrics.json, in comparison.csv and, after ``test/``, in MLflow.
    title : the heading of its column.
    unit : what it is counted in; empty for plain numbers.
    better : which direction is better; ``none`` where it only informs.
    digits : decimals to print.
    definition : one sentence that defines it, with its source.
    """

    key: str
    title: str
    unit: str
    better: Better
    digits: int
    definition: str


BOUNDED = ("auc_rebalanced", "auc", "colorfulness_delta", "ciede2000", "psnr")
"""The measures shown with their interval in tables and MLflow; all would bury the numbers."""

MEASURES: tuple[Measure, ...] = (
    Measure(
        "auc_rebalanced",
        "AuC rebalanced",
        "%",
        "higher",
        1,
        "AuC with each pixel weighted by 1 / (prior of its true bin), so that rare colors count "
        "more (Zhang et al. 2016). The prior is that of the training photographs, smoothed and "
        "with pseudo-counts as params.yaml says: values compare within one set of photographs.",
    ),
    Measure(
        "auc",
        "AuC",
        "%",
        "higher",
        1,
        "Share of pixels whose Euclidean ab error is at most t, averaged over t = 0, 1, .. 150 "
        "(Zhang et al. 2016).",
    ),
    Measure(
        "colorfulness",
        "Colorfulness",
        "",
        "none",
        1,
        "Mean colorfulness of the outputs (Hasler and Suesstrunk 2003, signed).",
    ),
    Measure(
        "colorfulness_delta",
        "Δ colorfulness",
        "",
        "closest to 0",
        1,
        "Mean colorfulness of the outputs minus that of the true photographs.",
    ),
    Measure(
        "colorfulness_absolute",
        "Colorfulness (abs)",
        "",
        "none",
        1,
        "The variant with |rg| and |yb| that DDColor and CT2 publish as CF.",
    ),
    Measure(
        "ciede2000",
        "CIEDE2000",
        "",
        "lower",
        2,
        "Mean color difference CIEDE2000 over all pixels (CIE 142-2001).",
    ),
    Measure("ab_mse", "ab MSE", "", "lower", 1, "Mean squared error of a and b, in squared units."),
    Measure("ab_mae", "ab MAE", "", "lower", 2, "Mean absolute error of a and b."),
    Measure(
        "accuracy",
        "Accuracy",
        "%",
        "higher",
        1,
        "Share of pixels whose R, G and B are all within the threshold of params.yaml "
        "(Nazeri et al. 2018).",
    ),
    Measure(
        "psnr",
        "PSNR",
        "dB",
        "higher",
        2,
        "Peak signal-to-noise ratio over R, G and B in 0..255 of each photograph, capped at 60 "
        "dB, averaged. It favors gray: never rank colorizers by it.",
    ),
    Measure(
        "ssim",
        "SSIM",
        "",
        "higher",
        3,
        "Structural similarity of R, G and B, averaged (Wang et al. 2004: Gaussian window, sigma "
        "1.5). High for every colorization, since all share the true luminance.",
    ),
    Measure("red_mae", "R error", "", "lower", 2, "Mean absolute error of R in 0..255."),
    Measure("green_mae", "G error", "", "lower", 2, "Mean absolute error of G in 0..255."),
    Measure("blue_mae", "B error", "", "lower", 2, "Mean absolute error of B in 0..255."),
    Measure(
        "milliseconds",
        "Time",
        "ms",
        "lower",
        2,
        "Median time to color one photograph, one at a time, on the machine that evaluated.",
    ),
    Measure("parameters", "Parameters", "", "none", 0, "Trained numbers in the colorizer."),
)
