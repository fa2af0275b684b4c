"""Minimise an exact quadratic model through an explicit Hessian that is only nearly right.

The Hessian of a sample of the rows, or of an earlier iterate, tells where the signs are and
preconditions conjugate gradients on the support; products with the exact one, each a pass over
X, do the rest.  That is far cheaper than the explicit exact Hessian where samples are many.
"""

import numpy as np

from .. import _quadratic
from .._cholesky import ScaledCholesky
from ._explicit import Steps, cost_of_round

MAX_ROUNDS = 6
ENOUGH = 1e-2  # fall of the violation that is accepted
MAX_PRODUCTS = 12  # of one system
POLISH = 0.1  # of what is asked for
ROUGH = 0.03  # of the residual, until signs settle
MAX_ACTIVE_SETS = 6
FEW, UNSETTLED = 3, 0.05  # share of the support that changes sign
STALLED = 0.3  # fall of the violation in a round
RIDGE = 1e-6  # of the preconditioner: shifts of all classes are not seen


class Refinement:
    """Vectors are in the coordinates of the free variables.

    Parameters
    ----------
    model : QuadraticModel
        With the exact Hessian, not formed.
    rough : ndarray of shape (m, m)
        The Hessian that is nearly right, with the ridges of the model.
    max_products : int
        After so many products it ends.
    """

    def __init__(self, model, rough, max_products):
        self.model, self.rough, self.products_left = model, rough, max_products
        self.coordinates, self.l1 = model.coordinates, model.thresholds()
        self.x = self.coordinates.point(model.start)
        self.gradient = self.coordinates.slope(model.gradient)

    def minimise(self, accuracy):
        """Whether the violation has fallen by a factor of `accuracy`, or nearly."""
        left = self.violation()
        goal, enough = accuracy * left, ENOUGH * left
        steps = Steps(self.rough, self.l1)
        for number in range(MAX_ROUNDS):
            before = left
            target = self.x.copy()
            steps.improve(target, self.gradient.copy(), number)
            self.model.hessian.data.passes.operations += cost_of_round(target)
            self.move(target - self.x)
            self.recentre()
            if self.violation() > goal:
                self.polish(POLISH * goal)
            left = self.violation()
            if left <= goal or left > STALLED * before or self.products_left <= 0:
                break
        return left <= enough

    def violation(self):
        """Norm of the smallest subgradient."""
        return _quadratic.least_subgradient(self.x, self.gradient, self.l1)

    def product(self, vector):
        """The exact Hessian times a vector."""
        self.products_left -= 1
        return self.coordinates.slope(self.model.product(self.coordinates.lift(vector)))

    def move(self, move, change=None):
        """The step along a move, up to one, that lowers the model most."""
        change = self.product(move) if change is None else change
        step, stop = best_step(self.x, self.gradient, self.l1, move, change)
        self.x, self.gradient = self.x + step * move, self.gradient + step * change
        self.x[stop] = 0.0

    def recentre(self):
        """Shift rows that are free in all classes; the curvature does not see it."""
        shift = self.model.recentre(self.coordinates.lift(self.x, self.model.start))
        change = self.coordinates.slope(self.model.ridges()[:, None] * shift)
        self.move(self.coordinates.point(shift), change)

    def polish(self, goal):
        """Conjugate gradients on the support; variables that change sign are set to zero.

        What changes sign shows long before the equations are solved.  Where much does, the
        support is not yet that of the minimiser, and nothing is done.
        """
        free = (self.x != 0) | (self.l1 == 0)
        slope = self.gradient + self.l1 * np.sign(self.x)
        move, change = np.zeros_like(self.x), np.zeros_like(self.x)
        level = ROUGH * np.linalg.norm(slope[free])
        for _ in range(MAX_ACTIVE_SETS):
            self._descend(free, slope, move, change, max(level, goal))
            crossing = free & (self.l1 > 0) & (self.x * (self.x + move) < 0)
            if np.count_nonzero(crossing) > FEW + UNSETTLED * np.count_nonzero(free):
                return
            if crossing.any():
                change += self.product(np.where(crossing, -self.x - move, 0.0))
                move[crossing] = -self.x[crossing]
                free &= ~crossing
            elif level <= goal or self.products_left <= 0:
                break
            else:
                level = 0.0
        self.move(move, change)

    def _descend(self, free, slope, move, change, goal):
        """Add to a move what minimises the quadratic over free variables, and to H move."""
        chosen = np.flatnonzero(free)
        residual = -(slope + change)[chosen]
        if np.linalg.norm(residual) <= goal:
            return
        factor = ScaledCholesky(self.rough[np.ix_(chosen, chosen)], [RIDGE])
        self.model.hessian.data.passes.operations += len(chosen) ** 3 / 3
        towards, direction, last = np.zeros(len(chosen)), np.zeros_like(move), np.inf
        for _ in range(MAX_PRODUCTS):
            solved = factor.solve(residual)
            energy = residual @ solved
            towards = solved + (energy / last) * towards
            direction[chosen] = towards
            image = self.product(direction)
            bend = towards @ image[chosen]
            if not bend > 0:
                break
            step, last = energy / bend, energy
            move += step * direction
            change += step * image
            residual = residual - step * image[chosen]
            if np.linalg.norm(residual) <= goal or self.products_left <= 0:
                break


def best_step(x, gradient, l1, move, change):
    """Minimiser over [0, 1] of a quadratic plus sum l1 |x + t move|, and who is zero there.

    Its derivative is linear between the kinks -x / move, where it jumps by 2 l1 |move|.
    """
    kinks = np.flatnonzero((x * move < 0) & (l1 > 0) & (np.abs(x) < np.abs(move)))
    places = -x[kinks] / move[kinks]
    order = np.argsort(places)
    kinks, places = kinks[order], places[order]
    signs = np.where(x != 0, np.sign(x), np.sign(move))
    slopes = gradient @ move + (l1 * signs) @ move
    slopes += np.append(0.0, np.cumsum(2 * l1[kinks] * np.abs(move[kinks])))
    bend, start = move @ change, 0.0
    for slope, end in zip(slopes, np.append(places, 1.0), strict=True):
        if slope + end * bend >= 0:
            # Below the kink before it the derivative is negative: at least that far.
            step = min(max(-slope / bend, start), end) if bend > 0 else start
            return step, kinks[places == step]
        start = end
    return 1.0, kinks[:0]


def minimise_refined(model, rough, accuracy, max_products):
    """Minimiser of the model and the gradient there, or None if that took too long.

    Parameters
    ----------
    model : QuadraticModel
        With the exact Hessian.
    rough : Hessian
        In the same variables, with an explicit matrix.
    accuracy : float
        By which the violation of optimality has to fall.
    max_products : int
        How many products with the exact Hessian it may cost, about.
    """
    refinement = Refinement(model, model.dense_hessian(rough), max_products)
    if not refinement.minimise(accuracy):
        return None
    slope = model.coordinates.lift_slope(refinement.gradient, model.gradient)
    return model.coordinates.lift(refinement.x, model.start), slope
