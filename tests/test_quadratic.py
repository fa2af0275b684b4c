"""The compiled steps on a quadratic plus an L1 norm, each against NumPy."""

import numpy as np
import pytest
from problems import least_subgradient

from sklinear import _quadratic
from sklinear.solvers._explicit import RIDGES, Quadratic, Steps


def make_quadratic(size=12, rank=None, seed=0):
    """A Hessian, its gradient at zero, and L1 weights of which some are zero."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(rank or 2 * size, size)) * 10.0 ** rng.uniform(-2, 2, size)
    hessian = half.T @ half
    constant = half.T @ rng.normal(size=len(half))
    l1 = np.where(rng.random(size) < 0.2, 0.0, 0.3 * np.abs(constant))
    return hessian, constant, l1


def value(x, hessian, constant, l1):
    return 0.5 * x @ hessian @ x + constant @ x + l1 @ np.abs(x)


def test_norm_of_the_least_subgradient():
    x = np.array([0.0, 0.0, 0.0, 2.0, -2.0])
    gradient = np.array([0.5, 1.5, -1.5, -1.0, 0.4])
    np.testing.assert_allclose(least_subgradient(x, gradient, 1.0), [0, 0.5, -0.5, 0, -0.6])
    found = _quadratic.least_subgradient(x, gradient, np.ones(5))
    assert found == pytest.approx(np.sqrt(0.25 + 0.25 + 0.36), rel=1e-15)


@pytest.mark.parametrize("rank", [None, 5], ids=["definite", "singular"])
@pytest.mark.parametrize("seed", range(20))
def test_steps_never_raise_the_function_and_know_its_gradient(seed, rank):
    hessian, constant, l1 = quadratic = make_quadratic(rank=rank, seed=seed)
    x = np.random.default_rng(seed + 1).normal(size=len(l1)) * (np.arange(len(l1)) % 3 > 0)
    gradient, steps = constant + hessian @ x, Steps(hessian, l1)
    scale = np.abs(hessian).max() * (1 + np.abs(x).max()) ** 2
    for number in range(4):
        before = value(x, *quadratic)
        steps.improve(x, gradient, number)
        assert value(x, *quadratic) <= before + 1e-12 * scale
        np.testing.assert_allclose(gradient, constant + hessian @ x, atol=1e-11 * scale)


@pytest.mark.parametrize("seed", range(20))
def test_they_end_at_the_minimiser(seed):
    hessian, constant, l1 = make_quadratic(seed=seed)
    found, solved, _ = Quadratic(hessian, l1, None).minimise(np.zeros(12), constant, 1e-9)
    assert solved
    left = least_subgradient(found[0], constant + hessian @ found[0], l1)
    assert np.linalg.norm(left) <= 1e-8 * np.linalg.norm(
        least_subgradient(np.zeros(12), constant, l1)
    )


def test_without_an_l1_part_a_step_is_that_of_newton():
    hessian, constant, _ = make_quadratic()
    x, gradient = np.zeros(12), constant.copy()
    Steps(hessian, np.zeros(12)).improve(x, gradient)
    np.testing.assert_allclose(x, -np.linalg.solve(hessian, constant), rtol=1e-7)


def test_a_newton_step_moves_the_support_alone_and_stops_at_zero():
    hessian, l1 = np.eye(3), np.full(3, 0.1)
    x, gradient = np.array([1.0, -1.0, 0.0]), np.array([2.0, 0.5, 5.0])
    support, room = np.empty(3, dtype=np.intp), np.empty(24)
    _quadratic.newton_step(hessian, x, gradient, l1, RIDGES, room, support)
    # Of 1 - 2.1 < 0 remains 0; the third one has a slope, but no weight.
    np.testing.assert_allclose(x, [0.0, -1.4, 0.0], rtol=1e-12)
    np.testing.assert_allclose(gradient, [1.0, 0.1, 5.0], rtol=1e-12)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_solve(size):
    half = np.random.default_rng(0).normal(size=(20, size)) * np.logspace(-6, 6, size)
    matrix, expected = half.T @ half, np.random.default_rng(1).normal(size=size)
    rhs, solution = matrix @ expected, np.empty(size)
    _quadratic.solve(np.vstack([matrix, np.empty((2, size))]), rhs, RIDGES, solution)
    scale = np.sqrt(matrix.diagonal())
    np.testing.assert_allclose(
        scale * solution, scale * expected, rtol=1e-9, atol=1e-9 * scale.max(initial=0)
    )


def test_the_ridge_grows_where_rounding_leaves_no_solution():
    """Indefinite by 1e-8: of the ridges, 1e-7 is the first that makes it positive."""
    matrix = np.array([[1.0, 1.0 + 1e-8], [1.0 + 1e-8, 1.0]])
    solution = np.empty(2)
    _quadratic.solve(np.vstack([matrix, np.empty((2, 2))]), np.ones(2), RIDGES, solution)
    np.testing.assert_allclose(
        solution, np.linalg.solve(matrix + 1e-7 * np.eye(2), np.ones(2)), rtol=1e-6
    )
    _quadratic.solve(np.vstack([-matrix, np.empty((2, 2))]), np.ones(2), RIDGES, solution)
    np.testing.assert_array_equal(solution, 0.0)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_best_shifts_cost_least(n_classes):
    """One row for each kind of penalty, against a fine grid."""
    rng = np.random.default_rng(n_classes)
    coef = rng.normal(size=(4, n_classes))
    l1, l2 = np.array([0.3, 0.3, 0.0, 0.0]), np.array([0.5, 0.0, 0.5, 0.0])
    centre, shifts = coef.mean(axis=1), np.empty(4)
    _quadratic.best_shifts(np.sort(coef, axis=1), l1, l2, centre, shifts)

    def cost(t):
        bent = n_classes * l2 / 2 * (t - centre) ** 2
        return l1 * np.abs(coef - t[:, None]).sum(axis=1) + bent

    for t in np.linspace(-4, 4, 4001):
        assert np.all(cost(shifts) <= cost(np.full(4, t)) + 1e-12)
    assert shifts[3] == centre[3]


def test_a_model_that_is_minimised_is_not_recentred():
    hessian, constant, l1 = make_quadratic()
    asked = []

    def recentring(x):
        asked.append(x.copy())
        return np.zeros_like(x)

    (x, _), solved, _ = Quadratic(hessian, l1, recentring).minimise(np.zeros(12), constant, 1e-9)
    assert solved
    assert all(not np.array_equal(x, before) for before in asked)
