"""The best intercept at given scores."""

import numpy as np

from ._cholesky import diagonal_of
from ._line_search import line_search

BALANCED = 1e-15  # of the mean dual point: what rounding leaves
TINY = 1e-12  # may be no more than that
MAX_COARSE = 3
QUADRATIC = 1e-15
ROUNDING = 1e-26  # of the value, of a Newton decrement squared


def best_shift(problem, scores, known=None, slack=0.0, max_steps=100):
    """argmin over b of the loss at `scores + b` (sum of b is 0), by Newton's method.

    `known` are the loss and the natural dual point at the scores.  Returns the shift (C,), the
    loss and the natural dual point there.  Works on the scores alone.
    """
    loss, labels, weights = problem.loss, problem.labels, problem.weights
    shift = np.zeros(problem.n_classes)
    value, dual = known or loss.value_and_dual(scores, labels, weights)
    for number in range(max_steps):
        gradient = weights @ dual
        if loss.gain_of_shift(gradient, problem.frequencies) <= slack:
            break
        largest = np.abs(gradient).max()
        if largest <= TINY and largest <= BALANCED * (weights @ np.abs(dual)).max():
            break
        coarse = loss.coarse_shift(dual, labels, weights) if number < MAX_COARSE else None
        if coarse is not None:
            shift += coarse
            value, dual = loss.value_and_dual(scores + shift, labels, weights)
            continue
        curvature = loss.curvature_at(dual, labels, weights).mean()
        direction = -_solve_on_sum_zero(curvature, gradient)
        start = value, gradient @ direction
        if -start[1] <= ROUNDING * max(value, 1e-6):
            break
        step, trial_value, trial = _shift_step(problem, scores, shift, direction, start)
        if not step * np.abs(direction).max() > 1e-16 * max(1.0, np.abs(shift).max()):
            break
        shift += step * direction
        value, dual = trial_value, trial
        # The next step would gain about the square of what this one did.
        if step == 1 and -start[1] < max(slack, QUADRATIC * max(value, 1e-6)):
            break
    return shift - shift.mean(), value, dual


def _solve_on_sum_zero(matrix, rhs):
    """Solve a positive semi-definite system whose null space holds the vector of ones.

    A class with next to no curvature (its dual variables at a bound) would go to infinity;
    it gets as much as makes its step about ten, which is far on the scale of scores.
    """
    size = len(rhs)
    diagonal = matrix.diagonal()
    level = max(diagonal.mean(), np.abs(rhs).max())
    system = matrix + level / size
    diagonal_of(system)[:] += np.maximum(1e-15 * level, 0.1 * np.abs(rhs) - diagonal)
    solution = np.linalg.solve(system, rhs)
    return solution - solution.mean()


def _shift_step(problem, scores, shift, direction, start):
    """Step of a shift of all the scores along a direction, the value and the dual point there."""
    tried = {0.0: (start[0], None)}

    def value_and_slope(step):
        value, dual = problem.loss.value_and_dual(
            scores + (shift + step * direction), problem.labels, problem.weights
        )
        tried.clear()
        tried[step] = value, dual
        return value, (problem.weights @ dual) @ direction

    step = line_search(value_and_slope, start)
    if step > 0 and step not in tried:
        value_and_slope(step)
    return step, *tried.get(step, (start[0], None))
