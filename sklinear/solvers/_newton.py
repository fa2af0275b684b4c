"""Proximal Newton method for smooth losses.

Each step minimises the quadratic model of the loss plus the penalty (through an explicit
Hessian where the free variables are few; else through the blocks of the classes, columns of X
or Hessian products) and ends with an exact line search on cached scores.

References
----------
Lee, Sun and Saunders, Proximal Newton-type methods, SIAM J. Optim. 24, 2014.
"""

import math
from dataclasses import replace

import numpy as np

from .._certificate import certify
from .._penalty import ElasticNet
from .._problem import line_search
from ._blocks import minimise_by_blocks
from ._conjugate import minimise_by_columns, minimise_by_products
from ._explicit import minimise_dense
from ._model import QuadraticModel
from ._preconditioner import MAX_KRONECKER_FEATURES, Diagonal, Kronecker, SecondMoments

MAX_DENSE_VARIABLES = 1000
MAX_DENSE_VARIABLES_WIDE = 3000
MAX_BLOCK = 1000
FIRST_ROWS = 10_000
MAX_TRIALS = 6


def proximal_newton(problem, start):
    """Yield the iterates of the proximal Newton method."""
    iterate = problem.evaluate(start.coef, start.intercept)
    yield iterate
    newton = ProximalNewton()
    for stage in stages(problem, iterate):
        while not nearly_solved(stage, iterate):
            following = newton.step(stage, iterate)
            if following is None:
                break
            iterate = following
            yield iterate
    while (iterate := newton.step(problem, iterate)) is not None:
        yield iterate


def stages(problem, iterate):
    """Problems with larger penalties to go through first.

    Where the curvature jumps, Newton's method far from the optimum of a weakly penalised
    problem changes its active set again and again; a falling penalty keeps it close.
    """
    if not problem.loss.curvature_jumps or nearly_solved(problem, iterate, share=0.5):
        return
    l1, l2 = problem.penalty.l1, problem.penalty.l2
    for power in range(math.floor(math.log(weakness(problem, iterate), 4)), 0, -1):
        yield replace(problem, penalty=ElasticNet(4.0**power * l1, 4.0**power * l2))


def weakness(problem, iterate):
    """By what factor (at least 1) the penalty would have to grow to rule the problem.

    It rules where l1 is a tenth of the largest correlation, or l2 a hundredth of the largest
    curvature of the loss in the weights.
    """
    l1, l2 = problem.penalty.l1, problem.penalty.l2
    curvature = problem.loss.bend * problem.mean_square
    return max(
        1.0,
        min(
            0.1 * np.abs(iterate.correlation).max(initial=0.0) / l1 if l1 else np.inf,
            0.01 * curvature / l2 if l2 else np.inf,
        ),
    )


def nearly_solved(problem, iterate, share=0.03):
    """Whether the gap is at most a share of the objective."""
    certificate = certify(problem, iterate)
    return certificate.gap <= share * certificate.objective


