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

from .._certificate import certify
from ._conjugate import minimise_by_columns, minimise_by_products
from ._coordinates import coordinates
from ._explicit import minimise_dense
from ._hessian import Hessian
from ._model import QuadraticModel, adapted, adapted_wide
from ._preconditioner import Preconditioners
from ._refined import minimise_refined
from ._renewal import Outcome, Renewal, is_misled, worth_in_products
from ._search import Ray
from ._working_set import (
    MAX_DENSE_VARIABLES_DEAR,
    MAX_DENSE_VARIABLES_HARD,
    dense_limit,
    free_variables,
)

MAX_TRIALS = 6
SINGLE_RIDGE = 1e-5
REVIVED = 1e-5  # damping after a model that was too flat
NEAR_COLUMNS = 1e-2  # of the gain: the gap is proportional to the violation
FAR = 0.03  # predicted change, of F(0)
REFINED = 1e-4  # of the violation, in exact models
TIGHT, GAIN = 1e-3, 0.3  # ends of conjugate gradients (see there)
MAX_PRODUCTS, MAX_EXHAUSTED = 100, 2
DEAR, MANY_SAMPLES = 0.25, 5  # products of those that a Hessian is worth; by variables
MANY_PRODUCTS = 5  # beside which that of another dual point is nothing


