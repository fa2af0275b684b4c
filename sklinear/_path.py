"""The optima of one problem along falling penalties."""

from dataclasses import replace

import numpy as np

from ._driver import Start, solve

LEAST_L1_RATIO = 1e-3  # of the grid: without an L1 part no finite alpha has all weights at zero


def penalised(problem, alpha, l1_ratio):
    """The same problem with the elastic net of this alpha and l1_ratio."""
    # Two classes: the penalty is on v, and W = (-v/2, v/2) has half its square.
    l2 = alpha * (1 - l1_ratio) * (2 if problem.n_classes == 2 else 1)
    return replace(problem, penalty=replace(problem.penalty, l1=alpha * l1_ratio, l2=float(l2)))


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
    if start is None:
        start = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
    for alpha in alphas:
        solution = solve(
            penalised(problem, alpha, l1_ratio),
            start,
            tol=tol,
            max_iter=max_iter,
            dtype=dtype,
            verbose=verbose,
        )
        yield solution
        iterate = solution.iterate
        dual = None if problem.loss.smooth else iterate.dual.copy()
        start = Start(iterate.coef, iterate.intercept, dual)
