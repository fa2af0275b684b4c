"""X in CSR format."""

import numpy as np
import scipy.sparse as sp

from . import _ascent, _descent, _sparse
from ._base_data import Data, total, with_offset
from ._threads import parts, run

FEW_CORRELATIONS = 2  # that do not pay for a transpose of X
MAX_TRANSPOSE = 2  # non-zeros by entries of scores and weights together
FEW_FEATURES = 0.5  # with a weight, of all
SPARSE = 5  # cost of a non-zero by that of an entry of a dense product
SCATTERED = 10  # cost of a product added at a scattered place by that of one in a dense product


class SparseData(Data):
    """X in CSR format with sorted or unsorted indices of int32 or int64.

    Correlations by rows add to weights all over the memory; from the third on a transpose of X
    gathers them, where its room is small beside the memory that a fit may take.
    """

    sparse = True

    def __init__(self, X, passes=None, share=1.0):
        super().__init__(X, passes, share)
        self._n_correlations, self._transpose = 0, None

    def row_squares(self, weights=None):
        """sum_j v_j x_ij^2 of each sample, shape (n,); v = 1 unless `weights` (d,) are given."""
        self.passes.add(self.share)
        weights = np.ones(self.shape[1]) if weights is None else weights
        out = np.zeros((self.shape[0], 1))
        X = self.X
        squares = np.square(X.data, dtype=float)
        _sparse.csr_scores(X.indptr, X.indices, squares, weights.reshape(-1, 1), out)
        return out.ravel()

    def by_columns(self, dtype):
        """Features and a constant one, for coordinate descent."""
        ones = sp.csr_matrix(np.ones((self.shape[0], 1)))
        return SparseColumns(sp.hstack([self.X, ones], format="csc", dtype=dtype))

    def _row_sizes(self):
        return np.diff(self.X.indptr)

    def _n_entries(self):
        return SPARSE * self.X.nnz

    def _ascend(self, *state):
        X = self.X
        _ascent.csr_epoch(X.indptr, X.indices, X.data, *state)

    def _scores(self, coef, offset):
        coef, X = np.ascontiguousarray(coef), self.X
        place = np.empty(len(coef), np.int32)
        if _sparse.number_rows(coef, place) > FEW_FEATURES * len(coef):
            out = _by_rows(_sparse.csr_scores, X, coef)
        else:
            out = _by_rows(_sparse.csr_scores_of_some, X, place, coef[place >= 0])
        return with_offset(out, offset)

    def _correlate(self, rows):
        self._n_correlations += 1
        if self._transpose is None and self._pays_for_transpose(rows.shape[1]):
            self._transpose = self.X.T.tocsr()
        if self._transpose is None:
            return self._scatter(self.X.data, rows)
        return _by_rows(_sparse.csr_scores, self._transpose, np.ascontiguousarray(rows))

    def _pays_for_transpose(self, n_classes):
        few = self.X.nnz <= MAX_TRANSPOSE * n_classes * sum(self.shape)
        return few and self._n_correlations > FEW_CORRELATIONS

    def _scatter(self, values, rows):
        rows, X = np.ascontiguousarray(rows), self.X

        def partial(chosen):
            out = np.zeros((self.shape[1], rows.shape[1]), dtype=rows.dtype)
            indptr = X.indptr[chosen.start : chosen.stop + 1]
            _sparse.csr_gradient(indptr, X.indices, values, rows[chosen], out)
            return out

        return total(run(partial, self._few_parts()))

    def _part(self, rows, features):
        part = self.X[rows]
        return part if isinstance(features, slice) else part[:, features]

    def _few_parts(self):
        """Each has a result of its own, of the size of the weights: it must be worth more."""
        return parts(self.shape[0], self.X.nnz // 2, 2)

    def correlate_squares(self, rows):
        """(X * X)^T @ rows, shape (d, C)."""
        self.passes.add(self.share)
        return self._scatter(np.square(self.X.data, dtype=float), rows)

    def columns(self, rows, features, dtype=np.float64):
        """Dense block of some rows and features, rising indices, with a last column of ones."""
        part = self.X[rows][:, features]
        out = np.ones((part.shape[0], len(features) + 1), dtype=dtype)
        out[:, :-1] = part.toarray()
        return out

    def hessian(self, curvature, feature, klass):
        """X^T M X for some variables, row by row; None where a dense product takes less.

        Parameters
        ----------
        curvature : Curvature
            M of each sample.
        feature, klass : ndarray of shape (m,)
            Of each variable, in order of features; intercepts (those of feature d) last.
        """
        n, d = self.shape
        own = np.flatnonzero(feature < d)
        per_feature = np.bincount(feature[own], minlength=d)
        pattern = (self.X.indptr, self.X.indices, np.ones(self.X.nnz))
        counts = np.zeros((n, 1))
        _sparse.csr_scores(*pattern, per_feature[:, None].astype(float), counts)
        if SCATTERED * np.vdot(counts, counts) >= n * len(own) ** 2:
            return None
        first = np.append(0, np.cumsum(per_feature)).astype(np.int32)
        room, n_classes = int(counts.max()) + 1, curvature.factor.shape[1]
        variables = first, klass[own].astype(np.int32)

        self.passes.operations += 0.5 * SCATTERED * np.vdot(counts, counts)

        # The loop knows the intercepts of all classes or of none.
        chosen = len(own) + klass[len(own) :]
        size = len(own) + (n_classes if len(chosen) else 0)
        kept = np.append(np.arange(len(own)), chosen)

        def partial(rows):
            out = np.zeros((size, size))
            scratch = np.empty(room, np.int32), np.empty(room), np.empty(n_classes**2)
            indptr = self.X.indptr[rows.start : rows.stop + 1]
            _sparse.csr_hessian(
                indptr,
                self.X.indices,
                self.X.data,
                *variables,
                *curvature.state(rows),
                *scratch,
                out,
            )
            return out

        half = sum(run(partial, self._few_parts()))
        half = half if len(kept) == size else half[np.ix_(kept, kept)]
        return half + half.T


class SparseColumns:
    """Features in the columns of a CSC matrix."""

    def __init__(self, matrix):
        self.matrix = matrix

    def descend(self, chosen, *state):
        """One sweep of coordinate descent (see the compiled loop)."""
        X = self.matrix
        _descent.sparse_class_descent(X.indptr, X.indices, X.data, chosen, *state)


def _by_rows(kernel, X, *right):
    """A CSR matrix times a dense one, the last of the kernel's arguments, in its precision."""
    out = np.zeros((X.shape[0], right[-1].shape[1]), dtype=right[-1].dtype)

    def fill(rows):
        indptr = X.indptr[rows.start : rows.stop + 1]
        kernel(indptr, X.indices, X.data, *right, out[rows])

    run(fill, parts(X.shape[0], X.nnz))
    return out
