"""Primal-dual interior-point method for the hinge losses, on problems of moderate size.

With x_ik = p_i u_ik for the wrong classes k (0 <= u <= h) the problem is

    min over W, b   max over 0 <= x <= p h, |a| <= l1
        sum_ik (x_ik m_ik - s x_ik^2 / (2 p_i))  +  <a, W>  +  l2/2 ||W||^2

and every bound has a multiplier.  A Newton step on the optimality conditions, in which a product
of multiplier and slack is mu instead of zero, is a linear system with a curvature for each
violation m and a penalty for each weight.  However badly the features are scaled, however weak
the penalty and however uneven the weights are, mu falls to nothing in some 10 to 40 steps, where
Newton's method on the loss itself changes its active set hundreds of times.

References
----------
Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2, 1992.
"""

from dataclasses import replace

import numpy as np

from .._certificate import certify
from ._interior_box import corrected_step, signs, violations
from ._interior_systems import Entries, SampleSystem, WeightSystem

SHORT, MAX_SHORT = 1e-2, 3
MAX_STEPS = 100
SMALLEST = 1e-14  # of the objective at zero
LIGHT = 1e-8  # of the largest factor of a penalty
WIDER = 3.0  # than the gap, what the products of a first point sum up to
SHARE_WIDE = 10.0  # of the L1 part by the loss, where it has more terms


class InteriorPoint:
    """The iterate and its steps.

    Attributes
    ----------
    coef, intercept, scores : ndarray
    boxes : list of Box
        Of x and, with an L1 part, of a.
    """

    def __init__(self, problem):
        self.problem, self.entries = problem, Entries(problem)
        self.coef, self.intercept = np.zeros(problem.shape), np.zeros(problem.n_classes)
        self.scores = np.zeros(self.entries.shape)
        smoothing, largest = problem.loss.block
        weights = problem.weights[self.entries.sample]
        self.boxes = [violations(weights, smoothing, largest)]
        wide = len(weights) < self.coef.size
        if problem.penalty.l1 > 0:
            share = (SHARE_WIDE if wide else 1.0) * weights.sum() / self.coef.size
            self.boxes.append(signs(problem, share))
        self.system = (SampleSystem if wide else WeightSystem)(problem, self.entries)

    def begin_at(self, point, products):
        """Go to the weights of a point, and with all else where the products sum up to this."""
        self.coef, self.intercept, self.scores = point.coef, point.intercept, point.scores
        violated = 1.0 + self.entries.difference(self.scores)
        mu = products / sum(box.total for box in self.boxes)
        for box, f in zip(self.boxes, (violated, self.coef.ravel()), strict=False):
            box.centre(f, mu)

    @property
    def products(self):
        """What the products of multipliers and slacks sum up to."""
        return sum(box.products() for box in self.boxes)

    def step(self):
        """Take Mehrotra's step; how long it was."""
        self._linearise()
        self.system.factorise(self.boxes[0].c, self.bend)
        (coef, intercept, scores), step, kept, moves = corrected_step(self.boxes, self._solve)
        for box, move in zip(self.boxes, moves, strict=True):
            box.advance(step, move, kept)
        self.coef = self.coef + step * coef
        self.intercept = self.intercept + step * intercept
        self.scores = self.scores + step * scores
        return step

    def iterate(self):
        """The present point for a certificate, with zeros where weights go to zero."""
        problem = self.problem
        weights = np.where(problem.weights > 0, problem.weights, 1.0)
        dual = self.entries.spread(self.boxes[0].x) / weights[:, None]
        found = problem.certified(self.coef, self.intercept, self.scores.copy(), dual)
        if len(self.boxes) == 1:
            return found
        coef = self._sparse_coef()
        sparse = replace(found, coef=coef, scores=problem.scores(coef, self.intercept))
        ceiling = (1 + 1e-14) * problem.objective(found) + self.products
        return sparse if problem.objective(sparse) <= ceiling else found

    def _sparse_coef(self):
        """Weights that are small beside the slack of their bound, both on their scales, go."""
        size, l1 = np.abs(self.coef), self.problem.penalty.l1s
        slack = l1 - np.abs(self.boxes[1].x).reshape(size.shape)
        return np.where(size * l1 < slack * size.max(), 0.0, self.coef)

    def _linearise(self):
        problem, x = self.problem, self.entries.spread(self.boxes[0].x)
        self.boxes[0].linearise(1.0 + self.entries.difference(self.scores))
        self.slope = problem.penalty.gradient(self.coef) + problem.data.correlate(x)
        self.imbalance = x.sum(axis=0) * problem.fit_intercept
        self.bend = np.broadcast_to(problem.penalty.l2s, problem.shape).copy()
        if len(self.boxes) > 1:
            self.boxes[1].linearise(self.coef.ravel())
            self.slope += self.boxes[1].x.reshape(problem.shape)
            self.bend += self.boxes[1].c.reshape(problem.shape)

    def _solve(self, targets):
        """The moves of weights, intercept and scores, and those of the boxes."""
        slope = -self.slope
        if len(self.boxes) > 1:
            box = self.boxes[1]
            slope -= (box.c * box.rho(targets[1])).reshape(slope.shape)
        coef, intercept = self.system.solve(slope, -self.imbalance, self.boxes[0].rho(targets[0]))
        scores = self.problem.scores(coef, intercept)
        changes = self.entries.difference(scores), coef.ravel()
        states = zip(self.boxes, changes, targets, strict=False)
        return (coef, intercept, scores), [box.move(df, target) for box, df, target in states]


def interior_point(problem, point=None):
    """Yield the iterates of the method, which begins at W = 0 or at a point with a small gap.

    Features without a penalty get next to none, and their constraint on the dual holds nearly.
    """
    penalty = problem.penalty
    if len(penalty.free):
        factor = np.where(penalty.factor > 0, penalty.factor, LIGHT * penalty.factor.max())
        light = replace(problem, penalty=replace(penalty, factor=factor))
        for found in interior_point(light, point):
            state = found.coef, found.intercept, found.scores
            yield problem.certified(*state, found.dual.copy())
        return
    method, short = InteriorPoint(problem), 0
    if point is not None:
        yield point
        least = SMALLEST * problem.value_at_zero
        method.begin_at(point, max(WIDER * certify(problem, point).gap, least))
    for _ in range(MAX_STEPS):
        try:
            short = short + 1 if method.step() < SHORT else 0
        except np.linalg.LinAlgError:
            return
        yield method.iterate()
        if short == MAX_SHORT or method.products <= SMALLEST * problem.value_at_zero:
            return
