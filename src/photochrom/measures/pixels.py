"""How near each pixel comes."""

from photochrom.measures.base import Measure

MEASURES = (
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
)
