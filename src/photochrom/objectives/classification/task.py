"""Which classification an entry of params.yaml asks for."""

from torch import Tensor

from photochrom.color.bins import bins
from photochrom.objectives.classification.decoded import DecodedClassification
from photochrom.objectives.classification.distribution import Classification
from photochrom.params.models import ClassificationParams, ModelParams


def build(model: ModelParams, weights: Tensor | None) -> Classification:
    """Make the task.

    Raises
    ------
    ValueError
        If rarity plays a part and the weights are missing or of other bins.
    """
    objective = model.objective
    assert isinstance(objective, ClassificationParams)
    expected = len(bins(objective.bins))
    if not objective.weighs_bins:
        weights = None
    elif weights is None or len(weights) != expected:
        raise ValueError(f"the rarity of {objective.bins} needs {expected} weights")
    rebalancing = None if objective.rebalance is None else weights
    if objective.decoder is None:
        return Classification(model, objective, rebalancing)
    return DecodedClassification(model, objective, rebalancing, weights)
