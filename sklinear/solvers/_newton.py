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
from ._conjugate import minimise_by_columns, minimise_by_products
from ._explicit import minimise_dense
from ._model import QuadraticModel
from ._preconditioner import (
    MAX_KRONECKER_FEATURES,
    N_MODES,
    Diagonal,
    Kronecker,
    SecondMoments,
)
from ._search import Ray
from ._smoothed_norm import SmoothedNewton

MAX_DENSE_VARIABLES = 1000
MAX_DENSE_VARIABLES_WIDE = 3000
CROWDED = 1500
MAX_MOMENTS = 2e8
FIRST_ROWS = 10_000
MAX_TRIALS = 6


def proximal_newton(problem, start):
    """Yield the iterates of the proximal Newton method."""
    if start.dual is not None:
        scores = problem.scores(start.coef, start.intercept)
        yield problem.certified(start.coef, start.intercept, scores, start.dual)
    iterate = problem.evaluate(start.coef, start.intercept)
    yield iterate
    newton = Newton()
    for stage in stages(problem, iterate):
        while not nearly_solved(stage, iterate):
            following = newton.step(stage, iterate)
            if following is None:
                break
            iterate = following
            yield newton.shown
    while (iterate := newton.step(problem, iterate)) is not None:
        yield newton.shown


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


class Newton:
    """Steps that lower a smooth problem: proximal Newton, or Newton on a smoothed norm.

    The latter takes over where a working set on dense data grows large, and hands back once
    there is next to no smoothing left.

    Attributes
    ----------
    shown : Iterate
        The iterate of the last step for a certificate: with the best dual point known.
    """

    def __init__(self):
        self.proximal = ProximalNewton()
        self.smoothed = SmoothedNewton()

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        if self.smoothed is not None and crowded(problem, iterate):
            following = self.smoothed.step(problem, iterate)
            if following is not None:
                self.shown = self.smoothed.shown
                return following
            self.smoothed = None
        following = self.proximal.step(problem, iterate)
        self.shown = self.proximal.shown
        return following


class ProximalNewton:
    """Steps of the method, and what they learn: damping, sample size, accuracy, moments of X."""

    def __init__(self):
        self.damping = 1e-4
        self.moments = None
        self.max_rows = FIRST_ROWS
        self.accuracy = 0.1
        self.shown = None

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
                found = self._search(problem, iterate, model, target, predicted)
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

    def _search(self, problem, iterate, model, target, predicted):
        """The iterate at the end of a line search, or None where nothing was gained."""
        penalty = problem.penalty
        ray = Ray(problem, iterate, self._move(problem, model, target), penalty)
        step, change = ray.search(longest=1.0 if penalty.l1 > 0 else 1024.0)
        self._adapt(problem, model, predicted, change)
        if step == 0:
            return None
        found = self.shown = ray.at(step)
        if penalty.l1 > 0 and not model.sampled:
            self.shown = ray.linearised(model.full_curvature, found)
        return found

    def _adapt(self, problem, model, predicted, change):
        """Learn from how much of what the model promised came true.

        A promise not kept is blamed on the sample where there is one, else on too little
        damping.  Near the end models of all samples give tight dual points.
        """
        if model.sampled and change > 0.5 * predicted:
            self.max_rows *= 3
        elif change < 0.7 * predicted:
            self.damping = max(self.damping / 8, 1e-12)
        elif change > 0.3 * predicted:
            self.damping = min(4 * self.damping, 1.0)
        if problem.penalty.l1 > 0 and -predicted < 1e-3 * problem.value_at_zero:
            self.max_rows = len(problem.labels)
        good = change < 0.8 * predicted
        self.accuracy = max(self.accuracy / 3, 1e-3) if good else 0.1


def dense_limit(problem):
    """How many variables an explicit Hessian may have: more where samples are few."""
    n, d = problem.data.shape
    return MAX_DENSE_VARIABLES_WIDE if n < d and n <= 1000 else MAX_DENSE_VARIABLES


def crowded(problem, iterate):
    """Whether many variables of a dense problem are free, and the moments of X not too large."""
    n, d = problem.data.shape
    if problem.data.sparse or d > n or (problem.n_classes + N_MODES) * d * d > MAX_MOMENTS:
        return False
    return np.count_nonzero(free_variables(problem, iterate)) > CROWDED


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
