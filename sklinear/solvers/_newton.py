"""Newton's method for smooth losses: which kind of step to take, and the way to weak penalties."""

import math
from dataclasses import replace

import numpy as np

from .._certificate import certify
from ._coordinates import coordinates
from ._hessian import SINGLE_LIMIT
from ._pilot import approach
from ._preconditioner import MAX_MOMENTS, N_MODES
from ._proximal_newton import ProximalNewton
from ._quasi_newton import QuasiNewton
from ._small import MAX_VARIABLES_HARD, SmallNewton
from ._smoothed_norm import MAX_EXPLICIT, SmoothedNewton
from ._working_set import dense_limit, free_variables, has_few_samples

ROUGH = 1e-3  # of F(0), what the first intercept may cost
MAX_IDLE = 50  # steps that bring no lower objective
STAGE_GAIN = 0.03
STAGE_GAIN_SMOOTH = 0.3


def newton(problem, start, stepper=None):
    """Yield the iterates of Newton's method.

    A stepper that has solved the problem with a larger penalty knows the Hessian.  A start that
    comes with its scores is near the optimum: it needs no pilot.
    """
    if start.dual is not None and start.scores is None:
        yield start.certified(problem)
    stepper = stepper or Newton()
    stepper.resume()
    slack = ROUGH * problem.value_at_zero
    pilot = approach(problem, stepper, start, slack) if start.scores is None else None
    point = pilot or (start.coef, start.intercept, start.scores)
    iterate = problem.evaluate(*point, slack=slack, known=start.known)
    yield iterate
    # A pilot is nearer than the optimum of a large penalty.
    for stage in () if pilot else stages(problem, iterate):
        gain, least = np.inf, STAGE_GAIN if stage.loss.curvature_jumps else STAGE_GAIN_SMOOTH
        while gain > least * stage.objective(iterate):
            following = stepper.step(stage, iterate)
            if following is None:
                break
            gain = stage.objective(iterate) - stage.objective(following)
            iterate = following
            yield stepper.shown
    lowest, idle = np.inf, 0
    # Where nothing but rounding moves, steps may go on for ever.
    while idle < MAX_IDLE and (iterate := stepper.step(problem, iterate)) is not None:
        yield stepper.shown
        objective = problem.objective(iterate)
        idle = 0 if objective < lowest else idle + 1
        lowest = min(lowest, objective)


def stages(problem, iterate):
    """Problems with larger penalties to go through first.

    Where the curvature jumps, Newton's method far from the optimum of a weakly penalised
    problem changes its active set again and again; a falling penalty keeps it close.  With an
    L1 part and few samples it keeps the support, and so the models, small.
    """
    sparse = problem.penalty.l1 > 0 and has_few_samples(problem)
    if not (problem.loss.curvature_jumps or sparse):
        return
    certificate = certify(problem, iterate)
    if certificate.gap <= 0.5 * certificate.objective:
        return
    for power in range(math.floor(math.log(weakness(problem, iterate), 4)), 0, -1):
        yield replace(problem, penalty=problem.penalty.scaled(4.0**power))


def weakness(problem, iterate):
    """By what factor (at least 1) the penalty would have to grow to rule the problem.

    It rules where l1 is a tenth of the largest correlation, or l2 a hundredth of the largest
    curvature of the loss in the weights.
    """
    penalty = problem.penalty
    curvature = problem.loss.bend * problem.mean_square
    return max(
        1.0,
        min(
            0.1 / penalty.largest_scale(iterate.correlation) if penalty.l1 else np.inf,
            0.01 * curvature / penalty.l2 if penalty.l2 else np.inf,
        ),
    )


class Newton:
    """Steps that lower a smooth problem: proximal Newton, or Newton on a smoothed norm.

    Before them come those of small problems and quasi-Newton steps, as far as these serve; where
    the latter are slow, those of problems that are not quite as small.  The
    smoothed norm takes over where a working set on dense data grows large or a quadratic model
    could not be minimised, and hands back once there is next to no smoothing left.

    Attributes
    ----------
    shown : Iterate
        The iterate of the last step for a certificate: with the best dual point known.
    """

    def __init__(self):
        self.small = SmallNewton()
        self.proximal = ProximalNewton()
        self.quasi = QuasiNewton(self.proximal.preconditioners.moments)
        self.larger = SmallNewton(MAX_VARIABLES_HARD)
        self.smoothed = SmoothedNewton()
        self.finished = None

    def step(self, problem, iterate):
        """The next iterate, or None if the objective can't be lowered any more."""
        for stepper in self._first_steppers(problem):
            following = stepper.step(problem, iterate)
            if following is not None:
                self.shown = stepper.shown
                return following
        if problem is not self.finished and smoothable(problem) and self._is_hard(problem, iterate):
            following = self.smoothed.step(problem, iterate)
            if following is not None:
                self.shown = self.smoothed.shown
                return following
            self.finished = problem
        following = self.proximal.step(problem, iterate)
        self.shown = self.proximal.shown
        return following

    def _first_steppers(self, problem):
        """Those that come first, as far as they serve."""
        if self.small.serves(problem):
            yield self.small
        if self.quasi.serves(problem):
            yield self.quasi
        # Where quasi-Newton steps are slow, tens of products for each of Newton's would follow.
        if self.quasi.left is problem and self.larger.serves(problem):
            yield self.larger

    def resume(self):
        """Go on with another penalty: what was hard may be easy now."""
        self.proximal.renewal.resume()
        self.proximal.solved = True

    def enlarge(self):
        """Go on with more samples than those seen so far."""
        self.proximal.renewal.enlarge()

    def _is_hard(self, problem, iterate):
        return not self.proximal.solved or crowded(problem, iterate)


def smoothable(problem):
    """Whether Newton steps on a smoothed norm, which move all variables, can be afforded.

    Their Hessian is explicit where the variables are few; else X has to be dense, and its
    second moments so few that a matrix of them can be kept for each class in single precision.
    """
    n, d = problem.data.shape
    if problem.penalty.l1 == 0 or len(problem.penalty.free) == d:
        return False
    if (d + 1) * problem.n_classes <= MAX_EXPLICIT:
        return True
    if problem.data.sparse or d > n or (problem.n_classes + N_MODES) * d * d > MAX_MOMENTS:
        return False
    return problem.mean_square < SINGLE_LIMIT


def crowded(problem, iterate):
    """Whether more variables are free than an explicit Hessian may have."""
    return len(coordinates(free_variables(problem, iterate))) > dense_limit(problem)
