"""Pictures of fits: displays in scikit-learn's manner."""

from ._coefficient_path import CoefficientPathDisplay
from ._cv_scores import CVScoresDisplay
from ._loss_curve import LossCurveDisplay
from ._loss_landscape import LossLandscapeDisplay
from ._loss_shape import LossShapeDisplay
from ._regularization import RegularizationDisplay
from ._scores import ScoresDisplay
from ._templates import TemplatesDisplay

__all__ = [
    "CVScoresDisplay",
    "CoefficientPathDisplay",
    "LossCurveDisplay",
    "LossLandscapeDisplay",
    "LossShapeDisplay",
    "RegularizationDisplay",
    "ScoresDisplay",
    "TemplatesDisplay",
]
