"""The optima of one problem along falling penalties.

Solved are some of them, the knots, each from what the ones before let expect, by a solver that
goes on with what it has learnt.  Between two knots the weights, the scores, the dual point and
its correlations with X are interpolated.  All are linear in each other, so that the certificate
of an interpolated optimum costs no pass over X; where it is not good enough, a knot is added.

The dual point is interpolated between two knots, so that it stays in the domain of the
conjugate, and linearly in alpha: where |A| <= alpha * l1_ratio holds at both, it holds between
them.  Without an L1 part and its bends, polynomials in log alpha through three knots are nearer.

References
----------
Park and Hastie, L1-regularization path algorithm for generalized linear models, JRSS B 69, 2007.
Ndiaye, Le, Fercoq, Salmon and Takeuchi, Safe grid search with optimal complexity, ICML 2019.
"""

import math
from dataclasses import replace
from numbers import Integral

import numpy as np

from ._alpha_max import alpha_max
from ._certificate import certify
from ._driver import Solution, Start, one_row, solve
from ._interpolation import Knot, Span, combination, lagrange
from ._messages import plain
from ._penalty import ElasticNet
from ._stored import as_stored
from ._validation import check_alpha
from .solvers import choose, follows, uses_dual

LEAST_L1_RATIO = 1e-3  # of the grid: without an L1 part no finite alpha has all weights at zero
KNOT_TOL, KNOT_TOL_HINGE = 0.5, 0.75  # of tol: what a knot lacks, its neighbours lack too
FIRST_STRIDE, LEAST_STRIDE_HINGE = 0.25, 1.0  # of log alpha
NEAR = 0.03  # of F(0), for a start at zero
LONGER, SHORTER, SAFETY = 2.0, 0.5, 0.6
STRETCH = 1.2  # of a stride, where that saves a knot
ORDER = 3  # about the power of the stride with which the gap of an interpolation grows


def elastic_net(problem, alpha, l1_ratio):
    """The penalty of this alpha and l1_ratio, with the factors of the problem's own."""
    alpha = alpha * problem.penalty.shared
    # Two classes: the penalty is on v, and W = (-v/2, v/2) has half its square.
    l2 = alpha * (1 - l1_ratio) * (2 if problem.n_classes == 2 else 1)
    known = problem.penalty
    return ElasticNet(float(alpha * l1_ratio), float(l2), known.factor, known.shared)


def penalised(problem, alpha, l1_ratio):
    """The same problem with the elastic net of this alpha and l1_ratio."""
    return problem.with_penalty(elastic_net(problem, alpha, l1_ratio))


def alpha_grid(problem, l1_ratio, n_alphas=100, eps=1e-3):
    """`n_alphas` values from alpha_max to eps * alpha_max, geometric and falling."""
    largest = alpha_max(problem, max(l1_ratio, LEAST_L1_RATIO))
    if not largest > 0:
        raise ValueError(
            "A grid of alphas would begin at 0: no feature that has a penalty says anything more "
            "of y, and its weights are zero for every alpha. Give the alphas themselves, or other "
            "features."
        )
    return np.geomspace(largest, eps * largest, n_alphas)


def falling_alphas(alphas, problem, l1_ratio, eps):
    """The alphas given, in falling order, or a grid of so many."""
    if isinstance(alphas, Integral):
        grid = alpha_grid(problem, l1_ratio, int(alphas), eps)
        if (np.diff(np.log(grid)) >= 0).any():
            raise ValueError(
                f"eps={plain(eps)} is so near to 1 that two of the {alphas} alphas are the same. "
                "Make it smaller, or ask for fewer alphas."
            )
        return grid
    try:
        grid = np.sort(np.asarray(alphas, dtype=np.float64), axis=None)[::-1]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"alphas={plain(alphas)} holds something that is no number; give a list of positive "
            "numbers, or an integer for a grid of so many."
        ) from error
    if np.ndim(alphas) != 1 or len(grid) == 0:
        raise ValueError(
            f"alphas has the shape {np.shape(alphas)}; give a list of numbers, at least one, or "
            "an integer for a grid of so many."
        )
    wrong = grid[~((grid > 0) & (grid < np.inf))]
    if len(wrong):
        raise ValueError(
            f"alphas holds {wrong[0]:g}; all have to be positive and finite: without a penalty "
            "there may be no optimum. Use a small alpha instead, for instance 1e-10."
        )
    check_alpha(grid[-1])
    twice = grid[1:][np.diff(np.log(grid)) == 0]
    if len(twice):
        raise ValueError(
            f"alphas holds {twice[0]:g} more than once; give each alpha once, for instance by "
            "np.unique."
        )
    return grid


