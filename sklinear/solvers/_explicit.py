"""Minimise a quadratic model through its explicit Hessian; for few variables."""

import numpy as np

from .. import _descent
from .._cholesky import ScaledCholesky
from ._model import violation

DIVERGED = 1e3
RIDGES = (1e-13, 1e-9, 1e-7, 1e-5)
SINGLE_RIDGE = 1e-7


def minimise_dense(model, accuracy, max_rounds=20):
    """Minimiser of the model through the explicit Hessian, and the gradient there."""
    hessian, coordinates, l1 = model.dense_hessian(), model.coordinates, model.thresholds()
    x, gradient = coordinates.point(model.start), coordinates.slope(model.gradient)
    first = np.linalg.norm(violation(x, gradient, l1))
    for number in range(max_rounds):
        x, gradient = improve(hessian, x, gradient, l1, number, least_ridge(model))
        # Where next to nothing resists a shift, rounding alone may undo the next one.
        left = np.linalg.norm(violation(x, gradient, l1))
        x, gradient = _recentre(model, hessian, x, gradient, l1)
        if min(left, np.linalg.norm(violation(x, gradient, l1))) <= accuracy * first:
            break
        if not left < DIVERGED * first:
            model.solved = False
            break
    else:
        model.solved = False
    slope = coordinates.lift_slope(gradient, model.gradient)
    return coordinates.lift(x, model.start), slope


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


def _recentre(model, hessian, x, gradient, l1):
    """Shift rows of the weights that are free in all classes; only the penalty notices.

    A Hessian in single precision notices too: no shift where the model would not fall.
    """
    coordinates = model.coordinates
    shift = coordinates.point(model.recentre(coordinates.lift(x, model.start)))
    if not shift.any():
        return x, gradient
    change = hessian @ shift
    if not decrease(x, gradient, l1, shift, change) < 0:
        return x, gradient
    return x + shift, gradient + change


def decrease(x, gradient, l1, move, change):
    """What a move, mapped to `change` by the Hessian, adds to the model."""
    return gradient @ move + 0.5 * move @ change + l1 @ (np.abs(x + move) - np.abs(x))


def _newton_on_support(hessian, x, gradient, l1, ridge):
    """A Newton step on the support, variables that change sign set to zero; the model falls."""
    support = np.flatnonzero((x != 0) | (l1 == 0))
    if len(support) == 0:
        return x, gradient
    slope = (gradient + l1 * np.sign(x))[support]
    direction = np.zeros_like(x)
    direction[support] = -_solve(hessian.take(support, 0).take(support, 1), slope, ridge)
    return _cut_step(hessian, x, gradient, l1, direction)


def _cut_step(hessian, x, gradient, l1, direction):
    """The longest step tried that lowers the model."""
    for step in (1.0, 0.5, 0.25, 0.125, _first_crossing(x, l1, direction)):
        candidate = x + step * direction
        crossing = (l1 > 0) & (x != 0) & (candidate * x <= 1e-14 * x * x)
        candidate[crossing] = 0.0
        move = candidate - x
        change = hessian @ move
        if decrease(x, gradient, l1, move, change) < 0:
            return candidate, gradient + change
    return x, gradient


def _first_crossing(x, l1, direction):
    """The largest step up to 1 that changes no sign."""
    towards = (l1 > 0) & (x * direction < 0)
    return min(1.0, np.min(-x[towards] / direction[towards], initial=1.0))


def _solve(matrix, rhs, least=0.0):
    """Solve a positive semi-definite system with a small ridge.

    The ridge grows where rounding leaves a solution that is none.
    """
    ridges = [ridge for ridge in RIDGES if ridge >= least]
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


def solve_dense(model, diagonal, rhs):
    """Solve (H + diagonal) v = rhs on the free variables, through the explicit Hessian."""
    hessian, coordinates = model.dense_hessian(), model.coordinates
    hessian[np.diag_indices_from(hessian)] += coordinates.sums(diagonal)
    return coordinates.lift(_solve(hessian, coordinates.slope(rhs)))
