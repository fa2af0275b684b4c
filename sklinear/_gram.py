"""Parts of the explicit Hessian sum_i p_i M_i kron x_i x_i^T: columns, moments and blocks."""

import numpy as np


def class_moments(features, factor):
    """T_k = sum_i c_ik x_i x_i^T for each class k, shape (C, f, f), from x (n, f) and c (n, C)."""
    (n_rows, width), n_classes = features.shape, factor.shape[1]
    weighted = factor.astype(features.dtype)[:, :, None] * features[:, None, :]
    moments = weighted.reshape(n_rows, n_classes * width).T @ features
    return moments.reshape(n_classes, width, width)


def star_blocks(moments):
    """sum_i c_ik (e_k - e_y)(e_k - e_y)^T kron x_i x_i^T, in blocks (C, C, f, f).

    `moments[y]` are the T_k of the samples of class y, shape (C, f, f), with c_y = 0.  They enter
    the blocks (k, k) and (y, y) and, negated, (k, y) and (y, k).
    """
    n_classes, width = moments[0].shape[:2]
    blocks, every = np.zeros((n_classes, n_classes, width, width)), np.arange(n_classes)
    for y, some in enumerate(moments):
        blocks[y, y] += some.sum(axis=0)
        blocks[every, every] += some
        blocks[y] -= some
        blocks[:, y] -= some
    return blocks


def as_matrix(blocks):
    """Blocks (C, C, f, f) as a matrix (C f, C f)."""
    size = blocks.shape[0] * blocks.shape[2]
    return blocks.transpose(0, 2, 1, 3).reshape(size, size)


class OwnBlocks:
    """sum_i p_i q_ik (1 - q_ik) x_ij x_ij' for the variables (j, k), (j', k) of each class."""

    def __init__(self, feature, klass):
        self.members = {k: np.flatnonzero(klass == k) for k in np.unique(klass)}
        self.feature, self.totals = feature, dict.fromkeys(self.members, 0.0)

    def add(self, features, shares):
        """More samples, with p_i q_ik (1 - q_ik)."""
        roots = np.sqrt(np.maximum(shares, 0))
        for k, chosen in self.members.items():
            whole = len(chosen) == features.shape[1]
            part = (features if whole else features[:, self.feature[chosen]]) * roots[:, k, None]
            self.totals[k] += part.T @ part

    def write(self, hessian):
        """Write the blocks into a matrix of all variables."""
        for k, chosen in self.members.items():
            hessian[np.ix_(chosen, chosen)] = self.totals[k]


def mixed_columns(features, shares, feature, klass):
    """Columns x_j q_k of the variables (j, k)."""
    n_rows, n_classes = shares.shape
    if len(feature) == features.shape[1] * n_classes:
        mixed = np.empty((n_rows, features.shape[1], n_classes), features.dtype)
        if n_classes < features.shape[1]:  # the longer loop inside
            for k in range(n_classes):
                np.multiply(features, shares[:, k, None], out=mixed[:, :, k])
        else:
            np.multiply(features[:, :, None], shares[:, None, :], out=mixed)
        return mixed.reshape(n_rows, -1)
    mixed = features[:, feature]
    mixed *= shares[:, klass]
    return mixed
