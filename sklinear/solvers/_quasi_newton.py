"""Quasi-Newton steps (L-BFGS) for smooth losses without an L1 part.

The inverse Hessian that the last steps correct is that of features independent of the scores,
(S kron M + l2)^-1, with S the second moments of X and M the mean curvature among the classes at
the iterate.  A step costs one pass over X.  Far from the optimum, where the curvature changes
on the way, Newton's take tens of products with a Hessian that soon is no longer true.

References
----------
Liu and Nocedal, On the limited memory BFGS method, Mathematical Programming 45, 1989.
"""

import numpy as np

from ._limited_memory import LimitedMemory
from ._preconditioner import MAX_KRONECKER_FEATURES, Kronecker
from ._search import Ray
from ._working_set import all_variables, dense_limit

MAX_SAMPLES = 10_000  # of more a Hessian knows a part, and costs little beside a pass
N_PAIRS = 20
LEAST_MEAN = 1e-3  # mean curvature of a direction among the classes, of the largest
FALLEN = 0.2  # of the gap
MAX_STEPS = 15


class QuasiNewton:
    """Runs of steps, as long as they bring the optimum nearer faster than Newton's would.

    Parameters
    ----------
    known : KnownMoments

    Attributes
    ----------
    memory : LimitedMemory
    left : Problem or None
        The one for which a run was slow, or led nowhere.
    shown : Iterate
        The last iterate.
    """

    def __init__(self, known):
        self.known = known
        self.memory = LimitedMemory(N_PAIRS)
        self.problem, self.left = None, None
        self.moments, self.ridge, self.shown = None, None, None

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
        self.shown = None
        gradient = problem.smooth_gradient(iterate)
        target = FALLEN * _natural_gap(problem, gradient)
        for _ in range(MAX_STEPS):
            following = self._advance(problem, iterate, gradient)
            if following is None:
                break
            iterate, gradient = following
            self.shown = iterate
            if _natural_gap(problem, gradient) <= target:
                return iterate
        self.left = problem
        return self.shown

    def _begin(self, problem):
        """Forget what holds for another problem only."""
        self.memory.clear()
        self.ridge = np.broadcast_to(problem.penalty.l2s, (problem.shape[0], 1))
        self.moments = self.known.of(problem, self.ridge)
        self.problem = problem

    def _advance(self, problem, iterate, gradient):
        """The iterate after a step and the gradient there; None where nothing is gained."""
        move = -self.memory.solve(gradient, self._first_inverse(problem, iterate))
        if problem.n_classes == 2:  # opposite to the last digit, products take one column
            move = 0.5 * (move - move[:, ::-1])
        ray = Ray(problem, iterate, move, problem.penalty)
        step, _ = ray.search(longest=1024.0)
        if step == 0:
            return None
        found = ray.at(step)
        moved = np.vstack([found.coef - iterate.coef, found.intercept - iterate.intercept])
        following = problem.smooth_gradient(found)
        self.memory.add(moved, following - gradient)
        return found, following

    def _first_inverse(self, problem, iterate):
        """A function that applies the inverse which the memory corrects."""
        mean = self._mean_curvature(problem, iterate)
        kronecker = Kronecker(self.moments, mean, self.ridge, LEAST_MEAN)

        def apply(rows):
            out = kronecker.apply(rows)
            out[-1] *= problem.fit_intercept
            return out

        scale = self.memory.scale_of(apply)
        return lambda rows: scale * apply(rows)

    def _mean_curvature(self, problem, iterate):
        """Among the classes, shape (C, C)."""
        # After a step the dual point is the natural one but for a small repair.
        if iterate is not self.shown:
            return problem.curvature(iterate.scores).mean()
        return problem.loss.mean_curvature(iterate.dual, problem.labels, problem.weights)


def _natural_gap(problem, gradient):
    """The gap with the natural dual point, but for what its repair costs."""
    return float((gradient[:-1] ** 2 / problem.penalty.l2s).sum()) / 2
