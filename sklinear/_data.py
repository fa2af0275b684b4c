"""Which form of X the solvers see."""

import scipy.sparse as sp

from ._dense_data import DenseData
from ._sparse_data import SparseData


def wrap(X):
    """`DenseData` or `SparseData` for a validated matrix."""
    return SparseData(X) if sp.issparse(X) else DenseData(X)
