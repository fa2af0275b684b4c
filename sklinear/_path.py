"""The optima of one problem along falling penalties.

Solved are some of them, the knots, each from an extrapolation of the ones before.  Between two
knots the weights, the scores, the dual point and its correlations with X are interpolated: all
of them are linear in each other, so that the certificate of an interpolated optimum costs no
pass over X.  Where it is not good enough, another knot is solved.

The dual point and its correlations are convex combinations, linear in alpha: where both ends
fulfil |A| <= alpha_end * l1_ratio, all points between them fulfil |A| <= alpha * l1_ratio.
"""

from dataclasses import dataclass, replace

import numpy as np

from ._certificate import certify
from ._driver import Solution, Start, rounded, solve
from ._problem import Iterate
from .solvers import choose

LEAST_L1_RATIO = 1e-3  # of the grid: without an L1 part no finite alpha has all weights at zero
KNOT_TOL = 0.3  # of tol: what a knot may lack, its neighbours lack too
FIRST_STRIDE, MOST_KNOTS = 0.25, 3
LONGER, SHORTER = 2.0, 0.5
ORDER, SAFETY = 4, 0.3  # the gap grows with this power of the distance of the knots


def penalised(problem, alpha, l1_ratio):
    """The same problem with the elastic net of this alpha and l1_ratio."""
    # Two classes: the penalty is on v, and W = (-v/2, v/2) has half its square.
    l2 = alpha * (1 - l1_ratio) * (2 if problem.n_classes == 2 else 1)
    return problem.with_penalty(replace(problem.penalty, l1=float(alpha * l1_ratio), l2=float(l2)))


def alpha_max(problem, l1_ratio):
    """The smallest alpha whose optimum has all weights at zero (an upper bound for the hinge)."""
    if problem.loss.smooth:
        loss = problem
    else:
        loss = problem.with_loss(problem.loss.smoothed(np.ones(_scores_shape(problem)), 1e-3))
    zero = loss.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
    return float(np.abs(zero.correlation).max(initial=0.0)) / l1_ratio


def _scores_shape(problem):
    return len(problem.labels), problem.n_classes


def alpha_grid(problem, l1_ratio, n_alphas=100, eps=1e-3):
    """`n_alphas` values from alpha_max to eps * alpha_max, geometric and falling."""
    largest = alpha_max(problem, max(l1_ratio, LEAST_L1_RATIO))
    return np.geomspace(largest, eps * largest, n_alphas)


def solve_path(problem, alphas, l1_ratio, *, tol, max_iter, dtype, verbose=0, start=None):
    """Yield the `Solution` for each of the falling alphas, certified as `solve` does."""
    accuracy = {"tol": tol, "max_iter": max_iter, "dtype": dtype, "verbose": verbose}
    return Path(problem, alphas, l1_ratio, accuracy, start).solutions()


@dataclass(frozen=True)
class Knot:
    """A place on the path: alpha, its index, and the optimum with the best dual point in scale."""

    index: int
    alpha: float
    iterate: Iterate


