"""Approximate inverses of the Hessian X^T M X + l2 I for conjugate gradients.

Arrays are stacked: shape (d + 1, C), the last row belongs to the intercept.
"""

from copy import copy

import numpy as np
from scipy.linalg import eigh

from .._cholesky import ScaledCholesky, diagonal_of
from .._sampling import draw_rows
from .._threads import run

MAX_KRONECKER_FEATURES = 4096
N_MODES = 4
MOMENT_ROWS = 12_000
FEW_PRODUCTS = 20
MAX_MOMENTS = 2e8
CHEAP_EIGENVECTORS = 400  # features
EXPECTED_PRODUCTS = 50
EIGENVECTORS = 10  # operations by d^3
PRODUCT_COST = 20  # of one multiplication in a product, in those of a matrix product
BLOCK_ENTRIES = 2**22
LEAST_MEAN = 1e-10  # of the largest mean curvature
LEAST_SHIFT = 1e-8  # of the curvature of all classes
ROUNDING = 100  # of the ridge
ORTHOGONAL, ORTHOGONAL_SINGLE = 1e-6, 1e-5  # cosine of features
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
        self.moments = None
        self.modes = None
        self.spent, self.products = 0.0, 0.0

    def charge(self, model):
        """Note what the products with a model have cost."""
        many = max(0, model.n_products - FEW_PRODUCTS)
        self.products += product_cost(model) * model.n_products
        self.spent += product_cost(model) * many
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
        if not has_l1 and not self._moments_pay(problem, model):
            return kronecker_of(MeanSquares(problem), model)
        dtype = moments_dtype(problem, model.ridge)
        if self.moments is None or self.moments.dtype < dtype:
            self.moments = SecondMoments(problem.data, dtype)
        return kronecker_of(self.moments, model)

    def _moments_pay(self, problem, model):
        """Whether products, so far and to come, cost as much as eigenvectors of second moments.

        Those to come are with all samples: where these are many, products are too.  Steps on a
        part of the samples are followed by those on all.
        """
        if self.moments is not None or problem.data.is_part:
            return True
        return eigenvectors_pay(problem, self.products)

    def _is_hard(self, n, d, n_classes):
        blocks = (n_classes + N_MODES) * d * d
        return blocks <= MAX_MOMENTS and self.spent >= blocks * min(n, max(4 * d, MOMENT_ROWS))

    def _blocks(self, model):
        if self.modes is None:
            self.modes = ClassModes(model)
        self.modes.factor(np.broadcast_to(model.ridges()[:, None], model.free.shape))
        return self.modes


def product_cost(model):
    """Of a product with the Hessian, in multiplications of a matrix product."""
    n, d = model.hessian.data.shape
    return PRODUCT_COST * n * d * model.free.shape[1]


def eigenvectors_pay(problem, spent=0.0):
    """Whether those of second moments cost no more than products, so far and to come."""
    (n, d), n_classes = problem.data.shape, problem.n_classes
    products = spent + EXPECTED_PRODUCTS * PRODUCT_COST * n * d * n_classes
    return d <= CHEAP_EIGENVECTORS or products >= EIGENVECTORS * d**3


class Diagonal:
    """The inverse of the exact diagonal."""

    def __init__(self, model):
        self.diagonal = model.diagonal()

    def apply(self, rows):
        """Approximate solution of Hessian @ v = rows."""
        return rows / self.diagonal


class Moments:
    """Those of second order of the features and a constant one.

    Attributes
    ----------
    vectors : ndarray of shape (d + 1, d + 1), or None
        Their eigenvectors, a row for each feature; None where the features are orthogonal.
    values : ndarray of shape (d + 1,)
        The eigenvalues.
    """

    vectors = None

    def take(self, kept):
        """Those of some of the features, and the constant one."""
        if kept.all():
            return self
        part = copy(self)
        if self.vectors is None:
            part.values = self.values[kept]
        else:
            part.vectors = self.vectors[kept]
        return part


class MeanSquares(Moments):
    """The diagonal of the second moments, as if features were orthogonal; costs no product."""

    def __init__(self, problem):
        self.values = np.append(problem.mean_squares, 1.0)


class SecondMoments(Moments):
    """Those of the mean of x x^T, x with a constant feature, from some of the rows.

    After a reduction to n dimensions the features are orthogonal already.

    Attributes
    ----------
    dtype : dtype
        The precision in which they were found.
    """

    def __init__(self, data, dtype=np.float64, max_rows=None):
        n, d = data.shape
        chosen = draw_rows(n, moment_rows(d) if max_rows is None else max_rows)
        self.dtype = np.dtype(dtype)
        total = np.zeros((d + 1, d + 1), dtype=dtype)
        for columns, _ in _columns(data, chosen, dtype):
            total += columns.T @ columns
        data.passes.add(data.share * len(chosen) / n)
        total /= len(chosen)
        if _is_diagonal(total):
            values, self.vectors = total.diagonal(), None
        else:
            values, self.vectors = eigh(total, driver="evd", check_finite=False)
        self.values = np.maximum(values, 0.0)


def moment_rows(d):
    """From how many rows second moments of d features are taken."""
    return max(4 * d, 4000)


def moments_dtype(problem, ridge):
    """The precision of the second moments: single where its rounding is small beside the ridge.

    It is a share of the largest moments.  Features of sizes far apart need double precision.
    """
    rounding = np.finfo(np.float32).eps * problem.mean_squares.sum()
    return np.dtype(np.float32 if rounding <= ROUNDING * ridge.min() else np.float64)


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


def _is_diagonal(moments):
    """Whether next to nothing is beside the diagonal."""
    root = np.sqrt(moments.diagonal())
    most = ORTHOGONAL if moments.dtype == np.float64 else ORTHOGONAL_SINGLE
    first = np.abs(moments[0, 1:]) <= most * root[0] * root[1:]
    if not first.all():
        return False
    return bool((np.abs(moments - np.diag(root**2)) <= most * np.outer(root, root)).all())


def _columns(data, chosen, dtype):
    """Some rows of X with a constant feature, and which they are, a block at a time."""
    n, d = data.shape
    everything = np.arange(d)
    size = max(16, min(BLOCK_ENTRIES // d, n // 8))
    for start in range(0, len(chosen), size):
        rows = chosen[start : start + size]
        yield data.columns(rows, everything, dtype), rows


def _weighted_moments(data, weights):
    """Sum of w x x^T, x with a constant feature, estimated from some rows, for each column w."""
    n, d = data.shape
    chosen = draw_rows(n, max(4 * d, MOMENT_ROWS))
    moments = np.zeros((weights.shape[1], d + 1, d + 1), dtype=np.float32)
    for columns, rows in _columns(data, chosen, np.float32):
        roots = np.sqrt(weights[rows]).astype(np.float32)

        def add(k, columns=columns, roots=roots):
            part = roots[:, k, None] * columns
            moments[k] += part.T @ part

        run(add, range(weights.shape[1]), weights.shape[1] * columns.size)
    data.passes.add(data.share * weights.shape[1] * len(chosen) / max(1, n))
    total, used = weights.sum(axis=0), weights[chosen].sum(axis=0)
    moments *= np.divide(total, used, out=np.ones_like(total), where=used > 0)[:, None, None]
    return moments


def _with_diagonal(matrix, diagonal):
    """A factor of a matrix plus a diagonal."""
    matrix = matrix.copy()
    diagonal_of(matrix)[:] += diagonal
    return ScaledCholesky(matrix, RIDGES, keep=False)
