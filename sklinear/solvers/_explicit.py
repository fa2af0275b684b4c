"""Minimise a quadratic model through its explicit Hessian; for few variables."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _descent
from .._cholesky import ScaledCholesky, diagonal_of
from ._interior_model import from_inside
from ._model import violation

DIVERGED = 1e3
RIDGES = (1e-13, 1e-9, 1e-7, 1e-5)
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
        hessian, l1, operations = self.hessian, self.l1, 0.0
        first, hard = self._violation(x, gradient), len(x) > MANY and l1.any()
        for number in range(max_rounds):
            x, gradient = improve(hessian, x, gradient, l1, number, self.ridge)
            operations += SWEEPS * len(x) ** 2 + np.count_nonzero(x) ** 3 / 3
            # Where next to nothing resists a shift, rounding alone may undo the next one.
            left = least = self._violation(x, gradient)
            if self.recentring is not None:
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
        found = from_inside(self.hessian, self.l1, x, gradient, accuracy, _ridges_from(self.ridge))
        if found is None:
            return x, gradient
        end, slope = found
        change = 0.5 * (slope + gradient) @ (end - x) + self.l1 @ (np.abs(end) - np.abs(x))
        return found if change < 0 else (x, gradient)

    def _violation(self, x, gradient):
        slope = violation(x, gradient, self.l1)
        return math.sqrt(slope @ slope)

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


def least_ridge(model):
    """Of the factors of its Hessian, which may be indefinite by the rounding of its sums."""
    return RIDGES[0] if model.hessian.precise else SINGLE_RIDGE


def improve(hessian, x, gradient, l1, number=0, ridge=0.0):
    """Sweeps of coordinate descent, then a Newton step on the support.

    Sweeps cost little beside a factorisation: their number doubles from round to round.
    """
    if l1.any():
        _descent.quadratic_descent(hessian, x, gradient, l1, min(8 << number, 128))
    return _newton_on_support(hessian, x, gradient, l1, ridge)


def decrease(x, gradient, l1, move, change):
    """What a move, mapped to `change` by the Hessian, adds to the model."""
    return gradient @ move + 0.5 * move @ change + l1 @ (np.abs(x + move) - np.abs(x))


def _newton_on_support(hessian, x, gradient, l1, ridge):
    """A Newton step on the support, variables that change sign set to zero; the model falls."""
    support = np.flatnonzero((x != 0) | (l1 == 0))
    if len(support) == 0:
        return x, gradient
    slope = (gradient + l1 * np.sign(x))[support]
    if len(support) == len(x):
        return _cut_step(hessian, x, gradient, l1, -_solve(hessian, slope, ridge))
    direction = np.zeros_like(x)
    direction[support] = -_solve(hessian.take(support, 0).take(support, 1), slope, ridge)
    return _cut_step(hessian, x, gradient, l1, direction)


def _cut_step(hessian, x, gradient, l1, direction):
    """The longest step tried that lowers the model."""
    for step in _steps(x, l1, direction):
        candidate = x + step * direction
        crossing = (l1 > 0) & (x != 0) & (candidate * x <= 1e-14 * x * x)
        candidate[crossing] = 0.0
        move = candidate - x
        change = hessian @ move
        if decrease(x, gradient, l1, move, change) < 0:
            return candidate, gradient + change
    return x, gradient


def _steps(x, l1, direction):
    """Steps to try, at last the largest up to 1 that changes no sign."""
    yield from (1.0, 0.5, 0.25, 0.125)
    towards = (l1 > 0) & (x * direction < 0)
    yield min(1.0, np.min(-x[towards] / direction[towards], initial=1.0))


def _solve(matrix, rhs, least=0.0):
    """Solve a positive semi-definite system with a small ridge.

    The ridge grows where rounding leaves a solution that is none.
    """
    ridges = _ridges_from(least)
    system, solution = ScaledCholesky(matrix, ridges[:1]), np.zeros_like(rhs)
    for ridge in ridges:
        if ridge > ridges[0]:
            system.factor([ridge])
        if not system.positive:
            continue
        solution = system.solve(rhs)
        scaled = solution / system.scale
        # Half the product with the right side is what the quadratic wins at the solution.
        hoped = rhs @ solution
        won = hoped - 0.5 * scaled @ (system.scaled @ scaled)
        if won >= 0.4 * hoped >= 0:
            break
    return solution


def _ridges_from(least):
    return [ridge for ridge in RIDGES if ridge >= least]


def solve_dense(model, diagonal, rhs):
    """Solve (H + diagonal) v = rhs on the free variables, through the explicit Hessian."""
    hessian, coordinates = model.dense_hessian(), model.coordinates
    diagonal_of(hessian)[:] += coordinates.sums(diagonal)
    model.hessian.data.passes.operations += len(hessian) ** 3 / 3
    return coordinates.lift(_solve(hessian, coordinates.slope(rhs)))