class Path:
    """The solutions of a path, in order; it holds the solver, the last knots and the stride."""

    def __init__(self, problem, alphas, l1_ratio, accuracy, start=None):
        self.problem, self.alphas, self.l1_ratio = problem, alphas, l1_ratio
        self.accuracy = accuracy
        self.target = accuracy["tol"] * problem.value_at_zero
        self.start = start or Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
        self.solver = choose(self._problem(0))
        self.smooth_path = l1_ratio == 0 and problem.loss.smooth
        self.knots, self.stride = [], FIRST_STRIDE

    def solutions(self):
        """Yield them."""
        index = 0
        while index < len(self.alphas):
            known = self.knots[-MOST_KNOTS:]
            solution, knot = self._solve(index, known)
            if known:
                self.worst = 0.0
                yield from self._between(known[-1], knot, known[-2:-1])
                self._adapt(knot, known[-1])
            self.knots = [*known, knot]
            yield solution
            index = self._following(index)

    def _problem(self, index):
        return penalised(self.problem, self.alphas[index], self.l1_ratio)

    def _following(self, index):
        """The farthest index within the stride, or the next one."""
        within = np.log(self.alphas[index] / self.alphas) <= self.stride + 1e-12
        return max(index + 1, min(np.count_nonzero(within), len(self.alphas)) - 1)

    def _adapt(self, knot, before):
        """As far as the certificates between the last knots suggest."""
        ratio = max(self.worst / self.target, 1e-6)
        order = ORDER if not self.smooth_path else 6
        factor = np.clip((SAFETY / ratio) ** (1 / order), SHORTER, LONGER)
        if knot.index - before.index > 1 or factor > 1:
            self.stride = max(np.log(before.alpha / knot.alpha), 0.01) * factor
        if knot.index - before.index == 1:
            self.stride = max(self.stride, 2 * np.log(before.alpha / knot.alpha))

    def _solve(self, index, knots, most=MOST_KNOTS):
        problem = self._problem(index)
        settings = dict(self.accuracy)
        settings["tol"] *= KNOT_TOL
        solution = solve(
            problem, self._start(problem, index, knots), solver=self.solver, **settings
        )
        solution = replace(solution, converged=solution.gap <= self.target)
        iterate = solution.iterate
        scaled = replace(
            iterate,
            dual=solution.scale * iterate.dual,
            correlation=solution.scale * iterate.correlation,
        )
        return solution, Knot(index, self.alphas[index], scaled)

    def _start(self, problem, index, knots):
        """The best of the last knot and what the last ones let expect."""
        if not knots:
            return self.start
        candidates = [knots[-1:], knots[-2:]] + ([knots[-3:]] if self.smooth_path else [])
        points = [self._point(chosen, index) for chosen in candidates]
        best = min(points, key=problem.objective)
        dual = None
        if not problem.loss.smooth:
            factors = lagrange([knot.alpha for knot in knots[-2:]], self.alphas[index])
            dual = combine_dual([knot.iterate for knot in knots[-2:]], factors)[0]
        return Start(best.coef, best.intercept, dual, best.scores)

    def _point(self, knots, index):
        """Weights by the polynomial in log alpha through some knots."""
        nodes = np.log([knot.alpha for knot in knots])
        factors = lagrange(nodes, np.log(self.alphas[index]))
        return combine([knot.iterate for knot in knots], factors)

    def _between(self, left, right, before=()):
        """Yield the solutions between two knots."""
        if right.index - left.index < 2:
            return
        middle = (left.index + right.index) // 2
        if self._interpolated(left, right, before, middle).gap > self.target:
            yield from self._split(left, right, before, middle)
            return
        for index in range(left.index + 1, right.index):
            solution = self._interpolated(left, right, before, index)
            if solution.gap > self.target:
                yield from self._split(left, right, before, index)
                return
            self.worst = max(self.worst, solution.gap)
            yield solution

    def _split(self, left, right, before, index):
        self.worst = np.inf
        solution, knot = self._solve(index, [left, right])
        if index > left.index + 1:
            yield from self._between(left, knot, before)
        yield solution
        yield from self._between(knot, right, [left])

    def _interpolated(self, left, right, before, index):
        problem, alpha = self._problem(index), self.alphas[index]
        ends = [left.iterate, right.iterate]
        share = (alpha - right.alpha) / (left.alpha - right.alpha)
        dual = combine_dual(ends, [share, 1 - share])
        if self.smooth_path:
            point = self._point([*before, left, right], index)
        else:
            point = self._point([left, right], index)
        iterate = replace(point, dual=dual[0], correlation=dual[1])
        if self.accuracy["dtype"] != np.float64:
            iterate, certificate = rounded(problem, iterate, self.accuracy["dtype"])
        else:
            certificate = certify(problem, iterate)
        return Solution(
            iterate=iterate,
            objective=certificate.objective,
            gap=certificate.gap,
            converged=certificate.gap <= self.target,
            interrupted=False,
            history={
                "seconds": np.zeros(1),
                "passes": np.full(1, problem.data.passes.total),
                "objective": np.array([certificate.objective]),
                "gap": np.array([certificate.gap]),
            },
            scale=certificate.scale,
        )


def lagrange(nodes, place):
    """Factors of the values at the nodes in the value of their polynomial at a place."""
    factors = np.ones(len(nodes))
    for i, node in enumerate(nodes):
        others = np.delete(nodes, i)
        factors[i] = np.prod((place - others) / (node - others))
    return factors


def combine(iterates, factors):
    """The linear combination of iterates."""
    parts = list(zip(factors, iterates, strict=True))
    return Iterate(
        *(sum(f * getattr(i, name) for f, i in parts) for name in ("coef", "intercept", "scores")),
        None,
        None,
    )


def combine_dual(iterates, factors):
    parts = list(zip(factors, iterates, strict=True))
    return [sum(f * getattr(i, name) for f, i in parts) for name in ("dual", "correlation")]
