"""Minimise a quadratic model through its explicit Hessian; for few variables."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _quadratic
from .._cholesky import diagonal_of
from ._interior_model import from_inside

DIVERGED = 1e3
RIDGES = np.array([1e-13, 1e-9, 1e-7, 1e-5])
SINGLE_RIDGE = 1e-7
FEW_ROUNDS, ROUNDS, FAR = 3, 8, 0.03  # after which signs are hard to find: far from the end, ever
MANY = 300  # variables
SWEEPS, INSIDE = 200, 5  # operations of a round, and of interior points, by powers of the variables


def minimise_dense(model, accuracy, max_rounds=20):
    """Minimiser of the model through the explicit Hessian, and the gradient there."""
    coordinates = model.coordinates
    start = coordinates.point(model.start), coordinates.slope(model.gradient)

    def recentring(x):
        return coordinates.point(model.recentre(coordinates.lift(x, model.start)))

    quadratic = Quadratic(model.dense_hessian(), model.thresholds(), recentring, least_ridge(model))
    (x, gradient), model.solved, operations = quadratic.minimise(*start, accuracy, max_rounds)
    model.hessian.data.passes.operations += operations
    slope = coordinates.lift_slope(gradient, model.gradient)
    return coordinates.lift(x, model.start), slope


@dataclass(frozen=True)
class Quadratic:
    """A quadratic plus sum_j l1_j |x_j|.

    Attributes
    ----------
    hessian : ndarray of shape (m, m)
    l1 : ndarray of shape (m,)
    recentring : callable or None
        What the best shift of rows that are free in all classes adds to a point.
    ridge : float
        The least one of its factors.
    """

    hessian: np.ndarray
    l1: np.ndarray
    recentring: Callable | None
    ridge: float = RIDGES[0]

    def minimise(self, x, gradient, accuracy, max_rounds=20):
        """The minimiser with the gradient there, whether it was found, and the operations."""
        steps, operations = Steps(self.hessian, self.l1, self.ridge), 0.0
        x, gradient = x.copy(), gradient.copy()
        first, hard = self._violation(x, gradient), len(x) > MANY and self.l1.any()
        for number in range(max_rounds):
            steps.improve(x, gradient, number)
            operations += cost_of_round(x)
            left = least = self._violation(x, gradient)
            if left > accuracy * first and self.recentring is not None:
                # Where next to nothing resists a shift, rounding alone may undo the next one.
                x, gradient = self._recentre(x, gradient)
                least = min(left, self._violation(x, gradient))
            if least <= accuracy * first:
                return (x, gradient), True, operations
            if not left < DIVERGED * first:
                break
            far = least > FAR * first
            if hard and number + 1 >= (FEW_ROUNDS if far else ROUNDS):
                hard = False
                x, gradient = self._from_inside(x, gradient, accuracy)
                operations += INSIDE * len(x) ** 3
        return (x, gradient), False, operations

    def _from_inside(self, x, gradient, accuracy):
        """By interior points, or where it was if it is no lower there."""
        found = from_inside(self.hessian, self.l1, x, gradient, accuracy, ridges_from(self.ridge))
        if found is None:
            return x, gradient
        end, slope = found
        change = 0.5 * (slope + gradient) @ (end - x) + self.l1 @ (np.abs(end) - np.abs(x))
        return found if change < 0 else (x, gradient)

    def _violation(self, x, gradient):
        return _quadratic.least_subgradient(x, gradient, self.l1)

    def _recentre(self, x, gradient):
        """Shift rows of the weights that are free in all classes; only the penalty notices.

        A Hessian in single precision notices too: no shift where the model would not fall.
        """
        shift = self.recentring(x)
        if not shift.any():
            return x, gradient
        change = self.hessian @ shift
        if not decrease(x, gradient, self.l1, shift, change) < 0:
            return x, gradient
        return x + shift, gradient + change


def cost_of_round(x):
    """Operations of sweeps and a Newton step that end at x."""
    return SWEEPS * len(x) ** 2 + np.count_nonzero(x) ** 3 / 3


def least_ridge(model):
    """Of the factors of its Hessian, which may be indefinite by the rounding of its sums."""
    return RIDGES[0] if model.hessian.precise else SINGLE_RIDGE


class Steps:
    """Steps to the minimiser of a quadratic plus sum_j l1_j |x_j|; they change x in place."""

    def __init__(self, hessian, l1, ridge=RIDGES[0]):
        size = len(l1)
        self.hessian, self.l1, self.has_l1 = hessian, l1, l1.any()
        self.ridges = ridges_from(ridge)
        self.room, self.support = np.empty(size * (size + 5)), np.empty(size, dtype=np.intp)

    def improve(self, x, gradient, number=0):
        """Sweeps of coordinate descent, then a Newton step on the support.

        Sweeps cost little beside a factorisation: their number doubles from round to round.
        """
        if self.has_l1:
            _quadratic.sweep(self.hessian, x, gradient, self.l1, min(8 << number, 128))
        _quadratic.newton_step(
            self.hessian, x, gradient, self.l1, self.ridges, self.room, self.support
        )


def decrease(x, gradient, l1, move, change):
    """What a move, mapped to `change` by the Hessian, adds to the model."""
    return gradient @ move + 0.5 * move @ change + l1 @ (np.abs(x + move) - np.abs(x))


def ridges_from(least):
    """Those of the factors of a Hessian, from the least one allowed."""
    return RIDGES[RIDGES.searchsorted(least) :]


def solve_dense(model, diagonal, rhs):
    """Solve (H + diagonal) v = rhs on the free variables, through the explicit Hessian."""
    hessian, coordinates = model.dense_hessian(), model.coordinates
    diagonal_of(hessian)[:] += coordinates.sums(diagonal)
    model.hessian.data.passes.operations += len(hessian) ** 3 / 3
    system, right = np.empty((len(hessian) + 2, len(hessian))), coordinates.slope(rhs)
    system[:-2], solution = hessian, np.empty_like(right)
    _quadratic.solve(system, right, RIDGES, solution)
    return coordinates.lift(solution)
