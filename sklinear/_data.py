"""The feature matrix X as the solvers see it: products, columns, rows, and a count of passes.

Products with float64 weights are float64 even where X is float32: dense X is widened a block
of rows at a time, so no float64 copy of it is ever made.  Products with float32 weights stay
in float32.
"""

import numpy as np
import scipy.sparse as sp

from . import _ascent, _dense, _descent, _sparse
from ._threads import parts, run

BLOCK_ENTRIES = 2**19
# Up to so many multiplications OpenBLAS packs nothing: two to three times faster.
SMALL_PRODUCT = 1_000_000
FEWEST_ROWS, MOST_ROWS = 32, 2048  # of a small product
WORTH_HALVING = 2**18  # entries of X
FEW_CORRELATIONS = 2  # that do not pay for a transpose of sparse X
MAX_TRANSPOSE = 2  # non-zeros by entries of scores and weights together
FEW_FEATURES = 0.5  # with a weight, of all
SPARSE = 5  # cost of a non-zero by that of an entry of a dense product
SCATTERED = 10  # cost of a product added at a scattered place by that of one in a dense product


def _total(arrays):
    """Their sum, in the place of the first."""
    for array in arrays[1:]:
        arrays[0] += array
    return arrays[0]


def _half(columns):
    """u of the columns (-u, u)."""
    return 0.5 * (columns[:, 1:] - columns[:, :1])


def _both(column):
    """(-u, u)."""
    return np.concatenate([-column, column], axis=1)


class Passes:
    """Counts products with X; one pass reads X for the scores and again for the gradient.

    Attributes
    ----------
    total : float
    operations : float
        Those of all large computations, at the speed of a Cholesky factorisation.
    """

    def __init__(self):
        self.total, self.operations = 0.0, 0.0

    def add(self, share):
        """Count one product with the given share of the rows of X."""
        self.total += 0.5 * share


