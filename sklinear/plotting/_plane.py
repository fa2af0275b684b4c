"""A plane through the weights and the intercept of a model, and the objective on it.

The scores are linear in both, so three products with X give the scores on the whole plane.
Points are rows here: all weights, as in `coef_`, and then the intercept.
"""

from dataclasses import dataclass

import numpy as np

from .._objective import class_weights
from .._threads import serial_blas

INDEPENDENT = 1e-10  # of a direction's norm must be left beside the other


@dataclass(frozen=True)
class Plane:
    """The points origin + a * first + b * second, all three rows."""

    origin: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def project(self, rows):
        """Coordinates (m, 2) of the points of the plane nearest to m others."""
        basis = np.column_stack([self.first, self.second])
        return np.linalg.lstsq(basis, (rows - self.origin).T, rcond=None)[0].T

    def objective(self, problem, a, b):
        """The objective at coordinates of any shapes that broadcast."""
        parts = [weights_of(row, problem) for row in (self.origin, self.first, self.second)]
        coefs = [coef for coef, _ in parts]
        with serial_blas:
            scores = [problem.scores(*part) for part in parts]

            def value(a, b):
                loss = problem.loss_value(_combine(scores, a, b))
                return loss + problem.penalty.value(_combine(coefs, a, b))

            return np.vectorize(value, otypes=[float])(a, b)


def _combine(parts, a, b):
    return parts[0] + a * parts[1] + b * parts[2]


def row_of(coef, intercept):
    """A point as a row, or m of them as m rows."""
    shape = *np.shape(coef)[:-2], -1
    return np.concatenate([np.reshape(coef, shape), intercept], axis=-1)


def weights_of(row, problem):
    """W (d, C) and b (C,) of a row."""
    n_features, n_classes = problem.shape
    n_rows = 1 if n_classes == 2 else n_classes
    coef, intercept = np.split(row, [n_rows * n_features])
    return class_weights(coef.reshape(n_rows, n_features), intercept)


def random_directions(size, n_weights, fit_intercept, rng):
    """Two orthonormal rows; they leave the intercept alone if none is fitted."""
    rows = rng.normal(size=(2, size))
    if not fit_intercept:
        rows[:, n_weights:] = 0.0
    return np.linalg.qr(rows.T)[0].T


def path_directions(steps, spare):
    """Two orthonormal rows that hold most of the steps (m, size), and each one's share.

    They are the first principal directions about the origin.  Where the path is a straight
    line, the second one comes out of the `spare` rows.
    """
    _, sizes, rows = np.linalg.svd(steps, full_matrices=False)
    rows = rows[sizes > INDEPENDENT * max(sizes[0], np.finfo(float).tiny)][:2]
    shares = np.zeros(2)
    shares[: len(rows)] = sizes[: len(rows)] ** 2 / (sizes**2).sum()
    basis = np.linalg.qr(np.vstack([rows, spare]).T)[0].T[:2]
    basis[: len(rows)] = rows
    return basis, shares


def are_independent(first, second):
    """Whether two rows span a plane."""
    sizes = np.linalg.svd(np.vstack([first, second]), compute_uv=False)
    return sizes[1] > INDEPENDENT * sizes[0]
