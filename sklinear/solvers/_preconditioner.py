"""Approximate inverses of the Hessian X^T M X + l2 I for conjugate gradients.

Arrays are stacked: shape (d + 1, C), the last row belongs to the intercept.
"""

import numpy as np

from .._cholesky import ScaledCholesky, diagonal_of
from .._gram import WeightedMoments
from .._sampling import draw_rows
from .._threads import run
from ._moments import KnownMoments, MeanSquares, columns_of, product_cost

MAX_KRONECKER_FEATURES = 4096
N_MODES = 4
MOMENT_ROWS = 12_000
FEW_PRODUCTS = 20
SUMMING = 0.2  # of a moment, by a product of the same operations
MAX_MOMENTS = 2e8
LEAST_MEAN = 1e-10  # of the largest mean curvature
LEAST_SHIFT = 1e-8  # of the curvature of all classes
RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # for sums in single precision


class Preconditioners:
    """Chooses a preconditioner for a model and keeps what the next one can use.

    Without an L1 part eigenvectors of many features come once the products cost as much; till
    then, and where there are none, features are taken for orthogonal.  The
    blocks of `ClassModes` are dear to build and save most of the products: they come once
    the products beyond a few for each model have cost as much (where X is dense and the blocks
    fit in memory), and are built anew when a model takes many all the same.
    """

    def __init__(self):
        self.moments = KnownMoments()
        self.modes = None
        self.spent, self.products = 0.0, 0.0

    def charge(self, model):
        """Note what the products with a model have cost."""
        many = max(0, model.n_products - FEW_PRODUCTS)
        self.products += cost_of(model) * model.n_products
        self.spent += cost_of(model) * many
        if many:
            self.modes = None

    def of(self, problem, model):
        """The preconditioner for a model."""
        n, d = problem.data.shape
        has_l1 = problem.penalty.l1 > 0
        if problem.data.sparse or d > min(n, MAX_KRONECKER_FEATURES):
            return Diagonal(model) if has_l1 else kronecker_of(MeanSquares(problem), model)
        if not has_l1 and self._is_hard(n, d, problem.n_classes):
            return self._blocks(model)
        spent = np.inf if has_l1 else self.products
        return kronecker_of(self.moments.of(problem, model.ridge, spent), model)

    def _is_hard(self, n, d, n_classes):
        blocks = (n_classes + N_MODES) * d * d
        cost = SUMMING * blocks * min(n, max(4 * d, MOMENT_ROWS))
        return blocks <= MAX_MOMENTS and self.spent >= cost

    def _blocks(self, model):
        if self.modes is None:
            self.modes = ClassModes(model)
        self.modes.factor(np.broadcast_to(model.ridges()[:, None], model.free.shape))
        return self.modes


def cost_of(model):
    """Of a product with the Hessian."""
    return product_cost(model.hessian.data.shape, model.free.shape[1])


class Diagonal:
    """The inverse of the exact diagonal."""

    def __init__(self, model):
        self.diagonal = model.diagonal()

    def apply(self, rows):
        """Approximate solution of Hessian @ v = rows."""
        return rows / self.diagonal


def kronecker_of(moments, model):
    """The product in which the curvature is that of a model, in the features it has."""
    return Kronecker(moments.take(model.kept), model.hessian.class_mean, model.ridge)


class Kronecker:
    """(S kron M + ridge)^-1.

    Parameters
    ----------
    moments : Moments
        S, of the features and a constant one.
    mean : ndarray of shape (C, C)
        M, the mean curvature among the classes.
    ridge : ndarray of shape (d, 1)
    least : float
        The least curvature among the classes, of the largest.
    """

    def __init__(self, moments, mean, ridge, least=LEAST_MEAN):
        values, self.classes = np.linalg.eigh(mean)
        values = np.maximum(values, least * max(values.max(), 1e-300))
        self.features, sizes = moments.vectors, moments.values
        mean_ridge = ridge.mean()
        ridges = np.vstack([ridge, [[mean_ridge]]]) if self.features is None else mean_ridge
        smallest = 1e-12 * values.max() * sizes.max()
        self.diagonal = np.outer(sizes, values) + np.maximum(ridges, smallest)

    def apply(self, rows):
        """Approximate solution of Hessian @ v = rows."""
        if self.features is None:
            return ((rows @ self.classes) / self.diagonal) @ self.classes.T
        dtype = self.features.dtype
        inner = self.features.T @ rows.astype(dtype)
        inner = (inner.astype(np.float64) @ self.classes) / self.diagonal
        inner = (inner @ self.classes.T).astype(dtype)
        return (self.features @ inner).astype(np.float64)


