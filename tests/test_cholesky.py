"""Cholesky factors of matrices that rounding may have left indefinite."""

import numpy as np
import pytest

from sklinear._cholesky import ScaledCholesky
from sklinear.solvers._preconditioner import RIDGES, _with_diagonal


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-3), (np.float64, 1e-9)])
def test_solves(dtype, rtol):
    rng = np.random.default_rng(0)
    root = rng.normal(size=(8, 6)) * np.geomspace(1e-3, 1e3, 6)
    matrix = (root.T @ root).astype(dtype)
    rhs = rng.normal(size=(6, 2))
    factor, expected = ScaledCholesky(matrix, [0.0]), np.linalg.solve(matrix.astype(float), rhs)
    np.testing.assert_allclose(factor.solve(rhs), expected, rtol=rtol)
    np.testing.assert_allclose(factor.solve(rhs[:, 0]), expected[:, 0], rtol=rtol)
    np.testing.assert_allclose(np.diag(factor.scaled), 1, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "kept"), [(np.float32, False), (np.float64, True)])
def test_forgets_what_single_precision_is_slow_with(dtype, kept):
    matrix = np.eye(4, dtype=dtype)
    matrix[0, 3] = matrix[3, 0] = 1e-18
    assert ScaledCholesky(matrix, [0.0]).scaled[0, 3] == (matrix[0, 3] if kept else 0)


def test_one_right_side_does_not_pack_the_factor():
    factor = ScaledCholesky(np.diag([1.0, 4.0]), [0.0])
    factor._potrs = None
    np.testing.assert_allclose(factor.solve(np.array([3.0, 8.0])), [3.0, 2.0], rtol=1e-15)


def test_lets_the_matrix_go():
    root = np.random.default_rng(0).normal(size=(8, 6))
    matrix, rhs = root.T @ root, np.arange(6.0)
    kept, let_go = ScaledCholesky(matrix.copy(), RIDGES), ScaledCholesky(matrix, RIDGES, keep=False)
    np.testing.assert_array_equal(let_go.solve(rhs), kept.solve(rhs))
    assert let_go.scaled is None
    np.testing.assert_allclose(np.diag(matrix), 1)


def test_adds_the_diagonal():
    found = _with_diagonal(np.eye(3, dtype=np.float32), np.array([1.0, 3.0, 0.0])).solve(np.ones(3))
    np.testing.assert_allclose(found, [0.5, 0.25, 1.0], rtol=1e-5)


def test_ridge_grows_until_a_singular_matrix_can_be_factored():
    vector = np.ones((5, 1), dtype=np.float32)
    factor = ScaledCholesky(vector @ vector.T - 1e-5 * np.eye(5, dtype=np.float32), RIDGES)
    solution = factor.solve(np.ones(5))
    assert factor.positive
    assert np.isfinite(solution).all()
    assert (vector.T @ solution).item() == pytest.approx(1, rel=1e-2)


@pytest.mark.parametrize("entry", [-3.0, np.inf, np.nan])
def test_diagonal_alone_where_nothing_helps(entry):
    matrix = np.array([[1, entry], [entry, 4]], dtype=np.float32)
    factor = ScaledCholesky(matrix, RIDGES)
    assert not factor.positive
    np.testing.assert_allclose(factor.solve(np.ones(2)), [1.0, 0.25], rtol=1e-6)


def test_leaves_the_matrix_alone():
    matrix = np.eye(3, dtype=np.float32)
    _with_diagonal(matrix, np.ones(3))
    np.testing.assert_array_equal(matrix, np.eye(3))
