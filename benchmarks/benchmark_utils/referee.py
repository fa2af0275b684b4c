"""The objective as the referee computes it, in float64 and apart from every solver.

F(W, b) = mean_i loss(z_i, y_i) + alpha [l1_ratio ||W||_1 + (1 - l1_ratio)/2 ||W||_F^2]
"""

import numpy as np
from scipy.special import logsumexp


def scores(X, coef, intercept):
    """Z (n, C); a single vector of two classes stands for the scores 0 and x v + b."""
    Z = X @ np.asarray(coef, dtype=float).T + np.ravel(intercept).astype(float)
    return np.hstack([np.zeros_like(Z), Z]) if Z.shape[1] == 1 else Z


def softmax(Z, y):
    return logsumexp(Z, axis=1) - Z[np.arange(len(y)), y]


def violations(Z, y):
    """(1 + z_k - z_y)_+ of the wrong classes k."""
    rows = np.arange(len(y))
    out = np.maximum(0.0, 1.0 + Z - Z[rows, y][:, None])
    out[rows, y] = 0.0
    return out


def hinge(Z, y):
    return violations(Z, y).sum(axis=1)


def squared_hinge(Z, y):
    return np.square(violations(Z, y)).sum(axis=1)


LOSSES = {"softmax": softmax, "hinge": hinge, "squared_hinge": squared_hinge}


def penalty(coef, l1_ratio):
    coef = np.asarray(coef, dtype=float)
    return l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * np.vdot(coef, coef)


def value_at_zero(loss, n_classes):
    """F(0, 0), the unit of every accuracy here."""
    return np.log(n_classes) if loss == "softmax" else n_classes - 1.0
