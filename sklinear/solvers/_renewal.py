"""When the Hessian of a model may serve again, and how many samples the next one has.

Costs are in operations at the speed of those that build an explicit Hessian.
"""

from dataclasses import dataclass

import numpy as np

from ._coordinates import coordinates
from ._hessian import Hessian

FIRST_ROWS = 5000
FEWEST_ROWS = 1000
MOST, MOST_PRODUCTS = 0.5, 0.8  # of the rows; where it would be more, it is all
FIRST_PASSES = 1
OVERHEAD = int(1e8)  # of a step on a problem without data
SPEED = 2.5  # of products, by that of sums of weighted moments
CHEAP = 2e8  # a few milliseconds
OLD = 4  # steps, for products
KEPT = (0.5, 1.6)  # actual by predicted change of a model that may serve again
SLOW, IMPRECISE = 0.5, 0.1  # predicted by previous predicted change
STALE, MAX_RENEWALS = 1.1, 2
REFINABLE = 25  # products
NEAR, END = 3e-4, 1e-8  # predicted change, of F(0)
ENOUGH = 0.3  # actual by predicted change, for products
HELD = 0.5  # curvature along a step by the exact one, where the samples were enough
TRUE = 0.7  # actual by predicted change of a model that needs less caution
FIRST_CAUTION, CAUTION_STEP = 1e-3, 4.0
PATIENCE, MAX_STALLS, MAX_STIFF = 2, 15, 7


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Attributes
    ----------
    predicted : float
        The change that the model promised.
    ratio : float
        The actual change by that.
    held : float
        The curvature of the model along the step by that of all samples; 1 where not asked for.
    """

    predicted: float
    ratio: float
    held: float = 1.0


class Renewal:
    """Keeps a Hessian as long as it serves.

    Attributes
    ----------
    hessian : Hessian or None
        To serve again.
    effort : float
        By how many times more samples the next one may have than the first; infinite for all.
    precise : bool
        Whether explicit Hessians need double precision.
    near : bool
        Whether the end is near, where with an L1 part exact models give tight dual points.
    caution : float
        By how much curvatures are larger than those at the iterate: the share of that at zero.
    last : Hessian or None
        Of the last step without an L1 part, whether it may serve again or not.
    stiff : int
        How often a model of a sample, right in the curvature along its step, promised too little.
    stalls : int
        How often a model was right and yet promised no less than half of the one before.
    """

    def __init__(self):
        self.hessian, self.last, self.effort = None, None, 1.0
        self.precise, self.near, self.stalls, self.caution = False, False, 0, 0.0
        self.stiff = 0
        self.predicted, self.whole, self.renewals = -np.inf, False, 0

    def hessian_for(self, problem, iterate, free, explicit):
        """The Hessian at hand or, if that can't serve, a new one."""
        kept = self.hessian
        if kept is None or kept.loss is not problem.loss or not kept.covers(free):
            cost = dense_cost(problem, *sizes(free))
            precise = self.precise or len(problem.labels) * cost < CHEAP
            self.last = None  # lets go of its data
            curvature = problem.curvature(iterate.scores)
            if self.caution and not explicit:
                curvature = curvature.cautious(self.caution)
            rows = self._rows(problem, cost, explicit)
            self.hessian = Hessian(problem, curvature, free, rows, precise)
        return self.hessian

    def _rows(self, problem, cost, explicit):
        """How many rows the next Hessian has; all where an exact one is hardly dearer."""
        n_rows = len(problem.labels)
        rows = self.effort * (first_rows(problem, cost) if explicit else FIRST_ROWS)
        most = MOST if explicit or problem.penalty.l1 > 0 else MOST_PRODUCTS
        return int(rows) if rows < most * n_rows else n_rows

    def resume(self):
        """Go on with another penalty: the first step has none to be compared with."""
        self.predicted, self.whole, self.near = -np.inf, False, False

    def enlarge(self):
        """Go on with more samples: what is known is that of some of them.

        A Hessian that few samples replace at no cost is worth keeping where all would have to,
        unless an L1 part changes the support.
        """
        self.effort, self.precise, self.near, self.stalls, self.stiff = 1.0, False, False, 0, 0
        self.predicted, self.whole, self.renewals = -np.inf, False, 0
        if self.hessian is None:
            self.hessian = self.last
        if self.hessian is not None:
            self.hessian.sampled = True

    def give_up(self, hessian):
        """Let a Hessian go that led nowhere; if it was a fresh one, the next has to be better."""
        self.hessian = None
        if not hessian.age:
            self.effort *= 3
            self.precise = True

    def restart(self):
        """Have the next Hessian built from all samples."""
        self.hessian, self.effort = None, np.inf

    def refines(self, problem, hessian):
        """Whether products with the exact Hessian are to refine what this one finds."""
        cheap = worth_in_products(problem, hessian) >= REFINABLE
        return self.near and cheap and (hessian.age > 0 or hessian.sampled)

    def judge(self, problem, outcome, explicit, refined):
        """Decide by the change a model promised, and by how much of it came true.

        Where a model promised too little, the curvature has fallen since the Hessian was built,
        and rows are blamed only if that happens again.  A model that refined it says nothing of
        the Hessian.
        """
        hessian, predicted, ratio = self.hessian, outcome.predicted, outcome.ratio
        self.last = None if problem.penalty.l1 > 0 else hessian
        bad = is_misled(ratio, explicit)
        slow = hessian.age > 1 and predicted < SLOW * self.predicted
        self.near = problem.penalty.l1 > 0 and -predicted < NEAR * problem.value_at_zero
        if not hessian.sampled:
            self._note_convergence(hessian, predicted, ratio)
        self.whole = hessian.age == 1 and not hessian.sampled
        self.predicted = predicted
        # Coordinate descent through columns of X knows nothing of corrections, and makes none.
        by_columns = hessian.age == 0
        refinable = explicit and self.refines(problem, hessian)
        if refined and self.near:
            return
        paid_off = not refinable and is_paid_off(problem, hessian, explicit)
        if bad or slow or by_columns or paid_off or (self.near and not refinable):
            self.hessian = None
        if self.near and not refinable:
            self.effort, self.caution = np.inf, 0.0
        elif not explicit:
            self._learn(hessian, outcome, slow)
        elif hessian.sampled:
            self._choose_rows(hessian, bad, slow, ratio)

    def review(self, problem, outcome, explicit):
        """The same for steps whose penalty changes from one to the next: speed says nothing.

        An explicit Hessian, or one of all samples, is built for each step.  At the end only those
        lead to tight dual points; before it they cost more than they are worth.
        """
        hessian = self.hessian
        self.near = -outcome.predicted < (NEAR if explicit else END) * problem.value_at_zero
        misled = is_misled(outcome.ratio, explicit)
        slow = outcome.predicted < SLOW * self.predicted
        self.stalls += slow and is_true(outcome.ratio) and not misled
        if self.near or self.stalls > MAX_STALLS:
            self.effort, self.precise, self.caution = np.inf, True, 0.0
        elif hessian.sampled:
            self._learn(hessian, outcome, slow=False)
        if explicit or misled or not hessian.sampled or self.effort == np.inf:
            self.hessian = None
        self.predicted = outcome.predicted

    def _note_convergence(self, hessian, predicted, ratio):
        """From one Hessian of all samples to the next, Newton's method converges quadratically."""
        if hessian.age == 1 and self.whole and predicted < IMPRECISE * self.predicted:
            self.precise = True
        if predicted < SLOW * self.predicted and is_true(ratio):
            self.stalls += 1

    def _learn(self, hessian, outcome, slow):
        """Tell a sample that was too small from a loss that is not quadratic.

        The first shows in the curvature along the step.  Where that was right and the step won
        little, samples that a model was sure of have become unsure on the way.
        """
        held = outcome.held > HELD
        if outcome.ratio > TRUE:
            self.caution /= CAUTION_STEP
        elif outcome.ratio < ENOUGH and held:
            self.caution = min(max(CAUTION_STEP * self.caution, FIRST_CAUTION), 1.0)
        stalled = slow and hessian.sampled and is_true(outcome.ratio)
        self.stalls += stalled
        weak = stalled and self.stalls % PATIENCE == 0
        # What few samples do not see is held by a ridge, and that may be in the way for ever.
        self.stiff += hessian.sampled and held and outcome.ratio > KEPT[1]
        if self.stiff == MAX_STIFF:
            self.stiff, weak = 0, True
        if hessian.sampled and (weak or (hessian.age <= 1 and not held)):
            self.effort *= 3

    def _choose_rows(self, hessian, bad, slow, ratio):
        if bad and hessian.age <= 2:
            self.effort *= 3
        elif slow and not bad:
            stale = ratio > STALE and self.renewals < MAX_RENEWALS
            self.renewals = self.renewals + 1 if stale else 0
            self.effort *= 1 if stale else 3


