"""A lower bound on the minimum of F from any weights, by the referee and apart from every solver.

    D(G) = -mean_i conjugate(g_i) - sum_jk (|A_jk| - l1)_+^2 / (2 l2),    A = X^T G / n

for G (n, C) with mean zero, as the intercept demands; |A_jk| <= l1 where l2 = 0.  G is the gradient
of the loss at the scores, balanced and, where l2 = 0, scaled.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import softmax, xlogy

from .referee import violations


def lower_bound(loss, data, Z, alpha, l1_ratio, single):
    """D at the natural dual point; -inf for the hinge, whose subgradients bound poorly.

    With `single`, the penalty is on the one weight vector of two classes.
    """
    X, y = data
    if loss == "hinge":
        return -np.inf
    point = (Softmax if loss == "softmax" else SquaredHinge)(Z, y)
    A = X.T @ point.gradient() / len(y)
    A = A[:, 1:] if single else A
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    if l2 > 0:
        return point.value(1.0) - np.square(np.maximum(np.abs(A) - l1, 0)).sum() / (2 * l2)
    return point.value(min(point.best_scale(), l1 / np.abs(A).max()))


class Softmax:
    """g = q - e_y with q in the simplex; the conjugate is sum q log q."""

    def __init__(self, Z, y):
        q = softmax(Z, axis=1)
        self.onehot = np.eye(Z.shape[1])[y]
        frequency, expected = self.onehot.mean(axis=0), q.mean(axis=0)
        kept = np.minimum(1.0, frequency / expected)
        lack = np.maximum(frequency - expected, 0.0)
        if lack.sum() > 0:
            q = q * kept + np.outer(q @ (1 - kept), lack / lack.sum())
        self.q = q

    def gradient(self):
        return self.q - self.onehot

    def best_scale(self):
        return 1.0

    def value(self, scale):
        q = scale * self.q + (1 - scale) * self.onehot
        return -xlogy(q, q).sum(axis=1).mean()


class SquaredHinge:
    """g_k = u_k (k wrong), g_y = -sum u, with u >= 0; the conjugate is sum (u^2 / 4 - u)."""

    def __init__(self, Z, y):
        u = 2 * violations(Z, y)
        self.onehot = np.eye(Z.shape[1])[y]
        self.u = u * balance(self.onehot.T @ u)[y]

    def gradient(self):
        return self.u - self.onehot * self.u.sum(axis=1, keepdims=True)

    def best_scale(self):
        """argmax of the value."""
        return 2 * self.u.sum() / np.square(self.u).sum()

    def value(self, scale):
        u = scale * self.u
        return (u - np.square(u) / 4).sum(axis=1).mean()


def balance(flows, sweeps=200):
    """R_lk with equal row and column sums of R_lk F_lk, by Osborne's iteration.

    Flows between different strongly connected components can be part of no balance.  What the
    iteration leaves is made symmetric, which is balanced.
    """
    _, component = connected_components(flows > 0, connection="strong")
    kept = np.where(component[:, None] == component, flows, 0.0)
    scale = np.ones(len(flows))
    for _ in range(sweeps):
        before = scale.copy()
        for k in range(len(flows)):
            outflow, inflow = scale[k] * (kept[k] @ (1 / scale)), scale @ kept[:, k] / scale[k]
            if outflow > 0 and inflow > 0:
                scale[k] *= np.sqrt(inflow / outflow)
        if np.allclose(scale, before, rtol=1e-13, atol=0):
            break
    balanced = kept * scale[:, None] / scale
    if not np.allclose(balanced.sum(axis=0), balanced.sum(axis=1), rtol=1e-10, atol=0):
        balanced = np.minimum(flows, flows.T)
    return np.divide(balanced, flows, out=np.zeros_like(flows), where=flows > 0)
