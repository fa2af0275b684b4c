"""Epochs of dual block coordinate ascent, and where they stand.

An epoch moves the dual vector of one sample after the other to the maximiser of its block; with an
L1 part, that of a quadratic lower bound of the dual.  The intercept is the multiplier of the
constraint sum_i p_i g_i = 0; with the softmax it moves to the best one for the scores at each
iterate too.

Where the L2 part is small the bound is low and the steps are short.  There the penalty gains the
term pull/2 |W - centre|^2, and after each epoch the centre moves to the weights and beyond them: a
stochastic primal-dual hybrid gradient method, whose blocks are maximised exactly.

References
----------
Shalev-Shwartz and Zhang, Accelerated proximal stochastic dual coordinate ascent for regularized
loss minimization, Math. Program. 155, 2016.
Chambolle, Ehrhardt, Richtarik and Schoenlieb, Stochastic primal-dual hybrid gradient algorithm
with arbitrary sampling and imaging applications, SIAM J. Optim. 28, 2018.
Applegate et al., Practical large-scale linear programming using primal-dual hybrid gradient,
NeurIPS 2021.
Bertsekas, Constrained optimization and Lagrange multiplier methods, 1982.
"""

import math

import numpy as np

from .._ascent import Ascent
from .._penalty import soft_threshold
from .._problem import Iterate
from .._shift import best_shift

PENALTY_OF_IMBALANCE = 10.0  # |x_i|^2 / (2 * 10 l2) |sum_i p_i g_i|^2
LONGEST_PAUSE = 8
FIRST_CHECK, CHECK_GROWTH = 1.0, 1.2
# A check takes as long as an epoch where exponentials are many.
FIRST_CHECK_SIMPLEX, CHECK_GROWTH_SIMPLEX = 1.5, 1.4
# From nearby the first epochs of the hinge do not come nearer, and the gap soon is small.
FIRST_CHECK_NEAR, CHECK_NEAR = 2.3, 0.7
SLACK = 1e-3  # of the gap, for the intercept
LEAST = 0.1  # change of a probability, by the gap as a share of F(0)
MAX_L1_SHARE = 10.0  # l1 / l2; the lower bound of the dual is too low beyond
RELAXATION = 1.3  # of the steps of the centre; less than 2
BALANCE, UNEVEN = 0.7, 1.5
FARTHEST = 1e3  # from the first pull
NEARLY = 0.9
MANY_EPOCHS, FAST = 3, 0.1  # fall of the gap from one run to the next


def has_next_to_no_l2(penalty):
    """Whether the L2 part is too small to tell how far the weights may go."""
    return penalty.l1 > MAX_L1_SHARE * penalty.l2


def pulls(problem):
    """Whether the weights are to be pulled to a centre.

    With the hinges also beside any L1 part, or where samples are many more than features.
    """
    penalty, (n, d) = problem.penalty, problem.data.shape
    hinge = problem.loss.block is not None
    return has_next_to_no_l2(penalty) or (hinge and (penalty.l1 >= penalty.l2 or d < NEARLY * n))


