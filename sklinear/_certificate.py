"""The referee: a duality gap for any iterate of any problem.

    D(G) = -sum_i p_i conjugate(g_i) - sum_jk (|A_jk| - l1)_+^2 / (2 l2),    A = X^T diag(p) G

subject to sum_i p_i g_i = 0 when there is an intercept, to A_j = 0 for the features j that no
penalty holds, and to |A_jk| <= l1 where l2 = 0.
D is at most the smallest value of F, so F(W, b) - D(G) bounds the distance to the optimum.
The gap is computed as a sum of terms of which none is negative, never as a difference.
"""

from dataclasses import dataclass

import numpy as np

LARGEST = 1e3  # scale that is tried
MAX_STEPS = 100
NEAR, RELATIVE = 1e-9, 1e-3  # of the scale, and of its way from one
GROWTH, SHRINKAGE = 2.0, 1e-2  # where Newton's step leads too far


@dataclass(frozen=True)
class Certificate:
    """What is proved of an iterate.

    Attributes
    ----------
    objective : float
        F(W, b).
    gap : float
        F(W, b) - D(t G) >= F(W, b) - min F >= 0.
    scale : float
        The factor t applied to the dual point.
    """

    objective: float
    gap: float
    scale: float


def certify(problem, iterate, search=True):
    """Certificate of an iterate whose dual point is balanced; no pass over X.

    Without a search the dual point is scaled only as far as it must be to be feasible.
    """
    scale = best_scale(problem, iterate, search)
    value, loss_gap = problem.loss.value_and_gap(
        iterate.scores, problem.labels, problem.weights, iterate.dual, scale
    )
    penalty_gap = problem.penalty.fenchel_young(iterate.coef, scale * iterate.correlation)
    objective = value + problem.penalty.value(iterate.coef)
    return Certificate(objective, loss_gap + penalty_gap, scale)


def certify_at_best(problem, iterate):
    """The certificate, by the dual point zero where that proves more: no loss is negative."""
    found = certify(problem, iterate)
    if found.gap <= found.objective:
        return found
    return Certificate(found.objective, found.objective, 0.0)


def best_scale(problem, iterate, search=True):
    """The t >= 0 that maximises D(t G).

    At l2 = 0 the constraint |t A| <= l1 bounds t; otherwise D is concave and smooth in t and
    its slope is searched for a root; without a search, t is 1 or the bound.
    """
    penalty = problem.penalty
    largest = problem.loss.largest_scale(iterate.dual)
    if penalty.l1 == 0 and largest >= 1:
        return 1.0
    largest = feasible_scale(penalty, iterate.correlation, largest)
    if not search:
        return min(1.0, largest)
    penalty_slope = penalty.dual_slope(iterate.correlation) if penalty.l2 > 0 else None

    def derivatives(t):
        _, slope, bend = problem.loss.conjugate(problem.labels, problem.weights, iterate.dual, t)
        if penalty_slope is not None:
            slope, bend = np.add((slope, bend), penalty_slope(t))
        return -slope, -bend

    return _highest(derivatives, min(largest, LARGEST))


def feasible_scale(penalty, correlation, largest):
    """`largest`, or at l2 = 0 the largest t with |t A| <= l1 where that is smaller."""
    if penalty.l2 > 0:
        return largest
    # One part in 1e15 less: rounding must not lift t A above l1.
    return min(largest, (1 - 1e-15) * penalty.largest_scale(correlation))


def _highest(derivatives, largest):
    """Where a concave function on (0, largest] is highest, by Newton's method from one.

    It is flat there: a thousandth of the way from one costs a millionth of what the way gains.
    """
    low, high = 0.0, np.inf
    start = t = min(1.0, largest)
    for _ in range(MAX_STEPS):
        slope, bend = derivatives(t)
        low, high = (low, t) if slope < 0 else (t, high)
        if slope == 0 or low == largest:
            break
        following = min(_newton(t, slope, bend, (low, high)), largest)
        near = max(NEAR * t, RELATIVE * min(abs(following - start), following))
        if abs(following - t) <= near:
            return following
        t = following
    return t


def _newton(t, slope, bend, bracket):
    """Newton's step to the root of a slope, inside the bracket."""
    low, high = bracket
    following = t - slope / bend if bend < 0 else np.copysign(np.inf, slope)
    if following > 0 and low <= following <= min(high, GROWTH * t):
        return following
    if high == np.inf:
        return GROWTH * t
    return SHRINKAGE * high if low == 0 else np.sqrt(low * high)
