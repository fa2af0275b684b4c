"""Proximal Newton steps for smooth losses.

Each step minimises the quadratic model of the loss plus the penalty (through an explicit
Hessian where the free variables are few; else through columns of X or Hessian products) and
ends with an exact line search on cached scores.

References
----------
Lee, Sun and Saunders, Proximal Newton-type methods, SIAM J. Optim. 24, 2014.
"""

import numpy as np

from ._conjugate import minimise_by_columns, minimise_by_products
from ._explicit import minimise_dense
from ._model import QuadraticModel
from ._preconditioner import MAX_KRONECKER_FEATURES, Diagonal, Kronecker, SecondMoments
from ._search import Ray

MAX_DENSE_VARIABLES = 1000
MAX_DENSE_VARIABLES_WIDE = 3000
FIRST_ROWS = 10_000
MAX_TRIALS = 6


class ProximalNewton:
    """Steps of the method, and what they learn: damping, sample size, accuracy, moments of X."""

    def __init__(self):
        self.damping = 1e-4
        self.moments = None
        self.max_rows = FIRST_ROWS
        self.accuracy = 0.1
        self.solved = True
        self.shown = None

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        objective = abs(problem.objective(iterate))
        for _ in range(MAX_TRIALS):
            free = free_variables(problem, iterate)
            model = QuadraticModel(problem, iterate, free, self._ridge(problem), self.max_rows)
            target, gradient = self._minimise(problem, model, self.accuracy)
            predicted = model.value(target, gradient)
            self.solved = model.solved
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
        """What the model adds to l2: a share of the largest curvature along each feature.

        With an L1 part the minimiser of an undamped model may lie far off, or nowhere.
        """
        if problem.penalty.l1 == 0:
            return 0.0
        return self.damping * problem.loss.bend * problem.mean_squares

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