def is_misled(ratio, explicit):
    """Whether a model promised too much or too little to serve again."""
    return not (KEPT[0] if explicit else ENOUGH) <= ratio <= KEPT[1]


def is_true(ratio):
    """Whether a model kept its promise, so that a small one is for want of accuracy or samples."""
    return ratio >= TRUE


def is_paid_off(problem, hessian, explicit):
    """Whether the steps since it was built have cost as much as building it anew."""
    if hessian.sampled:
        return False
    if not explicit:
        return hessian.age >= OLD
    n_rows, cost = len(problem.labels), dense_cost(problem, *sizes(hessian.free))
    return hessian.age * pass_cost(problem) >= n_rows * cost


def pass_cost(problem):
    """Cost of a step but for its model: products with X and loops over the scores."""
    n, d = problem.data.shape
    return n * problem.n_classes * (25 * d + 1500) + OVERHEAD


def sizes(free):
    """How many features, with the constant one, and variables are free."""
    return np.count_nonzero(free[:-1].any(axis=1)) + 1, len(coordinates(free))


def dense_cost(problem, width, size):
    """Operations for each row that build an explicit Hessian of so many features and variables.

    Where samples rest a Hessian is kept as if it cost more: a new one at each step was slower.
    """
    if problem.data.sparse or problem.loss.rests:
        return size * (size + 30)
    return SPEED * problem.loss.curvature_type.gram_cost(problem.n_classes, width, size)


def worth_in_products(problem, hessian):
    """With how many products an explicit Hessian of all samples costs as much."""
    product = problem.n_classes * (8 * problem.shape[0] + 60)
    return dense_cost(problem, *sizes(hessian.free)) / product


def first_rows(problem, cost):
    """How many rows the first explicit Hessian has, at so much for each: as much as a few passes
    cost.
    """
    return max(int(FIRST_PASSES * pass_cost(problem) / max(1, cost)), FEWEST_ROWS)
