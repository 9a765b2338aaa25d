"""What a measure is."""

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
