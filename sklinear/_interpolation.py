"""Optima between two knots of a path, and their certificates without X.

Weights, scores, dual point and correlations between knots are combinations of those at the
knots.  Their certificates need few of the d * C weights: with an L1 part those that are alive at
one of the ends, and without one the coordinates in the space that a handful of them span.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ._certificate import certify
from ._problem import Iterate
from .solvers._blas import add_to

ALMOST = 1 - 1e-12  # of l1; nearer to it, rounding might lift a correlation above
BLOCK = 20_000  # weights that are rotated at a time


@dataclass(frozen=True)
class Knot:
    """A solved place on a path; its dual point is scaled as its certificate says."""

    index: int
    alpha: float
    iterate: Iterate
    gap: float
    l1s: float | np.ndarray

    def without_dual(self):
        """What later polynomials of the weights need of it."""
        iterate = replace(self.iterate, dual=None, correlation=None, gradient=None)
        return replace(self, iterate=iterate)

    @cached_property
    def alive(self):
        """Weights whose terms in the gap of the penalty may be positive, shape (d, C)."""
        iterate = self.iterate
        return (iterate.coef != 0) | (np.abs(iterate.correlation) > ALMOST * self.l1s)


class Interpolated:
    """An iterate between knots; each of its arrays is made when it is asked for.

    Parameters
    ----------
    primal, dual : pair of list of Knot and ndarray
        The knots that weights and dual point are combined of, and the factor of each.
    used : ndarray of shape (m,)
        Indices of the features with a weight at one of the knots.

    Attributes
    ----------
    factors : pair of ndarray
        Those of the weights and those of the dual point.
    """

    def __init__(self, primal, dual, used):
        self.used, self.factors = used, (primal[1], dual[1])
        self._of = dict.fromkeys(("coef", "intercept", "scores"), primal)
        self._of |= dict.fromkeys(("dual", "correlation"), dual)

    def combined(self, name, out=None, rows=slice(None)):
        """An array of the iterate."""
        knots, factors = self._of[name]
        return combination([getattr(knot.iterate, name)[rows] for knot in knots], factors, out)

    @cached_property
    def coef(self):
        """Weights of shape (d, C)."""
        shape = self._of["coef"][0][0].iterate.coef.shape
        if len(self.used) == shape[0]:
            return self.combined("coef")
        coef = np.zeros(shape)
        coef[self.used] = self.combined("coef", rows=self.used)
        return coef

    intercept = cached_property(lambda self: self.combined("intercept"))
    scores = cached_property(lambda self: self.combined("scores"))
    dual = cached_property(lambda self: self.combined("dual"))
    correlation = cached_property(lambda self: self.combined("correlation"))


class Span:
    """Two neighbouring knots, and what the certificates between them need.

    Parameters
    ----------
    problem : Problem
        With whatever penalty.
    knots : list of Knot
        Through which the polynomial of the weights goes, the last two being the ends.
    in_log : bool
        Whether the dual point is linear in log alpha, and not in alpha.
    room : pair of ndarray of shape (n, C)
        For scores and dual points while they are certified.
    """

    def __init__(self, problem, knots, in_log, room):
        self.knots, self.ends, self.in_log, self.room = knots, knots[-2:], in_log, room
        coefs = [knot.iterate.coef for knot in knots]
        correlations = [knot.iterate.correlation for knot in self.ends]
        if problem.penalty.l1:
            alive = self.ends[0].alive | self.ends[1].alive
            columns = [array[alive] for array in (*coefs, *correlations)]
            factor = problem.penalty.factor
            if not problem.penalty.is_even:
                factor = np.broadcast_to(factor, alive.shape)[alive][:, None]
            problem = problem.with_penalty(replace(problem.penalty, factor=factor))
        elif problem.penalty.is_even:
            columns = coordinates([array.ravel() for array in (*coefs, *correlations)])
        else:
            columns = [*coefs, *correlations]
        if columns[0].ndim == 1:
            columns = [column[:, None] for column in columns]
        self.problem = problem
        self.coefs, self.correlations = columns[: len(knots)], columns[len(knots) :]

    @cached_property
    def used(self):
        """Indices of the features with a weight at one of the knots."""
        used = np.zeros(len(self.knots[0].iterate.coef), dtype=bool)
        for knot in self.knots:
            used[knot.iterate.used] = True
        return np.flatnonzero(used)

    def factors(self, alpha):
        """Of the knots in the weights, and of the ends in the dual point."""
        primal = factors_of_weights(self.problem.loss, self.knots, alpha)
        ends = np.array([knot.alpha for knot in self.ends])
        if self.in_log:
            return primal, lagrange(np.log(ends), np.log(alpha))
        return primal, lagrange(ends, alpha)

    def at(self, alpha):
        """The iterate at an alpha."""
        primal, dual = self.factors(alpha)
        return Interpolated((self.knots, primal), (self.ends, dual), self.used)

    def certificate(self, iterate, penalty):
        """That of the iterate at an alpha, with the penalty there."""
        primal, dual = iterate.factors
        penalty = replace(penalty, factor=self.problem.penalty.factor)
        return certify(
            self.problem.with_penalty(penalty),
            Iterate(
                combination(self.coefs, primal),
                iterate.intercept,
                iterate.combined("scores", self.room[0]),
                iterate.combined("dual", self.room[1]),
                combination(self.correlations, dual),
            ),
            search=False,
        )


def coordinates(columns):
    """Columns of the triangular factor of a few long ones: their lengths and products are kept.

    Sums of squares of their combinations are those of the combinations of these, to rounding.
    """
    factor = np.empty((0, len(columns)))
    for begin in range(0, len(columns[0]), BLOCK):
        block = np.column_stack([column[begin : begin + BLOCK] for column in columns])
        factor = np.linalg.qr(np.vstack([factor, block]), mode="r")
    return list(factor.T.copy())


def factors_of_weights(loss, knots, alpha):
    """Factors of the weights at the knots in those at an alpha.

    The weights are a polynomial in log alpha.  With the hinge alpha times the weights is one in
    alpha: between kinks it is linear.
    """
    alphas = np.array([knot.alpha for knot in knots])
    if loss.smooth:
        return lagrange(np.log(alphas), np.log(alpha))
    return lagrange(alphas, alpha) * alphas / alpha


def lagrange(nodes, place):
    """Factors of the values at the nodes in the value of their polynomial at a place."""
    own = np.eye(len(nodes), dtype=bool)
    differences = np.where(own, 1.0, nodes[:, None] - nodes[None, :])
    return np.where(own, 1.0, place - nodes[None, :]).prod(axis=1) / differences.prod(axis=1)


def combination(arrays, factors, out=None):
    """The sum of arrays times factors, in C order."""
    if out is None:
        out = np.empty(arrays[0].shape)
    np.multiply(arrays[0], factors[0], out=out)
    for array, factor in zip(arrays[1:], factors[1:], strict=True):
        add_to(out, factor, array)
    return out
