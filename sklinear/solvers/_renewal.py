"""When the Hessian of a model may serve again, and how many samples the next one has.

Costs are in operations at the speed of those that build an explicit Hessian.
"""

import numpy as np

from ._hessian import Hessian

FIRST_ROWS = 5000
FEWEST_ROWS = 1000
FIRST_PASSES = 1
OVERHEAD = int(1e8)  # of a step on a problem without data
CHEAP = 2e8  # a few milliseconds
OLD = 4  # steps, for products
KEPT = (0.5, 1.6)  # actual by predicted change of a model that may serve again
SLOW, IMPRECISE = 0.5, 0.1  # predicted by previous predicted change
STALE, MAX_RENEWALS = 1.1, 2
REFINABLE = 25  # products
NEAR = 3e-4  # predicted change, of F(0)


class Renewal:
    """Keeps a Hessian as long as it serves.

    Attributes
    ----------
    hessian : Hessian or None
        To serve again.
    max_rows : int or None
        How many samples the next one may have; None before the first.
    precise : bool
        Whether explicit Hessians need double precision.
    near : bool
        Whether the end is near, where with an L1 part exact models give tight dual points.
    stalls : int
        How often a step on all samples promised no less than half of the one before.
    """

    def __init__(self):
        self.hessian, self.max_rows = None, None
        self.precise, self.near, self.stalls = False, False, 0
        self.predicted, self.whole, self.renewals = -np.inf, False, 0

    def hessian_for(self, problem, iterate, free, explicit):
        """The Hessian at hand or, if that can't serve, a new one."""
        size = np.count_nonzero(free)
        if self.max_rows is None:
            self.max_rows = first_rows(problem, size) if explicit else FIRST_ROWS
        kept = self.hessian
        if kept is None or kept.loss is not problem.loss or not kept.covers(free):
            precise = self.precise or dense_cost(len(problem.labels), size) < CHEAP
            curvature = problem.curvature(iterate.scores)
            self.hessian = Hessian(problem, curvature, free, self.max_rows, precise)
        return self.hessian

    def resume(self):
        """Go on with another penalty: the first step has none to be compared with."""
        self.predicted, self.whole, self.near = -np.inf, False, False

    def enlarge(self):
        """Go on with more samples: what is known is that of some of them."""
        self.max_rows, self.precise, self.near, self.stalls = None, False, False, 0
        self.predicted, self.whole, self.renewals = -np.inf, False, 0
        if self.hessian is not None:
            self.hessian.sampled = True

    def give_up(self, hessian):
        """Let a Hessian go that led nowhere; if it was a fresh one, the next has to be better."""
        self.hessian = None
        if not hessian.age:
            self.max_rows *= 3
            self.precise = True

    def restart(self, problem):
        """Have the next Hessian built from all samples."""
        self.hessian, self.max_rows = None, len(problem.labels)

    def refines(self, problem, hessian):
        """Whether products with the exact Hessian are to refine what this one finds."""
        cheap = worth_in_products(problem, hessian) >= REFINABLE
        return self.near and cheap and (hessian.age > 0 or hessian.sampled)

    def judge(self, problem, predicted, ratio, explicit, refined):
        """Decide by the change a model promised, and by how much of it came true.

        Where a model promised too little, the curvature has fallen since the Hessian was built,
        and rows are blamed only if that happens again.  A model that refined it says nothing of
        the Hessian.
        """
        hessian = self.hessian
        bad = not KEPT[0] <= ratio <= KEPT[1]
        slow = hessian.age > 1 and predicted < SLOW * self.predicted
        self.near = problem.penalty.l1 > 0 and -predicted < NEAR * problem.value_at_zero
        if not hessian.sampled:
            self._note_convergence(hessian, predicted)
        self.whole = hessian.age == 1 and not hessian.sampled
        self.predicted = predicted
        # Coordinate descent through columns of X knows nothing of corrections.
        by_columns = problem.penalty.l1 > 0 and not explicit
        refinable = explicit and self.refines(problem, hessian)
        if refined and self.near:
            return
        paid_off = not refinable and is_paid_off(problem, hessian, explicit)
        if bad or slow or by_columns or paid_off or (self.near and not refinable):
            self.hessian = None
        if self.near and not refinable:
            self.max_rows = len(problem.labels)
        elif hessian.sampled:
            self._choose_rows(hessian, bad, slow, ratio)

    def _note_convergence(self, hessian, predicted):
        """From one Hessian of all samples to the next, Newton's method converges quadratically."""
        if hessian.age == 1 and self.whole and predicted < IMPRECISE * self.predicted:
            self.precise = True
        if predicted < SLOW * self.predicted:
            self.stalls += 1

    def _choose_rows(self, hessian, bad, slow, ratio):
        if bad and hessian.age <= 2:
            self.max_rows *= 3
        elif slow and not bad:
            stale = ratio > STALE and self.renewals < MAX_RENEWALS
            self.renewals = self.renewals + 1 if stale else 0
            self.max_rows *= 1 if stale else 3


def is_paid_off(problem, hessian, explicit):
    """Whether the steps since it was built have cost as much as building it anew."""
    if hessian.sampled:
        return False
    if not explicit:
        return hessian.age >= OLD
    size = np.count_nonzero(hessian.free)
    return hessian.age * pass_cost(problem) >= dense_cost(len(problem.labels), size)


def pass_cost(problem):
    """Cost of a step but for its model: products with X and loops over the scores."""
    n, d = problem.data.shape
    return n * problem.n_classes * (25 * d + 1500) + OVERHEAD


def dense_cost(n_rows, size):
    """Operations that build an explicit Hessian."""
    return n_rows * size * (size + 30)


def worth_in_products(problem, hessian):
    """With how many products an explicit Hessian of all samples costs as much."""
    n, d = problem.data.shape
    product = n * problem.n_classes * (8 * d + 60)
    return dense_cost(n, np.count_nonzero(hessian.free)) / product


def first_rows(problem, size):
    """How many rows the first explicit Hessian has: it costs as much as a few passes."""
    n_rows = len(problem.labels)
    rows = max(FIRST_PASSES * pass_cost(problem) // dense_cost(1, max(1, size)), FEWEST_ROWS)
    return rows if rows < 0.5 * n_rows else n_rows
