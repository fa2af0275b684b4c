"""Minimise a quadratic model through its explicit Hessian; for few variables."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from .. import _core
from ._model import violation

DIVERGED = 1e3
RIDGES = (1e-13, 1e-11, 1e-9, 1e-7, 1e-5)


def minimise_dense(model, accuracy, max_rounds=20):
    """Minimiser of the model through the explicit Hessian, and the gradient there."""
    hessian = model.dense_hessian()
    x, gradient = model.start[model.free], model.gradient[model.free]
    l1 = np.broadcast_to(model.l1, model.free.shape)[model.free]
    first = np.linalg.norm(violation(x, gradient, l1))
    for number in range(max_rounds):
        x, gradient = improve(hessian, x, gradient, l1, number)
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
    out, slope = model.start.copy(), model.gradient.copy()
    out[model.free], slope[model.free] = x, gradient
    return out, slope


def improve(hessian, x, gradient, l1, number=0):
    """Sweeps of coordinate descent, then Newton steps on the support; one step if l1 is zero.

    Sweeps cost little beside a factorisation: their number doubles from round to round.
    """
    if l1.any():
        _core.quadratic_descent(hessian, x, gradient, l1, min(8 << number, 128))
    return _newton_on_support(hessian, x, gradient, l1)


def _recentre(model, hessian, x, gradient, l1):
    """Shift rows of the weights that are free in all classes; only the penalty notices.

    A Hessian in single precision notices too: no shift where the model would not fall.
    """
    full = model.start.copy()
    full[model.free] = x
    shift = model.recentre(full)[model.free]
    change = hessian @ shift
    if not _decrease(x, gradient, l1, shift, change) < 0:
        return x, gradient
    return x + shift, gradient + change


def _decrease(x, gradient, l1, move, change):
    """What a move, mapped to `change` by the Hessian, adds to the model."""
    return gradient @ move + 0.5 * move @ change + l1 @ (np.abs(x + move) - np.abs(x))


def _newton_on_support(hessian, x, gradient, l1, max_steps=3):
    """Newton steps on the support, variables that change sign set to zero; the model falls."""
    for _ in range(max_steps):
        support = np.flatnonzero((x != 0) | (l1 == 0))
        if len(support) == 0:
            break
        slope = (gradient + l1 * np.sign(x))[support]
        direction = np.zeros_like(x)
        direction[support] = -_solve(hessian.take(support, 0).take(support, 1), slope)
        x, gradient, whole = _cut_step(hessian, x, gradient, l1, direction)
        if whole:
            break
    return x, gradient


def _cut_step(hessian, x, gradient, l1, direction):
    """The longest step tried that lowers the model; whether nothing cut it short or down."""
    for step in (1.0, 0.5, 0.25, 0.125, _first_crossing(x, l1, direction)):
        candidate = x + step * direction
        crossing = (l1 > 0) & (x != 0) & (candidate * x <= 1e-14 * x * x)
        candidate[crossing] = 0.0
        move = candidate - x
        change = hessian @ move
        if _decrease(x, gradient, l1, move, change) < 0:
            return candidate, gradient + change, not crossing.any()
    return x, gradient, True


def _first_crossing(x, l1, direction):
    """The largest step up to 1 that changes no sign."""
    towards = (l1 > 0) & (x * direction < 0)
    return min(1.0, np.min(-x[towards] / direction[towards], initial=1.0))


def _solve(matrix, rhs):
    """Solve a positive semi-definite system, scaled to a unit diagonal, with a small ridge.

    The ridge grows where rounding leaves a solution that is none.
    """
    diagonal = np.diag(matrix)
    scale = 1.0 / np.sqrt(np.maximum(diagonal, 1e-20 * diagonal.max()))
    scaled, rhs = matrix * scale * scale[:, None], scale * rhs
    solution = np.zeros_like(rhs)
    for ridge in RIDGES:
        factor = scaled.copy()
        factor[np.diag_indices_from(factor)] += ridge
        lower, info = dpotrf(factor.T, lower=True, clean=False, overwrite_a=True)
        if info != 0:
            continue
        solution = dpotrs(lower, rhs, lower=True)[0]
        # Half the product with the right side is what the quadratic wins at the solution.
        won = rhs @ solution - 0.5 * solution @ (scaled @ solution)
        if won >= 0.4 * rhs @ solution >= 0:
            break
    return scale * solution


def solve_dense(model, diagonal, rhs):
    """Solve (H + diagonal) v = rhs on the free variables, through the explicit Hessian."""
    hessian = model.dense_hessian()
    hessian[np.diag_indices_from(hessian)] += diagonal[model.free]
    out = np.zeros_like(rhs)
    out[model.free] = _solve(hessian, rhs[model.free])
    return out
