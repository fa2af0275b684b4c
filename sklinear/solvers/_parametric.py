"""The hinge along a path: from kink to kink, by a parametric active-set method.

As alpha changes, theta = alpha (W; b) and the dual variables move along straight lines until a
violation or a weight becomes zero, a dual variable reaches a bound or a correlation l1.  Each
such change costs one small linear system, and there are few of them between two alphas.

Ties (alike samples, equal weights) would make the method go round in circles.  So it solves a
problem whose margins, sample weights and l1 differ from the true ones by a hundred-millionth.

References
----------
Hastie, Rosset, Tibshirani and Zhu, The entire regularization path for the support vector machine,
JMLR 5, 2004.
Ferreau, Bock and Diehl, An online active set strategy to overcome the limitations of explicit MPC,
Int. J. Robust Nonlinear Control 18, 2008.
"""

import numpy as np

from .._active_set import ActiveSet
from .._bordered import Bordered
from .._following import follow
from .._problem import Iterate
from ._parametric_cost import MANY_FEATURES, SLOWNESS, allowance
from ._screening import correlation_of, follow_with_few

TIES = 1e-8
BALANCED = 2e-14  # of all weights
RIDGE = 1e-10  # of the mean square of a feature, for weights without an L2 part
INTERCEPT_RIDGE = 1e-13
SOFTNESS = 1e-12  # of the root mean square of a feature
MOST_BORDERS = 32
ROOM = 600  # of the linear systems, besides weights without an L1 part


class Followed:
    """A solver that follows the optimum from one alpha to the next, where that is cheap.

    Parameters
    ----------
    solver : callable
        Goes on where that is not near enough, and once it has failed.

    Attributes
    ----------
    state : ActiveSet or None
        At the alpha it was followed to last.
    spent : float
        What the changes so far have cost, in the operations of `step_cost`.
    failed : bool
    """

    def __init__(self, solver):
        self.solver, self.state, self.spent, self.failed = solver, None, 0.0, False

    def __call__(self, problem, start):
        """Yield the iterates."""
        if self._reaches(problem):
            iterate = optimum(problem, self.state)
            yield iterate
            start = start.at(iterate)
        yield from self.solver(problem, start)

    def _reaches(self, problem):
        """Bring the state to the alpha of a problem; whether it is there."""
        if self.state is None and not self.failed:
            self.failed = not allowance(problem)
        if self.failed:
            return False
        alpha = problem.penalty.l1 + problem.penalty.l2
        if self.state is None:
            self.state = at_zero(problem, alpha)
        d, _ = problem.shape
        if self.state.rows.shape[1] != d + problem.fit_intercept:
            return False
        self._follow(problem, alpha)
        return not self.failed

    def _follow(self, problem, alpha):
        state = self.state
        most = (allowance(problem) - self.spent) / SLOWNESS
        state.operations = 0.0
        if problem.penalty.l1 > 0 and problem.shape[0] >= MANY_FEATURES:
            count = follow_with_few(state, alpha, most, _set_room)
        else:
            count = follow(state, alpha, most)
        state.tilt = np.zeros(state.theta.shape)
        self.spent, self.failed = self.spent + SLOWNESS * state.operations, count < 0


def optimum(problem, state):
    """The iterate of a state."""
    n, d = problem.data.shape
    point = np.ascontiguousarray(np.asarray(state.theta).T) / state.alpha
    coef, intercept = point[:d], point[d:].sum(axis=0)
    dual, held = np.zeros((n, problem.n_classes)), np.flatnonzero(problem.weights)
    dual[held] = np.asarray(state.x).T / problem.weights[held, None]
    dual = problem.loss.clip(dual, problem.labels)
    if np.abs(problem.weights @ dual).max() > BALANCED:
        dual = problem.balanced(dual)
    return Iterate(coef, intercept, problem.scores(coef, intercept), dual, problem.correlate(dual))


