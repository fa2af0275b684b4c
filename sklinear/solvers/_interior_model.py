"""Interior points for a quadratic plus a weighted L1 norm, whose signs are hard to find.

    min over x   max over |a| <= l1   q(x) + <a, x>

Every a_j has two multipliers, low - high = -x_j.  A step is a linear system with the Hessian of q
and a positive diagonal; a handful of them pass all the signs that the support would have changed
one by one.

References
----------
Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2, 1992.
"""

import numpy as np

from .._cholesky import ScaledCholesky, diagonal_of
from ._interior_box import Box, corrected_step

MAX_STEPS = 15
SHORT = 0.1  # a step that tells that rounding has the say, or that the start is too near a bound
WIDER = (1.0, 10.0, 100.0)
ENOUGH, BALANCED = 1e-4, 1e-6  # of the accuracy, and of the constant slope


def from_inside(hessian, l1, x, gradient, accuracy, ridges):
    """A point near the least value and the gradient of q there; None where rounding has the say.

    Parameters
    ----------
    hessian : ndarray of shape (m, m)
    l1 : ndarray of shape (m,)
        Zero for variables without a norm.
    x, gradient : ndarray of shape (m,)
        Where to begin.
    accuracy : float
        Of the least value; a few steps may not get so far.
    ridges : tuple of float
        Of the factors.
    """
    size = _size(hessian, x, gradient)
    for factor in WIDER:
        found = _attempt(hessian, l1, (x, gradient), factor * size, accuracy, ridges)
        if found is not None:
            return found
    return None


def _attempt(hessian, l1, start, slack, accuracy, ridges):
    """The same with multipliers so much larger than they need to be."""
    (x, gradient), held = start, np.flatnonzero(l1 > 0)
    constant, box = gradient - hessian @ x, _around(x[held], l1[held], slack)
    for _ in range(MAX_STEPS):
        box.linearise(x[held])
        residual = gradient.copy()
        residual[held] += box.x
        solve = _solver(hessian, held, box, residual, ridges)
        if solve is None:
            return None
        move, step, kept, moves = corrected_step([box], solve)
        if not step > SHORT:
            return None
        box.advance(step, moves[0], kept)
        x = x + step * move
        gradient = constant + hessian @ x
        value = abs(0.5 * x @ (gradient + constant))
        balanced = (1 - step) * np.abs(residual).max() <= BALANCED * np.abs(constant).max()
        if balanced and box.products() <= ENOUGH * accuracy * value:
            break
    x[held[_vanishing(x[held], box)]] = 0.0
    return x, constant + hessian @ x


def _size(hessian, x, gradient):
    """Of variables at the end, roughly: as now, or after steps of single ones from zero."""
    largest = np.abs(diagonal_of(hessian)).max()
    return np.abs(x).mean() or np.abs(gradient).mean() / largest


def _around(x, l1, slack):
    """a = 0, with multipliers for x."""
    low, high = np.maximum(-x, 0.0) + slack, np.maximum(x, 0.0) + slack
    return Box(-l1, l1, np.zeros_like(x), low, high, 0.0, 1.0)


def _solver(hessian, held, box, residual, ridges):
    """Moves for targets of the products; None if the system is not positive definite."""
    system = hessian.copy()
    diagonal_of(system)[held] += box.c
    factor = ScaledCholesky(system, ridges, keep=False)
    if not factor.positive:
        return None

    def solve(targets):
        right = -residual
        right[held] -= box.c * box.rho(targets[0])
        move = factor.solve(right)
        return move, [box.move(move[held], targets[0])]

    return solve


def _vanishing(x, box):
    """Variables that are small beside the slack of a, both on their scales."""
    size = np.abs(x)
    return size * box.upper < (box.upper - np.abs(box.x)) * size.mean()
