"""Approximate inverses of the Hessian X^T M X + l2 I for conjugate gradients.

Arrays are stacked: shape (d + 1, C), the last row belongs to the intercept.
"""

import numpy as np

MAX_KRONECKER_FEATURES = 4096


class Diagonal:
    """The inverse of the exact diagonal."""

    def __init__(self, model):
        self.diagonal = model.diagonal()

    def apply(self, rows):
        """Approximate solution of Hessian @ v = rows."""
        return rows / self.diagonal


class SecondMoments:
    """Eigenvectors of the mean of x x^T, x with a constant feature, from some of the rows."""

    def __init__(self, data, max_rows=None):
        n, d = data.shape
        size = min(n, max(4 * d, 4000) if max_rows is None else max_rows)
        step = max(1, n // size)
        total = np.zeros((d + 1, d + 1))
        count = 0
        everything = np.arange(d)
        for block in data.blocks(d):
            rows = data.columns(slice(block.start, block.stop, step), everything)
            total += rows.T @ rows
            count += len(rows)
        values, self.vectors = np.linalg.eigh((total / count).astype(data.dtype))
        self.values = np.maximum(values, 0.0)


class Kronecker:
    """(S kron M + ridge)^-1, S the second moments of X and M the mean curvature."""

    def __init__(self, moments, model):
        values, self.classes = np.linalg.eigh(model.curvature.mean())
        values = np.maximum(values, 1e-10 * max(values.max(), 1e-300))
        self.features = moments.vectors[model.kept]
        self.diagonal = np.outer(moments.values, values) + max(
            model.ridge, 1e-12 * values.max() * moments.values.max()
        )

    def apply(self, rows):
        """Approximate solution of Hessian @ v = rows."""
        dtype = self.features.dtype
        inner = self.features.T @ rows.astype(dtype)
        inner = (inner.astype(np.float64) @ self.classes) / self.diagonal
        inner = (inner @ self.classes.T).astype(dtype)
        return (self.features @ inner).astype(np.float64)
