"""Second moments of the features, and when their eigenvectors pay."""

from copy import copy

import numpy as np
from scipy.linalg import eigh

from .._gram import moments
from .._sampling import draw_rows

CHEAP_EIGENVECTORS = 400  # features
EXPECTED_PRODUCTS = 50
EIGENVECTORS = 10  # operations by d^3
PRODUCT_COST = 20  # of one multiplication in a product, in those of a matrix product
BLOCK_ENTRIES = 2**22
ROUNDING = 100  # of the ridge
ORTHOGONAL, ORTHOGONAL_SINGLE = 1e-6, 1e-5  # cosine of features


class KnownMoments:
    """Those of a problem and of others on the same data.

    Attributes
    ----------
    second : SecondMoments or None
    """

    def __init__(self):
        self.second = None

    def of(self, problem, ridge, spent=0.0, expected=EXPECTED_PRODUCTS):
        """Second moments where they pay, else the mean squares of the features.

        They pay where products, those that were `spent` and the `expected` ones, cost as much as
        their eigenvectors.  Those are with all samples: where these are many, products are too.
        """
        known = self.second is not None or problem.data.is_part
        if not known and not eigenvectors_pay(problem, spent, expected):
            return MeanSquares(problem)
        dtype = moments_dtype(problem, ridge)
        if self.second is None or self.second.dtype < dtype:
            self.second = SecondMoments(problem.data, dtype)
        return self.second


def product_cost(shape, n_classes):
    """Of a product with a Hessian of n samples and d features, in multiplications."""
    return PRODUCT_COST * shape[0] * shape[1] * n_classes


def eigenvectors_pay(problem, spent, expected):
    """Whether those of second moments cost no more than products, so far and to come."""
    d = problem.shape[0]
    products = spent + expected * product_cost(problem.data.shape, problem.n_classes)
    return d <= CHEAP_EIGENVECTORS or products >= EIGENVECTORS * d**3


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
        blocks = ((rows, columns) for columns, rows in columns_of(data, chosen, dtype))
        total = moments(blocks, np.ones(n))
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


def _is_diagonal(moments):
    """Whether next to nothing is beside the diagonal."""
    root = np.sqrt(moments.diagonal())
    most = ORTHOGONAL if moments.dtype == np.float64 else ORTHOGONAL_SINGLE
    first = np.abs(moments[0, 1:]) <= most * root[0] * root[1:]
    if not first.all():
        return False
    return bool((np.abs(moments - np.diag(root**2)) <= most * np.outer(root, root)).all())


def columns_of(data, chosen, dtype):
    """Some rows of X with a constant feature, and which they are, a block at a time."""
    n, d = data.shape
    everything = np.arange(d)
    size = max(16, min(BLOCK_ENTRIES // d, n // 8))
    for start in range(0, len(chosen), size):
        rows = chosen[start : start + size]
        yield data.columns(rows, everything, dtype), rows
