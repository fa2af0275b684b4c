"""Which problems go to the interior-point method: at once, or when other steps get nowhere.

Costs are in operations at the speed of a Cholesky factorisation, some 2e10 a second.
"""

from dataclasses import replace

import numpy as np

from .._certificate import certify
from ._coordinates import coordinates
from ._interior_point import interior_point
from ._working_set import dense_limit, free_variables

TYPICAL_STEPS = 30
MAX_SIZE = 2500  # of its systems
MAX_COST = 3e11
CHEAP = 4e9
CHEAP_WITH_FEW = 7e10  # samples
FEW, FEW_L1 = 4, 40  # pairs of a sample and a wrong class by weights
MANY_WEIGHTS = 1000
NEAR, FACTOR_NEAR = 1e-3, 4  # of F(0): patience where the gap is small
PROGRESS = 0.2  # fall of the gap while half of the cost is spent
FEW_PASSES = 5
POINT = ("coef", "intercept", "dual", "scores")
FEW_STEPS, MORE_STEPS = 15, 60  # with few samples


def rescued(solver):
    """A solver that leaves the problem to the interior-point method after as much work."""

    def rescuing(problem, start):
        cost = interior_cost(problem)
        if cost > MAX_COST:
            yield from solver(problem, start)
            return
        steps, iterate = solver(problem, start), None
        if not at_once(problem, start, cost):
            for iterate in _affordable(problem, steps, cost):
                yield iterate
        yield from _from_inside(problem, start, steps, iterate, solver)

    return rescuing


def _from_inside(problem, start, steps, iterate, solver):
    """The interior-point method, then the solver from its last point or from where it was."""
    found = None
    for found in interior_point(problem):
        yield found
    # Where it broke off it may be farther from the optimum than zero is.
    known = min(problem.value_at_zero, _gap(problem, iterate))
    if found is not None and _gap(problem, found) < known:
        point = {name: getattr(found, name) for name in POINT}
        steps = solver(problem, replace(start, **point))
    yield from steps


def _gap(problem, iterate):
    return np.inf if iterate is None else certify(problem, iterate).gap


def _affordable(problem, steps, cost):
    """The iterates of a solver until it has cost that much, or a few times that near the end.

    It may go on as long as every further half of the cost brings the gap down by a good deal.
    """
    spent, passes = 0.0, problem.data.passes.total
    review, gap = 0.5 * cost, np.inf
    least = cost / (FEW_STEPS if cost <= CHEAP_WITH_FEW else MORE_STEPS)
    least *= _few_samples(problem)
    for iterate in steps:
        yield iterate
        spent += max(least, step_cost(problem, iterate, problem.data.passes.total - passes))
        passes = problem.data.passes.total
        if spent > review:
            before, gap = gap, _gap(problem, iterate)
            near = gap <= NEAR * problem.value_at_zero
            if spent > (FACTOR_NEAR if near else 1) * cost and gap > PROGRESS * before:
                return
            review = spent + 0.5 * cost


def at_once(problem, start, cost):
    """Whether the interior-point method comes first: from zero, where it costs next to nothing.

    Newton's method for the squared hinge may end after a handful of steps, unless the features
    are many more than the samples.
    """
    if start.dual is not None or start.coef.any():
        return False
    if problem.loss.smooth:
        pairs, weights = _sizes(problem)
        return max(2 * pairs, MANY_WEIGHTS) <= weights and cost <= CHEAP_WITH_FEW
    return cost <= (CHEAP_WITH_FEW if _few_samples(problem) else CHEAP)


def _few_samples(problem):
    pairs, weights = _sizes(problem)
    few = FEW_L1 if problem.penalty.l1 > 0 and not problem.loss.smooth else FEW
    return pairs <= few * weights


def interior_cost(problem):
    """What the interior-point method costs; infinite where it does not apply.

    It knows the hinges only, and divides by the penalty of each feature.
    """
    pairs, weights = _sizes(problem)
    size = min(pairs, weights)
    if problem.loss.block is None or size > MAX_SIZE or len(problem.penalty.free):
        return np.inf
    n, d = problem.data.shape
    n_classes = problem.n_classes
    moments = n * n * d if pairs < problem.shape[0] * n_classes else n * d * d
    overhead = 7e7 + 1000 * n * n_classes
    return TYPICAL_STEPS * (n_classes * moments + size**3 / 3 + overhead)


def _sizes(problem):
    """Numbers of pairs of a sample and a wrong class, and of weights."""
    d, n_classes = problem.shape
    pairs = np.count_nonzero(problem.weights) * (n_classes - 1)
    return pairs, (d + problem.fit_intercept) * n_classes


def step_cost(problem, iterate, passes):
    """About what a Newton step with so many passes over X has cost.

    Without an L1 part, few passes mean an explicit Hessian.
    """
    n, d = problem.data.shape
    n_classes = problem.n_classes
    a_pass = n * n_classes * (4 * d + 50) + 5e6
    cost = passes * a_pass + 400 * n * n_classes + 5e7
    size = len(coordinates(free_variables(problem, iterate)))
    has_l1 = problem.penalty.l1 > 0
    if size <= dense_limit(problem) if has_l1 else passes <= FEW_PASSES:
        support = np.count_nonzero(iterate.coef) if has_l1 else 0
        cost += size**3 + 200.0 * size**2 + 4.0 * support**3
    return cost
