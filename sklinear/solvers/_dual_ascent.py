"""Dual block coordinate ascent: the whole dual vector of one sample at a time.

The epochs, the looks at what they bring, and the solver behind them.

References
----------
Wang and Scott, An exact solver for the Weston-Watkins SVM subproblem, ICML 2021.
"""

from dataclasses import replace

import numpy as np

from .._certificate import certify
from ._epochs import DualAscent, pulls
from ._patience import Patience
from ._rescue import l2_rules

NEAR = 0.01
SHARE = 0.25  # of the passes of the last problem of a path
FEW_WEIGHTS, FEW_WEIGHTS_HINGE = 0.12, 0.05  # for each sample
FEW_OF_ALL = 0.12  # weights, of the hinge


def dual_ascent(successor):
    """The ascent, and the solver that takes over when the ascent has become slow, or at once where
    the L2 part rules or a start from nearby has few weights.

    Along a path one with a centre is not looked at before a share of the passes of the one before.
    """
    taken = 0.0

    def ascending(problem, start):
        nonlocal taken
        if rules(problem) or has_few_weights(problem, start):
            yield from successor(problem, start)
            return
        correlation = None
        if start.dual is not None:
            first = start.certified(problem)
            yield first
            start, correlation = replace(start, dual=first.dual), first.correlation
        ascent, patience = DualAscent(problem, start, correlation), Patience(problem, start)
        least = SHARE * taken if pulls(problem) else 0.0
        while not patience.is_over():
            ascent.run(least)
            taken, iterate = ascent.passes, ascent.iterate()
            yield iterate
            patience.look(taken, iterate, gap(problem, iterate))
            ascent.refine(patience.smallest)
            ascent.adapt(iterate)
        if not patience.is_short and patience.smallest <= NEAR * problem.value_at_zero:
            start = start.at(iterate)
        yield from successor(problem, start)

    return ascending


def rules(problem):
    """Whether a sparse problem of the hinges hardly has weights beside its L2 part.

    The intercept, which the ascent moves in steps by 1 / l2, is far away then.
    """
    if problem.loss.block is None or not (problem.data.sparse and problem.fit_intercept):
        return False
    return l2_rules(problem)


def has_few_weights(problem, start):
    """Whether Newton steps on the few weights of a start from nearby cost less than epochs."""
    if start.dual is None or problem.penalty.l1 == 0:
        return False
    n_weights, n_samples = np.count_nonzero(start.coef), np.count_nonzero(problem.weights)
    if problem.loss.smooth:
        return n_weights <= FEW_WEIGHTS * n_samples
    return n_weights <= min(FEW_WEIGHTS_HINGE * n_samples, FEW_OF_ALL * start.coef.size)


def gap(problem, iterate):
    """The gap of an iterate, without a centre that of weights which are the best for its dual."""
    if pulls(problem):
        return certify(problem, iterate, search=False).gap
    return problem.loss.fenchel_young(iterate.scores, problem.labels, problem.weights, iterate.dual)