def solve_path(problem, alphas, l1_ratio, *, tol, max_iter, dtype, verbose=0, start=None):
    """Yield the `Solution` at each alpha, certified as `solve` does.

    Parameters
    ----------
    problem : Problem
        Its penalty plays no part.
    alphas : ndarray of shape (n_alphas,)
        Positive, falling.
    l1_ratio : float
    tol, max_iter, dtype, verbose
        As in `solve`, for each alpha.
    start : Start, optional
        For the first alpha; zero if None.

    Yields
    ------
    Solution
        Without iterations, and a history of one row, where it is interpolated.
    """
    settings = {
        "tol": tol * knot_share(problem.loss),
        "max_iter": max_iter,
        "dtype": dtype,
        "verbose": verbose,
    }
    yield from Path(problem, alphas, l1_ratio, settings, start).solutions()


def knot_share(loss):
    """Of tol, what knots may lack; most of the hinge have no interpolated neighbour."""
    return KNOT_TOL if loss.smooth else KNOT_TOL_HINGE


class Path:
    """What the places of a path share: the solver, and how far apart knots may be.

    Attributes
    ----------
    stride, least_stride : float
        The next distance of two knots, in log alpha, and the least one.
    worst : float
        The largest gap between the last two knots; infinite if a knot had to be added.
    """

    def __init__(self, problem, alphas, l1_ratio, settings, start=None):
        self.problem, self.alphas, self.l1_ratio = problem, alphas, l1_ratio
        self.settings = settings
        self.target = settings["tol"] / knot_share(problem.loss) * problem.value_at_zero
        first = penalised(problem, alphas[0], l1_ratio)
        self.start = start or zero_start(first)
        self.solver, self.uses_dual = choose(first, on_path=True), uses_dual(first)
        self.has_no_bends = l1_ratio == 0 and problem.loss.smooth
        # A dual point of the hinge is foreseen well between two knots, and badly beyond them.
        self.least_stride = 0.0 if problem.loss.smooth else LEAST_STRIDE_HINGE
        self.stride, self.worst = max(FIRST_STRIDE, self.least_stride), 0.0

    def solutions(self):
        """Yield them in order."""
        knots, index = [], 0
        while index < len(self.alphas):
            solution, knot = self._solve(index, knots)
            knots = knots[-2:]
            if knots:
                self.worst = 0.0
                yield from self._between(knots[-1], knot, knots[-2:-1])
                self._adapt(knots[-1], knot)
            yield solution
            if not self.uses_dual:
                knots = [each.without_dual() for each in knots]
            knots.append(knot)
            index = self._following(index)

    def _following(self, index):
        """About the farthest index within the stride: the rest is parted into even spans."""
        if follows(self.solver):
            return index + 1
        near = np.log(self.alphas[index] / self.alphas) <= self.stride * (1 + 1e-9)
        step, left = max(1, np.count_nonzero(near) - 1 - index), len(self.alphas) - 1 - index
        return index + max(1, -(-left // math.ceil(max(1, left) / (STRETCH * step))))

    def _adapt(self, left, right):
        """What the knots lack themselves says nothing of their distance."""
        lacking = min(max(left.gap, right.gap), 0.9 * self.target)
        share = max((self.worst - lacking) / (self.target - lacking), 1e-6)
        factor = np.clip((SAFETY / share) ** (1 / ORDER), SHORTER, LONGER)
        self.stride = max(factor * np.log(left.alpha / right.alpha), self.least_stride)

    def _solve(self, index, knots):
        """The solution at an index from what the knots, in order, let expect; and its knot."""
        problem = penalised(self.problem, self.alphas[index], self.l1_ratio)
        start = self._start(problem, index, knots) if knots else self.start
        solution = solve(problem, start, solver=self.solver, **self.settings)
        if solution.interrupted:
            raise KeyboardInterrupt
        self.problem = problem  # what it has learnt of the data stays known
        iterate, scale = solution.iterate, solution.scale
        if scale != 1:
            dual, correlation = scale * iterate.dual, scale * iterate.correlation
            iterate = replace(iterate, dual=dual, correlation=correlation)
        loss = solution.objective - problem.penalty.value(iterate.coef)
        knot = Knot(index, self.alphas[index], iterate, solution.gap, loss, problem.penalty.l1s)
        return replace(solution, converged=solution.gap <= self.target), knot

    def _start(self, problem, index, knots):
        """Of the weights that the knots let expect the best, and their dual point if it serves."""
        last = knots[-1].iterate
        if follows(self.solver):
            return Start(last.coef, last.intercept, last.dual, last.scores.copy())
        dual = self._first_dual(problem, index, knots[-2:]) if self.uses_dual else None
        return replace(self._best_weights(problem, index, knots), dual=dual)

    def _best_weights(self, problem, index, knots):
        """Those of the last knot or of a polynomial through the last ones."""
        last, best = knots[-1].iterate, None
        lowest = knots[-1].loss + problem.penalty.value(last.coef)
        for order in range(2, 1 + min(len(knots), 3 if self.has_no_bends else 2)):
            coef, intercept, scores = self._weights(knots[-order:], index)
            known = problem.loss.value_and_dual(scores, problem.labels, problem.weights)
            objective = known[0] + problem.penalty.value(coef)
            if objective < lowest:
                lowest, best = objective, Start(coef, intercept, scores=scores, known=known)
        return best or Start(last.coef, last.intercept, scores=last.scores.copy())

    def _first_dual(self, problem, index, knots):
        factors = lagrange(np.array([knot.alpha for knot in knots]), self.alphas[index])
        dual = combination([knot.iterate.dual for knot in knots], factors)
        return problem.loss.clip(dual, problem.labels)

    def _weights(self, knots, index):
        """Weights, intercept and scores by the polynomial in log alpha through some knots."""
        nodes = np.log([knot.alpha for knot in knots])
        factors = lagrange(nodes, np.log(self.alphas[index]))
        names = ("coef", "intercept", "scores")
        return [
            combination([getattr(knot.iterate, name) for knot in knots], factors) for name in names
        ]

    def _between(self, left, right, before):
        """Yield the solutions between two knots; `before` holds the one to the left of both.

        The middle is tried first: the error is most often the largest there.
        """
        middle = (left.index + right.index) // 2
        if middle == left.index:
            return
        span = self._span(left, right, before)
        (central,) = self._interpolated(span, [middle])
        if central.gap > self.target:
            solution, knot = self._added(middle, left, right)
            yield from self._between(left, knot, before)
            yield solution
            yield from self._between(knot, right, [left])
            return
        between = range(left.index + 1, right.index)
        others = self._interpolated(span, [index for index in between if index != middle])
        for index in between:
            solution = central if index == middle else next(others)
            if solution.gap > self.target:
                solution, knot = self._added(index, left, right)
                yield solution
                yield from self._between(knot, right, [left])
                return
            self.worst = max(self.worst, solution.gap)
            yield solution

    def _span(self, left, right, before):
        knots = [*before, left, right] if self.has_no_bends else [left, right]
        problem = penalised(self.problem, right.alpha, self.l1_ratio)
        return Span(problem, knots, self.has_no_bends)

    def _added(self, index, left, right):
        self.worst = np.inf
        return self._solve(index, [left, right])

    def _interpolated(self, span, indices):
        """Yield the solutions at some indices as the knots let expect them."""
        alphas, dtype = self.alphas[indices], self.settings["dtype"]
        roundoff = 0.0 if dtype == np.float64 else 0.5 * np.finfo(dtype).eps
        penalties = [elastic_net(self.problem, alpha, self.l1_ratio) for alpha in alphas]
        factors = span.factors(alphas)
        certificates = span.certificates(factors, penalties, roundoff)
        for iterate, certificate, penalty in zip(
            span.at(factors), certificates, penalties, strict=True
        ):
            if roundoff and certificate.gap > self.target:  # the bound may be high
                problem = self.problem.with_penalty(penalty)
                iterate = as_stored(problem, iterate, dtype)
                certificate = certify(problem, iterate, search=False)
            yield Solution(
                iterate=iterate,
                objective=certificate.objective,
                gap=certificate.gap,
                converged=certificate.gap <= self.target,
                interrupted=False,
                history=one_row(self.problem, certificate),
                scale=certificate.scale,
            )


def zero_start(problem):
    """Zero weights; the best intercept and free features where that is near the optimum."""
    start = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
    if not problem.loss.smooth:
        return start
    zero = problem.evaluate(start.coef, start.intercept)
    if certify(problem, zero).gap > NEAR * problem.value_at_zero:
        return start
    dual = zero.dual if uses_dual(problem) else None
    return Start(zero.coef, zero.intercept, dual, zero.scores)
