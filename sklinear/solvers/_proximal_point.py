"""Proximal-point method in the dual, for losses that are not smooth.

Each outer step replaces the loss by its smoothing around the present dual point (the dual
problem gains the term |u - centre|^2 / (2 sigma)) and lets the proximal Newton method solve
that nearly; the dual point it ends with is the next centre.  On piecewise linear losses the
outer steps converge in few rounds while sigma grows.

References
----------
Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex
programming, Math. Oper. Res. 1, 1976.
"""

from dataclasses import replace

import numpy as np

from .._certificate import certify
from .._problem import Iterate
from ._newton import Newton, weakness

INNER_SHARE = 0.3
INNER_DECREASE = 0.1
NEGLIGIBLE = 1e-4
WIDEST_SIGMA = 0.5
MAX_INNER = 30
FEW_STEPS, MANY_STEPS, LARGEST_SIGMA = 2, 4, 100.0  # along a path


def proximal_point(problem, start, memory=None):
    """Yield the iterates of the proximal-point method, one for each Newton step.

    With the memory of a problem that had a larger penalty, the start is near.
    """
    memory = memory or Memory()
    newton = memory.newton
    if memory.sigma and start.dual is not None:
        iterate, sigma = memory.resume(problem, start)
    else:
        iterate, sigma = opening(problem, start)
        if start.dual is not None:
            yield iterate
    while True:
        centre, count = iterate, 0
        smoothed = problem.with_loss(problem.loss.smoothed(centre.dual, sigma))
        iterate = smoothed.evaluate(centre.coef, centre.intercept, centre.scores.copy())
        first = certify(smoothed, iterate).gap
        yield iterate
        following = iterate
        while not _solved(problem, smoothed, iterate, first) and count < MAX_INNER:
            following = newton.step(smoothed, iterate)
            if following is None:
                break
            iterate, count = following, count + 1
            memory.note(sigma, count)
            yield newton.shown
        # Where nothing is left to gain, the first gap was as small as rounding lets it be.
        if _solved(problem, smoothed, iterate, first if following else np.inf):
            sigma *= growth(count)
        else:
            iterate, sigma = centre, sigma / 4


class Memory:
    """What the next problem, with another penalty, can use.

    Attributes
    ----------
    newton : Newton
    sigma : float or None
        Fewer than a handful of Newton steps were enough with it, or more with a larger one.
    """

    def __init__(self):
        self.newton, self.sigma = Newton(), None

    def note(self, sigma, steps):
        """Choose the next first sigma by how many Newton steps one has taken so far."""
        factor = 2.0 if steps <= FEW_STEPS else 0.5 if steps <= MANY_STEPS else 0.25
        self.sigma = min(max(factor * sigma, WIDEST_SIGMA), LARGEST_SIGMA)

    def resume(self, problem, start):
        """The iterate of a start that is near the optimum, without its correlations; sigma."""
        self.newton.resume()
        scores, dual = start.scores, problem.balanced(start.dual.copy())
        if scores is None:
            scores = problem.scores(start.coef, start.intercept)
        return Iterate(start.coef, start.intercept, scores, dual, None), self.sigma


def opening(problem, start):
    """The start with its dual point (zero if it has none), and the first sigma.

    The dual variables are small where the penalty is weak; sigma begins so small that the
    penalty rules the first smoothed problem, and grows from there.
    """
    scores = problem.scores(start.coef, start.intercept)
    zero = np.zeros_like(scores)
    smoothed = problem.with_loss(problem.loss.smoothed(zero, WIDEST_SIGMA))
    if start.dual is not None:
        iterate = problem.certified(start.coef, start.intercept, scores, start.dual)
        return iterate, WIDEST_SIGMA
    iterate = smoothed.evaluate(start.coef, start.intercept, scores.copy())
    sigma = WIDEST_SIGMA / weakness(smoothed, iterate)
    opened = replace(iterate, coef=start.coef, intercept=start.intercept, scores=scores)
    return replace(opened, dual=zero, loss_value=None), sigma


def growth(steps):
    """Factor for sigma after an outer step that took `steps` Newton steps."""
    for limit, factor in ((3, 10.0), (8, 4.0), (14, 2.0)):
        if steps <= limit:
            return factor
    return 1.0


def _solved(problem, smoothed, iterate, first):
    """Whether the smoothed problem is solved well enough to move its centre.

    Its gap has to be small beside that of the problem and, unless it is negligible, beside its
    own first one: a centre moved earlier is no nearer to the optimum.
    """
    inner = certify(smoothed, iterate).gap
    outer = certify(problem, iterate).gap
    return inner <= min(INNER_SHARE * outer, max(INNER_DECREASE * first, NEGLIGIBLE * outer))
