"""Parts of the explicit Hessian sum_i p_i M_i kron x_i x_i^T: columns, moments and blocks."""

from itertools import pairwise

import numpy as np
from scipy.linalg import get_blas_funcs

from . import _dense

MIN_ENTRIES = 2**22
MIRRORED = 256  # columns at a time


def squares(parts, sign=1.0):
    """sum of sign U^T U, from parts U of shape (., m); zero below the diagonal."""
    total, multiply = None, None
    for part in parts:
        if total is None:
            total = np.zeros((part.shape[1],) * 2, part.dtype, order="F")
            multiply = get_blas_funcs("syrk", (total,))
        total = multiply(sign, part.T, beta=1.0, c=total, overwrite_c=1)
    return total


def symmetric(upper):
    """A matrix in C order from its upper triangle in Fortran order (works in place)."""
    for start in range(0, len(upper), MIRRORED):
        here, beyond = slice(start, start + MIRRORED), slice(start + MIRRORED, None)
        upper[here, here] += np.triu(upper[here, here], 1).T
        upper[beyond, here] = upper[here, beyond].T
    return upper.T


def moments(blocks, weights):
    """sum_i w_i x_i x_i^T, from pairs of rows and their features."""
    roots = np.sqrt(weights)[:, None]
    return symmetric(squares(x * roots[rows].astype(x.dtype) for rows, x in blocks))


def have_all_classes(feature, klass, n_classes):
    """Whether variables (j, k), in the order of np.nonzero, are all those of some features."""
    if len(feature) % n_classes:
        return False
    same = (feature.reshape(-1, n_classes) == feature[::n_classes, None]).all()
    return bool(same and (klass.reshape(-1, n_classes) == np.arange(n_classes)).all())


