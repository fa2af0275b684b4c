"""Which form of X the solvers see."""

import numpy as np
import scipy.sparse as sp

from ._dense_data import DenseData
from ._sparse_data import SparseData

FULL = 0.5  # of the entries
SMALL = 2**22  # entries of an array
FAR = 30.0  # mean of a feature, by its standard deviation


def wrap(X):
    """`DenseData` or `SparseData` for a validated matrix.

    A CSR matrix that is half full is hardly larger as an array, whose products are faster.  So
    becomes a small one with a feature far from zero: arrays can be centred.
    """
    if not sp.issparse(X):
        return DenseData(X)
    size = X.shape[0] * X.shape[1]
    if X.nnz >= FULL * size or (size <= SMALL and has_far_feature(X)):
        return DenseData(X.toarray())
    return SparseData(X)


def has_far_feature(X):
    """Whether a feature of a CSR matrix is far from zero beside its spread."""
    n, d = X.shape
    full = np.flatnonzero(np.bincount(X.indices, minlength=d) == n)
    columns = X[:, full].toarray().astype(float)
    spread = columns.std(axis=0)
    return bool(((np.abs(columns.mean(axis=0)) > FAR * spread) & (spread > 0)).any())
