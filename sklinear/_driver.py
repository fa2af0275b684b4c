"""The driver: consumes the iterates of a solver and owns all policy.

Certificate, stopping rule, history, the printed table, interrupts, observers and the final
check live here, so every solver has them.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from ._certificate import certify_at_best
from ._effort import Effort
from ._problem import Iterate
from ._stored import rounded
from ._zeros import MARGINS, Waiting, fitted_anew, with_zeros
from .solvers import choose, choose_sparse

# At tolerances this tight one more step is taken after the target is met: a gap of eps leaves
# an error of sqrt(2 eps / l2) in the weights, which a Newton step nearly squares.
TIGHT = 1e-8
MOST_LOST = 20  # iterations that meet the target before their weights are rounded
MAX_REFIT = 300
REFIT_EFFORT, FREE_EFFORT = 1.0, 3e10  # by that of the fit; what a new fit is allowed at least
OF_AN_ITERATION = 5e7  # operations


@dataclass(frozen=True)
class Start:
    """Where a solver begins: weights (d, C), intercept (C,) and a dual point (n, C) or None.

    The scores (n, C) there are given where the start is known to be near the optimum; a solver may
    overwrite them.  `known` are the loss and the natural dual point at them, if not None.
    """

    coef: np.ndarray
    intercept: np.ndarray
    dual: np.ndarray | None = None
    scores: np.ndarray | None = None
    known: tuple[float, np.ndarray] | None = None

    def at(self, iterate):
        """Where an iterate is; what is known here does not hold there."""
        return Start(iterate.coef, iterate.intercept, iterate.dual, iterate.scores.copy())

    def certified(self, problem):
        """The iterate here, with the dual point that is known."""
        scores = self.scores
        scores = problem.scores(self.coef, self.intercept) if scores is None else scores.copy()
        return problem.certified(self.coef, self.intercept, scores, self.dual.copy())


@dataclass(frozen=True)
class Solution:
    """The point a fit ends with, its certificate and how it got there.

    The certificate is that of the dual point of the iterate times `scale`.
    """

    iterate: Iterate
    objective: float
    gap: float
    converged: bool
    history: dict
    scale: float = 1.0
    interrupted: bool = False
    stopped: bool = False


class Observer:
    """Is told where each outer iteration begins and ends; this one takes no notice.

    `solution` is a function without arguments: the `Solution` of a fit that ends there.
    """

    def begin(self, solution):
        """An iteration begins."""

    def end(self, solution):
        """It has ended; whether the fit shall stop.

        `solution` is None where the solver had no further iterate.
        """
        return False


class EffortLimit(Observer):
    """Ends a fit that takes more than so many operations."""

    def __init__(self, passes, most):
        self.effort, self.most, self.n_iter = Effort(passes, OF_AN_ITERATION), most, 0

    def end(self, solution):
        """Whether they are used up."""
        self.n_iter += 1
        return self.effort.spent(self.n_iter) > self.most


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
        # Before the first iterate zero is the bound: no loss is negative.
        at_zero = self.problem.value_at_zero
        rows = self.rows or [(0.0, 0.0, at_zero, at_zero)]
        return dict(zip(self.columns, np.array(rows).T.copy(), strict=True))

    @contextmanager
    def paused(self):
        """Neither the time nor the passes within are those of the fit."""
        passes, begin = self.problem.data.passes, time.perf_counter()
        before = passes.total, passes.operations
        yield
        passes.total, passes.operations = before
        self.begin += time.perf_counter() - begin


def one_row(problem, certificate):
    """The history of what took no time."""
    row = 0.0, problem.data.passes.total, certificate.objective, certificate.gap
    return dict(zip(History.columns, np.array(row)[:, None], strict=True))


class Progress:
    """Where a fit stands: its history, the best point so far, and whether that will do."""

    def __init__(self, problem, start, *, tol, dtype, verbose, refits=True):
        self.problem, self.start, self.dtype = problem, start, dtype
        self.refits = refits and not problem.loss.smooth
        self.tol, self.target = tol, tol * problem.value_at_zero
        self.tight = tol <= TIGHT
        self.history = History(problem, verbose)
        self.bound = LowerBound(problem)
        self.effort = Effort(problem.data.passes, OF_AN_ITERATION)
        self.best, self.best_gap = None, np.inf
        self.closing, self.n_lost = False, 0
        self.waiting = None
        self._swept, self._solution = None, None

    @property
    def n_iter(self):
        """Outer iterations so far."""
        return max(len(self.history.rows) - 1, 0)

    def add(self, iterate):
        """Certify an iterate, and keep it if it is the best."""
        self._swept, self._solution = None, None
        if self.best is None:
            self.history.add(*self._at_zero(iterate))
        iterate, certificate = self.bound.certify(iterate)
        self.history.add(certificate.objective, certificate.gap)
        if self.best is None or certificate.gap <= self.best_gap:
            self.best, self.best_gap = iterate, certificate.gap

    def _at_zero(self, iterate):
        """Objective and gap at zero; by the dual point zero where the start is nearer by far."""
        at_zero = self.problem.value_at_zero
        known = self.start.scores is not None
        return at_zero, at_zero if known else _without_weights(self.problem, iterate)[1].gap

    def is_done(self):
        """Whether the target is met, and where it is tight, the closing step taken.

        Or is met but for the rounding of the weights, again and again.
        """
        if self.best_gap > self.target or self._awaits_zeros():
            return False
        if not self.solution().converged:
            self.n_lost += 1
            return self.n_lost >= MOST_LOST
        self.closing = self.tight and not self.closing and self.n_iter > 1
        return not self.closing

    def _awaits_zeros(self):
        """Whether the next iterates may do without weights that this one can't do without."""
        *_, margin = self.swept()
        if not self.refits or margin == MARGINS[0]:
            return False
        spent = self.effort.spent(self.n_iter)
        if self.waiting is None:
            self.waiting = Waiting(spent)
        return self.waiting.goes_on(self.best_gap, spent)

    def _refit(self, problem, coef, intercept, dual):
        """Weights and intercept nearer to the optimum of a part of the problem than asked for.

        With the wait before it may cost as much as the fit did, or a second or two.
        """
        spent = self.effort.spent(self.n_iter)
        first = self.waiting.first if self.waiting else spent
        most = max((1 + REFIT_EFFORT) * first - spent, FREE_EFFORT)
        limit = EffortLimit(problem.data.passes, most)
        settings = {"tol": 0.1 * self.tol, "max_iter": MAX_REFIT, "dtype": self.dtype}
        settings |= {"solver": choose_sparse(problem), "observer": limit, "refits": False}
        iterate = solve(problem, Start(coef, intercept, dual.copy()), **settings).iterate
        return iterate.coef, iterate.intercept

    def swept(self):
        """The best point without small weights, its certificate, and how small those were."""
        if self._swept is None:
            best = self._best_of_all()
            stored = rounded(self.problem, best, self.dtype)
            missed = stored[1].gap > self.target
            if missed and stored[1].objective > self.problem.value_at_zero:
                stored = _without_weights(self.problem, best)
            self._swept = with_zeros(self.problem, *stored, self.target, self.dtype)
        return self._swept

    def _best_of_all(self):
        """The best point; no weights where it misses the target and is worse than they are."""
        best, problem = self.best or _at_start(self.problem, self.start), self.problem
        if self.best_gap <= self.target or problem.objective(best) <= problem.value_at_zero:
            return best
        return _without_weights(problem, best)[0]

    def solution(self):
        """What the fit ends with if it ends here: the best point as it will be stored."""
        if self._solution is None:
            problem, (stored, certificate, margin) = self.problem, self.swept()
            if self.refits and margin == np.inf and certificate.gap <= self.target:
                found = fitted_anew(problem, stored, certificate, self.target, self._refit)
                stored, certificate = found or (stored, certificate)
            self._solution = Solution(
                iterate=stored,
                objective=certificate.objective,
                gap=certificate.gap,
                converged=certificate.gap <= self.target,
                history=self.history.arrays(),
                scale=certificate.scale,
            )
        return self._solution


