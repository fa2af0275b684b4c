"""Which problems go to the interior-point method: at once, or when other steps get nowhere.

Costs are in operations (see `Effort`).
"""

from itertools import islice
from typing import NamedTuple

import numpy as np

from .._certificate import certify
from .._effort import Effort
from ._interior_point import interior_point
from ._interior_systems import sizes, system_cost

NEAR_STEPS, MAX_NEAR_STEPS = 13, 40  # from a point near the optimum
INTERIOR_STEP, NEWTON_STEP = (2500, 7e7), (400, 5e7)  # operations for each score, and of calls
FORGET, FAILED = 0.9, 3.0  # prices fall while nobody asks; that of what led nowhere
ROUNDING = 1e-13  # of F(0)
CHEAP, CHEAP_WITH_FEW_WEIGHTS = 8e9, 2e10
CHEAP_WITH_FEW = 1.4e11  # samples
CHEAP_FOR_AN_ENTRY = 6000  # of X, for each class: what some hundred products cost
FEW, FEW_L1 = 4, 40  # pairs of a sample and a wrong class by weights
MANY_WEIGHTS = 1000
NEAR, FACTOR_NEAR = 1e-3, 4  # of F(0): patience where the gap is small
PROGRESS = 0.2  # fall of the gap while half of the cost is spent
FEW_STEPS = 15  # of Newton's method, where interior points cost next to nothing
RULING, RULING_SPARSE = 1.0, 0.1  # L2 parts, by the mean squared length of a sample


class Limits(NamedTuple):
    """Of the interior-point method, on some kind of problem.

    Attributes
    ----------
    size : int
        Of its systems, at the most.
    cost : float
        Of all its steps, at the most.
    steps : int
        How many it takes from zero.
    others : int
        How many of Newton's method are as dear, with few samples.
    """

    size: int
    cost: float
    steps: int
    others: int


USUAL = Limits(size=2500, cost=7e11, steps=40, others=60)
WIDE = Limits(size=5000, cost=2e12, steps=15, others=25)  # where few weights are kept


class Rescued:
    """A solver that leaves a problem to the interior-point method after as much work.

    Along a path both begin near the optimum, and the one that was the cheaper takes the next
    problem.

    Parameters
    ----------
    solver : callable

    Attributes
    ----------
    spent : float
        What the solver cost the last time, by what the other method costs from zero.
    inside : float
        The same of the interior-point method from a point near the optimum.
    """

    def __init__(self, solver):
        self.solver, self.spent, self.inside = solver, 0.0, NEAR_STEPS / USUAL.steps

    def __call__(self, problem, start):
        """Yield the iterates."""
        cost = interior_cost(problem)
        if not is_possible(problem):
            yield from self.solver(problem, start)
            return
        steps, iterate, point = self.solver(problem, start), None, None
        # Near an optimum with few weights nearly all others are at a bend: short steps.
        near = start.dual is not None and not keeps_few_weights(problem)
        self.inside *= FORGET if self.inside > 1 else 1.0
        if near and self.inside < self.spent:
            point = start.certified(problem)
            self.spent = FORGET * min(self.spent, 1.0)
        elif not is_first(problem, start):
            # Along a path both have a price, and only what was spent tells which is lower.
            least = 0.0 if near else least_price(problem, cost)
            for iterate, spent in _affordable(problem, steps, cost, least):
                self.spent = spent / cost
                yield iterate
            self.spent, point = np.inf, iterate if near else None
        yield from self._from_inside(problem, start, (steps, iterate), point)

    def _from_inside(self, problem, start, others, point):
        """The interior-point method, then the solver from its last point or from where it was."""
        (steps, iterate), found = others, None
        if point is not None:
            near = islice(interior_point(problem, point), MAX_NEAR_STEPS)
            for count, found in enumerate(near):
                self.inside = count / USUAL.steps
                yield found
            if found is not None and _gap(problem, found) <= ROUNDING * problem.value_at_zero:
                yield from steps
                return
            self.inside = FAILED
        for found in interior_point(problem):
            yield found
        # Where it broke off it may be farther from the optimum than zero is.
        known = min(problem.value_at_zero, _gap(problem, iterate))
        if found is not None and _gap(problem, found) < known:
            steps = self.solver(problem, start.at(found))
        yield from steps


