"""A line search on convex functions."""

import numpy as np

MAX_TRIALS = 60
LEAST_BRACKET = 1e-3  # of its upper end
LEAST_GROWTH, MOST_GROWTH = 2.0, 10.0  # of a step that is too short
MARGIN = 0.1  # of a bracket


def line_search(value_and_slope, start, longest=1024.0, accuracy=0.5):
    """A step t that lowers convex phi, with |phi'(t)| <= accuracy |phi'(0)|; 1 is tried first.

    Parameters
    ----------
    value_and_slope : callable
        phi(t), phi'(t).
    start : tuple of float
        phi(0), phi'(0); a step of 0 is returned unless phi'(0) is negative.
    longest : float
        No longer step is taken.

    Notes
    -----
    Where phi' jumps over zero (kinks), the last step with phi' < 0 is returned, so phi
    always falls.
    """
    value_start, slope_start = start
    if not slope_start < 0:
        return 0.0
    ceiling = value_start + 4 * np.finfo(float).eps * abs(value_start)
    low, high, step = (0.0, slope_start), (np.inf, np.inf), min(1.0, longest)
    for trial in range(MAX_TRIALS):
        value, slope = value_and_slope(step)
        flat = abs(slope) <= accuracy * abs(slope_start)
        if flat and value <= ceiling:
            return step
        if slope < 0:
            low = step, slope
        else:
            high = step, slope
        if np.isinf(high[0]):
            if step >= longest:
                return step
            step = min(_beyond(step, slope, slope_start), longest)
        elif high[0] - low[0] <= LEAST_BRACKET * high[0] and low[0] > 0:
            break
        else:
            step = _between(low, high, halve=trial % 3 == 2)
    return low[0]


def _beyond(step, slope, slope_start):
    """Where a line through the first slope and that at a step is zero, within bounds."""
    root = np.inf
    if slope > slope_start:
        root = step * slope_start / (slope_start - slope)
    return min(max(root, LEAST_GROWTH * step), MOST_GROWTH * step)


def _between(low, high, halve):
    """Where a line through the slopes at the ends of a bracket is zero; its middle at times.

    Slopes that jump, or grow beyond all bounds, may keep such points at one end for ever.
    """
    (left, slope_left), (right, slope_right) = low, high
    share = 0.5
    if not halve and np.isfinite(slope_right):
        share = slope_left / (slope_left - slope_right)
    return left + min(max(share, MARGIN), 1.0 - MARGIN) * (right - left)