def solve(
    problem, start, *, tol, max_iter, dtype, verbose=0, observer=None, solver=None, refits=True
):
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
    observer : Observer, optional
        Its time and its passes over X do not enter the history.
    solver : callable, optional
        That of `choose(problem)`, if it has solved a problem that differs in the penalty alone.
    refits : bool
        Whether weights may be fitted anew for the sake of zeros.

    Returns
    -------
    Solution
    """
    settings = {"tol": tol, "dtype": dtype, "verbose": verbose, "refits": refits}
    progress = Progress(problem, start, **settings)
    interrupted = stopped = False
    try:
        iterates = (solver or choose(problem))(problem, start)
        stopped = _advance(progress, iterates, max_iter, observer or Observer())
    except KeyboardInterrupt:
        if progress.best is None:
            raise
        interrupted = True
    return replace(progress.solution(), interrupted=interrupted, stopped=stopped)


def _advance(progress, iterates, max_iter, observer):
    """Take iterates until the fit is done; whether the observer has ended it."""
    while progress.n_iter < max_iter:
        with progress.history.paused():
            observer.begin(progress.solution)
        iterate = next(iterates, None)
        if iterate is None:
            observer.end(None)
            return False
        progress.add(iterate)
        done = progress.is_done()
        with progress.history.paused():
            stop = observer.end(progress.solution)
        if done or stop:
            return not done
    return False


class LowerBound:
    """Certifies iterates by the best dual point seen so far, theirs or an earlier one."""

    def __init__(self, problem):
        self.problem = problem
        self.best = None
        self.value = -np.inf

    def certify(self, iterate):
        """The iterate with the better dual point, and its certificate."""
        certificate = certify_at_best(self.problem, iterate)
        value = certificate.objective - certificate.gap
        if value < self.value:
            better = replace(iterate, dual=self.best.dual, correlation=self.best.correlation)
            earlier = certify_at_best(self.problem, better)
            # The bounds may differ by less than the rounding of the objective.
            if earlier.gap < certificate.gap:
                return better, earlier
        self.best, self.value = iterate, value
        return iterate, certificate


def _at_start(problem, start):
    """The start, with the dual point zero: it proves that no loss is negative."""
    scores = problem.scores(start.coef, start.intercept)
    dual, correlation = np.zeros_like(scores), np.zeros_like(start.coef)
    return Iterate(start.coef, start.intercept, scores, dual, correlation)


def _without_weights(problem, iterate):
    """W = 0, b = 0, with the dual point of an iterate; and the certificate."""
    zero = Iterate(
        np.zeros_like(iterate.coef),
        np.zeros_like(iterate.intercept),
        np.zeros_like(iterate.scores),
        iterate.dual,
        iterate.correlation,
        (problem.loss, problem.value_at_zero),
    )
    return zero, certify_at_best(problem, zero)
