"""Dual block coordinate ascent: the whole dual vector of one sample at a time.

Each block is maximised exactly; with an L1 part, on a quadratic lower bound of the dual.  The
intercept is the multiplier of the constraint sum_i p_i g_i = 0; with the softmax it moves to the
best one for the scores at each iterate too.

References
----------
Wang and Scott, An exact solver for the Weston-Watkins SVM subproblem, ICML 2021.
Shalev-Shwartz and Zhang, Accelerated proximal stochastic dual coordinate ascent for regularized
loss minimization, Math. Program. 155, 2016.
Bertsekas, Constrained optimization and Lagrange multiplier methods, 1982.
"""

import math
from dataclasses import replace

import numpy as np

from .._ascent import Ascent
from .._penalty import soft_threshold
from .._problem import Iterate
from .._shift import best_shift
from ._working_set import dense_limit

MAX_L1_SHARE = 10.0  # l1 / l2; the lower bound of the dual is too low beyond
TALL, TALL_WEAK = 8, 2  # samples for each variable
PENALTY_OF_IMBALANCE = 10.0  # |x_i|^2 / (2 * 10 l2) |sum_i p_i g_i|^2
LONGEST_PAUSE = 8
FIRST_CHECK, CHECK_GROWTH = 1.0, 1.2
# A check takes as long as an epoch where exponentials are many.
FIRST_CHECK_SIMPLEX, CHECK_GROWTH_SIMPLEX = 1.5, 1.4
PATIENCE, SLOW = 50, 0.5
PATIENCE_DENSE, SLOW_DENSE = 8, 0.2  # where Newton's method wins, few epochs show it
# Newton's steps near the end converge fast where the loss is smooth.
PATIENCE_SIMPLEX, SLOW_SIMPLEX = 20, 0.1
NEAR = 0.01
SLACK = 1e-3  # of the gap, for the intercept
LEAST = 0.1  # change of a probability, by the gap as a share of F(0)


def ascends(problem, on_path=False):
    """Whether the ascent is possible and faster than Newton's method.

    It is on sparse data, unless the variables are so few that a Hessian is cheap, or that few
    of Newton's steps tell what many epochs of samples do; and on wide dense data for the hinges,
    unless the loss is smooth and the start near, as along a path.
    """
    loss, penalty = problem.loss, problem.penalty
    if not (loss.ascends and penalty.is_even) or penalty.l1 > MAX_L1_SHARE * penalty.l2:
        return False
    d, n_classes = problem.shape
    if not problem.data.sparse:
        hinge = loss.block is not None and not (loss.smooth and on_path)
        return hinge and penalty.l1 == 0 and d >= len(problem.labels)
    few = (d + 1) * n_classes <= dense_limit(problem)
    return not (few or is_tall(problem))


def is_tall(problem):
    """Whether there are many samples for each variable: fewer are many for a weak penalty."""
    n, d = problem.data.shape
    samples = n / ((d + 1) * problem.n_classes)
    if samples < TALL_WEAK:
        return False
    return samples >= TALL or n * problem.penalty.l2 < problem.mean_squares.sum()


def dual_ascent(successor):
    """The ascent, and the solver that takes over when the ascent has become slow.

    It takes one row of X after the other: centred data, which have none, go to the other solver.
    """

    def ascending(problem, start):
        if not problem.data.has_rows:
            yield from successor(problem, start)
            return
        if start.dual is not None:
            if start.scores is None:
                scores = problem.scores(start.coef, start.intercept)
            else:
                scores = start.scores.copy()
            first = problem.certified(start.coef, start.intercept, scores, start.dual.copy())
            yield first
            start, correlation = replace(start, dual=first.dual), first.correlation
        else:
            correlation = None
        ascent, gaps = DualAscent(problem, start, correlation), {0.0: np.inf}
        most = limits(problem)
        while not slow(gaps, *most):
            ascent.run()
            iterate = ascent.iterate()
            yield iterate
            gaps[ascent.passes] = min(gap(problem, iterate), *gaps.values())
            ascent.refine(gaps[ascent.passes])
        if min(gaps.values()) <= NEAR * problem.value_at_zero:
            point = {name: getattr(iterate, name) for name in ("coef", "intercept", "dual")}
            start = replace(start, **point, scores=iterate.scores.copy())
        yield from successor(problem, start)

    return ascending


def gap(problem, iterate):
    """The gap of an iterate whose weights are the best for its dual point."""
    return problem.loss.fenchel_young(iterate.scores, problem.labels, problem.weights, iterate.dual)


def slow(gaps, patience=PATIENCE, share=SLOW):
    """Whether the last three quarters of the passes have left that share of the smallest gap."""
    latest = max(gaps)
    earlier = max(passes for passes in gaps if passes <= 0.25 * latest)
    return latest > patience and gaps[latest] > share * gaps[earlier]