class ClassModes:
    """(X^T diag(p u^T M u) X + diagonal)^-1, summed over some directions u among the classes.

    The directions are the classes themselves and the few in which the mean curvature is
    smallest: groups of classes that are seldom taken for each other move together with
    little resistance, and blocks of single classes don't see it.  Along the shift of all the
    classes there is no curvature at all, and the diagonal alone is inverted.

    Parameters
    ----------
    model : QuadraticModel
        With all features.
    """

    def __init__(self, model):
        curvature = model.hessian.curvature
        n_classes = curvature.factor.shape[1]
        _, vectors = np.linalg.eigh(model.hessian.class_mean)
        modes = vectors[:, 1 : 1 + N_MODES]
        self.directions = np.hstack([np.eye(n_classes), modes])
        size = len(curvature.labels), 1
        weights = [curvature.product(np.tile(u, size)) @ u for u in modes.T]
        weights = np.column_stack([curvature.diagonal(), *weights])
        free = model.penalty.free[model.kept[:-1][model.penalty.free]]
        self.unheld = np.append(np.searchsorted(np.flatnonzero(model.kept[:-1]), free), -1)
        self.hessians = _weighted_moments(model.hessian.data, np.maximum(weights, 0.0))
        # Less than that does not hold a shift of all classes: rounding would decide on it.
        self.least_shift = LEAST_SHIFT * np.einsum("kjj->j", self.hessians[:n_classes])[:, None]
        self.diagonal = None

    def factor(self, diagonal):
        """Factor the blocks with a diagonal added, given for every variable, stacked."""
        if self.diagonal is not None and np.array_equal(diagonal, self.diagonal):
            return
        self.diagonal = diagonal
        self.shift = diagonal.sum(axis=1, keepdims=True)
        self.shift[self.unheld] = np.inf
        self.shift[self.shift <= self.least_shift] = np.inf
        diagonals = (diagonal @ self.directions**2).T
        self.factors = None  # never two sets of them at once
        self.factors = run(
            lambda k: _with_diagonal(self.hessians[k], diagonals[k]),
            range(len(diagonals)),
            self.hessians.size,
        )

    def apply(self, rows):
        """Approximate solution of (Hessian + diagonal) @ v = rows."""
        parts = (rows @ self.directions).T
        solved = run(
            lambda k: self.factors[k].solve(parts[k]), range(len(parts)), self.hessians.size
        )
        together = rows.sum(axis=1, keepdims=True) / self.shift
        return np.column_stack(solved) @ self.directions.T + together


def _weighted_moments(data, weights):
    """Sum of w x x^T, x with a constant feature, estimated from some rows, for each column w."""
    n, d = data.shape
    chosen, n_weights = draw_rows(n, max(4 * d, MOMENT_ROWS)), weights.shape[1]
    shares = np.hstack([weights, np.ones((n, 1))]).astype(np.float32)
    moments = np.zeros((n_weights, d + 1, d + 1), dtype=np.float32)

    def part(some):
        sums = WeightedMoments(some, np.full(len(some), n_weights))
        for columns, rows in columns_of(data, chosen, np.float32):
            sums.add(columns, shares[rows])
        sums.write(moments[some[0] : some[-1] + 1])

    halves = [half for half in np.array_split(np.arange(n_weights), 2) if len(half)]
    if len(chosen):
        run(part, halves, n_weights * len(chosen) * d)
    data.passes.add(data.share * n_weights * len(chosen) / max(1, n))
    total, used = weights.sum(axis=0), weights[chosen].sum(axis=0)
    moments *= np.divide(total, used, out=np.ones_like(total), where=used > 0)[:, None, None]
    return moments


def _with_diagonal(matrix, diagonal):
    """A factor of a matrix plus a diagonal."""
    matrix = matrix.copy()
    diagonal_of(matrix)[:] += diagonal
    return ScaledCholesky(matrix, RIDGES, keep=False)
