"""Difference quotients beside a gradient, and the kinks that spoil them."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.random import sample_without_replacement

# What rounding may leave of a value in the difference of slopes below, with room to spare.
ROUNDING = 256 * np.finfo(np.float64).eps
PARTS = np.array([1.0, 0.5, 0.25])  # of a step
SHOWN = 10


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """A gradient beside difference quotients; ``print`` shows the worst coordinates.

    Attributes
    ----------
    names : list of str
        What the coordinates are, for instance "coef_[2, 5]".
    indices : ndarray of shape (n_checked, n_dimensions), int
        Where they are in the array that was checked.
    analytic : ndarray of shape (n_checked,)
        The gradient.
    numeric : ndarray of shape (n_checked,)
        Centred difference quotients.
    relative_error : ndarray of shape (n_checked,)
        ``|analytic - numeric|`` by the larger of both; below `tol` where rounding explains it.
    near_kink : ndarray of shape (n_checked,), bool
        Where a kink lies within a step, and the quotient means nothing.
    tol : float
        The relative error allowed.
    """

    names: list[str]
    indices: np.ndarray
    analytic: np.ndarray
    numeric: np.ndarray
    relative_error: np.ndarray
    near_kink: np.ndarray
    tol: float

    @property
    def max_relative_error(self):
        """The largest one away from kinks; NaN if every coordinate is near one."""
        usable = self.relative_error[~self.near_kink]
        return float(usable.max()) if len(usable) else np.nan

    @property
    def passed(self):
        """Whether it is at most `tol`; False if every coordinate is near a kink."""
        return bool(self.max_relative_error <= self.tol)

    def __str__(self):
        width = max(len("coordinate"), *map(len, self.names))
        title = f"{'coordinate':<{width}}  {'analytic':>12}  {'numeric':>12}  {'rel. error':>10}"
        order = np.lexsort([-self.relative_error, self.near_kink])
        rows = [self._row(i, width) for i in order[:SHOWN]]
        left_out = len(order) - len(rows)
        more = [f"... and {left_out} more, with smaller errors or near kinks"] if left_out else []
        return "\n".join([title, *rows, *more, self._summary()])

    def _row(self, i, width):
        error = "near kink" if self.near_kink[i] else f"{self.relative_error[i]:.1e}"
        values = f"{self.analytic[i]:>12.5e}  {self.numeric[i]:>12.5e}"
        return f"{self.names[i]:<{width}}  {values}  {error:>10}"

    def _summary(self):
        total, usable = len(self.names), np.count_nonzero(~self.near_kink)
        if not usable:
            return f"failed: all {total} coordinates are near a kink; check at another point"
        verdict, within = ("passed", "within") if self.passed else ("FAILED", "not within")
        error = f"largest relative error {self.max_relative_error:.1e}, {within} {self.tol:.0e}"
        return f"{verdict}: {error}, at the {usable} of {total} coordinates away from kinks"


def sample_indices(shape, n_coordinates, rng):
    """Indices (m, n_dimensions) of so many different entries of an array, in order."""
    size = int(np.prod(shape))
    chosen = sample_without_replacement(size, min(n_coordinates, size), random_state=rng)
    mask = np.zeros(shape, dtype=bool)
    mask.flat[chosen] = True
    return np.argwhere(mask)


def entries(array, indices):
    """Those at some indices (m, n_dimensions), shape (m,); of an array of no dimension too."""
    return np.reshape(array[tuple(indices.T)], len(indices))


def compare(fun, gradient, x, indices, steps, tol, *, names, near_kink=None):
    """The check of some coordinates; kinks are found from the differences if not given.

    Parameters
    ----------
    fun, gradient : callable
        Value and gradient at an array shaped as x.
    x : ndarray
    indices : ndarray of shape (m, x.ndim)
    steps : ndarray of shape (m,)
    tol : float
    names : list of str
    near_kink : ndarray of shape (m,), optional
    """
    value, analytic = fun(x), entries(gradient(x), indices)
    slopes = [_slopes(fun, x, tuple(i), h, value) for i, h in zip(indices, steps, strict=True)]
    numeric, disagreement = np.array(slopes).T
    noise = ROUNDING * abs(value) / steps
    size, difference = np.maximum(np.abs(analytic), np.abs(numeric)), np.abs(analytic - numeric)
    resolved = np.maximum(size, noise / tol)
    explained, error = difference <= noise, np.zeros_like(difference)
    scale = np.where(explained, resolved, size)
    np.divide(difference, scale, out=error, where=difference != 0)
    if near_kink is None:
        near_kink = disagreement > tol / 4 * resolved
    return GradientCheck(names, indices, analytic, numeric, error, near_kink, tol)


def _slopes(fun, x, place, step, value):
    """The slope of f along one coordinate, and by how much f is not smooth within the step.

    The centred quotients c(h) and c(h/2) give the slope, (4 c(h/2) - c(h)) / 3, to order h^4.
    One-sided slopes differ by S(h) = (f(x+h) - 2 f(x) + f(x-h)) / h.  Where f is smooth S halves
    with h; a kink within h makes S(h) - 2 S(h/2) or S(h/2) - 2 S(h/4) a good part of its jump.
    """

    def at(offset):
        moved = x.copy()
        moved[place] += offset
        return fun(moved)

    parts = step * PARTS
    ahead, behind = (np.array([at(sign * h) for h in parts]) for sign in (1, -1))
    centred = (ahead - behind) / (2 * parts)
    jumps = ((ahead - value) - (value - behind)) / parts
    return (4 * centred[1] - centred[0]) / 3, np.abs(jumps[:-1] - 2 * jumps[1:]).max()


def kinks_within(problem, scores, parameters, indices, steps):
    """Which coordinates of [coef, intercept] meet a kink of the objective within their steps.

    Those of the hinge are where a violation changes its sign; there the squared hinge's second
    derivative jumps.  That of the L1 norm is at zero.

    Parameters
    ----------
    problem : Problem
    scores : ndarray of shape (n, C)
    parameters : ndarray of shape (C, d + 1), or (1, d + 1) for two classes
        Weights and, in the last column, the intercept.
    indices : ndarray of shape (m, 2)
    steps : ndarray of shape (m,)
    """
    n_features = problem.shape[0]
    size = np.abs(entries(parameters, indices))
    bent = np.append(np.broadcast_to(np.ravel(problem.penalty.l1s), n_features) > 0, False)
    near = bent[indices[:, 1]] & (size <= steps)
    if problem.loss.smooth and not problem.loss.curvature_jumps:
        return near
    counted = np.flatnonzero(problem.weights)
    room = _room(scores[counted], problem.labels[counted])
    features, place = np.unique(indices[:, 1], return_inverse=True)
    columns = problem.data.columns(counted, features[features < n_features])
    for i, (k, _) in enumerate(indices):
        moved = steps[i] * np.abs(columns[:, place[i]])
        near[i] |= ((moved > 0) & (room[:, k] <= moved)).any()
    return near


def _room(scores, labels):
    """By how much each score may move before a violation changes its sign, shape (n, C)."""
    rows = np.arange(len(labels))
    room = np.abs(1 + scores - scores[rows, labels][:, np.newaxis])
    room[rows, labels] = np.inf
    room[rows, labels] = room.min(axis=1)
    return room
