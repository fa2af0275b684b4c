"""Pictures of fits: displays in scikit-learn's manner."""

from ._loss_curve import LossCurveDisplay
from ._loss_landscape import LossLandscapeDisplay

__all__ = ["LossCurveDisplay", "LossLandscapeDisplay"]