def _gap(problem, iterate):
    return np.inf if iterate is None else certify(problem, iterate).gap


def _affordable(problem, steps, cost, least):
    """Iterates of a solver and what it spent, until that or, near the end, a few times that.

    It may go on as long as every further half of the cost brings the gap down by a good deal.
    """
    spent, worked = 0.0, 0.0
    effort = Effort(problem.data.passes, overhead(problem, NEWTON_STEP))
    review, gap = 0.5 * cost, np.inf
    for iterate in steps:
        step = effort.spent(1)
        worked, spent = worked + step, spent + max(least, step)
        yield iterate, worked
        effort = Effort(effort.passes, effort.of_a_step)
        if spent > review:
            before, gap = gap, _gap(problem, iterate)
            near = gap <= NEAR * problem.value_at_zero and not keeps_few_weights(problem)
            if spent > (FACTOR_NEAR if near else 1) * cost and gap > PROGRESS * before:
                return
            review = spent + 0.5 * cost


def least_price(problem, cost):
    """At which each step counts: with few samples, a handful is enough or leads nowhere."""
    most = FEW_STEPS if cost <= CHEAP_WITH_FEW else limits(problem).others
    return cost / most if _few_samples(problem) else 0.0


def is_first(problem, start):
    """Whether the interior-point method comes first: from zero, where it costs next to nothing.

    Newton's method for the squared hinge may end after a handful of steps, unless the features
    are many more than the samples.  With the hinge and more weights than pairs, an L1 part leaves
    it with models of which each takes as many factors as all of the interior-point method.  Where
    the L2 part leaves next to no weights, proximal-point steps need hardly more than the intercept.
    """
    if start.dual is not None or start.coef.any() or not is_possible(problem):
        return False
    if problem.penalty.l1 == 0 and l2_rules(problem):
        return False
    cost = interior_cost(problem)
    if problem.loss.smooth:
        pairs, weights = sizes(problem)
        return max(2 * pairs, MANY_WEIGHTS) <= weights and cost <= CHEAP_WITH_FEW
    if keeps_few_weights(problem):
        return True
    return cost <= (CHEAP_WITH_FEW if _few_samples(problem) else CHEAP)


def l2_rules(problem):
    """Whether the L2 part leaves next to no weights, being large beside the samples' squares."""
    share = RULING_SPARSE if problem.data.sparse else RULING
    return problem.penalty.l2 > share * problem.mean_squares.sum()


def is_cheap(problem):
    """Whether the interior-point method is cheap, also beside products with X.

    Where few weights are kept the others are dear.
    """
    if not keeps_few_weights(problem):
        return interior_cost(problem) <= CHEAP
    of_products = CHEAP_FOR_AN_ENTRY * problem.data.X.size * problem.n_classes
    return interior_cost(problem) <= max(CHEAP_WITH_FEW_WEIGHTS, of_products)


def is_possible(problem):
    """Whether the interior-point method may take the problem at all."""
    return interior_cost(problem) <= limits(problem).cost


def limits(problem):
    """Those of a problem of its kind."""
    return WIDE if keeps_few_weights(problem) else USUAL


def keeps_few_weights(problem):
    """Whether there are more weights than pairs, and an L1 part that keeps few of them."""
    pairs, weights = sizes(problem)
    return problem.penalty.l1 > 0 and pairs < weights


def _few_samples(problem):
    pairs, weights = sizes(problem)
    few = FEW_L1 if problem.penalty.l1 > 0 and not problem.loss.smooth else FEW
    return pairs <= few * weights


def interior_cost(problem):
    """What the interior-point method costs; infinite where it does not apply.

    It knows the hinges only, and some feature must have a penalty.
    """
    return limits(problem).steps * step_cost(problem)


def step_cost(problem):
    """The same of one step."""
    fits = min(sizes(problem)) <= limits(problem).size
    if problem.loss.block is None or not (fits and np.any(problem.penalty.factor)):
        return np.inf
    return system_cost(problem) + overhead(problem, INTERIOR_STEP)


def overhead(problem, step):
    """Operations of a step besides its large computations."""
    of_a_score, of_calls = step
    return of_a_score * len(problem.labels) * problem.n_classes + of_calls
