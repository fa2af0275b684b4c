"""Optima between two knots of a path, and their certificates without X.

Weights, scores, dual point and correlations between knots are combinations of those at the
knots.  Their certificates need few of the d * C weights: with an L1 part those that are alive at
one of the ends, and without one the coordinates in the space that a handful of them span.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ._certificate import Certificate, feasible_scale
from ._gram import triangle
from ._problem import Iterate
from .solvers._blas import add_to

ALMOST = 1 - 1e-12  # of l1; nearer to it, rounding might lift a correlation above
MANY = 0.5  # of the features: less than taking those apart costs the combination of all
BLOCK = 8000  # weights that are rotated at a time


@dataclass(frozen=True)
class Knot:
    """A solved place on a path; its dual point is scaled as its certificate says."""

    index: int
    alpha: float
    iterate: Iterate
    gap: float
    loss: float
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
    """

    def __init__(self, primal, dual, used):
        self.used = used
        self._of = dict.fromkeys(("coef", "intercept", "scores"), primal)
        self._of |= dict.fromkeys(("dual", "correlation"), dual)

    def combined(self, name, rows=slice(None)):
        """An array of the iterate."""
        knots, factors = self._of[name]
        return combination([getattr(knot.iterate, name)[rows] for knot in knots], factors)

    @cached_property
    def coef(self):
        """Weights of shape (d, C)."""
        shape = self._of["coef"][0][0].iterate.coef.shape
        if len(self.used) >= MANY * shape[0]:
            return self.combined("coef")
        coef = np.zeros(shape)
        coef[self.used] = self.coef_of(self.used)
        return coef

    def coef_of(self, features):
        """Weights of some features."""
        return self.combined("coef", rows=features)

    def scores_of(self, rows):
        """Those of some samples."""
        return self.combined("scores", rows=rows)

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

    Attributes
    ----------
    coefs, correlations : ndarray of shape (n_knots, m) and (2, m)
        What the gap of the penalty needs of them at the knots.
    factor : float or ndarray
        Of the penalty of these, `shape` being theirs.
    """

    def __init__(self, problem, knots, in_log):
        self.problem, self.knots, self.ends, self.in_log = problem, knots, knots[-2:], in_log
        coefs = [knot.iterate.coef for knot in knots]
        columns = coefs + [knot.iterate.correlation for knot in self.ends]
        penalty = problem.penalty
        self.factor, self.shape = penalty.factor, (-1, 1)
        if penalty.l1:
            alive = self.ends[0].alive | self.ends[1].alive
            columns = [array[alive] for array in columns]
            if not penalty.is_even:
                self.factor = np.broadcast_to(penalty.factor, alive.shape)[alive][:, None]
        elif penalty.is_even:
            columns = coordinates([array.ravel() for array in columns])
        else:
            columns, self.shape = [array.ravel() for array in columns], coefs[0].shape
        self.coefs, self.correlations = np.array(columns[:-2]), np.array(columns[-2:])

    @cached_property
    def used(self):
        """Indices of the features with a weight at one of the knots."""
        used = np.zeros(len(self.knots[0].iterate.coef), dtype=bool)
        for knot in self.knots:
            used[knot.iterate.used] = True
        return np.flatnonzero(used)

    @cached_property
    def largest_scale(self):
        """At which dual points between the ends stay in the domain of the conjugate."""
        loss = self.problem.loss
        return min(1.0, *(loss.largest_scale(knot.iterate.dual) for knot in self.ends))

    def factors(self, alphas):
        """Of the knots in the weights, and of the ends in the dual points, a row for each alpha."""
        primal = factors_of_weights(self.problem.loss, self.knots, alphas)
        ends = np.array([knot.alpha for knot in self.ends])
        if self.in_log:
            return primal, lagrange(np.log(ends), np.log(alphas))
        return primal, lagrange(ends, alphas)

    def at(self, factors):
        """Yield the iterates at some alphas, of the `factors` there."""
        for primal, dual in zip(*factors, strict=True):
            yield Interpolated((self.knots, primal), (self.ends, dual), self.used)

    def certificates(self, factors, penalties, roundoff=0.0):
        """Those of the iterates at some alphas, with the penalty at each; without the iterates.

        They hold for weights and intercepts that are rounded with this unit roundoff, too.
        """
        problem, (primal, dual) = self.problem, factors
        if not problem.penalty.is_even:
            penalties = [replace(penalty, factor=self.factor) for penalty in penalties]
        scales = np.array(list(map(self._scale, penalties, dual)))
        scores = [knot.iterate.scores for knot in self.knots]
        duals = [knot.iterate.dual for knot in self.ends]
        losses = problem.loss.values_and_gaps(
            scores, duals, factors, problem.labels, problem.weights, scales
        )
        found = []
        for penalty, of_knots, of_ends, scale, loss, gap in zip(
            penalties, primal, dual, scales, *losses, strict=True
        ):
            coef = self._combined(self.coefs, of_knots)
            correlation = self._combined(self.correlations, of_ends)
            gap += penalty.fenchel_young(coef, scale * correlation)
            size = penalty.value(coef)
            cost = self._cost_of_rounding(loss, size, coef, of_knots, roundoff)
            found.append(Certificate(loss + size + cost, gap + cost, scale))
        return found

    def _cost_of_rounding(self, loss, size, coef, factors, roundoff):
        """The most by which rounding weights and intercept raises the objective.

        Scores move by |x_i| |W - W'| + |b - b'| at most, and |W - W'| <= roundoff |W|.
        """
        if roundoff == 0:
            return 0.0
        problem = self.problem
        intercept = combination([knot.iterate.intercept for knot in self.knots], factors)
        length = math.sqrt(problem.mean_squares.sum())
        move = roundoff * (length * np.linalg.norm(coef) + np.linalg.norm(intercept))
        growth = problem.loss.most_growth(loss, move, problem.n_classes)
        return growth + roundoff * (2 + roundoff) * size

    def _scale(self, penalty, factors):
        if penalty.l2 > 0:
            return self.largest_scale
        correlation = self._combined(self.correlations, factors)
        return feasible_scale(penalty, correlation, self.largest_scale)

    def _combined(self, rows, factors):
        return (factors @ rows).reshape(self.shape)


def coordinates(columns):
    """Columns of the triangular factor of a few long ones: their lengths and products are kept.

    Sums of squares of their combinations are those of the combinations of these, to rounding.
    """
    starts = range(0, len(columns[0]), BLOCK)
    blocks = (np.array([column[i : i + BLOCK] for column in columns]).T for i in starts)
    return list(triangle(blocks, len(columns)).T.copy())


def factors_of_weights(loss, knots, alpha):
    """Factors of the weights at the knots in those at an alpha.

    The weights are a polynomial in log alpha.  With the hinge alpha times the weights is one in
    alpha: between kinks it is linear.
    """
    alphas = np.array([knot.alpha for knot in knots])
    if loss.smooth:
        return lagrange(np.log(alphas), np.log(alpha))
    return lagrange(alphas, alpha) * alphas / np.asarray(alpha)[..., None]


def lagrange(nodes, places):
    """Factors of the values at some nodes in their polynomial at a place, or a row for each."""
    own = np.eye(len(nodes), dtype=bool)
    differences = np.where(own, 1.0, nodes[:, None] - nodes)
    ways = np.where(own, 1.0, np.asarray(places)[..., None, None] - nodes)
    return ways.prod(axis=-1) / differences.prod(axis=-1)


def combination(arrays, factors):
    """The sum of arrays times factors, in C order."""
    out = np.multiply(arrays[0], factors[0], order="C")
    for array, factor in zip(arrays[1:], factors[1:], strict=True):
        add_to(out, factor, array)
    return out
