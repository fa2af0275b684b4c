"""Newton steps for small dense problems: the exact Hessian of all variables at each step.

Where a fit takes milliseconds, most of it goes to bookkeeping: which variables may move, which
samples to take, what to keep of a Hessian.  Here is none of that.
"""

import numpy as np

from .._cholesky import diagonal_of
from ._coordinates import coordinates
from ._explicit import Quadratic
from ._model import adapted
from ._search import Ray
from ._working_set import all_variables

MAX_VARIABLES, MAX_VARIABLES_HARD = 300, 500  # the latter where other steps are slow
MAX_OPERATIONS, MAX_OPERATIONS_L1 = 5e7, 2e7
FAR = 0.03  # predicted change, of F(0)
ACCURACY = 1e-3
FLAT = 1e-10  # of the curvature: what holds a shift of all intercepts
SHORT, MAX_SHORT = 0.05, 1  # steps that are signs of a hard problem
FIRST_DAMPING = 1e-4


class SmallNewton:
    """Steps of the method.

    Parameters
    ----------
    max_variables : int
        Of more no Hessian is formed.

    Attributes
    ----------
    columns : ndarray of shape (n, d + 1), or (n, d) without an intercept
        The features and a constant one.
    damping : float
        Share of the largest curvature added to models with an L1 part.
    n_short : int
        How many steps were short or had no minimiser, one after the other.
    shown : Iterate
        The last iterate with the better of two dual points.
    """

    def __init__(self, max_variables=MAX_VARIABLES):
        self.max_variables = max_variables
        self.data, self.columns, self.coordinates = None, None, None
        self.damping, self.n_short = FIRST_DAMPING, 0
        self.shown = None

    def serves(self, problem):
        """Whether the problem is small, and was easy so far.

        From a part of the rows the steps on all shall learn, and here nothing is learnt.
        """
        if problem.data.sparse or problem.data.is_part or len(problem.penalty.free):
            return False
        if self.n_short > MAX_SHORT:
            return False
        (n, d), n_classes = problem.data.shape, problem.n_classes
        size = (1 if n_classes == 2 else n_classes) * (d + 1)
        cost = problem.loss.curvature_type.gram_cost(n_classes, d + 1, size)
        most = MAX_OPERATIONS if problem.penalty.l1 == 0 else MAX_OPERATIONS_L1
        return size <= self.max_variables and n * cost <= most

    def step(self, problem, iterate):
        """The next iterate, or None where this way leads nowhere."""
        if self.data is not problem.data:
            self._learn(problem)
        model = self._model(problem, iterate)
        slopes = problem.smooth_gradient(iterate)
        start = self.coordinates.point(np.concatenate([iterate.coef, [np.zeros(len(slopes[-1]))]]))
        slope = self.coordinates.slope(slopes)
        (end, flat), solved, _ = model.minimise(start.copy(), slope.copy(), ACCURACY)
        move, has_l1 = end - start, problem.penalty.l1 > 0
        predicted = 0.5 * (slope + flat) @ move + model.l1 @ (np.abs(end) - np.abs(start))
        ray = Ray(problem, iterate, self.coordinates.lift(move), problem.penalty)
        step, change = ray.search(longest=4.0 if has_l1 else 1024.0)
        self.n_short = self.n_short + 1 if step < SHORT or not solved else 0
        if step == 0:
            return None
        found = self.shown = ray.at(step)
        if has_l1:
            if predicted < 0:
                self.damping = adapted(self.damping, change / predicted)
            if -predicted < FAR * problem.value_at_zero:
                self.shown = ray.linearised(found)
        return found

    def _learn(self, problem):
        d, size = problem.shape[0], problem.shape[0] + problem.fit_intercept
        columns = problem.data.columns(slice(None), np.arange(d))
        self.columns = np.ascontiguousarray(columns[:, :size])
        self.data = problem.data
        self.coordinates = coordinates(all_variables(problem))

    def _model(self, problem, iterate):
        penalty, bend = problem.penalty, problem.loss.bend
        hessian = self._hessian(problem.curvature(iterate.scores))
        problem.data.passes.add(2 * problem.data.share)
        ridges = np.full((problem.shape[0] + 1, 1), FLAT * bend)
        ridges[:-1] = penalty.l2s
        if penalty.l1 == 0:
            diagonal_of(hessian)[:] += self._spread(ridges)
            return Quadratic(hessian, np.zeros(len(hessian)), None)
        ridges[:-1, 0] += self.damping * bend * problem.mean_squares
        diagonal_of(hessian)[:] += self._spread(ridges)
        l1 = np.zeros_like(ridges)
        l1[:-1] = penalty.l1s
        recentring = None if problem.n_classes == 2 else self._recentring(penalty)
        return Quadratic(hessian, self._spread(l1), recentring)

    def _spread(self, numbers):
        """A number for each row of a stacked array, in the coordinates."""
        return self.coordinates.sums(np.broadcast_to(numbers, self.coordinates.free.shape))

    def _recentring(self, penalty):
        """What the shift of each row to its least penalty adds to a point; no loss sees it."""

        def recentring(x):
            shift = self.coordinates.lift(x)
            shift[:-1] = penalty.recentre(shift[:-1]) - shift[:-1]
            shift[-1] = 0.0
            return self.coordinates.point(shift)

        return recentring

    def _hessian(self, curvature):
        """That of the loss in the coordinates of all variables."""
        feature, klass = self.coordinates.feature, self.coordinates.klass
        gram = curvature.gram([slice(None)], lambda rows: self.columns, feature, klass)
        return self.coordinates.multiple * gram
