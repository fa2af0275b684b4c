"""Quasi-Newton steps (L-BFGS) for smooth losses without an L1 part.

The inverse Hessian that the last steps correct is that of features independent of the scores,
(S kron M + l2)^-1, with S the second moments of X and M the mean curvature among the classes at
the iterate; of many features S is diagonal at first, until its eigenvectors cost no more than
the steps did.  A step costs one pass over X.  Far from the optimum, where the curvature changes
on the way, Newton's take tens of products with a Hessian that soon is no longer true.

References
----------
Liu and Nocedal, On the limited memory BFGS method, Mathematical Programming 45, 1989.
"""

import numpy as np

from .._core import add_to_rows
from .._shift import one_step
from ._limited_memory import LimitedMemory
from ._moments import MeanSquares, product_cost
from ._preconditioner import MAX_KRONECKER_FEATURES, Kronecker
from ._search import SLACK, Ray
from ._small import MAX_VARIABLES_HARD
from ._working_set import all_variables, dense_limit

MAX_SAMPLES = 10_000  # of more a Hessian knows a part, and costs little beside a pass
N_PAIRS = 20
LEAST_MEAN = 1e-3  # mean curvature of a direction among the classes, of the largest
FALLEN = 0.2  # of the gap
FLAT = 0.5  # slope at the end of a search by that at its start
MAX_STEPS, MAX_STEPS_SMALL = 25, 15  # the latter where an explicit Hessian would follow
OF_A_STEP, EXPECTED_PRODUCTS = 0.6, 6  # in products with a Hessian; those to come


class QuasiNewton:
    """Runs of steps, as long as they bring the optimum nearer faster than Newton's would.

    Parameters
    ----------
    known : KnownMoments

    Attributes
    ----------
    memory : LimitedMemory
    spent : float
        What the steps have cost, also those for other penalties.
    left : Problem or None
        The one for which a run was slow, or led nowhere.
    mean : ndarray of shape (C, C)
        The mean curvature among the classes at the last point, but for the intercept's last step.
    shown : Iterate
        The last iterate.
    """

    def __init__(self, known):
        self.known = known
        self.memory = LimitedMemory(N_PAIRS)
        self.problem, self.left = None, None
        self.moments, self.ridge, self.mean, self.shown = None, None, None, None
        self.spent = 0.0

    def serves(self, problem):
        """Whether it has a chance: dense data of not too many samples, no explicit Hessian."""
        penalty, data = problem.penalty, problem.data
        if penalty.l1 > 0 or len(penalty.free) or problem.loss.rests or problem is self.left:
            return False
        n, d = data.shape
        fits = d <= min(n, MAX_KRONECKER_FEATURES) and n <= MAX_SAMPLES
        few = np.count_nonzero(all_variables(problem)) <= dense_limit(problem)
        return fits and not (few or data.sparse or data.is_part)

    def step(self, problem, iterate):
        """The iterate after a run, or None where the objective does not fall."""
        if problem is not self.problem:
            self._begin(problem)
        self.moments = self.known.of(problem, self.ridge, self.spent, EXPECTED_PRODUCTS)
        if iterate is not self.shown:
            self.mean = problem.curvature(iterate.scores).mean()
        self.shown, point = None, iterate
        gradient = problem.smooth_gradient(iterate)
        target = FALLEN * _natural_gap(problem, gradient)
        for _ in range(most_steps(problem)):
            following = self._advance(problem, point, gradient)
            if following is None:
                break
            point, gradient = following
            if _natural_gap(problem, gradient) <= target:
                return self._show(problem, point)
        if isinstance(self.moments, MeanSquares) and point is not iterate:
            self.spent = np.inf  # the next run has eigenvectors
        else:
            self.left = problem
        return None if point is iterate else self._show(problem, point)

    def _show(self, problem, point):
        """The point at the end of a run, with a dual point that proves something."""
        self.shown = problem.repaired(point)
        return self.shown

    def _begin(self, problem):
        """Forget what holds for another problem only."""
        self.memory.clear()
        self.ridge = np.broadcast_to(problem.penalty.l2s, (problem.shape[0], 1))
        self.problem = problem

    def _advance(self, problem, point, gradient):
        """The point after a step and the gradient there; None where nothing is gained."""
        move = -self.memory.solve(gradient, self._first_inverse(problem))
        if problem.n_classes == 2:  # opposite to the last digit, products take one column
            move = 0.5 * (move - move[:, ::-1])
        self.spent += OF_A_STEP * product_cost(problem.data.shape, problem.n_classes)
        ray = Ray(problem, point, move, problem.penalty)
        step, change = ray.search(longest=1024.0, flat=FLAT)
        if step == 0:
            return None
        found = self._at(problem, ray.end(step), SLACK * abs(change))
        moved = np.vstack([found.coef - point.coef, found.intercept - point.intercept])
        following = problem.smooth_gradient(found)
        self.memory.add(moved, following - gradient)
        return found, following

    def _at(self, problem, end, slack):
        """The point at the end of a search, with a better intercept if that gains more."""
        coef, intercept, scores, (value, dual) = end
        self.mean = problem.loss.mean_curvature(dual, problem.labels, problem.weights)
        if problem.fit_intercept:
            found = one_step(problem, scores, (value, dual), self.mean, slack)
            if found is not None:
                shift, value, dual, _ = found
                intercept = intercept + shift
                add_to_rows(scores, shift)
        return problem.unbalanced(coef, intercept, scores, (value, dual))

    def _first_inverse(self, problem):
        """A function that applies the inverse which the memory corrects."""
        kronecker = Kronecker(self.moments, self.mean, self.ridge, LEAST_MEAN)

        def apply(rows):
            out = kronecker.apply(rows)
            out[-1] *= problem.fit_intercept
            return out

        scale = self.memory.scale_of(apply)
        return lambda rows: scale * apply(rows)


def most_steps(problem):
    """Of a run that brings too little."""
    n_variables = np.count_nonzero(all_variables(problem))
    return MAX_STEPS_SMALL if n_variables <= MAX_VARIABLES_HARD else MAX_STEPS


def _natural_gap(problem, gradient):
    """The gap with the natural dual point, but for what its repair costs."""
    return float((gradient[:-1] ** 2 / problem.penalty.l2s).sum()) / 2