def limits(problem):
    """Those of `slow`."""
    if problem.loss.block is None:
        return PATIENCE_SIMPLEX, SLOW_SIMPLEX
    return (PATIENCE, SLOW) if problem.data.sparse else (PATIENCE_DENSE, SLOW_DENSE)


class DualAscent:
    """Epochs over the samples in random order, without those that seem to be at rest.

    A sample that did not move pauses for 1, 3, 7, then always 8 epochs.  The correlation of the
    dual point of the start saves a product with X.

    Attributes
    ----------
    passes : float
        Work done so far, in passes over X.
    simplex : bool
        Whether the loss is the cross-entropy, whose probabilities move for ever.
    slack : float
        What the intercept of an iterate may cost.
    """

    def __init__(self, problem, start, correlation=None):
        self.problem, self.passes = problem, 0.0
        self.simplex = problem.loss.block is None
        self.slack = SLACK * problem.value_at_zero
        self.random = np.random.default_rng(0)
        self.shift = self._square_of_one() if problem.fit_intercept else 0.0
        curvature = self._curvature()
        self.rows = np.flatnonzero(curvature > np.finfo(float).tiny).astype(np.int32)
        self.dual, self.intercept = self._first_dual(start), start.intercept.copy()
        self.pause, self.wait = np.zeros((2, len(curvature)), dtype=np.int8)
        self.moved = np.zeros(len(curvature), dtype=np.uint8)
        if correlation is None:
            correlation = problem.correlate(self.dual)
        self.compiled = self._compiled(curvature, correlation)

    def run(self):
        """Epochs until the passes have grown by a fifth or so, and by one at least."""
        first = FIRST_CHECK_SIMPLEX if self.simplex else FIRST_CHECK
        growth = CHECK_GROWTH_SIMPLEX if self.simplex else CHECK_GROWTH
        goal = max(self.passes + first, growth * self.passes)
        while self.passes < goal:
            self.epoch()

    def epoch(self):
        """A block step for every sample that is not paused, and one of the multipliers."""
        problem = self.problem
        rows = self.random.permutation(self.rows)
        rows = rows[self.wait[rows] == 0]
        share = problem.data.ascend(rows, self.compiled, self.moved)
        self.wait[self.wait > 0] -= 1
        longer = np.minimum(2 * self.pause[rows] + 1, LONGEST_PAUSE)
        self.pause[rows] = self.wait[rows] = np.where(self.moved[rows], 0, longer)
        self.intercept -= self.shift / problem.penalty.l2 * (problem.weights @ self.dual)
        # An epoch without a row is work as well, or `run` would not end.
        self.passes += share + 1e-3

    def refine(self, gap):
        """Do what smaller gaps than the present one need."""
        self.slack = SLACK * gap
        self.compiled.least = LEAST * gap / self.problem.value_at_zero

    def iterate(self):
        """The balanced dual point with the weights that are the best for it."""
        problem, penalty = self.problem, self.problem.penalty
        dual = problem.balanced(self.dual.copy())
        correlation = problem.correlate(dual)
        coef = -soft_threshold(correlation, penalty.l1) / penalty.l2
        scores = problem.scores(coef, self.intercept)
        if self.simplex and problem.fit_intercept:
            self._shift_intercept(scores)
        return Iterate(coef, self.intercept.copy(), scores, dual, correlation)

    def _shift_intercept(self, scores):
        """The best intercept at the scores: rare classes hardly feel the multipliers."""
        shift, *_ = best_shift(self.problem, scores, slack=self.slack)
        scores += shift
        self.intercept += shift

    def _square_of_one(self):
        """That of the constant feature: a tenth of |x_i|^2, or X times a number would be harder.

        A typical row counts, not the longest, and a power of two is the same for all roundings.
        """
        squares = self.problem.row_squares[self.problem.weights > 0]
        typical = np.median(squares[squares > 0]) if squares.any() else 1.0
        # Between numbers whose logarithm is finite.
        return 2.0 ** round(math.log2(np.clip(typical / PENALTY_OF_IMBALANCE, 1e-300, 1e300)))

    def _curvature(self):
        """p_i (|x_i|^2 + shift) / l2."""
        problem = self.problem
        return problem.weights * (problem.row_squares + self.shift) / problem.penalty.l2

    def _first_dual(self, start):
        """That of the start; else zero, and natural for the rows that no block step moves."""
        if start.dual is not None:
            return start.dual.copy()
        problem = self.problem
        zero = np.zeros((len(problem.labels), problem.n_classes))
        _, dual = problem.loss.value_and_dual(zero, problem.labels, problem.weights)
        dual[self.rows] = 0.0
        return dual

    def _compiled(self, curvature, correlation):
        problem, l2 = self.problem, self.problem.penalty.l2
        return Ascent(
            problem.loss.block,
            problem.labels,
            problem.weights / l2,
            curvature,
            self.dual,
            correlation / -l2,
            self.intercept,
            problem.penalty.l1 / l2,
            self.shift,
        )
