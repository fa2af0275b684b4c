"""A line search on convex functions."""

import numpy as np


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
    low, high, step = 0.0, np.inf, min(1.0, longest)
    for _ in range(60):
        value, slope = value_and_slope(step)
        flat = abs(slope) <= accuracy * abs(slope_start)
        if flat and value <= ceiling:
            return step
        if slope < 0:
            low = step
        else:
            high = step
        if np.isinf(high):
            if step >= longest:
                return step
            step = min(2 * step, longest)
        elif high - low <= 1e-3 * high and low > 0:
            break
        else:
            step = 0.5 * (low + high)
    return low
