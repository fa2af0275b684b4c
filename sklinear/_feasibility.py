"""Make a dual point feasible: inside the domain of the conjugate, and balanced.

Balanced means sum_i p_i g_i = 0, as an unpenalised intercept demands.  Both balancing repairs
keep every g_i inside its domain and change nothing (beyond rounding) where the point is
balanced already.  All repairs work in place.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components

from . import _balance, _core
from ._threads import over_rows

FEW_CLASSES = 30  # powers of a matrix take less time than a search
MAX_SWEEPS = 1000


def class_sums(values, labels, weights):
    """Sum of weights[i] * values[i] over the samples of each class, shape (C, C)."""
    out = np.zeros((values.shape[1], values.shape[1]))
    _balance.class_sums(values, labels, weights, out)
    return out


def clip_simplex(dual, labels):
    """Move g = q - e_y into its domain: q becomes non-negative with sum one."""
    rows = np.arange(len(labels))
    dual[rows, labels] += 1.0
    np.maximum(dual, 0.0, out=dual)
    dual /= dual.sum(axis=1, keepdims=True)
    dual[rows, labels] = 0.0
    dual[rows, labels] = -dual.sum(axis=1)
    return dual


def clip_star(dual, labels, *, largest=np.inf):
    """Move g_k = u_k (k wrong), g_y = -sum u, into its domain: 0 <= u <= `largest`."""
    rows = np.arange(len(labels))
    np.clip(dual, 0.0, largest, out=dual)
    dual[rows, labels] = 0.0
    dual[rows, labels] = -dual.sum(axis=1)
    return dual


def balance_simplex(dual, labels, weights):
    """Balance g = q - e_y, q in the simplex, by moving mass from full classes to short ones.

    With the class frequencies pi_k and the expected ones mu_k = sum_i p_i q_ik, each class
    keeps the share min(1, pi_k / mu_k) of its mass; the rest goes to the classes with
    mu_l < pi_l, in proportion to what they lack.
    """
    frequency = np.bincount(labels, weights, minlength=dual.shape[1])
    return MassMove(weights @ dual, frequency).balanced(dual, labels)


class MassMove:
    """What `balance_simplex` does to probabilities q: q - q * leak + <q, leak> share.

    Parameters
    ----------
    residual : ndarray of shape (C,)
        sum_i p_i g_i.
    frequency : ndarray of shape (C,)
        Weight of the samples of each class.

    Attributes
    ----------
    leak : ndarray of shape (C,)
        The part of its mass that each class gives up.
    share : ndarray of shape (C,)
        The part of what is given up that each class gets.
    idle : bool
        Whether nothing moves.
    """

    def __init__(self, residual, frequency):
        surplus = np.maximum(residual, 0.0)
        missing = surplus - residual
        total = missing.sum()
        self.idle = not (total > 0 and surplus.any())
        self.leak = surplus / np.maximum(frequency + surplus, np.finfo(float).tiny)
        self.share = missing / total if total > 0 else missing

    def balanced(self, dual, labels):
        """The dual point afterwards (works in place)."""
        if not self.idle:
            move = self.leak, self.share
            over_rows(lambda rows: _core.move_mass(dual[rows], labels[rows], *move), dual)
        return dual

    def mapped(self, correlation, totals):
        """Its correlation X^T diag(p) (Q - Y) afterwards; `totals` are those of the true Y."""
        if self.idle:
            return correlation
        move = np.outer(self.leak, self.share) - np.diag(self.leak)
        moved = (correlation + totals) @ move
        moved += correlation
        return moved


def balance_flows(dual, labels, weights, *, largest=np.inf):
    """Balance g_k = u_k (k wrong), g_y = -sum u, with 0 <= u <= `largest`, by scaling classes.

    The flow from true class l to wrong class k is F_lk = sum of p_i u_ik over the samples of
    l.  Osborne's iteration finds theta such that theta_l F_lk / theta_k has equal row and
    column sums; u_ik is scaled alike.  Flows between different strongly connected
    components can be part of no balance and are set to zero first.
    """
    flows = class_sums(dual, labels, weights)
    np.fill_diagonal(flows, 0.0)
    if np.array_equal(flows.sum(axis=0), flows.sum(axis=1)):
        return dual
    ratio = _balancing_ratios(np.where(_exchanging(flows), flows, 0.0))
    _balance.scale_flows(dual, labels, ratio, largest)
    return dual


def _exchanging(flows):
    """Pairs of classes in one strongly connected component, shape (C, C)."""
    if len(flows) > FEW_CLASSES:
        _, component = connected_components(flows > 0, connection="strong")
        return component[:, None] == component[None, :]
    reached = (flows > 0) + np.eye(len(flows))
    steps = 1
    while steps < len(flows):
        reached, steps = np.minimum(reached @ reached, 1.0), 2 * steps
    return (reached > 0) & (reached.T > 0)


def _balancing_ratios(flows):
    """Factors 0 <= R_lk with equal row and column sums of R_lk flows_lk.

    Osborne's theta_l / theta_k; where its iteration is too slow (groups of classes that are
    coupled very weakly), min(F_lk, F_kl) / F_lk, which makes the flows symmetric.
    """
    positive = flows > 0
    scale = np.ones(len(flows))
    _balance.balancing_scales(flows, scale, MAX_SWEEPS)
    ratio = np.where(positive, scale[:, None] / scale[None, :], 0.0)
    balanced = ratio * flows
    outflow, inflow = balanced.sum(axis=1), balanced.sum(axis=0)
    if np.abs(outflow - inflow).max() <= 1e-14 * balanced.sum():
        return ratio
    return np.divide(np.minimum(flows, flows.T), flows, out=np.zeros_like(flows), where=positive)
