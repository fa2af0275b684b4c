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

import numpy as np

from .._certificate import certify
from .._problem import Iterate
from ._newton import ProximalNewton

INNER_SHARE = 0.3
MAX_INNER = 60


def proximal_point(problem, start):
    """Yield the iterates of the proximal-point method, one for each Newton step."""
    centre, sigma = first_centre(problem, start)
    scores = None
    newton = ProximalNewton()
    iterate = start
    if start.dual is not None:
        iterate = problem.certified(
            start.coef,
            start.intercept,
            problem.scores(start.coef, start.intercept),
            start.dual,
        )
        scores = iterate.scores.copy()
        yield iterate
    while True:
        smoothed = problem.with_loss(problem.loss.smoothed(centre, sigma))
        iterate = smoothed.evaluate(iterate.coef, iterate.intercept, scores)
        count = 0
        yield iterate
        while not _solved(problem, smoothed, iterate):
            following = newton.step(smoothed, iterate) if count < MAX_INNER else None
            if following is None:
                sigma /= 16
                break
            iterate, count = following, count + 1
            yield iterate
        centre, scores = iterate.dual, iterate.scores.copy()
        sigma *= growth(count)


def first_centre(problem, start):
    """The first centre and sigma: the dual point given, or zero and a smoothing that is wide."""
    if start.dual is not None:
        return start.dual, 1.0
    return np.zeros((problem.data.shape[0], problem.n_classes)), 0.5


def growth(steps):
    """Factor for sigma after an outer step that took `steps` Newton steps."""
    for limit, factor in ((3, 10.0), (8, 4.0), (14, 2.0)):
        if steps <= limit:
            return factor
    return 1.0


def _solved(problem, smoothed, iterate: Iterate):
    """Whether the smoothed problem is solved well enough to move its centre."""
    inner = certify(smoothed, iterate).gap
    return inner <= INNER_SHARE * certify(problem, iterate).gap