def with_own_blocks(upper, n_classes):
    """A Hessian from its blocks of two classes, shape (C f, C f), in the order of features.

    No loss sees a shift of all classes: each block of one class is minus the sum of the others.
    """
    size = len(upper)
    blocks = (upper + upper.T).reshape(n_classes, size // n_classes, n_classes, -1)
    own = np.einsum("kakb->kab", blocks)
    own[:] = 0.0
    sums = blocks.sum(axis=2)
    own[:] = -0.5 * (sums + sums.transpose(0, 2, 1))
    return blocks.transpose(1, 0, 3, 2).reshape(size, size)


def class_moments(features, factor):
    """T_k = sum_i c_ik x_i x_i^T for each class k, shape (C, f, f), from x (n, f) and c (n, C)."""
    (n_rows, width), n_classes = features.shape, factor.shape[1]
    weighted = factor.astype(features.dtype)[:, :, None] * features[:, None, :]
    moments = weighted.reshape(n_rows, n_classes * width).T @ features
    return moments.reshape(n_classes, width, width)


def star_matrix(moments, feature, klass):
    """sum_i c_ik (e_k - e_y)(e_k - e_y)^T kron x_i x_i^T for variables (j, k).

    `moments[y]` are the T_k of the samples of class y, shape (C, f, f), with c_y = 0.  They enter
    the blocks (k, k) and (y, y) and, negated, (k, y) and (y, k).
    """
    moments = np.asarray(moments)
    own = moments.sum(axis=0) + moments.sum(axis=1)
    out = np.empty((len(feature), len(feature)), moments.dtype)
    _dense.star_matrix(moments, own, feature.astype(np.int32), klass.astype(np.int32), out)
    return out


class StarMoments:
    """sum c_ik (e_k - e_y)(e_k - e_y)^T kron x_i x_i^T for few features: all their moments."""

    def __init__(self, feature, klass, n_classes):
        self.feature, self.klass = feature, klass
        self.moments = [0.0] * n_classes

    def add(self, features, entries, labels):
        """More samples, with their c_ik, shape (n, C), and their classes."""
        for y in range(len(self.moments)):
            rows = np.flatnonzero(labels == y)
            self.moments[y] += class_moments(features[rows], entries[rows])

    def matrix(self):
        """The sum for the variables."""
        return star_matrix(self.moments, self.feature, self.klass)


class StarPairs:
    """The same for many features: of each pair of classes, the variables and samples it takes.

    Samples are gathered until they make products worth their while, variables ordered by class.
    """

    def __init__(self, feature, klass, n_classes):
        order = np.argsort(klass, kind="stable")
        self.back = np.argsort(order)
        ends = np.searchsorted(klass[order], np.arange(n_classes + 1))
        self.places = [slice(*pair) for pair in pairwise(ends)]
        self.features = [feature[order[place]] for place in self.places]
        self.total = np.zeros((len(feature), len(feature)))
        self.waiting, self.n_entries = [], 0

    def add(self, features, entries, labels):
        """More samples, with their c_ik, shape (n, C), and their classes."""
        self.waiting.append((features, entries, labels))
        self.n_entries += features.size
        if self.n_entries >= MIN_ENTRIES:
            self._sum()

    def matrix(self):
        """The sum for the variables."""
        self._sum()
        return self.total[np.ix_(self.back, self.back)]

    def _sum(self):
        if not self.waiting:
            return
        features, entries, labels = map(np.concatenate, zip(*self.waiting, strict=True))
        self.waiting, self.n_entries = [], 0
        for y, place in enumerate(self.places):
            rows = np.flatnonzero(labels == y)
            own, shares = features[rows], entries[rows]
            self._add_star(y, own, shares.astype(features.dtype))
            rows = np.flatnonzero(entries[:, y])
            part = features[np.ix_(rows, self.features[y])]
            shares = entries[rows, y, None].astype(features.dtype)
            self.total[place, place] += part.T @ (shares * part)

    def _add_star(self, y, features, entries):
        """What samples of class y add to its own block, and to those with other classes."""
        place, own = self.places[y], features[:, self.features[y]]
        self.total[place, place] += own.T @ (entries.sum(axis=1, keepdims=True) * own)
        for k, other in enumerate(self.places):
            rows = np.flatnonzero(entries[:, k])
            if len(rows) == 0 or other.start == other.stop:
                continue
            left = own[rows] * entries[rows, k, None]
            block = left.T @ features[np.ix_(rows, self.features[k])]
            self.total[place, other] -= block
            self.total[other, place] -= block.T


class OwnBlocks:
    """sum_i p_i q_ik (1 - q_ik) x_ij x_ij' for the variables (j, k), (j', k) of each class."""

    def __init__(self, feature, klass):
        order = np.argsort(klass, kind="stable")
        self.columns, kinds = MixedColumns(feature[order], klass[order]), np.unique(klass)
        edges = np.append(np.searchsorted(klass[order], kinds), len(klass))
        self.places = [slice(*pair) for pair in pairwise(edges)]
        self.members = [order[place] for place in self.places]
        self.totals = [0.0] * len(self.members)

    def add(self, features, shares):
        """More samples, with p_i q_ik (1 - q_ik)."""
        columns = self.columns(features, np.sqrt(np.maximum(shares, 0)))
        for number, place in enumerate(self.places):
            part = columns[:, place]
            self.totals[number] += part.T @ part

    def write(self, hessian):
        """Write the blocks into a matrix of all variables."""
        for chosen, total in zip(self.members, self.totals, strict=True):
            hessian[np.ix_(chosen, chosen)] = total


class MixedColumns:
    """Columns x_j q_k of the variables (j, k)."""

    def __init__(self, feature, klass):
        self.feature, self.klass = feature.astype(np.int32), klass.astype(np.int32)

    def __call__(self, features, shares):
        """Those of samples with features x and shares q, shape (n, m)."""
        out = np.empty((len(features), len(self.feature)), features.dtype)
        _dense.mixed_columns(features, shares, self.feature, self.klass, out)
        return out
