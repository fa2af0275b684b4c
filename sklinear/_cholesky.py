"""A Cholesky factor of a symmetric matrix that rounding may have left indefinite."""

import math

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs

NEXT_TO_NOTHING = 1e-17  # products of two such entries are subnormal in single precision, and slow


def diagonal_of(matrix):
    """The diagonal of a square matrix, to be read or written to."""
    return np.einsum("ii->i", matrix)


class ScaledCholesky:
    """A factor of a positive semi-definite matrix, scaled to a unit diagonal, plus a ridge.

    Where no ridge helps, the diagonal alone is inverted.

    Parameters
    ----------
    matrix : ndarray of shape (m, m)
        In float32 or float64, which is the precision of the factor.
    ridges : tuple of float
        The first one is taken that leaves the scaled matrix positive definite.
    keep : bool
        Whether other ridges may follow; if not, the matrix is overwritten and let go.

    Attributes
    ----------
    scaled : ndarray of shape (m, m), or None
        The matrix with a unit diagonal, without a ridge; None if it was not to be kept.
    scale : ndarray of shape (m,)
        Rows and columns were multiplied by this.
    positive : bool
        Whether a ridge helped.
    """

    def __init__(self, matrix, ridges, keep=True):
        diagonal = diagonal_of(matrix).astype(np.float64)
        self.scale = 1.0 / np.sqrt(np.maximum(diagonal, 1e-20 * diagonal.max(initial=0.0)))
        narrow = self.scale.astype(matrix.dtype)
        self.scaled = np.multiply(matrix, narrow, out=None if keep else matrix)
        self.scaled *= narrow[:, None]
        if self.scaled.dtype == np.float32:
            self.scaled[np.abs(self.scaled) < NEXT_TO_NOTHING] = 0.0
        self._potrf, self._potrs = get_lapack_funcs(("potrf", "potrs"), (self.scaled,))
        self._trsv = get_blas_funcs("trsv", (self.scaled,))
        self.factor(ridges)
        if not keep:
            self.scaled = None

    def factor(self, ridges):
        """Factor anew, with other ridges."""
        self.positive = any(self._factor(ridge) for ridge in ridges)

    def _factor(self, ridge):
        factor = self.scaled.copy()
        diagonal_of(factor)[:] += ridge
        self.lower, info = self._potrf(factor.T, lower=True, clean=False, overwrite_a=True)
        return info == 0 and math.isfinite(self.lower.trace())

    def solve(self, rhs):
        """Solution for right sides (m,) or (m, r), in float64."""
        scale = self.scale if rhs.ndim == 1 else self.scale[:, None]
        right = scale * rhs
        if not self.positive:
            return scale * right
        right = right.astype(self.lower.dtype)
        if rhs.ndim == 1:
            return scale * self._solve_one(right)
        return scale * self._potrs(self.lower, right, lower=True)[0]

    def _solve_one(self, right):
        """For one right side; what serves many packs the factor first, three times the time."""
        inner = self._trsv(self.lower, right, lower=True)
        return self._trsv(self.lower, inner, lower=True, trans=True)