class ProximalNewton:
    """Steps of the method, and what they learn.

    Attributes
    ----------
    renewal : Renewal
        Provides the Hessian of the next model.
    damping : float
        Share of the largest curvature added to models with an L1 part.
    accuracy : float
        To which models are minimised.
    solved : bool
        False where a model could not be minimised though its Hessian was exact.
    exhausted : int
        How many runs of conjugate gradients were not enough.
    dear : bool
        Whether one of them took so long that explicit Hessians of more variables cost less.
    shown : Iterate
        The last iterate with the better of two dual points.
    """

    def __init__(self):
        self.renewal, self.preconditioners = Renewal(), Preconditioners()
        self.damping, self.accuracy = 1e-4, 0.1
        self.solved, self.exhausted, self.dear = True, 0, False
        self.shown = None

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        objective = abs(problem.objective(iterate))
        for trial in range(1, MAX_TRIALS + 1):
            model = self._model(problem, iterate)
            found = self._minimise(problem, model)
            if found is None:  # too far from the Hessian at hand
                self.renewal.restart()
                continue
            target, gradient = found
            predicted = model.value(target, gradient)
            self.solved = model.solved or not model.hessian.is_exact
            # No step can win more than the objective: a model that hopes for it is flat where
            # the problem is not.  It leads downhill all the same.
            least = -2 * objective if trial < MAX_TRIALS else -np.inf
            if least < predicted < 0 or problem.penalty.l1 == 0:
                found = self._search(problem, iterate, model, target, predicted)
                if found is not None:
                    return found
            if model.hessian.is_fresh and not model.hessian.sampled:
                self.damping = min(max(16 * self.damping, REVIVED), 1.0)
            if not model.hessian.is_exact:
                self.renewal.give_up(model.hessian)
            self.accuracy = max(0.1 * self.accuracy, 1e-8)
        return None

    def _model(self, problem, iterate):
        free = free_variables(problem, iterate)
        hessian = self.renewal.hessian_for(problem, iterate, free, self._is_explicit(problem, free))
        explicit = self._is_explicit(problem, hessian.free)
        if explicit and self.renewal.refines(problem, hessian):
            curvature, n_rows = problem.curvature(iterate.scores), len(problem.labels)
            hessian = Hessian(problem, curvature, hessian.all_free, n_rows)
        return QuadraticModel(problem, iterate, hessian, self._ridge(problem, hessian))

    def _ridge(self, problem, hessian):
        """What the model adds to l2: a share of the curvature along each feature.

        With an L1 part the minimiser of an undamped model may lie far off, or nowhere; a
        sample of the rows may not span all directions.
        """
        has_l1 = problem.penalty.l1 > 0
        least = 0.0 if hessian.precise else SINGLE_RIDGE
        share = max(self.damping, least) * problem.loss.bend if has_l1 else 0.0
        return (share + hessian.missing(has_l1)) * problem.mean_squares

    def _minimise(self, problem, model):
        if self._is_explicit(problem, model.free):
            return self._minimise_explicitly(problem, model)
        preconditioner = self.preconditioners.of(problem, model)
        if problem.penalty.l1 > 0:
            accuracy = (NEAR_COLUMNS if self.renewal.near else 1.0) * self.accuracy
            return minimise_by_columns(model, preconditioner, accuracy)
        gain = GAIN * 0.3 ** min(self.renewal.stalls, 6)
        found = minimise_by_products(model, preconditioner, TIGHT, MAX_PRODUCTS, gain)
        self.exhausted += model.n_products == MAX_PRODUCTS
        self.dear = self.dear or is_dear(problem, model)
        self.preconditioners.charge(model)
        return found

    def _minimise_explicitly(self, problem, model):
        rough = self.renewal.hessian
        if model.hessian is rough:
            return minimise_dense(model, (1e-3 if self.renewal.near else 1.0) * self.accuracy)
        return minimise_refined(model, rough, REFINED, worth_in_products(problem, rough) // 2)

    def _search(self, problem, iterate, model, target, predicted):
        """The iterate at the end of a line search, or None where nothing was gained."""
        penalty, features = problem.penalty, model.hessian.features
        ray = Ray(problem, iterate, model.move_to(target), penalty.take(features), features)
        step, change = ray.search(longest=4.0 if penalty.l1 > 0 else 1024.0)
        if step == 0:
            return None
        found = self.shown = ray.at(step)
        exact = model.hessian.is_fresh and not model.hessian.sampled
        near = -predicted < FAR * problem.value_at_zero
        if near and penalty.l1 > 0 and exact:
            self.shown = ray.linearised(found)
        elif near and penalty.l1 == 0 and model.n_products >= MANY_PRODUCTS:
            self.shown = tighter(problem, found, ray.linearised(found))
        explicit = self._is_explicit(problem, model.hessian.free)
        ratio, held = change / predicted, 1.0
        if not explicit and is_misled(ratio, explicit):
            held = ray.bend_in(model.hessian) / ray.bend()
        if explicit or penalty.l1 == 0:
            self.renewal.hessian.learn(problem, iterate, found)
        refined = model.hessian is not self.renewal.hessian
        outcome = Outcome(predicted, ratio, held)
        self.renewal.judge(problem, outcome, explicit, refined)
        self._adapt(problem, outcome, model.damping_of(target))
        return found

    def _adapt(self, problem, outcome, damped):
        """Learn from how much came true of a promise, to which the damping added so much."""
        (n, d), ratio = problem.data.shape, outcome.ratio
        self.accuracy = max(self.accuracy / 3, 1e-3) if ratio > 0.8 else 0.1
        if problem.loss.curvature_jumps and n < d:
            ratio *= outcome.predicted / (outcome.predicted - damped)
            self.damping = adapted_wide(self.damping, ratio)
        else:
            self.damping = adapted(self.damping, ratio)

    def _is_explicit(self, problem, free):
        """Whether a model of these variables is minimised through an explicit Hessian.

        Where products have not brought the minimum in reach, it may be larger.
        """
        limit = dense_limit(problem)
        if self.exhausted >= MAX_EXHAUSTED:
            limit = max(limit, MAX_DENSE_VARIABLES_HARD)
        if self.dear:
            limit = max(limit, MAX_DENSE_VARIABLES_DEAR)
        return len(coordinates(free)) <= limit


def is_dear(problem, model):
    """Whether its explicit Hessian would have cost little more, on dense data of many samples.

    Where samples are few products cost little beside the factor of a Hessian.
    """
    many = len(problem.labels) >= MANY_SAMPLES * len(model.coordinates)
    if problem.data.sparse or not many:
        return False
    return model.n_products >= DEAR * worth_in_products(problem, model.hessian)


def tighter(problem, *iterates):
    """The one with the smallest gap."""
    return min(iterates, key=lambda iterate: certify(problem, iterate).gap)