class ProximalNewton:
    """Steps of the method, and what they learn: the damping and the second moments of X."""

    def __init__(self):
        self.damping = 1e-4
        self.moments = None
        self.max_rows = FIRST_ROWS
        self.accuracy = 0.1

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        objective = abs(problem.objective(iterate))
        for _ in range(MAX_TRIALS):
            free = free_variables(problem, iterate)
            model = QuadraticModel(problem, iterate, free, self._ridge(problem), self.max_rows)
            target, gradient = self._minimise(problem, model, self.accuracy)
            predicted = model.value(target, gradient)
            # No step can win more than the objective: a model that hopes for it is flat where
            # the problem is not.
            if -2 * objective < predicted < 0 or problem.penalty.l1 == 0:
                found = self._search(
                    problem, iterate, self._move(problem, model, target), predicted
                )
                if found is not None:
                    return found
            self.damping = min(16 * self.damping, 1.0)
            self.accuracy = max(0.1 * self.accuracy, 1e-8)
        return None

    def _move(self, problem, model, target):
        """Stacked step of all features to the minimiser of the model."""
        target = model.expand(target)
        if problem.penalty.l1 > 0:
            target[:-1] = problem.penalty.recentre(target[:-1])
        return target - model.whole

    def _ridge(self, problem):
        """What the model adds to l2: a share of the largest curvature the loss can have.

        With an L1 part the minimiser of an undamped model may lie far off, or nowhere.
        """
        if problem.penalty.l1 == 0:
            return 0.0
        return self.damping * problem.loss.bend * problem.mean_square

    def _minimise(self, problem, model, accuracy):
        if np.count_nonzero(model.free) <= dense_limit(problem):
            return minimise_dense(model, 1e-3 * accuracy)
        if problem.penalty.l1 > 0 and blocks_pay(model):
            return minimise_by_blocks(model, accuracy)
        preconditioner = self._preconditioner(problem, model)
        if problem.penalty.l1 > 0:
            return minimise_by_columns(model, preconditioner, accuracy)
        return minimise_by_products(model, preconditioner, accuracy)

    def _preconditioner(self, problem, model):
        n, d = problem.data.shape
        if problem.data.sparse or d > min(n, MAX_KRONECKER_FEATURES):
            return Diagonal(model)
        if self.moments is None:
            self.moments = SecondMoments(problem.data)
        return Kronecker(self.moments, model)

    def _search(self, problem, iterate, move, predicted):
        coef_move, intercept_move = np.ascontiguousarray(move[:-1]), move[-1]
        scores_move = problem.scores(coef_move, intercept_move)
        penalty = problem.penalty

        def value_and_slope(step):
            value, slope = problem.loss.value_and_slope(
                iterate.scores, scores_move, step, problem.labels, problem.weights
            )
            coef = iterate.coef + step * coef_move
            return value + penalty.value(coef), slope + penalty.slope(coef, coef_move)

        start = value_and_slope(0.0)
        longest = 1.0 if penalty.l1 > 0 else 1024.0
        step = line_search(value_and_slope, start, longest)
        self.damping = max(self.damping / 8, 1e-12) if step == 1 else min(4 * self.damping, 1.0)
        change = value_and_slope(step)[0] - start[0]
        if change > 0.5 * predicted:
            self.max_rows *= 3
        good = change < 0.8 * predicted
        self.accuracy = max(self.accuracy / 3, 1e-3) if good else 0.1
        if step == 0:
            return None
        return problem.evaluate(
            iterate.coef + step * coef_move,
            iterate.intercept + step * intercept_move,
            iterate.scores + step * scores_move,
        )


def dense_limit(problem):
    """How many variables an explicit Hessian may have: more where samples are few."""
    n, d = problem.data.shape
    return MAX_DENSE_VARIABLES_WIDE if n < d and n <= 1000 else MAX_DENSE_VARIABLES


def blocks_pay(model):
    """Whether the Hessian blocks of the classes are few and small, on dense data."""
    width, n_classes = model.free.shape
    return not model.data.sparse and width <= MAX_BLOCK and n_classes <= MAX_BLOCK // 10


def free_variables(problem, iterate):
    """The variables a step may move, shape (d + 1, C).

    All of them without an L1 part or where they are few; else the support and the pairs that
    violate optimality most, as many as the support has or a few hundred.
    """
    n, d = problem.data.shape
    free = np.ones((d + 1, problem.n_classes), dtype=bool)
    free[-1] = problem.fit_intercept
    l1 = problem.penalty.l1
    if l1 == 0 or free.size <= MAX_DENSE_VARIABLES:
        return free
    support = iterate.coef != 0
    excess = np.where(support, 0.0, np.abs(iterate.correlation) - l1)
    room = max(1000 if n > d else 200, np.count_nonzero(support))
    if np.count_nonzero(excess > 0) > room:
        cut = np.partition(excess, -room, axis=None)[-room]
        free[:-1] = support | (excess >= cut)
    else:
        free[:-1] = support | (excess > 0)
    return free
