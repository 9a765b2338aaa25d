"""What networks trained on photographs make of the colors: classes, features and their distances.

Each network is there or not: EfficientNet-Lite0 comes with a package, AlexNet and Inception-v3 are
fetched once by ``photochrom weights fetch``. The measures of an absent one are left out; nothing is
downloaded while measuring.
"""

from photochrom.evaluation.perception.perception import Perception
from photochrom.evaluation.perception.refusal import PerceptionError

__all__ = ["Perception", "PerceptionError"]
