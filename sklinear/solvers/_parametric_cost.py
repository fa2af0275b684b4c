"""What it costs to follow the optimum of a hinge along a path, and what it may cost.

Costs are in operations, as in `_rescue`.
"""

import numpy as np

from .._operations import cost_of_borders, cost_of_elimination, cost_of_moves
from ._interior_systems import sizes
from ._rescue import USUAL, keeps_few_weights, step_cost

# By interior points, that a path may cost: with an L1 part, with nothing else, and without one.
FITS, FITS_L1, FITS_L2 = 14, 20, 2.2
DEAREST = 1e11  # of these fits
SURE = 2.0  # by that, what is allowed where no more is expected
DOUBTFUL, TRIAL = 8.0, 0.5  # by that, up to which cost it is tried, and what is allowed then
# For a pair of a sample and a wrong class, along a path; more where an L1 part alone chooses among
# more weights than pairs.
CHANGES, CHANGES_FEW = 5, 20
SHARE = 0.12  # of the weights or pairs, that may be in the support at once; no more than samples
MANY_FEATURES, KEPT = 500, 4  # from which some are screened; those kept by the support
NEXT_TO_NONE = 0.01  # of l2, an l1 that keeps all weights
SLOWNESS = 10.0  # of short loops beside a Cholesky factorisation


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
    kinks = min(SHARE * min(pairs, weights), np.count_nonzero(problem.weights)) + problem.n_classes
    keeps = problem.penalty.l1 > NEXT_TO_NONE * problem.penalty.l2
    support = kinks if keeps else weights
    chooses = problem.penalty.l2 == 0 and keeps_few_weights(problem)
    changes = CHANGES_FEW if chooses else CHANGES
    return changes * pairs * change_cost(problem, kinks, support)


def budget(problem):
    """What a path costs at least without it: a few fits by interior points."""
    penalty = problem.penalty
    fits = FITS_L2 if penalty.l1 == 0 else FITS if penalty.l2 > 0 else FITS_L1
    return fits * min(USUAL.steps * step_cost(problem), DEAREST)


def change_cost(problem, kinks, support):
    """Of a change, with so many pairs at a kink and weights in the support."""
    n, (d, n_classes) = np.count_nonzero(problem.weights), problem.shape
    few = min(d, max(KEPT * support, MANY_FEATURES)) if problem.penalty.l1 else d
    moves = cost_of_moves(n, few, n_classes, kinks, support)
    return SLOWNESS * (moves + system_cost(problem, kinks, support))


def system_cost(problem, kinks, support):
    """By elimination, or by borders of an old factor."""
    if problem.penalty.l2 > 0:
        bends, flat = support, problem.n_classes
    else:
        bends, flat = 0, support
    return min(cost_of_elimination(kinks, bends, flat), cost_of_borders(kinks + support))
