"""When dual ascent is too slow, and hands over to the solver behind it."""

import math

import numpy as np

from ._ascends import MAX_EXPLICIT, MAX_SPARSE, n_variables
from ._rescue import is_cheap

PATIENCE, SLOW = 50, 0.5
PATIENCE_LONG, SLOW_LONG = 200, 0.9
# Where Newton's method wins, few epochs show it.
PATIENCE_DENSE, PATIENCE_SMOOTH, SLOW_DENSE = 8, 20, 0.2
PATIENCE_FEW, SLOW_FEW = 24, 0.1  # an L1 part, and Hessians that cost little
PATIENCE_SUPPORT, STEPS = 16, 16
HELD = 0.5  # weights for each active sample
LEAST_POWER = 0.01
# Newton's steps near the end converge fast where the loss is smooth.
PATIENCE_SIMPLEX, SLOW_SIMPLEX = 20, 0.1
MOST_BEFORE_CHEAP = 16  # passes, half of what the cheapest interior points take


class Patience:
    """What is known of an ascent, and whether that is enough.

    Attributes
    ----------
    gaps : dict
        The smallest gap so far after so many passes; where an ascent has long the median of three,
        as one that is small by chance must not end it.
    smallest : float
    is_short : bool
        Whether cheap interior points wait, which need no start.
    """

    def __init__(self, problem, start):
        self.problem, self.most, self.has_long = problem, limits(problem), has_long(problem)
        # On sparse data they cost more than epochs, and along a path these begin near.
        cold = start.dual is None and not (problem.data.sparse or problem.loss.smooth)
        self.is_short = cold and is_cheap(problem)
        self.gaps, self.found, self.iterate = {0.0: np.inf}, [], None
        self.work, self.begin = problem.data.passes, problem.data.passes.operations

    @property
    def smallest(self):
        """The smallest gap."""
        return min(self.found)

    def look(self, passes, iterate, gap):
        """Note the iterate after so many passes, and its gap."""
        self.found.append(gap)
        self.iterate = iterate
        self.gaps[passes] = float(np.median(self.found[-3:])) if self.has_long else self.smallest

    def is_over(self):
        """Whether another solver is to go on."""
        if slow(self.gaps, *self.most) or (self.is_short and max(self.gaps) >= MOST_BEFORE_CHEAP):
            return True
        return outdone(self.problem, self.iterate, self.gaps, self.work.operations - self.begin)


def slow(gaps, patience=PATIENCE, share=SLOW):
    """Whether the last three quarters of the passes have left that share of the smallest gap."""
    latest = max(gaps)
    return latest > patience and gaps[latest] > share * gaps[_quarter(gaps)]


def outdone(problem, iterate, gaps, spent):
    """Whether epochs to a tenth of the gap cost more than Newton steps on the support.

    The latter are right where samples hold the support; a step costs the sum of an explicit Hessian
    over those that are active, and its factor.  `spent` are the operations of all epochs so far.
    """
    if max(gaps) < PATIENCE_SUPPORT or not (problem.loss.smooth and problem.penalty.l1 > 0):
        return False
    size = np.count_nonzero(iterate.coef)
    active = np.count_nonzero(iterate.dual.any(axis=1))
    step = active * size**2 + size**3 / 3
    return size <= HELD * active and STEPS * step < spent * to_a_tenth(gaps)


def to_a_tenth(gaps):
    """How many times the passes so far bring a tenth of the gap; it falls with a power of them.

    None where the first gap is too late to tell.
    """
    latest, earlier = max(gaps), _quarter(gaps)
    if earlier == 0 or gaps[latest] == 0:
        return 0.0
    power = math.log(gaps[earlier] / gaps[latest]) / math.log(latest / earlier)
    return 10 ** (1 / power) - 1 if power > LEAST_POWER else np.inf


def _quarter(gaps):
    """The most passes, of those with a gap, that are at most a quarter of the latest."""
    return max(passes for passes in gaps if passes <= 0.25 * max(gaps))


def limits(problem):
    """Those of `slow`."""
    loss, has_l1 = problem.loss, problem.penalty.l1 > 0
    if loss.block is None:
        return PATIENCE_SIMPLEX, SLOW_SIMPLEX
    if has_long(problem):
        return PATIENCE_LONG, SLOW_LONG
    if others_are_dear(problem):
        return PATIENCE, SLOW
    if has_l1 and not problem.data.sparse:
        return PATIENCE_FEW, SLOW_FEW
    return PATIENCE_SMOOTH if loss.smooth else PATIENCE_DENSE, SLOW_DENSE


def has_long(problem):
    """Whether Newton's steps on a large support would change their active set again and again."""
    return problem.loss.smooth and not problem.data.sparse and others_are_dear(problem)


def others_are_dear(problem):
    """Whether the successor needs many passes, or systems of many variables."""
    if problem.data.sparse:
        return not is_cheap(problem) and n_variables(problem) > MAX_SPARSE
    return problem.penalty.l1 > 0 and n_variables(problem) > MAX_EXPLICIT
