"""A first approach on a sample of the rows.

Far from the optimum all samples tell much the same; what a fit on a few of them has learnt (the
weights and a Hessian with its corrections) spares most of the steps on all.
"""

from dataclasses import replace

import numpy as np

from ._sampling import LEAST_SIZE, draw_from_classes

FEWEST_ROWS = 2500
ROWS_PER_FEATURE = 10
MOMENT_RATIO, MOMENT_RATIO_SMOOTH = 1.4, 2.0
LEAST_SHRINKAGE = 4
ENOUGH = 3e-3  # gain of a step, of F(0)
MAX_STEPS = 15


def pilot_rows(problem):
    """How many rows the sample has, or None where it would not be much smaller than all."""
    n, d = problem.data.shape
    rows = max(FEWEST_ROWS, ROWS_PER_FEATURE * d)
    return rows if n >= LEAST_SHRINKAGE * rows else None


def sample(problem, n_rows):
    """The same problem on some rows of each class, which keep the weight of the class.

    They are drawn by size: heavy tails and rare levels of a factor are in few rows.
    """
    sizes = problem.weights * (LEAST_SIZE + problem.row_sizes)
    rows, factors = draw_from_classes(problem.labels, sizes, n_rows)
    labels, weights = problem.labels[rows], factors * problem.weights[rows]
    kept = np.bincount(labels, weights, minlength=problem.n_classes)
    lost = np.divide(problem.frequencies, kept, out=np.zeros_like(kept), where=kept > 0)
    weights *= lost[labels]
    return replace(problem, data=problem.data.take(rows), labels=labels, weights=weights)


def represents(small, problem):
    """Whether a sample knows the size of every feature that the penalty does not rule.

    Of many features that few rows have, a sample sees too few: their weights would grow until
    they are sure of what holds for those.  Supports and active
    samples, which are kept, must be closer to those of all rows.
    """
    smooth = problem.penalty.l1 == 0 and not problem.loss.curvature_jumps
    most = MOMENT_RATIO_SMOOTH if smooth else MOMENT_RATIO
    whole, part = problem.mean_squares, small.mean_squares
    matters = problem.loss.bend * np.maximum(whole, part) > np.ravel(problem.penalty.l2s)
    alike = (whole <= most * part) & (part <= most * whole)
    return bool(alike[matters].all())


def approach(problem, stepper, start, slack):
    """(weights, intercept) after a few steps on a sample, as far as they gain much.

    None where there is no such sample, or the start is not zero.  The first intercept may cost
    `slack` more than the best one.
    """
    n_rows = pilot_rows(problem)
    if n_rows is None or start.dual is not None or start.coef.any():
        return None
    small = sample(problem, n_rows)
    if not represents(small, problem):
        return None
    iterate = small.evaluate(start.coef, start.intercept, slack=slack)
    for _ in range(MAX_STEPS):
        following = stepper.step(small, iterate)
        if following is None:
            break
        gain = small.objective(iterate) - small.objective(following)
        iterate = following
        if gain < ENOUGH * problem.value_at_zero:
            break
    stepper.enlarge()
    return iterate.coef, iterate.intercept
