"""Dense data less a number for each feature, without a copy of them.

(X - 1 m^T) W + b = X W + (b - m^T W): with an intercept the problem is the same, but features
that are far from zero beside their spread no longer look like the intercept and one another.
"""

import numpy as np

from ._base_data import BLOCK_ENTRIES
from ._dense_data import DenseData


class CentredData(DenseData):
    """X - 1 m^T for dense X.

    Parameters
    ----------
    data : DenseData
        X.
    centre : ndarray of shape (d,)
        m, in float64.
    """

    def __init__(self, data, centre):
        super().__init__(data.X, data.passes, data.share)
        self.is_part, self.centre = data.is_part, centre

    def scores(self, coef, offset=None):
        """(X - 1 m^T) @ coef + offset, in the precision of `coef`."""
        shift = self.centre @ coef
        return super().scores(coef, -shift if offset is None else offset - shift)

    def correlate(self, rows):
        """(X - 1 m^T)^T @ rows, in the precision of `rows`."""
        out = super().correlate(rows)
        total = np.ones(len(rows), rows.dtype) @ rows
        out -= (self.centre[:, None] * total).astype(out.dtype)
        return out

    def astype(self, dtype):
        """A centred copy in a precision: the offset goes before the digits do."""
        out = np.empty(self.shape, dtype)
        for rows in self.blocks(self.shape[1]):
            out[rows] = self._entries(rows)
        return self._like(out, self.share)

    def _part(self, rows, features):
        part = super()._part(rows, features)
        out = np.empty_like(part) if np.may_share_memory(part, self.X) else part
        return np.subtract(part, self.centre[features], out=out, casting="same_kind")

    def _like(self, X, share):
        """Copies of parts are centred themselves."""
        other = DenseData(X, self.passes, share)
        other.is_part = self.is_part or X.shape[0] < self.shape[0]
        return other

    def _entries(self, rows, features=slice(None)):
        return super()._entries(rows, features) - self.centre[features]


def means_and_variances(data, weights, rows):
    """Means and variances of the features of dense data, from some of the rows."""
    d = data.shape[1]
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
