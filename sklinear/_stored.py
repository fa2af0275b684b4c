"""Iterates as users will see them: rounded, and with one choice of what no loss sees."""

import numpy as np

from ._certificate import certify_at_best
from ._problem import Iterate


def rounded(problem, iterate, dtype):
    """The iterate as it will be stored, and its certificate."""
    stored = as_stored(problem, iterate, dtype)
    return stored, certify_at_best(problem, stored)


def as_stored(problem, iterate, dtype):
    """The iterate as it will be stored, its scores computed afresh.

    Weights are rounded to `dtype`; two classes get opposite weights and all intercepts the
    sum zero, which the losses do not see and the penalty does not mind.
    """
    coef = iterate.coef
    if problem.n_classes == 2:
        half = 0.5 * (coef[:, 1] - coef[:, 0])
        coef = np.column_stack([-half, half])
    coef = coef.astype(dtype).astype(np.float64)
    intercept = stored_intercept(iterate.intercept, dtype)
    scores = problem.scores(coef, intercept)
    return Iterate(coef, intercept, scores, iterate.dual, iterate.correlation)


def stored_intercept(intercept, dtype):
    """With the sum zero, rounded to `dtype`."""
    return (intercept - intercept.mean()).astype(dtype).astype(np.float64)
