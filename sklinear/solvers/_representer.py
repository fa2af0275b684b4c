"""Reduction to n dimensions for dense data with more features than samples, L2 alike for all.

By the representer theorem the optimal weights are W = X^T B.  With X X^T = U S U^T the
problem on the rows of U S^(1/2) (n, r) has the same scores and the same penalty at
W = X^T U S^(-1/2) V.

References
----------
Schoelkopf, Herbrich and Smola, A generalized representer theorem, COLT 2001.
"""

from dataclasses import replace

import numpy as np

from .._dense_data import DenseData
from ._substitute import Substitute

MIN_FEATURES = 200
DECOMPOSITION = 10  # operations by n^3
PASSES, PASSES_RESTS = 200, 800  # of a fit, about; where some samples have no curvature
FITS = 6  # that a path of 100 alphas costs, about


def applies(problem, on_path=False):
    """Whether the reduction is exact, and saves a fit more than the eigenvectors cost."""
    n, d = problem.data.shape
    penalty = problem.penalty
    exact = penalty.l1 == 0 and penalty.is_even and not problem.data.sparse
    if not exact or d < max(MIN_FEATURES, 1.2 * n):
        return False
    passes = PASSES_RESTS if problem.loss.rests else PASSES
    saved = passes * 4 * n * (d - n) * problem.n_classes
    return n * n * (d + DECOMPOSITION * n) <= (FITS if on_path else 1) * saved


class Reduced:
    """A solver that sees the rows of U S^(1/2); should it end too early, it goes on with all of X.

    Parameters
    ----------
    inner : callable
        The solver.
    """

    def __init__(self, inner):
        self.inner, self.reduced = inner, Substitute(self._reduce)

    def __call__(self, problem, start):
        """Yield the iterates."""
        small, root = self.reduced.of(problem), self.root[:, None]
        known = start.scores is not None
        scores = start.scores - start.intercept if known else problem.data.scores(start.coef)
        for found in self.inner(small, replace(start, coef=self.vectors.T @ scores / root)):
            coef = problem.data.correlate(self.vectors @ (found.coef / root))
            iterate = replace(found, coef=coef, correlation=problem.correlate(found.dual))
            yield iterate
        last = {name: getattr(iterate, name) for name in ("coef", "intercept", "scores")}
        yield from self.inner(problem, replace(start, **last, known=None))

    def _reduce(self, problem):
        """The reduced data; keeps the eigenvectors and the roots of the eigenvalues."""
        self.vectors, self.root = eigenvectors(problem.data)
        return DenseData(self.vectors * self.root, problem.data.passes, 0.0)


def eigenvectors(data):
    """Eigenvectors of X X^T, and the roots of their eigenvalues, where these are not zero."""
    values, vectors = np.linalg.eigh(data.gram())
    kept = values > values[-1] * len(values) * np.finfo(float).eps
    return np.ascontiguousarray(vectors[:, kept]), np.sqrt(values[kept])
