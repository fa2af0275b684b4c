"""Dense data in the coordinates of their principal directions, where the L2 part is alike for all.

A rotation W = Q V leaves scores and penalty as they are.  With Q the eigenvectors of
(X - 1 m^T)^T (X - 1 m^T) the features are orthogonal to each other and to the constant one, and
the preconditioner of conjugate gradients costs next to nothing instead of half a product.
"""

from dataclasses import replace

import numpy as np

from .._dense_data import DenseData
from ._moments import moment_rows
from ._preconditioner import MAX_KRONECKER_FEATURES
from ._substitute import Substitute

MIN_FEATURES = 100
PRODUCTS = 100  # of a fit, about


def rotates(problem):
    """Whether the rotation is exact, and saves a fit more than it costs.

    It takes 2 n d^2 operations, and a preconditioner 2 C d^2 for each product.
    """
    (n, d), penalty, loss = problem.data.shape, problem.penalty, problem.loss
    exact = penalty.l1 == 0 and penalty.is_even and not problem.data.sparse
    if not exact or loss.rests or not loss.smooth:
        return False
    fits = MIN_FEATURES <= d <= MAX_KRONECKER_FEATURES and d <= n <= moment_rows(d)
    return fits and n <= PRODUCTS * problem.n_classes


class Rotated:
    """A solver that sees the rotated features.

    Parameters
    ----------
    inner : callable
        The solver.
    """

    def __init__(self, inner):
        self.inner, self.rotated = inner, Substitute(self._turn)

    def __call__(self, problem, start):
        """Yield the iterates."""
        rotated = self.rotated.of(problem)
        intercept = start.intercept + self.mean @ start.coef
        begin = replace(start, coef=self.vectors.T @ start.coef, intercept=intercept)
        for found in self.inner(rotated, begin):
            coef = self.vectors @ found.coef
            intercept = found.intercept - self.mean @ coef
            correlation = problem.correlate(found.dual)
            at = {"coef": coef, "intercept": intercept, "correlation": correlation}
            yield replace(found, **at, gradient=None)

    def _turn(self, problem):
        """The rotated data; keeps the mean and the directions."""
        data, (d, n_classes) = problem.data, problem.shape
        X = data.columns(slice(None), np.arange(d))[:, :-1]
        self.mean = X.mean(axis=0) if problem.fit_intercept else np.zeros(d)
        X -= self.mean
        self.vectors = np.linalg.eigh(X.T @ X)[1]
        data.passes.add(data.share * 2 * d / n_classes)
        rotated = DenseData(X @ self.vectors, data.passes, data.share)
        rotated.orthogonal = True
        return rotated
