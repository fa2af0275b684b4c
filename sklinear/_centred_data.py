"""Dense data less a number for each feature, without a copy of them.

(X - 1 m^T) W + b = X W + (b - m^T W): with an intercept the problem is the same, but features
that are far from zero beside their spread no longer look like the intercept and one another.
"""

import numpy as np

from ._data import BLOCK_ENTRIES, DenseData

FEWEST_ROWS = 100  # that means are taken of, where there are more


class CentredData(DenseData):
    """X - 1 m^T for dense X.

    Attributes
    ----------
    centre : ndarray of shape (d,)
        m, in float64.
    """

    def __init__(self, X, passes=None, share=1.0, centre=0.0):
        super().__init__(X, passes, share)
        self.centre = centre

    def scores(self, coef):
        """(X - 1 m^T) @ coef, in the precision of `coef`."""
        out = super().scores(coef)
        out -= (self.centre @ coef).astype(out.dtype)
        return out

    def correlate(self, rows):
        """(X - 1 m^T)^T @ rows, in the precision of `rows`."""
        out = super().correlate(rows)
        total = np.ones(len(rows), rows.dtype) @ rows
        out -= (self.centre[:, None] * total).astype(out.dtype)
        return out

    def take(self, rows, features=slice(None)):
        """The same for some of the samples and features (a copy)."""
        part = super().take(rows, features)
        part.centre = self.centre[features]
        if part.dtype == np.float32:
            return part
        # The copy can as well be centred itself.
        own = None if np.may_share_memory(part.X, self.X) else part.X
        return part._centred(np.subtract(part.X, part.centre, out=own))

    def astype(self, dtype):
        """A centred copy in a precision: the offset goes before the digits do."""
        out = np.empty(self.shape, dtype)
        for rows in self.blocks(self.shape[1]):
            out[rows] = self.X[rows] - self.centre
        return self._centred(out)

    def _centred(self, X):
        found = DenseData(X, self.passes, self.share)
        found.is_part = self.is_part
        return found

    def absolute(self):
        """The same with absolute values."""
        return DenseData(abs(self._features(slice(None))), self.passes, self.share)

    def by_columns(self, dtype):
        """Features and a constant one, for coordinate descent."""
        found = super().by_columns(dtype)
        found.columns[:-1] = self._features(slice(None)).T
        return found

    def columns(self, rows, features, dtype=np.float64):
        """Dense block of some rows and some features, with a last column of ones."""
        part, centre = self.X[rows], self.centre
        if len(features) < self.shape[1]:
            part, centre = part[:, features], centre[features]
        out = np.ones((part.shape[0], len(features) + 1), dtype=dtype)
        np.subtract(part, centre, out=out[:, :-1], casting="same_kind")
        return out

    def _like(self, X, share):
        other = super()._like(X, share)
        other.centre = self.centre
        return other

    def _squares(self, rows):
        return np.square(self.X[rows] - self.centre)

    def _features(self, chosen):
        return self.X[:, chosen] - self.centre[chosen]


def moments(data, weights):
    """Means and variances of the features of dense data, from some of the rows if they are many."""
    n, d = data.shape
    rows = slice(None, None, max(1, min(n * d // BLOCK_ENTRIES, n // FEWEST_ROWS)))
    weights = weights[rows] / max(weights[rows].sum(), np.finfo(float).tiny)
    mean, variance = np.empty(d), np.empty(d)
    step = max(1, BLOCK_ENTRIES // len(weights))
    for start in range(0, d, step):
        chosen = slice(start, start + step)
        part = data.X[rows, chosen].astype(np.float64)
        mean[chosen] = weights @ part
        part -= mean[chosen]
        variance[chosen] = weights @ np.square(part, out=part)
    return mean, variance