class Data:
    """X (n, d), dense or CSR.

    Attributes
    ----------
    is_part : bool
        Whether these are some of the samples only.
    """

    sparse = False
    is_part = False

    def __init__(self, X, passes=None, share=1.0):
        self.X = X
        self.shape = X.shape
        self.dtype = X.dtype
        self.passes = Passes() if passes is None else passes
        self.share = share

    def scores(self, coef):
        """X @ coef, in the precision of `coef`."""
        self._count(coef.shape[1])
        return self._scores(coef)

    def correlate(self, rows):
        """X^T @ rows, in the precision of `rows`."""
        self._count(rows.shape[1])
        return self._correlate(rows)

    def _count(self, n_columns):
        """A product with so many columns, and the loops over them that go with it."""
        self.passes.add(self.share)
        self.passes.operations += n_columns * (2.0 * self._n_entries() + 25.0 * self.shape[0])

    def take(self, rows, features=slice(None)):
        """The same for some of the samples and features (a copy)."""
        part = self._part(rows, features)
        share = (
            self.share * part.shape[0] * part.shape[1] / max(1, self.X.shape[0] * self.X.shape[1])
        )
        return self._like(part, share)

    def astype(self, dtype):
        """The same in another precision."""
        return self._like(self.X.astype(dtype, copy=False), self.share)

    def _like(self, X, share):
        other = type(self)(X, self.passes, share)
        other.is_part = self.is_part or X.shape[0] < self.shape[0]
        return other

    def ascend(self, rows, ascent, moved):
        """Block steps of dual ascent for some rows; how many passes over X they were.

        `moved` (n,) says afterwards which of the rows moved and so were read twice.
        """
        self._ascend(rows, ascent, moved)
        sizes = self._row_sizes()
        reads = sizes[rows].sum() + sizes[rows[moved[rows] > 0]].sum()
        share = reads / max(1, sizes.sum())
        self.passes.add(self.share * share)
        return 0.5 * share

    def blocks(self, entries_per_row):
        """Slices of rows, of a size that keeps a block of them in cache."""
        step = max(16, BLOCK_ENTRIES // max(1, entries_per_row))
        for start in range(0, self.shape[0], step):
            yield slice(start, min(start + step, self.shape[0]))


class DenseData(Data):
    """X as an array of float32 or float64, in C or Fortran order."""

    def _part(self, rows, features):
        part = self.X[rows]
        return part if isinstance(features, slice) else part[:, features]

    def row_squares(self, weights=None):
        """sum_j v_j x_ij^2 of each sample, shape (n,); v = 1 unless `weights` (d,) are given."""
        self.passes.add(self.share)
        weights = np.ones(self.shape[1]) if weights is None else weights
        out = np.empty(self.shape[0])
        for rows in self.blocks(self.shape[1]):
            out[rows] = np.square(self._entries(rows), dtype=float) @ weights
        return out

    def by_columns(self, dtype):
        """Features and a constant one, for coordinate descent."""
        n, d = self.shape
        columns = np.ones((d + 1, n), dtype=dtype)
        columns[:-1] = self._entries(slice(None)).T
        return DenseColumns(columns)

    def _rows_of_a_block(self, n_columns):
        """So many that a product with a matrix of so many columns is small, or fits in cache."""
        width = max(1, self.shape[1])
        step = min(SMALL_PRODUCT // (width * max(1, n_columns)), MOST_ROWS)
        # Half a block: its neighbours in the product want room in the cache too.
        return step if step >= FEWEST_ROWS else max(16, BLOCK_ENTRIES // (2 * width))

    def _blocks_of(self, rows, dtype, n_columns):
        """Blocks of some rows in some precision, each in the place of the one before."""
        step = self._rows_of_a_block(n_columns)
        room = None
        for start in range(rows.start, rows.stop, step):
            block = slice(start, min(start + step, rows.stop))
            part = self.X[block]
            if dtype != self.dtype:
                room = np.empty_like(part, dtype=dtype) if room is None else room[: len(part)]
                room[...] = part
            yield block, part if room is None else room

    def _row_sizes(self):
        return np.full(self.shape[0], self.shape[1])

    def _n_entries(self):
        return self.X.size

    def _ascend(self, *state):
        _ascent.dense_epoch(self.X, *state)

    def _has_kernel(self, other):
        """Whether compiled loops take X and a matrix of few columns; BLAS does all others.

        It is faster with a single one, unless X would have to be widened.
        """
        least = 2 if other.dtype == self.dtype else 1
        few = least <= other.shape[1] <= _dense.most_columns(other.itemsize)
        return few and self.X.flags.c_contiguous and self.X.itemsize <= other.itemsize

    def _halves(self, other):
        """Whether one column tells the other, as of two classes, but for their rounding."""
        if other.shape[1] != 2 or other.dtype != self.dtype or self.X.size < WORTH_HALVING:
            return False
        total = np.abs(other[:, 0] + other[:, 1]).max(initial=0.0)
        return total <= np.finfo(other.dtype).eps * np.abs(other[:, 1]).max(initial=0.0)

    def _scores(self, coef):
        if self._halves(coef):
            return _both(self._scores(_half(coef)))
        out = np.empty((self.shape[0], coef.shape[1]), dtype=coef.dtype)
        narrow, coef = self._has_kernel(coef), np.ascontiguousarray(coef)

        def fill(rows):
            if narrow:
                _dense.scores(self.X[rows], coef, out[rows])
                return
            for block, part in self._blocks_of(rows, coef.dtype, coef.shape[1]):
                np.matmul(part, coef, out=out[block])

        run(fill, parts(self.shape[0], self.X.size))
        return out

    def _correlate(self, rows):
        if self._halves(rows):
            return _both(self._correlate(_half(rows)))
        narrow, rows = self._has_kernel(rows), np.ascontiguousarray(rows)

        def partial(chosen):
            if narrow:
                out = np.empty((self.shape[1], rows.shape[1]), dtype=rows.dtype)
                _dense.correlate(self.X[chosen], rows[chosen], out)
                return out
            out = np.zeros((rows.shape[1], self.shape[1]), dtype=rows.dtype)
            for block, part in self._blocks_of(chosen, rows.dtype, rows.shape[1]):
                out += rows[block].T @ part
            return out.T

        return np.ascontiguousarray(_total(run(partial, parts(self.shape[0], self.X.size))))

    def correlate_squares(self, rows):
        """(X * X)^T @ rows, shape (d, C)."""
        self.passes.add(self.share)
        out = np.zeros((self.shape[1], rows.shape[1]))
        for block in self.blocks(self.shape[1]):
            out += np.square(self._entries(block), dtype=float).T @ rows[block]
        return out

    def gram(self):
        """X X^T in float64, shape (n, n)."""
        self.passes.add(self.share)
        n, d = self.shape
        out = np.zeros((n, n))
        step = max(16, BLOCK_ENTRIES // n)
        for start in range(0, d, step):
            block = self._entries(slice(None), slice(start, start + step)).astype(np.float64)
            out += block @ block.T
        return out

    def columns(self, rows, features, dtype=np.float64):
        """Dense block of some rows and some features, with a last column of ones."""
        part = self._entries(rows, slice(None) if len(features) == self.shape[1] else features)
        out = np.ones((part.shape[0], len(features) + 1), dtype=dtype)
        out[:, :-1] = part
        return out

    def _entries(self, rows, features=slice(None)):
        """Those of some rows and features, in a precision that holds them."""
        return self.X[rows][:, features]


class SparseData(Data):
    """X in CSR format with sorted or unsorted indices of int32 or int64.

    Correlations by rows add to weights all over the memory; from the third on a transpose of X
    gathers them, where its room is small beside the memory that a fit may take.
    """

    sparse = True

    def __init__(self, X, passes=None, share=1.0):
        super().__init__(X, passes, share)
        self._n_correlations, self._transpose = 0, None

    def _part(self, rows, features):
        part = self.X[rows]
        return part if isinstance(features, slice) else part[:, features]

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

    def _scores(self, coef):
        coef, X = np.ascontiguousarray(coef), self.X
        place = np.empty(len(coef), np.int32)
        if _sparse.number_rows(coef, place) > FEW_FEATURES * len(coef):
            return _by_rows(_sparse.csr_scores, X, coef)
        return _by_rows(_sparse.csr_scores_of_some, X, place, coef[place >= 0])

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

        # Each part has a result of the size of the weights: few of them.
        return _total(run(partial, parts(self.shape[0], X.nnz, 2)))

    def correlate_squares(self, rows):
        """(X * X)^T @ rows, shape (d, C)."""
        self.passes.add(self.share)
        return self._scatter(np.square(self.X.data, dtype=float), rows)

    def columns(self, rows, features, dtype=np.float64):
        """Dense block of some rows and some features, with a last column of ones."""
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

        half = sum(run(partial, parts(n, self.X.nnz, 2)))
        half = half if len(kept) == size else half[np.ix_(kept, kept)]
        return half + half.T


class DenseColumns:
    """Features in the rows of an array."""

    def __init__(self, columns):
        self.columns = columns

    def descend(self, chosen, *state):
        """One sweep of coordinate descent (see the compiled loop)."""
        _descent.dense_class_descent(self.columns, chosen, *state)


def _by_rows(kernel, X, *right):
    """A CSR matrix times a dense one, the last of the kernel's arguments, in its precision."""
    out = np.zeros((X.shape[0], right[-1].shape[1]), dtype=right[-1].dtype)

    def fill(rows):
        indptr = X.indptr[rows.start : rows.stop + 1]
        kernel(indptr, X.indices, X.data, *right, out[rows])

    run(fill, parts(X.shape[0], X.nnz))
    return out


class SparseColumns:
    """Features in the columns of a CSC matrix."""

    def __init__(self, matrix):
        self.matrix = matrix

    def descend(self, chosen, *state):
        """One sweep of coordinate descent (see the compiled loop)."""
        X = self.matrix
        _descent.sparse_class_descent(X.indptr, X.indices, X.data, chosen, *state)


def wrap(X):
    """`DenseData` or `SparseData` for a validated matrix."""
    return SparseData(X) if sp.issparse(X) else DenseData(X)
