"""X as an array.

It is widened a block of rows at a time, so no float64 copy of a float32 X is ever made.
"""

from functools import cached_property

import numpy as np

from . import _ascent, _dense, _descent
from ._base_data import BLOCK_ENTRIES, Data, total, with_offset
from ._threads import parts, run

# Up to so many multiplications OpenBLAS packs nothing: two to three times faster.
SMALL_PRODUCT = 1_000_000
FEWEST_ROWS, MOST_ROWS = 32, 2048  # of a small product
WORTH_HALVING = 2**18  # entries of X


class DenseData(Data):
    """X as an array of float32 or float64 in C order, into which others are copied.

    The compiled loops go through rows; through those of columns it would take many times as long.
    """

    order_of_weights = "F"

    def __init__(self, X, passes=None, share=1.0):
        super().__init__(np.ascontiguousarray(X), passes, share)

    @cached_property
    def centre(self):
        """What is to be subtracted from each feature, shape (d,): nothing."""
        return np.zeros(self.shape[1])

    def row_squares(self, weights=None):
        """sum_j v_j x_ij^2 of each sample, shape (n,); v = 1 unless `weights` (d,) are given."""
        self.passes.add(self.share)
        weights = np.ones(self.shape[1]) if weights is None else weights
        out = np.empty(self.shape[0])
        self._over_rows(
            lambda rows: _dense.row_squares(self.X[rows], self.centre, weights, out[rows])
        )
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
        _ascent.dense_epoch(self.X, self.centre, *state)

    def _has_kernel(self, other):
        """Whether compiled loops take X and a matrix of few columns; BLAS does all others.

        It is faster with a single one, unless X would have to be widened.
        """
        least = 2 if other.dtype == self.dtype else 1
        few = least <= other.shape[1] <= _dense.most_columns(other.itemsize)
        return few and self.X.itemsize <= other.itemsize

    def _halves(self, other):
        """Whether one column tells the other, as of two classes, but for their rounding."""
        if other.shape[1] != 2 or other.dtype != self.dtype or self.X.size < WORTH_HALVING:
            return False
        total = np.abs(other[:, 0] + other[:, 1]).max(initial=0.0)
        return total <= np.finfo(other.dtype).eps * np.abs(other[:, 1]).max(initial=0.0)

    def _scores(self, coef, offset):
        if self._halves(coef):
            return with_offset(_both(self._scores(_half(coef), None)), offset)
        out = np.empty((self.shape[0], coef.shape[1]), dtype=coef.dtype)
        coef = np.ascontiguousarray(coef)
        if self._has_kernel(coef):
            offset = np.zeros(coef.shape[1]) if offset is None else offset
            offset = np.ascontiguousarray(offset, coef.dtype)
            self._over_rows(lambda rows: _dense.scores(self.X[rows], coef, offset, out[rows]))
            return out

        def fill(rows):
            for block, part in self._blocks_of(rows, coef.dtype, coef.shape[1]):
                np.matmul(part, coef, out=out[block])

        self._over_rows(fill)
        return with_offset(out, offset)

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

        return np.ascontiguousarray(total(self._over_rows(partial)))

    def correlate_squares(self, rows):
        """(X * X)^T @ rows, shape (d, C)."""
        self.passes.add(self.share)
        if rows.shape[1] == 1:
            return self._column_squares(rows.ravel())[:, None]
        out = np.zeros((self.shape[1], rows.shape[1]))
        for block in self.blocks(self.shape[1]):
            out += np.square(self._entries(block), dtype=float).T @ rows[block]
        return out

    def _column_squares(self, weights):
        def partial(rows):
            out = np.empty(self.shape[1])
            _dense.column_squares(self.X[rows], self.centre, weights[rows], out)
            return out

        return total(self._over_rows(partial))

    def _over_rows(self, function):
        return run(function, parts(self.shape[0], self.X.size))

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
        """Dense block of some rows and features, rising indices, with a last column of ones."""
        part = self._entries(rows, slice(None) if len(features) == self.shape[1] else features)
        out = np.ones((part.shape[0], len(features) + 1), dtype=dtype)
        out[:, :-1] = part
        return out

    def _part(self, rows, features):
        part = self.X[rows]
        return part if isinstance(features, slice) else part.take(features, axis=1)

    def _entries(self, rows, features=slice(None)):
        """Those of some rows and features, in a precision that holds them."""
        return self.X[rows][:, features]


class DenseColumns:
    """Features in the rows of an array."""

    def __init__(self, columns):
        self.columns = columns

    def descend(self, chosen, *state):
        """One sweep of coordinate descent (see the compiled loop)."""
        _descent.dense_class_descent(self.columns, chosen, *state)


def _half(columns):
    """u of the columns (-u, u)."""
    return 0.5 * (columns[:, 1:] - columns[:, :1])


def _both(column):
    """(-u, u)."""
    return np.concatenate([-column, column], axis=1)
