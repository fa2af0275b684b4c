"""Newton's method on a smoothed L1 norm, for dense data with many weights in the support.

    |w|  becomes  eta = sqrt(w^2 + beta^2),     beta -> 0

Where features are nearly collinear a proximal Newton step is cut at every change of sign; here
all signs may change at once.  The second derivative of eta knows nothing of the bend at zero
while w is far from it, so plain Newton steps overshoot.  Chan, Golub and Mulet linearise
``a eta = l1 w`` with a independent of w instead:

    (H + D) move = -gradient,     D = (l1 - a w / eta) / eta,     a <- l1 w / eta + D move

At the smoothed optimum |A| < l1 holds strictly, and the gap is l1 sum |w| (1 - |w| / eta).

References
----------
Chan, Golub and Mulet, A nonlinear primal-dual method for total variation-based image
restoration, SIAM J. Sci. Comput. 20, 1999.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._certificate import certify
from ._conjugate import conjugate_gradients
from ._explicit import solve_dense
from ._model import QuadraticModel
from ._preconditioner import LEAST_SHIFT, ClassModes
from ._renewal import Outcome, Renewal, is_misled
from ._search import Ray
from ._working_set import all_variables

FIRST_SHARE, NEXT_SHARE = 0.1, 0.3
SHRINKAGE, SHRINKAGE_JUMPS = 0.1, 0.25  # the latter where the curvature jumps
SMALLEST_SHARE = 1e-9
SMALL = (10.0, 2.0)  # multiples of beta; at the optimum |A| / l1 is .995 and .894 there
ACCURACY, TIGHT, NEAR = 0.1, 0.01, 1e-3
SHORT, TIGHTEST = 0.1, 1e-5
MAX_PRODUCTS, MAX_EXHAUSTED = 200, 3
MAX_EXPLICIT = 1000
STALE_PRODUCTS = 40
TINY = 1e-200  # of a weight: the norm bends by l1 / beta


@dataclass(frozen=True)
class SmoothedNorm:
    """sum l1_j sqrt(w^2 + beta^2) + l2_j/2 w^2, l1 and l2 numbers or arrays of shape (d, 1)."""

    l1: np.ndarray | float
    l2: np.ndarray | float
    beta: float

    def eta(self, coef):
        """sqrt(w^2 + beta^2)."""
        return np.hypot(coef, self.beta)

    def value(self, coef):
        """The smoothed penalty of W."""
        return float((self.l1 * self.eta(coef)).sum() + 0.5 * np.vdot(coef, self.l2 * coef))

    def gradient(self, coef):
        """Its gradient."""
        return self.l1 * share_of(coef, self.eta(coef)) + self.l2 * coef

    def slope(self, coef, direction):
        """Its derivative along a direction."""
        return float(np.vdot(self.gradient(coef), direction))

    def along(self, coef, move):
        """A function of t: it at W + t V, its slopes there to the right and the left."""

        def at(t):
            moved = coef + t * move
            slope = self.slope(moved, move)
            return self.value(moved), slope, slope

        return at

    def excess(self, coef):
        """What the smoothing adds to the penalty."""
        return float((self.l1 * (self.eta(coef) - np.abs(coef))).sum())


def share_of(coef, eta):
    """w / eta; zero where there is neither a weight nor any smoothing."""
    return np.divide(coef, eta, out=np.zeros_like(coef), where=eta > 0)


class SmoothedNewton:
    """Steps of the method, and what they carry along.

    Attributes
    ----------
    problem : Problem
        The one the steps are for; with another one they begin anew.
    beta : float
        Present smoothing.
    near : bool
        Whether the last step promised next to nothing.
    exhausted : int
        How many runs of conjugate gradients were not enough near the end.
    tight : float
        Accuracy of conjugate gradients near the end, higher after a short step.
    renewal : Renewal
        Provides the Hessian of the next model.
    sampled : bool
        Whether the last model was one of some samples.
    slope : ndarray of shape (d, C)
        a / l1, the independent slopes of the norm, in [-1, 1].
    shown : Iterate
        After a step: the weights with the smallest ones at zero, and the best dual point known.
    """

    def __init__(self):
        self.problem = None
        self.renewal = Renewal()
        self.preconditioner = None

    def step(self, problem, iterate):
        """The next iterate, or None where smoothing has nothing left to give."""
        if problem is not self.problem:
            self._begin(problem, iterate)
        penalty = problem.penalty
        norm = SmoothedNorm(penalty.l1s, penalty.l2s, self.beta)
        enough = norm.excess(iterate.coef) < 0.01 * SMALLEST_SHARE * problem.objective(iterate)
        # An explicit Hessian leaves no products to be made more accurate.
        tightest = self.tight <= TIGHTEST or is_explicit(all_variables(problem))
        if self.beta < TINY or (enough and tightest) or self._is_exhausted(problem):
            return None
        model = self._model(problem, iterate)
        if self.sampled and not model.hessian.sampled:
            self._smooth(problem, iterate, NEXT_SHARE, least=self.beta)
            norm = replace(norm, beta=self.beta)
        self.sampled = model.hessian.sampled
        gradient = model.gradient.copy()
        gradient[:-1] += norm.gradient(iterate.coef) - penalty.gradient(iterate.coef)
        move, bend = self._solve(model, norm, gradient)
        move[:-1] += shift_of_loose_rows(problem, iterate.coef + move[:-1], bend)
        ray = Ray(problem, iterate, move, norm)
        step, _ = ray.search(longest=16.0)
        if step == 0:
            return None
        if enough or (self.near and step < SHORT):
            self.tight = max(0.1 * self.tight, TIGHTEST)
        natural = share_of(iterate.coef, norm.eta(iterate.coef))
        bent = bend / np.where(penalty.l1s > 0, penalty.l1s, 1.0) * ray.coef_move
        self.slope = np.clip(natural + bent, -1.0, 1.0)
        found = ray.at(step)
        self._show(ray, model, norm, found)
        decrement = -np.vdot(gradient, move)
        if decrement < norm.excess(iterate.coef) and not enough:
            self.beta *= SHRINKAGE_JUMPS if problem.loss.curvature_jumps else SHRINKAGE
        self.near = decrement < NEAR * ray.start[0]
        self._learn(model, ray, found, step, -0.5 * decrement)
        return found

    def _is_exhausted(self, problem):
        """Whether proximal steps may do better.

        Where the curvature jumps they would change their active set again and again.
        """
        return self.exhausted > MAX_EXHAUSTED and not problem.loss.curvature_jumps

    def _model(self, problem, iterate):
        free = all_variables(problem)
        hessian = self.renewal.hessian_for(problem, iterate, free, is_explicit(free))
        ridge = hessian.missing(has_l1=True) * problem.mean_squares
        return QuadraticModel(problem, iterate, hessian, ridge)

    def _begin(self, problem, iterate):
        self._smooth(problem, iterate)
        self.problem, self.near, self.tight, self.exhausted = problem, False, TIGHT, 0
        self.renewal, self.sampled = Renewal(), False

    def _smooth(self, problem, iterate, share=FIRST_SHARE, least=0.0):
        """So much that it adds a share of what may be left to gain."""
        certificate = certify(problem, iterate)
        left = max(certificate.gap, SMALLEST_SHARE * certificate.objective)
        excess = share * min(left, certificate.objective)
        total = np.broadcast_to(problem.penalty.l1s, iterate.coef.shape).sum()
        self.beta = max(excess / total, least)
        self.slope = share_of(iterate.coef, np.hypot(iterate.coef, self.beta))

    def _solve(self, model, norm, gradient):
        """The move, and D."""
        coef = model.start[:-1]
        eta = norm.eta(coef)
        bend = norm.l1 * (1.0 - self.slope * coef / eta) / eta
        diagonal = np.vstack([bend, np.zeros(bend.shape[1])])
        diagonal = np.where(model.free, diagonal, 0.0)
        rhs = np.where(model.free, -gradient, 0.0)
        if is_explicit(model.free):
            return solve_dense(model, diagonal, rhs), bend
        fresh = self.preconditioner is None
        if fresh:
            self.preconditioner = ClassModes(model)
        self.preconditioner.factor(diagonal + model.ridges()[:, None])
        move, _, count = conjugate_gradients(
            lambda vector: model.product(vector) + diagonal * vector,
            rhs,
            self.preconditioner,
            model.free,
            self.tight if self.near and not model.hessian.sampled else ACCURACY,
            MAX_PRODUCTS,
        )
        self.exhausted += self.near and count == MAX_PRODUCTS
        if count > STALE_PRODUCTS and not fresh:
            self.preconditioner = None
        return move, bend

    def _show(self, ray, model, norm, found):
        """Small weights go to zero where that costs no more than the smoothing does."""
        problem, shown = ray.problem, found
        ceiling = problem.objective(found) + norm.excess(found.coef)
        for multiple in SMALL:
            small = (np.abs(found.coef) < multiple * self.beta) & (norm.l1 > 0)
            coef = np.where(small, 0.0, found.coef)
            scores = problem.scores(coef, found.intercept)
            sparse = replace(found, coef=coef, scores=scores, loss_value=None)
            if problem.objective(sparse) <= ceiling:
                shown = sparse
                break
        exact = model.hessian.is_fresh and not model.hessian.sampled
        self.shown = ray.linearised(shown) if exact else shown

    def _learn(self, model, ray, found, step, predicted):
        """Teach the Hessian the step, and decide whether it serves again.

        It is judged by what the loss did beside its own quadratic: the norm bends, too.
        """
        problem, hessian, iterate = ray.problem, model.hessian, ray.iterate
        explicit, bend = is_explicit(model.free), ray.bend_in(hessian)
        foreseen = step * ray.loss_slope + 0.5 * step**2 * bend
        error = problem.loss_at(found) - problem.loss_at(iterate) - foreseen
        ratio = 1 + error / (step**2 * predicted)
        held = bend / ray.bend() if is_misled(ratio, explicit) else 1.0
        if not explicit:
            hessian.learn(problem, iterate, found)
        self.renewal.review(problem, Outcome(predicted, ratio, held), explicit)


def shift_of_loose_rows(problem, target, bend):
    """What moves rows without a weight near the bend of the norm to their least penalty.

    Nothing else holds a shift of all their classes, and rounding would decide on it.
    """
    least = LEAST_SHIFT * problem.loss.bend * problem.mean_squares
    loose, shift = bend.sum(axis=1) <= least, np.zeros_like(target)
    if loose.any():
        shift[loose] = (problem.penalty.recentre(target) - target)[loose]
    return shift


def is_explicit(free):
    """Whether a model of these variables is minimised through an explicit Hessian."""
    return free.size <= MAX_EXPLICIT
