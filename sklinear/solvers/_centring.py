"""Solvers on centred data, where features are far from zero beside their spread.

The weights, the scores, the dual points and their correlations are those of the problem as it
was given; only the intercept is another one.
"""

from dataclasses import replace

import numpy as np

from .._centred_data import CentredData, means_and_variances
from .._sampling import draw_weighty
from ._substitute import Substitute

ENOUGH_ENTRIES, FEWEST_ROWS = 2**17, 100  # that means are taken of, where there are more
FAR = 1.0  # mean of a feature, by its standard deviation


def centre_of(problem):
    """What to subtract from the features, or None where that can't help.

    It can for dense data with an intercept and a feature that is far from zero.  Features without
    a penalty are constraints of the dual that are known to fewer digits on centred data.
    """
    if problem.data.sparse or not problem.fit_intercept or len(problem.penalty.free):
        return None
    size = max(ENOUGH_ENTRIES // max(1, problem.shape[0]), FEWEST_ROWS)
    rows = draw_weighty(problem.weights, size)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, variance = means_and_variances(problem.data, problem.weights, rows)
        far = mean**2 > FAR**2 * variance
    return mean if far.any() and np.isfinite(mean).all() else None


class Centred:
    """A solver that sees the features less their centre.

    Parameters
    ----------
    inner : callable
        The solver.
    centre : ndarray of shape (d,)
    """

    def __init__(self, inner, centre):
        self.inner, self.centre = inner, centre
        self.centred = Substitute(lambda problem: CentredData(problem.data, centre))

    def __call__(self, problem, start):
        """Yield the iterates."""
        intercept = start.intercept + self.centre @ start.coef
        for found in self.inner(self.centred.of(problem), replace(start, intercept=intercept)):
            intercept = found.intercept - self.centre @ found.coef
            yield replace(found, intercept=intercept, gradient=None)
