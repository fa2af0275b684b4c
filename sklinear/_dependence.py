"""Free features that rounding does not let be told from combinations of each other.

A feature without a penalty is a constraint of the dual, X_j^T diag(p) G = 0, that holds to
rounding.  Where two such features are nearly the same, weights on their difference may be as large
as that is small, and what they could gain is lost in the rounding of the constraints.
"""

import warnings

import numpy as np
from scipy.linalg import qr
from sklearn.exceptions import ConvergenceWarning

from ._gram import triangle

HIDDEN, KNOWN = 1e-13, 3e-9  # size of a combination, by that of the features


def warn_of_near_dependence(problem):
    """Name one where there is any; a difference that is rounding itself counts as none."""
    free = problem.penalty.free
    if len(free) == 0:
        return
    sizes, order = _independent_sizes(problem, free)
    near = (sizes > HIDDEN) & (sizes < KNOWN)
    if not near.any():
        return
    place = np.flatnonzero(near)[0]
    of_feature = order[place] < len(free)
    name = f"Feature {free[order[place]]}" if of_feature else "The intercept"
    warnings.warn(
        f"{name}, which has no penalty, is a combination of features that have none (or of the "
        f"intercept), but for {sizes[place]:.1g} of its size. That is so little that dual_gap_ "
        "does not count what weights on this difference could gain. Leave one of the features "
        "out, replace it by the difference, or give it a small penalty_factor.",
        ConvergenceWarning,
        stacklevel=6,
    )


def _independent_sizes(problem, free):
    """Of each column, the part that those before it don't tell, by its size; and their order.

    The columns are the free features and, with an intercept, a constant one.
    """
    data, width = problem.data, len(free) + problem.fit_intercept
    root = np.sqrt(problem.weights)[:, None]
    blocks = (root[rows] * data.columns(rows, free)[:, :width] for rows in data.blocks(width))
    factor = triangle(blocks, width)
    sizes = np.linalg.norm(factor, axis=0)
    units = factor / np.where(sizes > 0, sizes, 1.0)
    pivots, order = qr(units, mode="r", pivoting=True)
    return np.abs(np.diagonal(pivots)), order
