"""The feature matrix X as the solvers see it: products, columns, rows, and a count of passes.

What dense and sparse ones share.  Products with float64 weights are float64 even where X is
float32; those with float32 weights stay in float32.
"""

from ._core import add_to_rows

BLOCK_ENTRIES = 2**19
OF_AN_ENTRY, OF_A_BLOCK = 20, 500  # operations for each class, of an epoch of dual ascent


def total(arrays):
    """Their sum, in the place of the first."""
    for array in arrays[1:]:
        arrays[0] += array
    return arrays[0]


def with_offset(scores, offset):
    """Scores with a number for each class added, if there are such (works in place)."""
    if offset is not None:
        add_to_rows(scores, offset)
    return scores


class Passes:
    """Counts products with X; one pass reads X for the scores and again for the gradient.

    Attributes
    ----------
    total : float
    operations : float
        Those of products, explicit Hessians and their factors, at the speed of a factorisation.
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
    order_of_weights : {"C", "F"}
        In which epochs of dual ascent take them: feature by feature, or class by class.
    """

    sparse = False
    order_of_weights = "C"
    is_part = False

    def __init__(self, X, passes=None, share=1.0):
        self.X = X
        self.shape = X.shape
        self.dtype = X.dtype
        self.passes = Passes() if passes is None else passes
        self.share = share

    def scores(self, coef, offset=None):
        """X @ coef + offset, shape (n, C), in the precision of `coef`."""
        self._count(coef.shape[1])
        return self._scores(coef, offset)

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
        self.passes.operations += ascent.n_classes * (OF_AN_ENTRY * reads + OF_A_BLOCK * len(rows))
        self.passes.add(self.share * share)
        return 0.5 * share

    def blocks(self, entries_per_row):
        """Slices of rows, of a size that keeps a block of them in cache; one or an even number."""
        n, most = self.shape[0], max(16, BLOCK_ENTRIES // max(1, entries_per_row))
        count = -(-n // most)
        count += count % 2 if count > 1 else 0
        return [slice(i * n // count, (i + 1) * n // count) for i in range(count)]
