"""Features that no penalty holds: their best weights, and dual points that allow for them.

A penalty of zero has the conjugate 0 at 0 and infinity elsewhere, so a free feature is a linear
constraint on the dual, X_f^T diag(p) G = 0, as the intercept is.  At the best weights of the free
features, for all other weights as they are, the natural dual point fulfils it.  What is left by
rounding, or by another dual point, goes in a step in which every dual variable moves in
proportion to its room, the distance from the edge of its domain (affine scaling).

References
----------
Dikin, Iterative solution of problems of linear and quadratic programming, 1967.
"""

import numpy as np
import scipy.sparse as sp

from ._cholesky import ScaledCholesky
from ._line_search import line_search

EXACT, NEARLY = 1e-12, 1e-9  # of the sum of absolute terms
UNIT = 1e-15  # of the sum of the sizes
MAX_STEPS = 15
TO_BOUNDARY = 0.9
SHORT = 0.05
NEGLIGIBLE = (0.0, 1e-12, 1e-9, 1e-6)
RIDGES = (1e-14, 1e-12, 1e-10, 1e-8)
MAX_NEWTON = 30
LONGEST = 30.0  # change of a score in a step; exp(-30) is next to nothing
LARGEST_WEIGHT = 1e8  # of a feature of size one
SETTLED = 1e-14  # of the loss, what a step gains; the next one gains about its square


class FreeFeatures:
    """The free features of a problem.

    Parameters
    ----------
    problem : Problem
        With at least one free feature.
    """

    def __init__(self, problem):
        self.problem = problem
        data = problem.data.take(slice(None), problem.penalty.free)
        self.unit = 1.0 / _largest(data.X)
        # Of like sizes, or an intercept beside them would leave them without a curvature.
        scaled = data.X @ sp.diags_array(self.unit)
        self.data = type(data)(scaled, data.passes, data.share)
        self.sizes = type(self.data)(abs(self.data.X), self.data.passes, self.data.share)
        # Dual variables near zero are differences of numbers near one.
        sizes = self.sizes.correlate(problem.weights[:, None])
        self.rounding = UNIT * np.vstack([sizes, np.ones((1, 1))])
        # The losses see no common shift of all classes: the last one stays.
        moving = np.ones((self.data.shape[1] + 1, problem.n_classes), dtype=bool)
        moving[:, -1] = False
        moving[-1] &= problem.fit_intercept
        self.moving = moving

    def settle(self, scores, known):
        """Newton's method for the weights of the free features and the intercept.

        Parameters
        ----------
        scores : ndarray of shape (n, C)
            Of all features and the intercept; overwritten by those at the end.
        known : tuple of float and ndarray
            The loss and the natural dual point at the scores.

        Returns
        -------
        move : ndarray of shape (f + 1, C)
            What is added to the weights of the free features and, in the last row, the intercept.
        value, dual
            The loss and the natural dual point at the end.
        """
        problem, (value, dual) = self.problem, known
        total, room = np.zeros(self.moving.shape), np.empty_like(scores)
        for _ in range(MAX_NEWTON):
            imbalance, _ = self._imbalance(dual)
            curvature = problem.loss.curvature_at(dual, problem.labels, problem.weights)
            move = self._solve(curvature, -imbalance)
            path, out = self._scores(move), (room, np.empty_like(scores))
            # Nothing else bounds it where the loss is linear, or tells a class from the others.
            shorter = min(1.0, LONGEST / max(np.abs(path).max(initial=0.0), LONGEST))
            move, path = shorter * move, shorter * path
            slope = np.vdot(move, imbalance)
            if not slope < 0:
                break

            def along(step, path=path, out=out):
                state = problem.labels, problem.weights, out
                return problem.loss.value_along(scores, path, step, *state)

            step = line_search(along, (value, slope))
            if step == 0:
                break
            value, _ = along(step)
            scores[...], dual = room, out[1]
            total += step * move
            if step == 1 and -slope <= SETTLED * value:
                break
        total[:-1] *= self.unit[:, None]
        return total - total.mean(axis=1, keepdims=True), value, dual

    def held(self, dual):
        """A nearby dual point that fulfils the constraints; zero, which always does, if none is.

        Classes that the free features tell from all others have dual variables that vanish, and
        no room to repair them: they are set to zero.  Works in place.
        """
        for negligible in NEGLIGIBLE:
            dual[np.abs(dual) < negligible] = 0.0
            dual = self.problem.loss.clip(dual, self.problem.labels)
            if self._repaired(dual):
                return dual
        dual[:] = 0.0
        return dual

    def _repaired(self, dual):
        """Whether steps, which are taken in place, make a dual point fulfil the constraints."""
        problem = self.problem
        for _ in range(MAX_STEPS):
            imbalance, scale = self._imbalance(dual)
            allowed = np.minimum(EXACT * scale + self.rounding, NEARLY * scale)
            if (np.abs(imbalance) <= allowed).all():
                return True
            room = problem.loss.room(dual, problem.labels, problem.weights)
            move = room.change(self._scores(self._solve(room, -imbalance)))
            step = min(1.0, TO_BOUNDARY * problem.loss.longest(dual, move, problem.labels))
            if step < SHORT:
                return False
            dual += step * move
            problem.loss.clip(dual, problem.labels)
        return False

    def _imbalance(self, dual):
        """Sums that must be zero, stacked (f + 1, C), and those of the absolute terms."""
        weighted = self.problem.weights[:, None] * dual
        size = np.abs(weighted)
        sums = weighted.sum(axis=0) if self.problem.fit_intercept else np.zeros(dual.shape[1])
        return (
            np.vstack([self.data.correlate(weighted), sums]),
            np.vstack([self.sizes.correlate(size), size.sum(axis=0)]),
        )

    def _scores(self, move):
        """What a move of the weights and the intercept adds to the scores."""
        return self.data.scores(move[:-1]) + move[-1]

    def _solve(self, curvature, rhs):
        """The move that such a curvature maps to the right side; zero where nothing curves."""
        feature, klass = np.nonzero(self.moving)
        features, out = np.arange(self.data.shape[1]), np.zeros(self.moving.shape)

        def columns(rows):
            return self.data.columns(rows, features, np.dtype(np.float64))

        slices = self.data.blocks(2 * (len(feature) + len(features) + 1))
        matrix = curvature.gram(slices, columns, feature, klass)
        if matrix.any():
            out[self.moving] = ScaledCholesky(matrix, RIDGES).solve(rhs[self.moving])
        return out


def _largest(X):
    """About the largest size in each column, a power of two; one where weights would overflow."""
    sizes = abs(X).max(axis=0)
    sizes = (sizes.toarray() if sp.issparse(sizes) else sizes).ravel().astype(float)
    least = LARGEST_WEIGHT * np.finfo(X.dtype).tiny
    return 2.0 ** np.round(np.log2(np.where(sizes > least, sizes, 1.0)))
