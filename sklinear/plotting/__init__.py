"""Pictures of fits: displays in scikit-learn's manner."""

from ._coefficient_path import CoefficientPathDisplay
from ._cv_scores import CVScoresDisplay

__all__ = ["CVScoresDisplay", "CoefficientPathDisplay"]
