"""How near the colors come, and how colorful they are."""

from photochrom.measures.base import Measure

MEASURES = (
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
)
