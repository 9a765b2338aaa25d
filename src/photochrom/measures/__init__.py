"""The measures of the comparison: their names, units, directions and definitions.

This is the one place that says what a column of the table means, a module for each group of them.
How each is computed stands in the modules of :mod:`photochrom.evaluation` under the same name.
"""

from photochrom.measures import classifier, color, cost, failures, perception, pixels
from photochrom.measures.base import Better, Group, Measure

__all__ = ["BOUNDED", "MEASURES", "Better", "Group", "Measure"]

MEASURES: tuple[Measure, ...] = (
    *color.MEASURES,
    *pixels.MEASURES,
    *perception.MEASURES,
    *failures.MEASURES,
    *classifier.MEASURES,
    *cost.MEASURES,
)

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
