"""Proximal Newton steps for smooth losses.

Each step minimises a quadratic model of the loss plus the penalty (through an explicit Hessian
where the free variables are few; else through columns of X or Hessian products) and ends with
an exact line search on cached scores.  The Hessian is that of a sample of the rows at an
earlier iterate, corrected by what the gradients have shown since; it is built anew, from more
rows where that is the remedy, when it misleads or when the steps on it have cost as much as
building it.

References
----------
Lee, Sun and Saunders, Proximal Newton-type methods, SIAM J. Optim. 24, 2014.
Byrd, Chin, Neveitt and Nocedal, On the use of stochastic Hessian information in optimization
methods for machine learning, SIAM J. Optim. 21, 2011.
"""

import numpy as np

from ._conjugate import minimise_by_columns, minimise_by_products
from ._explicit import minimise_dense
from ._hessian import Hessian
from ._model import QuadraticModel
from ._preconditioner import Preconditioners
from ._search import Ray

MAX_DENSE_VARIABLES = 1000
MAX_DENSE_VARIABLES_SMOOTH = 300
MAX_DENSE_VARIABLES_WIDE = 3000
FIRST_ROWS = 10_000
FEWEST_ROWS = 1000
FIRST_PASSES = 1
MAX_TRIALS = 6
SINGLE_RIDGE = 1e-5
SAMPLE_RIDGE, SAMPLE_RIDGE_L1 = 0.01, 0.05
KEPT = (0.5, 1.6)  # actual by predicted change with which a model may be used again
TIGHT, GAIN = 1e-3, 0.3  # ends of conjugate gradients (see there)
SLOW = 0.5  # predicted by previous predicted change
STALE = 1.1
MAX_RENEWALS = 2
MAX_PRODUCTS, MAX_EXHAUSTED = 100, 2
OLD = 4
NEAR = 3e-4
OVERHEAD = int(1e8)
CHEAP = 2e8  # operations, a few milliseconds
IMPRECISE = 0.1


