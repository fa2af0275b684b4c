"""The line search of a step, and the iterates and dual points it leads to."""

import sys
from dataclasses import replace

import numpy as np

from .._line_search import line_search

SLACK, SLACK_L1 = 3e-4, 3e-6  # of what a step gained
FLAT = 0.25  # slope at the end of a search by that at its start


class Ray:
    """The objective from an iterate in the direction of a move; one product with X.

    Parameters
    ----------
    problem : Problem
    iterate : Iterate
    move : ndarray of shape (d + 1, C)
        Of the weights and, in the last row, of the intercept.
    penalty : object with a method along(coef, move)
    features : ndarray or slice
        Those with a weight or a move, if any others add nothing to the penalty.

    Attributes
    ----------
    loss_slope : float
        The derivative of the loss at the iterate.
    start : tuple of float
        The objective at the iterate, and its derivative there.
    trial : tuple of float, or None
        The last step tried, and the loss and the objective there.
    room : tuple of ndarray, or None
        The scores and the natural dual point there.
    """

    def __init__(self, problem, iterate, move, penalty, features=slice(None)):
        self.problem, self.iterate = problem, iterate
        self.coef_move, self.intercept_move = np.ascontiguousarray(move[:-1]), move[-1]
        self.penalty_at = penalty.along(iterate.coef[features], self.coef_move[features])
        self.scores_move = problem.scores(self.coef_move, self.intercept_move)
        self.trial, self.room = None, None
        self.loss_slope = float(np.vdot(problem.gradient(iterate), move))
        self.start = self._with_penalty(0.0, problem.loss_at(iterate), self.loss_slope)

    def value_and_slope(self, step):
        """The objective at a step, and its derivative; the scores there are kept."""
        problem, iterate = self.problem, self.iterate
        if self.room is None:
            self.room = np.empty_like(iterate.scores), np.empty_like(iterate.scores)
        loss, slope = problem.loss.value_along(
            iterate.scores, self.scores_move, step, problem.labels, problem.weights, self.room
        )
        objective, slope = self._with_penalty(step, loss, slope)
        self.trial = step, loss, objective
        return objective, slope

    def _with_penalty(self, step, loss, slope):
        """The objective and its derivative, zero where it is least at a kink."""
        value, right, left = self.penalty_at(step)
        uphill = step > 0 and slope + right > 0
        return loss + value, max(slope + left, 0.0) if uphill else slope + right

    def search(self, longest, flat=FLAT):
        """A step that lowers the objective (0 if there is none), and the change."""
        step = line_search(self.value_and_slope, self.start, longest, flat)
        return step, self._value(step) - self.start[0]

    def _value(self, step):
        if self.trial is None or self.trial[0] != step:
            self.value_and_slope(step)
        return self.trial[2]

    def at(self, step):
        """The iterate after a step, with the natural dual point made feasible."""
        change = self._value(step) - self.start[0]
        # With an L1 part an unbalanced dual point costs the gap in proportion.
        slack = SLACK_L1 if self.problem.penalty.l1 > 0 else SLACK
        *point, known = self.end(step)
        return self.problem.evaluate(*point, slack=slack * abs(change), known=known)

    def end(self, step):
        """Weights, intercept and scores after a step; the loss and the natural dual point."""
        self._value(step)
        iterate, (_, loss, _), (scores, dual) = self.iterate, self.trial, self.room
        self.room, self.trial = None, None
        coef = iterate.coef + step * self.coef_move
        intercept = iterate.intercept + step * self.intercept_move
        return coef, intercept, scores, (loss, dual)

    def bend(self):
        """The second derivative of the loss at the start."""
        curvature = self.problem.curvature(self.iterate.scores)
        bend = float(np.vdot(self.scores_move, curvature.product(self.scores_move)))
        return max(bend, sys.float_info.min)

    def bend_in(self, hessian):
        """The same in the Hessian of a model, which holds all features that move."""
        return hessian.bend(np.vstack([self.coef_move, self.intercept_move])[hessian.kept])

    def linearised(self, iterate):
        """Another iterate with the dual point that the whole move foresees, G + M dZ.

        Where the move minimises the model exactly, this point fulfils |A| <= l1 exactly; the
        natural one only to first order in the move.
        """
        problem, loss = self.problem, self.problem.loss
        _, dual = loss.value_and_dual(self.iterate.scores, problem.labels, problem.weights)
        curvature = loss.curvature_at(dual, problem.labels, problem.weights)
        dual += curvature.change(self.scores_move)
        dual = loss.clip(dual, problem.labels)
        found = problem.certified(iterate.coef, iterate.intercept, iterate.scores, dual)
        return replace(found, loss_value=iterate.loss_value)
