"""The line search of a step, and the iterates and dual points it leads to."""

from dataclasses import replace

import numpy as np

from .._problem import line_search

SLACK = 0.03  # of what a step gained
FLAT = 0.25  # slope at the end of a search by that at its start


class Ray:
    """The objective from an iterate in the direction of a move; one product with X.

    Parameters
    ----------
    problem : Problem
    iterate : Iterate
    move : ndarray of shape (d + 1, C)
        Of the weights and, in the last row, of the intercept.
    penalty : object with methods value(coef) and slope(coef, direction)
    """

    def __init__(self, problem, iterate, move, penalty):
        self.problem, self.iterate, self.penalty = problem, iterate, penalty
        self.coef_move, self.intercept_move = np.ascontiguousarray(move[:-1]), move[-1]
        self.scores_move = problem.scores(self.coef_move, self.intercept_move)
        self.known = {}
        self.start = self.value_and_slope(0.0)

    def value_and_slope(self, step):
        """The objective at a step, and its derivative."""
        if step not in self.known:
            self.known[step] = self._value_and_slope(step)
        return self.known[step]

    def _value_and_slope(self, step):
        problem, iterate = self.problem, self.iterate
        value, slope = problem.loss.value_and_slope(
            iterate.scores, self.scores_move, step, problem.labels, problem.weights
        )
        coef = iterate.coef + step * self.coef_move
        return value + self.penalty.value(coef), slope + self.penalty.slope(coef, self.coef_move)

    def search(self, longest):
        """A step that lowers the objective (0 if there is none), and the change."""
        step = line_search(self.value_and_slope, self.start, longest, FLAT)
        return step, self.value_and_slope(step)[0] - self.start[0]

    def at(self, step):
        """The iterate after a step, with the natural dual point."""
        iterate, change = self.iterate, self.value_and_slope(step)[0] - self.start[0]
        return self.problem.evaluate(
            iterate.coef + step * self.coef_move,
            iterate.intercept + step * self.intercept_move,
            iterate.scores + step * self.scores_move,
            slack=SLACK * abs(change),
        )

    def linearised(self, curvature, iterate):
        """Another iterate with the dual point that the whole move foresees, G + M dZ.

        Where the move minimises the model exactly, this point fulfils |A| <= l1 exactly; the
        natural one only to first order in the move.
        """
        dual = self.iterate.dual + curvature.change(self.scores_move)
        dual = self.problem.loss.clip(dual, self.problem.labels)
        found = self.problem.certified(iterate.coef, iterate.intercept, iterate.scores, dual)
        return replace(found, loss_value=iterate.loss_value)
