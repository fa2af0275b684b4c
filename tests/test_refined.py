"""Models with the exact Hessian, minimised through one that is nearly right."""

import numpy as np
import pytest
from problems import least_subgradient, make_model_around, make_problem, model_at

from sklinear.solvers._explicit import minimise_dense
from sklinear.solvers._hessian import Hessian
from sklinear.solvers._proximal_newton import ProximalNewton
from sklinear.solvers._refined import Refinement, best_step, minimise_refined

pytestmark = pytest.mark.usefixtures("without_small_steps")


def setting(l1_ratio, alpha=0.01, max_rows=120, name="cross-entropy"):
    """A model of 400 samples at some point, and a Hessian of some of them."""
    problem = make_problem(name, l1_ratio, alpha, n_samples=400, n_features=6)
    model = make_model_around(problem, damping=1e-3)
    coef, intercept = model.start[:-1], np.zeros(3)
    curvature = problem.curvature(problem.evaluate(coef, intercept).scores)
    return model, Hessian(problem, curvature, model.free, max_rows)


@pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_same_minimiser_as_with_the_explicit_hessian(l1_ratio, name):
    model, rough = setting(l1_ratio, name=name)
    found, gradient = minimise_refined(model, rough, 1e-9, 1000)
    expected, slope = minimise_dense(model, 1e-10)
    for x in (found, expected):  # a shift of the intercepts changes nothing
        x[-1] -= x[-1].mean()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(gradient, slope, atol=1e-7)


def test_the_exact_hessian_is_not_formed(monkeypatch):
    model, rough = setting(1.0)
    rough.dense()
    monkeypatch.setattr(Hessian, "_gram", lambda self: pytest.fail("formed"))
    x, gradient = minimise_refined(model, rough, 1e-4, 1000)
    before = np.linalg.norm(least_subgradient(model.start, model.gradient, model.l1))
    assert np.linalg.norm(least_subgradient(x, gradient, model.l1)) <= 1e-4 * before


def test_a_hessian_that_knows_too_little_is_refused():
    model, _ = setting(1.0, 1e-4)
    problem = make_problem("cross-entropy", 1.0, 1e-4, n_samples=400, n_features=6)
    few = problem.curvature(np.zeros((400, 3)))
    assert minimise_refined(model, Hessian(problem, few, model.free, 2), 1e-9, 3) is None


def test_product_is_that_of_the_model():
    model, rough = setting(0.5)
    refinement = Refinement(model, rough.dense(), 10)
    vector = np.random.default_rng(0).normal(size=np.count_nonzero(model.free))
    np.testing.assert_allclose(refinement.product(vector), model.dense_hessian() @ vector)
    assert refinement.products_left == 9


@pytest.mark.parametrize("seed", range(20))
def test_best_step_is_the_least_of_many(seed):
    rng = np.random.default_rng(seed)
    size = 8
    root = rng.normal(size=(size, size))
    x = rng.normal(size=size) * (rng.random(size) < 0.8)
    move, gradient, l1 = rng.normal(size=(3, size))
    l1 = np.abs(l1)
    change = root @ root.T @ move
    step, stop = best_step(x, gradient, l1, move, change)

    def value(t):
        return t * gradient @ move + t * t / 2 * move @ change + l1 @ np.abs(x + t * move)

    assert 0 <= step <= 1
    assert value(step) <= min(value(t) for t in np.linspace(0, 1, 1001)) + 1e-12
    np.testing.assert_allclose((x + step * move)[stop], 0, atol=1e-15)


def test_steps_near_the_end_use_it(monkeypatch):
    """With samples so many that an explicit Hessian costs as much as many products."""
    monkeypatch.setattr("sklinear.solvers._renewal.FEWEST_ROWS", 500)
    monkeypatch.setattr("sklinear.solvers._renewal.REFINABLE", 0)
    calls = []

    def record(*arguments):
        calls.append(minimise_refined(*arguments))
        return calls[-1]

    monkeypatch.setattr("sklinear.solvers._proximal_newton.minimise_refined", record)
    problem = make_problem("cross-entropy", 1.0, 0.01, n_samples=3000, n_features=6)
    steps, iterate = ProximalNewton(), problem.evaluate(np.zeros(problem.shape), np.zeros(3))
    while iterate is not None:
        last, iterate = iterate, steps.step(problem, iterate)
    assert any(found is not None for found in calls)
    model = model_at(problem, last, np.ones((7, 3), dtype=bool))
    assert np.abs(least_subgradient(model.start, model.gradient, model.l1)).max() <= 1e-9
