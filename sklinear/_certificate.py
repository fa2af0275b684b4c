"""The referee: a duality gap for any iterate of any problem.

    D(G) = -sum_i p_i conjugate(g_i) - sum_jk (|A_jk| - l1)_+^2 / (2 l2),    A = X^T diag(p) G

subject to sum_i p_i g_i = 0 when there is an intercept, to A_j = 0 for the features j that no
penalty holds, and to |A_jk| <= l1 where l2 = 0.
D is at most the smallest value of F, so F(W, b) - D(G) bounds the distance to the optimum.
The gap is computed as a sum of terms of which none is negative, never as a difference.
"""

from dataclasses import dataclass

from scipy.optimize import brentq

DISTANCES = (1e-6, 1e-4, 1e-2, 0.1, 0.5)  # of the best scale from one
RELATIVE = 1e-3


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
    if penalty.l2 == 0:
        # One part in 1e15 less: rounding must not lift t A above l1.
        largest = min(largest, (1 - 1e-15) * penalty.largest_scale(iterate.correlation))
    if not search:
        return min(1.0, largest)
    penalty_slope = penalty.dual_slope(iterate.correlation) if penalty.l2 > 0 else None

    def slope(t):
        _, value = problem.loss.conjugate(problem.labels, problem.weights, iterate.dual, t)
        if penalty_slope is not None:
            value += penalty_slope(t)
        return -value

    return _root(slope, largest)


def _root(slope, largest):
    """Where a decreasing function on [0, largest] changes its sign (an end if it does not)."""
    high, near = min(1.0, largest), 1e-15
    if slope(high) < 0:
        low, high, near = _bracket_below(slope, high)
    else:
        low = high
        while high < largest and high < 1e3 and slope(high) > 0:
            low, high = high, min(2 * high, largest)
        if slope(high) >= 0:
            return high
    # SciPy wraps a function in one that refers to itself: what that holds stays until the next
    # garbage collection, so it must not hold the iterate.
    held = [slope]
    try:
        return brentq(
            lambda t: held[0](t), low, high, xtol=near, rtol=1e-14, maxiter=60, disp=False
        )
    finally:
        held.clear()


def _bracket_below(slope, top):
    """Two arguments below `top` that enclose the root, and to what precision it is worth finding.

    D is flat at its maximum: a thousandth of the way from `top` costs a millionth of what the
    scale gains.
    """
    high, near = top, RELATIVE * DISTANCES[0]
    for distance in DISTANCES:
        low = top * (1 - distance)
        if slope(low) >= 0:
            return low, high, near * top
        high, near = low, RELATIVE * distance
    low = high
    while slope(low) < 0 and low > 1e-200:
        low, high = 1e-3 * low, low
    return low, high, RELATIVE * low
