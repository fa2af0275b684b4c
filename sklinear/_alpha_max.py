"""The smallest alpha whose optimum has all weights at zero that a penalty holds.

With the best weights of the free features and the best intercept, W = 0 for all others is optimal
as long as some optimal dual point has |A| <= alpha * l1_ratio.  That of a smooth loss is unique.
"""

import numpy as np

from ._hinge_at_zero import SmallestCorrelation

NOISE, LEAST = 1e-14, 1e-9  # of the largest |A| that weights and dual point allow


def alpha_max(problem, l1_ratio):
    """The smallest alpha with all-zero weights; for the hinge it may come out a little larger.

    Parameters
    ----------
    problem : Problem
        Its penalty plays no part, but for its factors.
    l1_ratio : float
        In (0, 1].

    Returns
    -------
    float
        max |A| / l1_ratio, each |A_jk| by the penalty factor of the feature.  For the hinge it
        is exact where at most some thousand dual variables are free, else an upper bound: a
        few free ones of a class, with the same free features, are then the same.
        That may be zero (rare classes inside another one); what rounding leaves of A is the
        least it returns.
    """
    if problem.loss.smooth:
        zero = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        dual, correlation = zero.dual, zero.correlation
    else:
        dual, correlation = SmallestCorrelation(problem).solve()
    largest = problem.penalty.relative_size(correlation).max(initial=0.0)
    possible = problem.penalty.relative_size(upper_bounds(problem, dual)).max(initial=0.0)
    if largest <= NOISE * possible and (problem.loss.smooth or not varies(problem)):
        return 0.0
    return float(largest if problem.loss.smooth else max(largest, LEAST * possible)) / l1_ratio


def varies(problem):
    """Whether an intercept does not take the place of all features that have a penalty."""
    if not problem.fit_intercept:
        return True
    means = problem.data.correlate(problem.weights[:, None])[:, 0]
    variances = problem.mean_squares - means**2
    held = np.delete(variances - NOISE * problem.mean_squares, problem.penalty.free)
    return bool((held > 0).any())


def upper_bounds(problem, dual):
    """|A_jk| <= sqrt(sum_i p_i x_ij^2 sum_i p_i g_ik^2)."""
    return np.sqrt(np.outer(problem.mean_squares, problem.weights @ dual**2))
