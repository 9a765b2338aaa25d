"""What goes wrong with colors."""

from photochrom.measures.base import Measure

MEASURES = (
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
)
