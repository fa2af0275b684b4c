"""Dual points for features that no penalty holds: X_f^T diag(p) G = 0, besides sum_i p_i g_i = 0.

A penalty of zero has the conjugate 0 at 0 and infinity elsewhere, so a free feature is a linear
constraint on the dual, as the intercept is.  A dual point near the optimum fulfils it nearly; a
step in which every dual variable moves in proportion to its room, the distance from the edge of
its domain, makes it exact and stays inside where it is short (affine scaling).

References
----------
Dikin, Iterative solution of problems of linear and quadratic programming, 1967.
"""

import numpy as np

from ._cholesky import ScaledCholesky

EXACT = 1e-12  # of the sum of absolute terms
MAX_STEPS = 12
LEAST_STEP = 1e-3
NEGLIGIBLE = (0.0, 1e-12, 1e-9, 1e-6)
TO_BOUNDARY = 0.9
RIDGES = (1e-14, 1e-12, 1e-10, 1e-8)


class FreeFeatures:
    """The free features of a problem, and the repair of dual points.

    Parameters
    ----------
    problem : Problem
        With at least one free feature.
    """

    def __init__(self, problem):
        self.problem = problem
        self.data = problem.data.take(slice(None), problem.penalty.free)
        self.sizes = type(self.data)(abs(self.data.X), self.data.passes, self.data.share)
        # The losses see no common shift of all classes: the last one stays.
        moving = np.ones((self.data.shape[1] + 1, problem.n_classes), dtype=bool)
        moving[:, -1] = False
        moving[-1] &= problem.fit_intercept
        self.moving = moving

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
            if (np.abs(imbalance) <= EXACT * scale).all():
                return True
            move = self._move(dual, imbalance)
            if move is None:
                return False
            step = min(1.0, TO_BOUNDARY * problem.loss.longest(dual, move, problem.labels))
            if step < LEAST_STEP:
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

    def _move(self, dual, imbalance):
        """The move that takes the imbalance away, in proportion to the room of each variable.

        None where there is no room at all.
        """
        problem, (feature, klass) = self.problem, np.nonzero(self.moving)
        room = problem.loss.room(dual, problem.labels, problem.weights)
        features = np.arange(self.data.shape[1])

        def columns(rows):
            return self.data.columns(rows, features, np.dtype(np.float64))

        slices = list(self.data.blocks(2 * (len(feature) + len(features) + 1)))
        matrix = room.gram(slices, columns, feature, klass)
        if not matrix.any():
            return None
        system, shift = ScaledCholesky(matrix, RIDGES), np.zeros(self.moving.shape)
        shift[self.moving] = system.solve(-imbalance[self.moving])
        return room.change(self.data.scores(shift[:-1]) + shift[-1])
