"""What it costs to follow the optimum of a hinge along a path, and what it may cost.

Costs are in operations, as in `_rescue`.
"""

from ._interior_systems import sizes
from ._rescue import USUAL, keeps_few_weights, step_cost

FITS, FITS_L2 = 14, 1.2  # by interior points, that a path may cost, with and without an L1 part
SURE = 2.0  # by that, what is allowed where no more is expected
DOUBTFUL, TRIAL = 8.0, 0.5  # by that, up to which cost it is tried, and what is allowed then
CHANGES = 4  # for a pair of a sample and a wrong class, along a path
SHARE = 0.25  # of the weights or pairs, that may be in the support at once
SLOWNESS = 10.0  # of short loops beside a Cholesky factorisation
OVERHEAD = 2000.0


def allowance(problem):
    """What it may cost to follow the optimum of a hinge; nothing where that is known to be dear.

    How dear is not well known: of fewer pairs than weights, few may be at a kink at once.
    """
    known = not problem.loss.smooth and not len(problem.penalty.free)
    if not known or problem.data.sparse:
        return 0.0
    expected, most = expected_cost(problem), budget(problem)
    if expected <= most:
        return SURE * most
    few = keeps_few_weights(problem) and expected <= DOUBTFUL * most
    return TRIAL * most if few else 0.0


def expected_cost(problem):
    """That of all changes along a path."""
    pairs, weights = sizes(problem)
    kinks = SHARE * min(pairs, weights) + problem.n_classes
    support = kinks if problem.penalty.l1 else weights
    return CHANGES * pairs * change_cost(problem, kinks, support)


def budget(problem):
    """What a path costs at least without it: a few fits by interior points."""
    fits = FITS if problem.penalty.l1 else FITS_L2
    return fits * min(USUAL.steps * step_cost(problem), USUAL.cost)


def change_cost(problem, kinks, support):
    """Of a change, with so many pairs at a kink and weights in the support."""
    (n, _), (d, n_classes) = problem.data.shape, problem.shape
    has_bends = problem.penalty.l2 > 0
    system = kinks if has_bends else kinks + support
    cost = n * (support + 6 * n_classes) + 2 * kinks * d + 5 * d * n_classes + system**3 / 3
    return SLOWNESS * (cost + has_bends * kinks**2 * support / 2 + OVERHEAD)
