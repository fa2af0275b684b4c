"""The quadratic model of a smooth problem around an iterate.

    m(x) = <g, x - w> + 1/2 <x - w, H (x - w)> + l1 |x|_1,     H = X^T M X + ridge

over the free variables.  Arrays are stacked: shape (f + 1, C), a row for each feature that
has a free variable; the last row belongs to the intercept, which no penalty touches.
"""

import numpy as np

from .._penalty import best_shifts
from ._sampling import draw_rows

SINGLE_LIMIT = 1e8  # of the mean square of features in single precision


class QuadraticModel:
    """The model around `iterate` in the free variables.

    Parameters
    ----------
    problem : Problem
        With a smooth loss.
    iterate : Iterate
    free : ndarray of bool, shape (d + 1, C)
        The variables that may move.
    damping : float or ndarray of shape (d,)
        Added to l2 in the model, for all features or for each.
    max_rows : int
        The Hessian is that of so many samples at the most, evenly drawn.
    """

    def __init__(self, problem, iterate, free, damping, max_rows):
        self.solved = True
        self.penalty = problem.penalty
        self.whole = np.vstack([iterate.coef, np.zeros(problem.n_classes)])
        self.kept = np.append(free[:-1].any(axis=1), True)
        self.free = free[self.kept]
        self.damping = np.broadcast_to(damping, len(free) - 1)[self.kept[:-1], None]
        self.ridge = problem.penalty.l2 + self.damping
        self.start = self.whole[self.kept]
        self.gradient = _stacked_gradient(problem, iterate)[self.kept]
        self.l1 = np.full((len(self.start), 1), problem.penalty.l1)
        self.l1[-1] = 0.0
        self.full_curvature = problem.curvature(iterate.scores)
        self._restrict(problem, self.full_curvature, max_rows)
        # Products of large float32 features would overflow or lose all digits.
        single = problem.mean_square < SINGLE_LIMIT
        self.dtype = self.data.dtype if single else np.dtype(np.float64)
        self.narrow = self.curvature.astype(self.dtype)
        mean = float(np.trace(self.curvature.mean())) / problem.n_classes
        self.intercept_ridge = 1e-10 * (problem.loss.bend + mean)

    def _restrict(self, problem, curvature, max_rows):
        """Keep the samples that curve and the features that may move, where that is few."""
        active = curvature.active_rows()
        rows = active[draw_rows(len(active), max_rows)]
        self.sampled = len(rows) < len(active)
        few = len(rows) <= 0.5 * len(problem.labels) or self.sampled
        features = slice(None) if self.kept.all() else np.flatnonzero(self.kept[:-1])
        factor = len(active) / max(1, len(rows))
        rows = rows if few else slice(None)
        whole = not few and isinstance(features, slice)
        self.data = problem.data if whole else problem.data.take(rows, features)
        self.curvature = curvature.take(rows, factor) if few else curvature

    def expand(self, x):
        """Weights of all features, shape (d + 1, C), from those of the model."""
        out = self.whole.copy()
        out[self.kept] = np.where(self.free, x, self.start)
        return out

    def product(self, vector):
        """H @ vector, in the precision of X but for the ridge."""
        scores = self.scores(vector)
        scores = self.narrow.product(scores)
        out = np.empty_like(vector)
        out[:-1] = self.data.correlate(scores)
        out[:-1] += self.ridge * vector[:-1]
        out[-1] = scores.sum(axis=0) + self.intercept_ridge * vector[-1]
        return out

    def scores(self, vector):
        """Scores of a stacked array, in the precision of X."""
        scores = self.data.scores(np.ascontiguousarray(vector[:-1], dtype=self.dtype))
        scores += vector[-1].astype(self.dtype)
        return scores

    def diagonal(self):
        """The diagonal of H, stacked."""
        weighted = self.curvature.diagonal()
        squares = self.data.correlate_squares(weighted) + self.ridge
        return np.vstack([squares, weighted.sum(axis=0) + self.intercept_ridge])

    def dense_hessian(self):
        """H on the free variables, in the order of np.nonzero(free)."""
        feature, klass = np.nonzero(self.free)
        f = len(self.free) - 1
        everything = np.arange(f)
        hessian = np.zeros((len(feature), len(feature)))
        for rows in self.data.blocks(max(1, (len(feature) + f) // 8)):
            columns = self.data.columns(rows, everything)
            self.curvature.take(rows).add_gram(hessian, columns, feature, klass)
        self.data.passes.add(2 * self.data.share)
        hessian[np.diag_indices_from(hessian)] += self.ridges()[feature]
        return hessian

    def value(self, x, gradient):
        """m(x) - m(w), from the gradient of the quadratic at x."""
        move = x - self.start
        quadratic = 0.5 * np.vdot(self.gradient + gradient, move)
        return float(quadratic + (self.l1 * (np.abs(x) - np.abs(self.start))).sum())

    def ridges(self):
        """What H adds to the diagonal, for each row of a stacked array."""
        return np.append(self.ridge, self.intercept_ridge)

    def recentre(self, x):
        """What the best shift of each row adds to x; rows not wholly free stay.

        The curvature does not see the shift, the penalty and the damping, which pulls
        towards the start, do.
        """
        whole = self.free[:-1].all(axis=1)
        shift = np.zeros_like(x)
        rows, start = x[:-1][whole], self.start[:-1][whole]
        ridge, damping = self.ridge[whole, 0], self.damping[whole, 0]
        share = np.divide(damping, ridge, out=np.zeros_like(ridge), where=ridge > 0)
        centre = rows.mean(axis=1) - share * start.mean(axis=1)
        shift[:-1][whole] = -best_shifts(rows, self.penalty.l1, ridge, centre)[:, None]
        return shift


def _stacked_gradient(problem, iterate):
    """Gradient of the loss and the L2 part, shape (d + 1, C)."""
    slope = iterate.correlation + problem.penalty.l2 * iterate.coef
    residual = problem.weights @ iterate.dual
    return np.vstack([slope, residual if problem.fit_intercept else 0.0 * residual])


def violation(x, gradient, l1):
    """The subgradient of smallest norm of a smooth function plus sum l1 |x|."""
    inside = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0.0)
    return np.where(x == 0, inside, gradient + l1 * np.sign(x))
