"""The best intercept at given scores."""

import numpy as np

from ._cholesky import diagonal_of
from ._line_search import line_search
from ._sampling import draw_weighty

BALANCED = 1e-15  # of the mean dual point: what rounding leaves
TINY = 1e-12  # may be no more than that
MAX_COARSE = 3
DEAR, FEW_ROWS, ROWS_PER_CLASS, MAX_ROUGH = 5e7, 2000, 4, 6
QUADRATIC = 1e-15
FLAT = 1e-13  # of the largest curvature: what keeps a factorisation from rounding to zero
ROUNDING = 1e-26  # of the value, of a Newton decrement squared


def best_shift(problem, scores, known=None, slack=0.0, max_steps=100):
    """argmin over b of the loss at `scores + b` (sum of b is 0), by Newton's method.

    `known` are the loss and the natural dual point at the scores.  Works on the scores alone.

    Returns
    -------
    shift : ndarray of shape (C,)
    value, dual : float and ndarray of shape (n, C)
        The loss and the natural dual point there.
    residual : ndarray of shape (C,)
        The derivative there, sum_i p_i g_i.
    """
    loss, labels, weights = problem.loss, problem.labels, problem.weights
    shift = np.zeros(problem.n_classes)
    value, dual = known or loss.value_and_dual(scores, labels, weights)
    residual = weights @ dual
    for number in range(max_steps):
        if loss.gain_of_shift(residual, problem.frequencies) <= slack:
            break
        largest = np.abs(residual).max()
        if largest <= TINY and largest <= BALANCED * (weights @ np.abs(dual)).max():
            break
        coarse = None
        if number < MAX_COARSE:
            coarse = loss.coarse_shift(residual, problem.frequencies)
        if coarse is not None:
            shift += coarse
            value, dual, residual = loss.value_at_shift(scores, shift, labels, weights)
            continue
        rough = number < MAX_ROUGH and _is_dear(problem)
        direction = -_solve_on_sum_zero(_mean_curvature(problem, dual, rough), residual)
        start = value, residual @ direction
        if -start[1] <= ROUNDING * max(value, 1e-6):
            break
        step, found = _shift_step(problem, scores, shift, direction, start)
        if not step * np.abs(direction).max() > 1e-16 * max(1.0, np.abs(shift).max()):
            break
        shift += step * direction
        value, dual, residual = found
        # The next step would gain about the square of what this one did.
        quadratic = step == 1 and not rough
        if quadratic and -start[1] < max(slack, QUADRATIC * max(value, 1e-6)):
            break
    return shift - shift.mean(), value, dual, residual


def one_step(problem, scores, known, mean, slack):
    """A Newton step to it where the mean curvature is known, as `best_shift` returns it.

    None where that gains less than `slack`.
    """
    value, dual = known
    residual = problem.weights @ dual
    if problem.loss.gain_of_shift(residual, problem.frequencies) <= slack:
        return None
    shift = -_solve_on_sum_zero(mean, residual)
    found = problem.loss.value_at_shift(scores, shift, problem.labels, problem.weights)
    return (shift, *found) if found[0] < value else None


def _is_dear(problem):
    """Whether the mean curvature, n C^2 operations, is taken of some samples in the first steps.

    That of losses whose curvature jumps costs less, and says less of other samples.
    """
    n, n_classes = len(problem.labels), problem.n_classes
    return not problem.loss.curvature_jumps and n * n_classes**2 > DEAR


def _mean_curvature(problem, dual, rough):
    """sum_i p_i M_i, shape (C, C), of some samples where it may be rough."""
    rows, labels, weights = slice(None), problem.labels, problem.weights
    if rough:
        rows = draw_weighty(weights, max(FEW_ROWS, ROWS_PER_CLASS * problem.n_classes))
        weights = weights / weights[rows].sum()
    return problem.loss.mean_curvature(dual[rows], labels[rows], weights[rows])


def _solve_on_sum_zero(matrix, rhs):
    """Solve a positive semi-definite system whose null space holds the vector of ones.

    A class with next to no curvature (its dual variables at a bound) would go to infinity;
    it gets as much as makes its step about ten, which is far on the scale of scores.
    """
    size = len(rhs)
    diagonal = matrix.diagonal()
    level = max(diagonal.mean(), np.abs(rhs).max())
    system = matrix + level / size
    diagonal_of(system)[:] += np.maximum(FLAT * level, 0.1 * np.abs(rhs) - diagonal)
    solution = np.linalg.solve(system, rhs)
    return solution - solution.mean()


def _shift_step(problem, scores, shift, direction, start):
    """Step of a shift along a direction, and what `value_at_shift` tells there."""
    tried = {}

    def value_and_slope(step):
        state = problem.labels, problem.weights
        found = problem.loss.value_at_shift(scores, shift + step * direction, *state)
        tried.clear()
        tried[step] = found
        return found[0], found[2] @ direction

    step = line_search(value_and_slope, start)
    if step > 0 and step not in tried:
        value_and_slope(step)
    return step, tried.get(step)