class ProximalNewton:
    """Steps of the method, and what they learn.

    Attributes
    ----------
    hessian : Hessian or None
        To be used again by the next step.
    max_rows : int or None
        How many samples the next one may have; None before the first.
    damping : float
        Share of the largest curvature added to models with an L1 part.
    accuracy : float
        To which models are minimised.
    near : bool
        Whether the end is near, where with an L1 part exact models give tight dual points.
    precise : bool
        Whether explicit Hessians need double precision.
    shown : Iterate
        The last iterate with the better of two dual points.
    """

    def __init__(self):
        self.hessian, self.max_rows = None, None
        self.damping, self.accuracy = 1e-4, 0.1
        self.predicted, self.precise, self.near = -np.inf, False, False
        self.preconditioners, self.renewals = Preconditioners(), 0
        self.solved, self.whole = True, False
        self.stalls, self.exhausted = 0, 0
        self.shown = None

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        objective = abs(problem.objective(iterate))
        for _ in range(MAX_TRIALS):
            model = self._model(problem, iterate)
            target, gradient = self._minimise(problem, model, self.accuracy)
            predicted = model.value(target, gradient)
            self.solved = model.solved or not model.hessian.is_exact
            # No step can win more than the objective: a model that hopes for it is flat where
            # the problem is not.
            if -2 * objective < predicted < 0 or problem.penalty.l1 == 0:
                found = self._search(problem, iterate, model, target, predicted)
                if found is not None:
                    return found
            if not (model.hessian.age or model.hessian.sampled):
                self.damping = min(16 * self.damping, 1.0)
            if not model.hessian.age:
                self.max_rows *= 3
                self.precise = True
            self.hessian = None
            self.accuracy = max(0.1 * self.accuracy, 1e-8)
        return None

    def _model(self, problem, iterate):
        """A model with the Hessian at hand or, if that can't serve any more, a new one."""
        free = free_variables(problem, iterate)
        if self.max_rows is None:
            self.max_rows = first_rows(problem, np.count_nonzero(free))
        kept = self.hessian
        if kept is None or kept.loss is not problem.loss or not kept.covers(free):
            curvature = problem.curvature(iterate.scores)
            cost = dense_cost(len(problem.labels), np.count_nonzero(free))
            precise = self.precise or cost < CHEAP
            self.hessian = Hessian(problem, curvature, free, self.max_rows, precise)
        return QuadraticModel(problem, iterate, self.hessian, self._ridge(problem))

    def _ridge(self, problem):
        """What the model adds to l2: a share of the curvature along each feature.

        With an L1 part the minimiser of an undamped model may lie far off, or nowhere; a
        sample of the rows may not span all directions.
        """
        has_l1 = problem.penalty.l1 > 0
        least = 0.0 if self.hessian.precise else SINGLE_RIDGE
        share = max(self.damping, least) * problem.loss.bend if has_l1 else 0.0
        if self.hessian.sampled:
            ridge = SAMPLE_RIDGE_L1 if has_l1 else SAMPLE_RIDGE
            share += ridge * self.hessian.mean_curvature
        return share * problem.mean_squares

    def _minimise(self, problem, model, accuracy):
        if self._is_explicit(problem, model.free):
            return minimise_dense(model, (1e-3 if self.near else 0.1) * accuracy)
        preconditioner = self.preconditioners.of(problem, model)
        if problem.penalty.l1 > 0:
            return minimise_by_columns(model, preconditioner, accuracy)
        gain = GAIN * 0.3 ** min(self.stalls, 6)
        found = minimise_by_products(model, preconditioner, TIGHT, MAX_PRODUCTS, gain)
        self.exhausted += model.n_products == MAX_PRODUCTS
        self.preconditioners.charge(model)
        return found

    def _move(self, problem, model, target):
        """Stacked step of all features to the minimiser of the model."""
        target = model.expand(target)
        if problem.penalty.l1 > 0:
            target[:-1] = problem.penalty.recentre(target[:-1])
        return target - model.whole

    def _search(self, problem, iterate, model, target, predicted):
        """The iterate at the end of a line search, or None where nothing was gained."""
        penalty = problem.penalty
        ray = Ray(problem, iterate, self._move(problem, model, target), penalty)
        step, change = ray.search(longest=4.0 if penalty.l1 > 0 else 1024.0)
        if step == 0:
            return None
        found = self.shown = ray.at(step)
        if penalty.l1 > 0 and not (model.hessian.sampled or model.hessian.age):
            self.shown = ray.linearised(problem.curvature(iterate.scores), found)
        self._correct(problem, model.hessian, iterate, found)
        self._adapt(problem, model, predicted, change)
        return found

    def _correct(self, problem, hessian, iterate, found):
        """Teach the Hessian the step, where a model can make use of it."""
        if problem.penalty.l1 > 0 and not self._is_explicit(problem, hessian.free):
            self.hessian = None
            return
        move = np.vstack([found.coef - iterate.coef, found.intercept - iterate.intercept])
        # The losses do not see a shift of all classes.
        move -= move.mean(axis=1, keepdims=True)
        change = np.vstack([found.correlation - iterate.correlation, np.zeros(move.shape[1])])
        hessian.correct(move, change)

    def _adapt(self, problem, model, predicted, change):
        """Learn from how much of what the model promised came true."""
        ratio = change / predicted
        self._judge(problem, model.hessian, predicted, ratio)
        self.predicted = predicted
        if ratio > 0.7:
            self.damping = max(self.damping / 8, 1e-12)
        elif ratio < 0.3:
            self.damping = min(4 * self.damping, 1.0)
        self.accuracy = max(self.accuracy / 3, 1e-3) if ratio > 0.8 else 0.1

    def _judge(self, problem, hessian, predicted, ratio):
        """Whether the Hessian may be used again, and how many rows the next one has.

        Where a model promised too little, the curvature has fallen since the Hessian was built,
        and rows are blamed only if that happens again.
        """
        bad = not KEPT[0] <= ratio <= KEPT[1]
        slow = hessian.age > 1 and predicted < SLOW * self.predicted
        self.near = problem.penalty.l1 > 0 and -predicted < NEAR * problem.value_at_zero
        paid_off = not hessian.sampled and self._is_paid_off(problem, hessian)
        whole = hessian.age == 1 and not hessian.sampled
        # From one Hessian of all samples to the next, Newton's method converges quadratically.
        if whole and self.whole and predicted < IMPRECISE * self.predicted:
            self.precise = True
        self.whole = whole
        if predicted < SLOW * self.predicted and not hessian.sampled:
            self.stalls += 1
        if bad or slow or self.near or paid_off:
            self.hessian = None
        if self.near:
            self.max_rows = len(problem.labels)
        elif bad and hessian.sampled and hessian.age <= 2:
            self.max_rows *= 3
        elif slow and hessian.sampled:
            stale = ratio > STALE and self.renewals < MAX_RENEWALS
            self.renewals = self.renewals + 1 if stale else 0
            self.max_rows *= 1 if stale else 3

    def _is_explicit(self, problem, free):
        """Whether a model of these variables is minimised through an explicit Hessian.

        Where products have not brought the minimum in reach, it may be larger.
        """
        limit = dense_limit(problem)
        if self.exhausted >= MAX_EXHAUSTED:
            limit = max(limit, MAX_DENSE_VARIABLES)
        return np.count_nonzero(free) <= limit

    def _is_paid_off(self, problem, hessian):
        """Whether the steps since it was built have cost as much as building it anew."""
        if not self._is_explicit(problem, hessian.free):
            return hessian.age >= OLD
        size = np.count_nonzero(hessian.free)
        return hessian.age * pass_cost(problem) >= dense_cost(len(problem.labels), size)


def pass_cost(problem):
    """Cost of a step but for its model, products with X and loops over the scores.

    In operations at the speed of those that build a Hessian.
    """
    n, d = problem.data.shape
    return n * problem.n_classes * (25 * d + 1500) + OVERHEAD


def dense_cost(n_rows, size):
    """Operations that build an explicit Hessian."""
    return n_rows * size * (size + 30)


def first_rows(problem, size):
    """How many rows the first Hessian has: so many that it costs as much as a few passes."""
    n_rows = len(problem.labels)
    if size > dense_limit(problem):
        return FIRST_ROWS
    rows = max(FIRST_PASSES * pass_cost(problem) // dense_cost(1, max(1, size)), FEWEST_ROWS)
    return rows if rows < 0.5 * n_rows else n_rows


def dense_limit(problem):
    """How many variables an explicit Hessian may have.

    More where samples are few; less without an L1 part, where conjugate gradients need no
    signs and soon end.
    """
    n, d = problem.data.shape
    if n < d and n <= 1000:
        return MAX_DENSE_VARIABLES_WIDE
    return MAX_DENSE_VARIABLES if problem.penalty.l1 > 0 else MAX_DENSE_VARIABLES_SMOOTH


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
