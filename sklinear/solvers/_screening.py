"""The hinge followed with few of many features, as long as the others can do without a weight.

On the way from one alpha to the next those are left out whose correlations are farther from l1
than they may move if they do so no faster than l1.  That is a guess.  It is looked at where the
way ends: if a correlation left out is beyond l1 there, the way is gone again with it.

References
----------
Tibshirani, Bien, Friedman, Hastie, Simon, Taylor and Tibshirani, Strong rules for discarding
predictors in lasso-type problems, JRSS B 74, 2012.
"""

import numpy as np

from .._active_set import ActiveSet
from .._following import follow

LONGEST = 1.2  # ratio of two alphas
BEYOND = 1 + 1e-9  # of l1
SHARED = ("labels", "demand", "bound", "alpha", "level", "softness", "operations")
OF_PAIRS = ("x", "violation", "side")
OF_WEIGHTS = ("l1", "bend", "tilt", "theta", "correlation", "sign")


def follow_with_few(state, alpha, most, make_room):
    """As `follow`; `make_room` gives a state its lists and matrices."""
    total, ratio = 0, state.alpha / alpha
    n_steps = max(1, int(np.ceil(abs(np.log(ratio)) / np.log(LONGEST))))
    for step in alpha * ratio ** (np.arange(n_steps)[::-1] / n_steps):
        count = _follow_once(state, step, most, make_room)
        if count < 0:
            return -1
        total += count
    return total


def _follow_once(state, alpha, most, make_room):
    total, kept = 0, _strong(state, alpha)
    while True:
        part = _restricted(state, np.flatnonzero(kept), make_room)
        count = follow(part, alpha, most)
        state.operations = part.operations
        if count < 0:
            return -1
        total += count
        correlation = correlation_of(*map(np.asarray, (part.x, part.labels, state.rows)))
        missed = ~kept & (np.abs(correlation) > BEYOND * alpha * np.asarray(state.l1)).any(axis=0)
        if not missed.any():
            _take_back(state, part, np.flatnonzero(kept), correlation)
            return total
        kept |= missed


def _strong(state, alpha):
    """Which features may get a weight on the way to an alpha, or have one."""
    slack = alpha - abs(state.alpha - alpha)
    near = np.abs(state.correlation) >= slack * np.asarray(state.l1)
    return (near | (np.asarray(state.sign) != 0)).any(axis=0)


def _restricted(state, kept, make_room):
    """A state with some of the features, and lists of its own."""
    part = ActiveSet()
    for name in SHARED:
        setattr(part, name, getattr(state, name))
    for name in OF_PAIRS:
        setattr(part, name, np.array(getattr(state, name)))
    for name in OF_WEIGHTS:
        setattr(part, name, np.ascontiguousarray(np.asarray(getattr(state, name))[:, kept]))
    part.rows = np.ascontiguousarray(np.asarray(state.rows)[:, kept])
    part.columns, part.ridge = np.asarray(state.columns)[kept], np.asarray(state.ridge)[kept]
    make_room(part)
    part.n_kinks = state.n_kinks
    part.kinks[: part.n_kinks] = state.kinks[: part.n_kinks]
    return part


def correlation_of(x, labels, rows):
    """M^T x of features given for each sample, shape (C, D)."""
    right = np.arange(len(x))[:, None] == labels
    return np.where(right, -x.sum(axis=0), x) @ rows


def _take_back(state, part, kept, correlation):
    """Bring a state to where one with some of the features is."""
    for name in (*OF_PAIRS, "alpha", "n_kinks", "kinks"):
        setattr(state, name, getattr(part, name))
    for name in ("theta", "sign"):
        np.asarray(getattr(state, name))[:, kept] = getattr(part, name)
    state.n_support, state.correlation = part.n_support, correlation
