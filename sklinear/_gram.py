"""Sums of squares and weighted second moments, which explicit Hessians are made of."""

import numpy as np
from scipy.linalg import get_blas_funcs

from . import _moments

LONGEST_ROW, LONGEST_ROW_OF_FEW = 1024, 128  # features, that kernels are for
FEW_PAIRS = 2
VECTOR = _moments.vector_size()
MIRRORED = 256  # columns at a time


def squares(parts, sign=1.0, total=None):
    """sum of sign U^T U, from parts U of shape (., m), added to a total; zero below the diagonal."""
    multiply = None
    for part in parts:
        if total is None:
            total = np.zeros((part.shape[1],) * 2, part.dtype, order="F")
        multiply = multiply or get_blas_funcs("syrk", (total,))
        total = multiply(sign, part.T, beta=1.0, c=total, overwrite_c=1)
    return total


def symmetric(upper):
    """A matrix in C order from its upper triangle in Fortran order (works in place)."""
    for start in range(0, len(upper), MIRRORED):
        here, beyond = slice(start, start + MIRRORED), slice(start + MIRRORED, None)
        upper[here, here] += np.triu(upper[here, here], 1).T
        upper[beyond, here] = upper[here, beyond].T
    return upper.T


class WeightedMoments:
    """sum_i s_ik s_il x_i x_i^T for some pairs (k, l) of the columns of s, from blocks of rows.

    The kernels form each product of two features once for all pairs; BLAS is for processors that
    have none and for rows too long for them.

    Parameters
    ----------
    left, right : ndarray of shape (P,)
        k and l of each pair.
    """

    def __init__(self, left, right):
        self.left, self.right = (np.asarray(part, dtype=np.int32) for part in (left, right))
        self.sums = None

    def add(self, features, shares):
        """More rows: features (n, f), shares (n, m) of the same precision."""
        if self.sums is None:
            self._begin(features)
        if self.by_blas:
            self._add_by_blas(features, shares)
        else:
            _moments.add_moments(features, shares, self.left, self.right, self.sums, VECTOR)

    def matrices(self):
        """All of them, shape (P, f, f)."""
        if self.by_blas:
            return np.array([symmetric(each) for each in self.sums])
        out = np.empty((len(self.left), self.width, self.width), self.sums.dtype)
        _moments.unfold(self.sums, out, VECTOR)
        return out

    def _begin(self, features):
        self.width, itemsize = features.shape[1], features.itemsize
        longest = LONGEST_ROW_OF_FEW if len(self.left) <= FEW_PAIRS else LONGEST_ROW
        self.by_blas = VECTOR == 0 or self.width > longest
        if self.by_blas:
            self.sums = [None] * len(self.left)
        else:
            shape = len(self.left), _moments.size_of_sums(self.width, itemsize, VECTOR)
            self.sums = np.zeros(shape, features.dtype)

    def _add_by_blas(self, features, shares):
        for number, pair in enumerate(zip(self.left, self.right, strict=True)):
            roots = np.sqrt(shares[:, pair].prod(axis=1, keepdims=True))
            self.sums[number] = squares([features * roots], total=self.sums[number])


def moments(blocks, weights):
    """sum_i w_i x_i x_i^T, from pairs of rows and their features."""
    found, weights = WeightedMoments([0], [0]), np.sqrt(weights)[:, None]
    for rows, x in blocks:
        found.add(x, weights[rows].astype(x.dtype))
    return found.matrices()[0]
