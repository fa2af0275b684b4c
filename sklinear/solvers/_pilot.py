"""A first approach on a sample of the rows.

Far from the optimum all samples tell much the same; what a fit on a few of them has learnt (the
weights and a Hessian with its corrections) spares most of the steps on all.
"""

from dataclasses import replace

import numpy as np

from .._sampling import FEW, LEAST_SIZE, draw_from_classes, draw_weighty

FEWEST_ROWS = 2500
ROWS_PER_FEATURE = 10
MOMENT_RATIO, LARGER_RATIO = 1.4, 2.0
LEAST_SHRINKAGE = 4
ENOUGH = 3e-3  # gain of a step, of F(0)
MAX_STEPS = 15


def pilot_rows(problem):
    """How many rows the sample has, or None where it would not be much smaller than all."""
    n, d = problem.data.shape
    rows = max(FEWEST_ROWS, ROWS_PER_FEATURE * d, FEW * problem.n_classes)
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


def elsewhere(problem, n_rows):
    """The objective of an iterate on so many rows, one at random from each part of all."""
    rows = draw_weighty(problem.weights, n_rows)
    weights = problem.weights[rows] / problem.weights[rows].sum()
    data, labels = problem.data.take(rows), problem.labels[rows]
    other = replace(problem, data=data, labels=labels, weights=weights)

    def objective(iterate):
        scores = other.scores(iterate.coef, iterate.intercept)
        return other.objective(replace(iterate, scores=scores, loss_value=None))

    return objective


def represents(small, problem, most=MOMENT_RATIO):
    """Whether a sample knows the size of every feature that the penalty does not rule.

    Of many features that few rows have, a sample sees too few: their weights would grow until
    they are sure of what holds for those.
    """
    whole, part = problem.mean_squares, small.mean_squares
    matters = problem.loss.bend * np.maximum(whole, part) > np.ravel(problem.penalty.l2s)
    alike = (whole <= most * part) & (part <= most * whole)
    return bool(alike[matters].all())


def forgiving(problem):
    """Whether a sample may know less: it leaves neither a support nor a set of active samples."""
    return problem.penalty.l1 == 0 and not problem.loss.curvature_jumps


def approach(problem, stepper, start, slack):
    """(weights, intercept) after a few steps on a sample, as far as they gain much.

    Where the sample knows some features less well, what they gain is seen on other rows.  None
    where there is no such sample, or the start is not zero.  The first intercept may cost `slack`
    more than the best one.
    """
    n_rows = pilot_rows(problem)
    if n_rows is None or start.dual is not None or start.coef.any():
        return None
    small = sample(problem, n_rows)
    objective = small.objective
    if not represents(small, problem, MOMENT_RATIO):
        if not (forgiving(problem) and represents(small, problem, LARGER_RATIO)):
            return None
        objective = elsewhere(problem, n_rows)
    iterate = small.evaluate(start.coef, start.intercept, slack=slack)
    value = objective(iterate)
    for _ in range(MAX_STEPS):
        following = stepper.step(small, iterate)
        if following is None:
            break
        before, value = value, objective(following)
        if value < before:
            iterate = following
        if before - value < ENOUGH * problem.value_at_zero:
            break
    stepper.enlarge()
    return iterate.coef, iterate.intercept
