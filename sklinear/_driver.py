"""The driver: consumes the iterates of a solver and owns all policy.

Certificate, stopping rule, history, the printed table, interrupts and the final check live
here, so every solver has them.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from ._certificate import certify
from ._problem import Iterate
from .solvers import choose

# At tolerances this tight one more step is taken after the target is met: a gap of eps leaves
# an error of sqrt(2 eps / l2) in the weights, which a Newton step nearly squares.
TIGHT = 1e-8


@dataclass(frozen=True)
class Start:
    """Where a solver begins: weights (d, C), intercept (C,) and a dual point (n, C) or None.

    The scores (n, C) there save a product with X, if they are known.
    """

    coef: np.ndarray
    intercept: np.ndarray
    dual: np.ndarray | None = None
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class Solution:
    """The point a fit ends with, its certificate and how it got there.

    The certificate is that of the dual point of the iterate times `scale`.
    """

    iterate: Iterate
    objective: float
    gap: float
    converged: bool
    interrupted: bool
    history: dict
    scale: float


class History:
    """Rows of seconds, passes over X, objective and gap, with a printed table on request."""

    columns = ("seconds", "passes", "objective", "gap")

    def __init__(self, problem, verbose):
        self.rows = []
        self.problem = problem
        self.verbose = verbose
        self.begin = time.perf_counter()
        if verbose:
            print(f"{'iteration':>9}  {'objective':>13}  {'gap':>10}  {'seconds':>8}")

    def add(self, objective, gap):
        """Append a row, stamped with the time and the passes so far."""
        seconds = time.perf_counter() - self.begin
        self.rows.append((seconds, self.problem.data.passes.total, objective, gap))
        if self.verbose:
            number = len(self.rows) - 1
            print(f"{number:>9}  {objective:>13.6e}  {gap:>10.3e}  {seconds:>8.3f}")

    def arrays(self):
        """A dict of arrays, one for each column."""
        return dict(zip(self.columns, np.array(self.rows).T.copy(), strict=True))


def solve(problem, start, *, tol, max_iter, dtype, verbose=0, solver=None):
    """Minimise until the gap is at most tol * F(0), or for max_iter iterations.

    Parameters
    ----------
    problem : Problem
    start : Start
    tol : float
    max_iter : int
    dtype : dtype
        Precision in which the weights will be stored; the final certificate is that of the
        rounded weights.
    verbose : int
    solver : callable, optional
        That of `choose(problem)`, if it has solved a problem that differs in the penalty alone.

    Returns
    -------
    Solution
    """
    target = tol * problem.value_at_zero
    history = History(problem, verbose)
    bound = LowerBound(problem)
    best, best_gap, closing, interrupted = None, np.inf, False, False
    stored = None
    try:
        for iterate in (solver or choose(problem))(problem, start):
            if best is None:
                history.add(*_at_zero(problem, iterate, search=solver is None))
            iterate, certificate = bound.certify(iterate)
            history.add(certificate.objective, certificate.gap)
            if best is None or certificate.gap <= best_gap:
                best, best_gap, stored = iterate, certificate.gap, None
            if best_gap <= target and stored is None:
                stored = rounded(problem, best, dtype)
            if stored is not None and stored[1].gap <= target:
                at_start = len(history.rows) == 2
                closing = tol <= TIGHT and not closing and not at_start
                if not closing:
                    break
            if len(history.rows) > max_iter:
                break
    except KeyboardInterrupt:
        if best is None:
            raise
        interrupted = True
    final, certificate = stored or rounded(problem, best, dtype)
    return Solution(
        iterate=final,
        objective=certificate.objective,
        gap=certificate.gap,
        converged=certificate.gap <= target,
        interrupted=interrupted,
        history=history.arrays(),
        scale=certificate.scale,
    )


class LowerBound:
    """Certifies iterates by the best dual point seen so far, theirs or an earlier one."""

    def __init__(self, problem):
        self.problem = problem
        self.best = None
        self.value = -np.inf

    def certify(self, iterate):
        """The iterate with the better dual point, and its certificate."""
        certificate = certify(self.problem, iterate)
        value = certificate.objective - certificate.gap
        if value < self.value:
            better = replace(iterate, dual=self.best.dual, correlation=self.best.correlation)
            earlier = certify(self.problem, better)
            # The bounds may differ by less than the rounding of the objective.
            if earlier.gap < certificate.gap:
                return better, earlier
        self.best, self.value = iterate, value
        return iterate, certificate


def _at_zero(problem, iterate, search):
    """Objective and gap of W = 0, b = 0, with the dual point of the first iterate."""
    zero = Iterate(
        np.zeros_like(iterate.coef),
        np.zeros_like(iterate.intercept),
        np.zeros_like(iterate.scores),
        iterate.dual,
        iterate.correlation,
        (problem.loss, problem.value_at_zero),
    )
    return problem.value_at_zero, certify(problem, zero, search).gap


def rounded(problem, iterate, dtype):
    """The iterate as it will be stored, its scores computed afresh, and its certificate.

    Weights are rounded to `dtype`; two classes get opposite weights and all intercepts the
    sum zero, which the losses do not see and the penalty does not mind.
    """
    coef, intercept = iterate.coef, iterate.intercept - iterate.intercept.mean()
    if problem.n_classes == 2:
        half = 0.5 * (coef[:, 1] - coef[:, 0])
        coef = np.column_stack([-half, half])
    coef = coef.astype(dtype).astype(np.float64)
    intercept = intercept.astype(dtype).astype(np.float64)
    scores = problem.scores(coef, intercept)
    stored = Iterate(coef, intercept, scores, iterate.dual, iterate.correlation)
    return stored, certify(problem, stored)