def at_zero(problem, alpha):
    """The state at an alpha so large that weights with an L1 part and the intercept are zero.

    All dual variables are at their upper bounds there.  What the intercept lacks is tilted away;
    the tilt falls to zero on the way to the alpha given, its level.
    """
    state = ActiveSet()
    state.level = alpha
    _set_data(state, problem)
    _set_penalty(state, problem, alpha)
    _set_start(state)
    _set_room(state)
    return state


def _set_data(state, problem):
    d, n_classes = problem.shape
    held = np.flatnonzero(problem.weights)
    labels, weights, rng = problem.labels[held], problem.weights[held], np.random.default_rng(0)
    rows = problem.data.columns(held, np.arange(d))[:, : d + problem.fit_intercept]
    state.rows, state.columns = np.ascontiguousarray(rows), np.ascontiguousarray(rows.T)
    state.labels = labels
    shape, right = (n_classes, len(held)), (labels, np.arange(len(held)))
    demand = 1.0 - TIES * rng.random(shape)
    bound = weights * (1.0 - TIES * (1.0 + _centred(rng.random(shape), labels, weights)))
    demand[right] = bound[right] = 0.0
    state.demand, state.bound = demand, bound


def _centred(values, labels, weights):
    """Numbers less their mean over each class: where all u are equal, classes stay balanced."""
    members = np.equal.outer(np.arange(len(values)), labels) * weights
    means = (values @ members.T) / np.maximum(members.sum(axis=1), np.finfo(float).tiny)
    return values - means[:, labels]


def _set_penalty(state, problem, alpha):
    """That of alpha = 1; none for the intercept."""
    d, n_classes = problem.shape
    l1, bend = np.zeros((2, n_classes, state.rows.shape[1]))
    ties = 1.0 - TIES * np.random.default_rng(1).random((n_classes, d))
    l1[:, :d] = np.ravel(problem.penalty.l1s / alpha) * ties
    bend[:, :d] = np.ravel(problem.penalty.l2s / alpha)
    state.l1, state.bend = l1, bend
    ridge = np.full(l1.shape[1], RIDGE * problem.mean_square)
    ridge[d:] = INTERCEPT_RIDGE
    state.ridge = ridge
    state.softness = SOFTNESS * np.sqrt(problem.mean_square)


def _set_start(state):
    l1, bend, x = (np.asarray(array) for array in (state.l1, state.bend, state.bound))
    labels = np.asarray(state.labels)
    correlation = correlation_of(x, labels, np.asarray(state.rows))
    theta = np.divide(-correlation, bend, out=np.zeros_like(bend), where=(bend > 0) & (l1 == 0))
    scores = theta @ np.asarray(state.columns)
    scores -= np.take_along_axis(scores, labels[None, :], axis=0)
    sizes = np.divide(np.abs(correlation), l1, out=np.zeros_like(l1), where=l1 > 0)
    state.alpha = 2.0 * max(state.level, sizes.max(), -scores.min())
    state.tilt = np.where((l1 == 0) & (bend == 0), -correlation, 0.0) / (state.alpha - state.level)
    state.x, state.side = x.copy(), (x > 0).astype(np.int8)
    state.theta, state.correlation = theta, correlation
    state.violation = state.alpha * np.asarray(state.demand) + scores
    state.sign = np.where(l1 > 0, 0, 2).astype(np.int8)


def _set_room(state):
    """Lists of kinks and of the support, and the arrays for a move."""
    support = np.flatnonzero(state.sign)
    size = ROOM + len(support)
    state.kinks, state.support = np.zeros((2, size), np.int32)
    state.n_kinks, state.n_support = 0, len(support)
    state.support[: len(support)] = support.astype(np.int32)
    state.matrix, state.design = np.empty((2, size, size))
    state.bordered = Bordered(state.x.size + state.theta.size, size, MOST_BORDERS)
    state.rhs, state.slope, state.kink_move = np.empty((3, size))
    state.scores_move = np.empty(state.x.shape)
    state.correlation_move = np.empty(state.theta.shape)
