"""Which form of X the solvers see."""

import scipy.sparse as sp

from ._dense_data import DenseData
from ._sparse_data import SparseData

FULL = 0.5  # of the entries


def wrap(X):
    """`DenseData` or `SparseData` for a validated matrix.

    A CSR matrix that is half full is hardly larger as an array, whose products are faster; and
    features far from zero, of which most entries are not zero, can be centred there.
    """
    if not sp.issparse(X):
        return DenseData(X)
    n, d = X.shape
    return DenseData(X.toarray()) if X.nnz >= FULL * n * d else SparseData(X)
