"""The quadratic model of a smooth problem around an iterate.

    m(x) = <g, x - w> + 1/2 <x - w, H (x - w)> + l1 |x|_1,     H = X^T M X + ridge

over the free variables.  Arrays are stacked: shape (f + 1, C), a row for each feature that
has a free variable; the last row belongs to the intercept, which no penalty touches.
"""

import numpy as np

from .._cholesky import diagonal_of
from .._penalty import best_shifts

FREE_RIDGE = 1e-10
LEAST_DAMPING, RAISED_DAMPING = 1e-12, 1e-6
RAISED_DAMPING_WIDE = 2e-2


class QuadraticModel:
    """The model around `iterate` in the free variables.

    Parameters
    ----------
    problem : Problem
        With a smooth loss.
    iterate : Iterate
    hessian : Hessian
        Of the loss, at this iterate or an earlier one, in the variables that may move.
    damping : float or ndarray of shape (d,)
        Added to l2 in the model, for all features or for each.
    """

    def __init__(self, problem, iterate, hessian, damping):
        self.solved, self.n_products = True, 0
        self.penalty = problem.penalty
        self.hessian = hessian
        self.free, self.kept = hessian.free, hessian.kept
        self.coordinates = hessian.coordinates
        self.damping = self._of_features(np.reshape(damping, (-1, 1)))
        self.ridge = self._of_features(self._least_ridge(problem)) + self.damping
        part = self.penalty.take(hessian.features)
        coef = iterate.coef[hessian.features]
        self.start = np.vstack([coef, np.zeros(problem.n_classes)])
        # Of the loss and the L2 part.
        self.gradient = problem.gradient(iterate)[self.kept]
        self.gradient[:-1] += part.gradient(coef)
        # A class with next to no curvature would go to infinity; a step of ten is far for scores.
        lack = np.max(0.1 * np.abs(self.gradient[-1]) - hessian.class_curvature, initial=0.0)
        self.intercept_ridge = FREE_RIDGE * (problem.loss.bend + hessian.mean_curvature) + lack
        self.l1 = np.append(self._of_features(self.penalty.l1s), [[0.0]], axis=0)

    def _least_ridge(self, problem):
        """l2, and next to nothing for a free feature, of which a shift is not seen at all."""
        penalty = problem.penalty
        if len(penalty.free) == 0:
            return penalty.l2s
        level = FREE_RIDGE * (problem.loss.bend + self.hessian.mean_curvature)
        return np.where(penalty.factor > 0, penalty.l2s, level * problem.mean_squares[:, None])

    def _of_features(self, values):
        """Those of the features in the model, shape (f, 1), of a number or an array (d, 1)."""
        return np.broadcast_to(values, (len(self.kept) - 1, 1))[self.kept[:-1]]

    def move_to(self, x):
        """The move of all variables, shape (d + 1, C), to a point of the model.

        With an L1 part each row of the weights is shifted to its least penalty.
        """
        target = np.where(self.free, x, self.start)
        if self.penalty.l1 > 0:
            target[:-1] = self.penalty.take(self.hessian.features).recentre(target[:-1])
        target -= self.start
        if len(target) == len(self.kept):
            return target
        out = np.zeros((len(self.kept), target.shape[1]))
        out[self.kept] = target
        return out

    def product(self, vector):
        """H @ vector, in the precision of X but for the ridge."""
        out = self.hessian.product(vector)
        out += self.ridges()[:, None] * vector
        return out

    def diagonal(self):
        """The diagonal of H, stacked."""
        return self.hessian.diagonal() + self.ridges()[:, None]

    def dense_hessian(self, hessian=None):
        """H in the coordinates of the free variables, with another Hessian in it."""
        hessian = (hessian or self.hessian).dense().copy()
        ridges = np.broadcast_to(self.ridges()[:, None], self.free.shape)
        diagonal_of(hessian)[:] += self.coordinates.sums(ridges)
        return hessian

    def thresholds(self):
        """The weights of the L1 norm in the coordinates."""
        return self.coordinates.sums(np.broadcast_to(self.l1, self.free.shape))

    def value(self, x, gradient):
        """m(x) - m(w), from the gradient of the quadratic at x."""
        move = x - self.start
        quadratic = 0.5 * np.vdot(self.gradient + gradient, move)
        return float(quadratic + (self.l1 * (np.abs(x) - np.abs(self.start))).sum())

    def damping_of(self, x):
        """What the damping adds to m(x)."""
        move = x[:-1] - self.start[:-1]
        return 0.5 * float((self.damping * move**2).sum())

    def ridges(self):
        """What the model adds to the diagonal of H, for each row of a stacked array."""
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
        shift[:-1][whole] = -best_shifts(rows, self.l1[:-1][whole, 0], ridge, centre)[:, None]
        return shift


def adapted(damping, ratio):
    """The damping of the next model, from how much came true of what this one promised."""
    if ratio > 0.7:
        return max(damping / 8, LEAST_DAMPING)
    if ratio < 0.3:
        return min(max(4 * damping, RAISED_DAMPING), 1.0)
    return damping


def adapted_wide(damping, ratio):
    """The same where samples become active on the way and nothing but them holds most weights.

    There models without damping promise what a tenth of their step brings.  The promise is that of
    the loss and the penalty alone.
    """
    if ratio > 0.85:
        return max(damping / 2, LEAST_DAMPING)
    if ratio < 0.6:
        return min(max(4 * damping, RAISED_DAMPING_WIDE), 1.0)
    return damping
