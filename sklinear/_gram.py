"""Sums of squares and weighted second moments, which explicit Hessians are made of."""

from copy import copy

import numpy as np
from scipy.linalg import get_blas_funcs
from scipy.linalg.lapack import dgeqrf

from . import _moments

LONGEST_ROW = 2048  # features, that kernels are for
FEW_FEATURES, BLOCK_ENTRIES = 64, 2**19  # that BLAS takes for all pairs at once
VECTOR = _moments.vector_size()
MIRRORED = 256  # columns at a time


def square(part, total=None, sign=1.0):
    """A total plus sign U^T U, for U of shape (., m); zero below the diagonal (works in place)."""
    if total is None:
        total = np.zeros((part.shape[1],) * 2, part.dtype, order="F")
    multiply = get_blas_funcs("syrk", (total,))
    return multiply(sign, part.T, beta=1.0, c=total, overwrite_c=1)


def triangle(blocks, width):
    """R of blocks of rows one below the other, each of so many columns: R^T R is their U^T U.

    It is as exact as they are, where sums of products have half of the digits.
    """
    factor = np.zeros((width, width))
    for block in blocks:
        rows = np.empty((width + len(block), width), order="F")
        rows[:width], rows[width:] = factor, block
        factor = np.triu(dgeqrf(rows, overwrite_a=True)[0][:width])
    return factor


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
        out = np.empty((len(self.sums), self.width, self.width), self.dtype)
        self.write(out)
        return out

    def write(self, out):
        """Write all of them, shape (P, f, f), and forget them."""
        sums, self.sums = self.sums, None
        if self.by_blas:
            for each, upper in zip(out, sums, strict=True):
                each[...] = symmetric(upper)
        else:
            _moments.unfold(sums, out, len(self.left), VECTOR)

    def joined(self, others, first, second):
        """Sums of two of its own and those of others, numbered one after the other, as their like.

        All have as many pairs.
        """
        all_sums = np.concatenate([part.sums for part in (self, *others)])
        out = copy(self)
        out.sums = all_sums[first] + all_sums[second]
        return out

    def _begin(self, features):
        self.width, self.dtype = features.shape[1], features.dtype
        self.by_blas = VECTOR == 0 or self.width > LONGEST_ROW
        if self.by_blas:
            shape = (self.width,) * 2
            self.sums = [np.zeros(shape, self.dtype, order="F") for _ in self.left]
        else:
            n_pairs, itemsize = len(self.left), self.dtype.itemsize
            size = _moments.size_of_sums(n_pairs, self.width, itemsize, VECTOR)
            self.sums = np.zeros((n_pairs, size), self.dtype)

    def _add_by_blas(self, features, shares):
        weights = shares[:, self.left] * shares[:, self.right]
        if self.width > FEW_FEATURES:
            for number, column in enumerate(np.sqrt(weights).T):
                self.sums[number] = square(features * column[:, None], self.sums[number])
            return
        step = max(1, BLOCK_ENTRIES // (len(self.left) * self.width))
        for start in range(0, len(features), step):
            rows = slice(start, start + step)
            part = weights[rows, :, None] * features[rows, None, :]
            found = part.reshape(len(part), -1).T @ features[rows]
            for number, each in enumerate(found.reshape(-1, self.width, self.width)):
                self.sums[number] += np.triu(each)


def moments(blocks, weights):
    """sum_i w_i x_i x_i^T, from pairs of rows and their features."""
    found, weights = WeightedMoments([0], [0]), np.sqrt(weights)[:, None]
    for rows, x in blocks:
        found.add(x, weights[rows].astype(x.dtype))
    return found.matrices()[0]