class Mean:
    """The mean of what some arrays are at several times."""

    def __init__(self, *arrays):
        self.sums, self.count = [np.zeros_like(array) for array in arrays], 0

    def add(self, *arrays):
        """One time more."""
        for total, array in zip(self.sums, arrays, strict=True):
            total += array
        self.count += 1

    def value(self):
        """The mean of each of them."""
        return [total / self.count for total in self.sums]


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
    mean : Mean
        Of dual point, centre and intercept in the epochs of the last run.
    near : bool
        Whether the start is that of a hinge from nearby, pulled to a centre.
    slow : bool
        Whether the gap fell slowly from the run before to the last one.
    pull : float
        That to the centre; zero where the L2 part is enough.
    centre : ndarray of shape (d, C)
    order : {"C", "F"}
        That of the compiled weights, and so of the centre.
    l2 : float
        That of the penalty, and the pull.
    """

    def __init__(self, problem, start, correlation=None):
        self.problem, self.passes = problem, 0.0
        self.simplex = problem.loss.block is None
        self.slack = SLACK * problem.value_at_zero
        self.random = np.random.default_rng(0)
        self.shift = self._square_of_one() if problem.fit_intercept else 0.0
        self.order = problem.data.order_of_weights
        self.first_pull = self._first_pull()
        self.centre = start.coef.copy(self.order)
        l2 = problem.penalty.l2 + self.first_pull
        curvature = problem.weights * (problem.row_squares + self.shift) / l2
        self.rows = np.flatnonzero(curvature > np.finfo(float).tiny).astype(np.int32)
        self.dual, self.intercept = self._first_dual(start), start.intercept.copy()
        self.pause, self.wait = np.zeros((2, len(curvature)), dtype=np.int8)
        self.moved = np.zeros(len(curvature), dtype=np.uint8)
        if correlation is None:
            known = not self.dual.any()
            correlation = np.zeros(problem.shape) if known else problem.correlate(self.dual)
        self.near = start.dual is not None and self.first_pull > 0 and not problem.loss.smooth
        self.least, self.gap, self.slow = 0.0, np.inf, not self.near
        self.mean = Mean(self.dual, self.centre, self.intercept)
        self._compile(self._even_pull(self.centre, self.dual), correlation)

    def run(self, least=0.0):
        """Epochs until the passes have grown by a fifth or so, and by about one, and to `least`."""
        self.mean = Mean(self.dual, self.centre, self.intercept)
        growth = CHECK_GROWTH_SIMPLEX if self.simplex else CHECK_GROWTH
        goal = max(self.passes + self._least_growth(), growth * self.passes, least)
        while self.passes < goal:
            self.epoch()
            self.mean.add(self.dual, self.centre, self.intercept)

    def _least_growth(self):
        if self.near:
            return CHECK_NEAR if self.passes else FIRST_CHECK_NEAR
        return FIRST_CHECK_SIMPLEX if self.simplex else FIRST_CHECK

    def epoch(self):
        """A block step for every sample that is not paused, and one of the multipliers."""
        problem = self.problem
        rows = self.random.permutation(self.rows[self.wait[self.rows] == 0])
        share = problem.data.ascend(rows, self.compiled, self.moved)
        self.wait[self.wait > 0] -= 1
        longer = np.minimum(2 * self.pause[rows] + 1, LONGEST_PAUSE)
        self.pause[rows] = self.wait[rows] = np.where(self.moved[rows], 0, longer)
        self.intercept -= self.shift / self.l2 * (problem.weights @ self.dual)
        self.compiled.recentre(self.centre, self.pull / self.l2, RELAXATION)
        # An epoch without a row is work as well, or `run` would not end.
        self.passes += share + 1e-3

    def refine(self, gap):
        """Do what smaller gaps than the present one need."""
        self.gap, self.slow = gap, gap > FAST * self.gap
        self.slack = SLACK * gap
        self.least = LEAST * gap / self.problem.value_at_zero
        self.compiled.least = self.least

    def iterate(self):
        """The balanced dual point with the weights that are the best for it and the centre."""
        problem = self.problem
        dual, centre, intercept = self._point()
        dual = problem.balanced(dual)
        correlation = problem.correlate(dual)
        coef = soft_threshold(self.pull * centre - correlation, problem.penalty.l1) / self.l2
        coef = np.ascontiguousarray(coef)
        scores = problem.scores(coef, intercept)
        if self.simplex and problem.fit_intercept:
            self._shift_intercept(intercept, scores)
        return Iterate(coef, intercept, scores, dual, correlation)

    def _point(self):
        """Dual point, centre and intercept: the mean of the latest epochs, if they are many.

        They go round the optimum while they come nearer, unless they do so fast.
        """
        if self.slow and self.mean.count >= MANY_EPOCHS:
            return self.mean.value()
        return self.dual.copy(), self.centre, self.intercept.copy()

    def adapt(self, iterate):
        """Pull as is right near an iterate, unless that is about what it does."""
        pull = self._even_pull(iterate.coef, iterate.dual)
        if not self.pull / UNEVEN <= pull <= UNEVEN * self.pull:
            correlation = self.pull * self.centre - self.l2 * self.V
            self._compile(pull, correlation)

    def _even_pull(self, coef, dual):
        """The pull that makes the ways of weights and dual point equally long.

        The former are pull |W|^2 long, the latter sum_i p_i^2 |x_i|^2 |g_i|^2 / pull.
        """
        problem, length = self.problem, np.linalg.norm(coef)
        if self.first_pull == 0 or length == 0:
            return self.first_pull
        squares = problem.weights**2 * problem.row_squares
        pull = BALANCE * math.sqrt(squares @ np.square(dual).sum(axis=1)) / length
        return float(np.clip(pull, self.first_pull / FARTHEST, self.first_pull * FARTHEST))

    def _shift_intercept(self, intercept, scores):
        """The best intercept at the scores: rare classes hardly feel the multipliers."""
        shift, *_ = best_shift(self.problem, scores, slack=self.slack)
        scores += shift
        intercept += shift
        self.intercept[:] = intercept

    def _square_of_one(self):
        """That of the constant feature: a tenth of |x_i|^2, or X times a number would be harder.

        A typical row counts, not the longest, and a power of two is the same for all roundings.
        """
        squares = self.problem.row_squares[self.problem.weights > 0]
        typical = np.median(squares[squares > 0]) if squares.any() else 1.0
        # Between numbers whose logarithm is finite.
        return 2.0 ** round(math.log2(np.clip(typical / PENALTY_OF_IMBALANCE, 1e-300, 1e300)))

    def _first_pull(self):
        """p_i |x_i|^2 of a sample: the sum of all, by their number."""
        problem = self.problem
        mean = (problem.weights @ problem.row_squares) / np.count_nonzero(problem.weights)
        return float(np.clip(mean, 1e-300, 1e300)) if pulls(problem) else 0.0

    def _first_dual(self, start):
        """That of the start; else zero, and natural for the rows that no block step moves."""
        if start.dual is not None:
            return start.dual.copy()
        problem = self.problem
        zero = np.zeros((len(problem.labels), problem.n_classes))
        _, dual = problem.loss.value_and_dual(zero, problem.labels, problem.weights)
        dual[self.rows] = 0.0
        return dual

    def _compile(self, pull, correlation):
        """The compiled state; the curvature of a sample is p_i (|x_i|^2 + shift) / l2."""
        problem, self.pull = self.problem, pull
        self.l2 = problem.penalty.l2 + pull
        weights = problem.weights / self.l2
        V = (pull * self.centre - correlation) / self.l2
        self.V = np.asarray(V, order=self.order)
        self.compiled = Ascent(
            problem.loss.block,
            problem.labels,
            weights,
            weights * (problem.row_squares + self.shift),
            self.dual,
            self.V,
            self.intercept,
            problem.penalty.l1 / self.l2,
            self.shift,
        )
        self.compiled.least = self.least
