"""Quadratic models, their minimisers and what preconditions them."""

import numpy as np
import pytest
from data import csr
from problems import (
    least_subgradient,
    make_model_around,
    make_problem,
    model_at,
    random_point,
)
from scipy.optimize import minimize

from sklinear._sampling import draw_by_size, draw_rows
from sklinear.solvers import _explicit
from sklinear.solvers._conjugate import (
    ClassDescent,
    minimise_by_columns,
    minimise_by_products,
)
from sklinear.solvers._explicit import Quadratic, minimise_dense
from sklinear.solvers._interior_model import from_inside
from sklinear.solvers._moments import MeanSquares, SecondMoments, moments_dtype
from sklinear.solvers._preconditioner import Diagonal, Preconditioners, kronecker_of

CONTAINERS = {"dense": np.asarray, "csr": csr}
CURVATURES = {"softmax": "cross-entropy", "star": "squared hinge", "smoothed": "smoothed hinge"}
over_containers = pytest.mark.parametrize("container", CONTAINERS)
over_curvatures = pytest.mark.parametrize("curvature", CURVATURES)


def explicit_hessian(problem, model):
    """X^T M X + ridge on the free variables, from products with the columns of the curvature."""
    X = problem.data.X.toarray() if problem.data.sparse else problem.data.X
    X1 = np.column_stack([X[:, model.kept[:-1]], np.ones(len(X))])
    curvature = problem.curvature(problem.evaluate(*point_of(problem)).scores)
    n, C = len(X), problem.n_classes
    M = np.stack([curvature.product(np.tile(e, (n, 1))) for e in np.eye(C)], axis=2)
    H = np.einsum("ikl,ij,iJ->jkJl", M, X1, X1)
    ridge = np.append(model.ridge, 0)
    size = X1.shape[1] * C
    H = H.reshape(size, size) + np.kron(np.diag(ridge), np.eye(C))
    chosen = np.flatnonzero(model.free)
    return H[np.ix_(chosen, chosen)]


def point_of(problem):
    coef, intercept = random_point(problem)
    return 0.3 * coef, 0.3 * intercept


def reference_value(problem, model):
    """Least m(x) - m(w), by L-BFGS-B on the positive and the negative parts of x."""
    H, start = explicit_hessian(problem, model), model.start[model.free]
    l1 = np.broadcast_to(model.l1, model.free.shape)[model.free]
    g = model.gradient[model.free]

    def smooth(parts):
        up, down = np.split(parts, 2)
        move = up - down - start
        slope = g + H @ move
        value = 0.5 * (g + slope) @ move + l1 @ (up + down)
        return value, np.concatenate([slope + l1, l1 - slope])

    begin = np.concatenate([np.maximum(start, 0), np.maximum(-start, 0)])
    bounds = [(0, None)] * len(begin)
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-10}
    best = minimize(smooth, begin, jac=True, bounds=bounds, options=options)
    return best.fun - l1 @ np.abs(start)


def minimisers(model):
    """Every way to minimise the model that its penalty allows."""
    yield minimise_dense(model, 1e-10, max_rounds=100)
    yield minimise_by_columns(model, Diagonal(model), 1e-13, max_rounds=200, max_products=200)
    if not model.l1.any():
        yield minimise_by_products(model, Diagonal(model), 1e-12, max_products=1000)


class TestQuadraticModel:
    @pytest.mark.parametrize("part", [1.0, 0.6])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @over_curvatures
    @over_containers
    def test_explicit_hessian(self, container, curvature, fit_intercept, part):
        name, X = CURVATURES[curvature], CONTAINERS[container]
        problem = make_problem(name, 0.5, X=X, fit_intercept=fit_intercept)
        model = make_model_around(problem, part)
        expected = explicit_hessian(problem, model)
        np.testing.assert_allclose(model.dense_hessian(), expected, atol=1e-9)

    @pytest.mark.parametrize("part", [1.0, 0.6])
    @over_curvatures
    @over_containers
    def test_product_and_diagonal_of_the_hessian(self, container, curvature, part):
        problem = make_problem(CURVATURES[curvature], 0.5, X=CONTAINERS[container])
        model = make_model_around(problem, part)
        vector = model.free * np.random.default_rng(1).normal(size=model.free.shape)
        H = explicit_hessian(problem, model)
        found = model.product(vector)[model.free]
        np.testing.assert_allclose(found, H @ vector[model.free], atol=1e-9)
        np.testing.assert_allclose(model.diagonal()[model.free], np.diag(H), atol=1e-9)

    @pytest.mark.parametrize("part", [1.0, 0.6])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    @over_curvatures
    @over_containers
    def test_all_ways_reach_the_minimum(self, container, curvature, l1_ratio, fit_intercept, part):
        name, X = CURVATURES[curvature], CONTAINERS[container]
        problem = make_problem(name, l1_ratio, 0.05, X=X, fit_intercept=fit_intercept)
        model = make_model_around(problem, part)
        best = reference_value(problem, model)
        assert best < -1e-3
        for x, gradient in minimisers(model):
            assert model.value(x, gradient) == pytest.approx(best, rel=1e-7)
            np.testing.assert_allclose(x[~model.free], model.start[~model.free], atol=0)

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    @over_containers
    def test_gradient_they_return(self, container, l1_ratio):
        problem = make_problem("cross-entropy", l1_ratio, X=CONTAINERS[container])
        model = make_model_around(problem, 0.6)
        for x, gradient in minimisers(model):
            expected = model.gradient + model.product(x - model.start)
            np.testing.assert_allclose(gradient[model.free], expected[model.free], atol=1e-9)

    @pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
    @over_curvatures
    def test_minimum_of_a_damped_model(self, curvature, l1_ratio):
        """The damping holds the weights near the iterate, against shifts of a row too."""
        problem = make_problem(CURVATURES[curvature], l1_ratio, 0.05, fit_intercept=False)
        model = make_model_around(problem, damping=0.1)
        best = reference_value(problem, model)
        for x, gradient in minimisers(model):
            assert model.value(x, gradient) == pytest.approx(best, rel=1e-7)

    def test_what_the_damping_adds(self):
        problem = make_problem("squared hinge", 0.5)
        x = make_model_around(problem).start + np.random.default_rng(2).normal(size=(6, 3))
        values = []
        for damping in (0.0, 0.1):
            model = make_model_around(problem, damping=damping)
            values.append(model.value(x, model.gradient + model.product(x - model.start)))
        assert model.damping_of(x) == pytest.approx(values[1] - values[0])

    @pytest.mark.parametrize("fit_intercept", [True, False])
    @over_curvatures
    @over_containers
    def test_sweeps_stay_at_the_minimum(self, container, curvature, fit_intercept):
        """No coordinate of the minimiser wants to move, the intercept's no more than others."""
        problem = make_problem(
            CURVATURES[curvature],
            0.5,
            0.05,
            X=CONTAINERS[container],
            fit_intercept=fit_intercept,
        )
        model = make_model_around(problem)
        x, _ = minimise_dense(model, 1e-12, max_rounds=100)
        np.testing.assert_allclose(ClassDescent(model).sweep(x, 3), x, atol=1e-6)

    @over_curvatures
    @over_containers
    def test_sweeps_lower_the_model(self, container, curvature):
        problem = make_problem(CURVATURES[curvature], 0.5, 0.05, X=CONTAINERS[container])
        model = make_model_around(problem)
        descent, x, value = ClassDescent(model), model.start, 0.0
        for _ in range(20):
            x = descent.sweep(x, 1)
            now = model.value(x, model.gradient + model.product(x - model.start))
            assert now <= value + 1e-12
            value = now
        assert value < -1e-3

    def test_moves_are_put_back(self):
        problem = make_problem("cross-entropy", 0.0)
        model = make_model_around(problem, 0.3, seed=5)
        assert not model.kept.all()
        move = model.move_to(model.start + 1)
        free = np.zeros(move.shape, dtype=bool)
        free[model.kept] = model.free
        np.testing.assert_array_equal(move != 0, free)
        np.testing.assert_allclose(move[free], 1)

    def test_moves_end_at_the_least_penalty_of_each_row(self):
        problem = make_problem("cross-entropy", 0.5)
        model = make_model_around(problem)
        x = model.start + np.random.default_rng(0).normal(size=model.start.shape)
        end = model.start + model.move_to(x)
        np.testing.assert_allclose(end[:-1], problem.penalty.recentre(x[:-1]), atol=1e-14)
        np.testing.assert_allclose(end[-1], x[-1])

    def test_only_samples_that_curve_are_kept(self):
        problem = make_problem("squared hinge", 0.5, n_samples=200)
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        true = np.eye(3)[problem.labels] * np.array(np.arange(200) % 4 > 0)[:, None]
        margins = problem.certified(
            iterate.coef, iterate.intercept, 5 * true, np.zeros_like(iterate.dual)
        )
        free = np.ones((problem.shape[0] + 1, 3), dtype=bool)
        model = model_at(problem, margins, free, 0.01)
        assert model.hessian.data.shape[0] == 50

    @pytest.mark.parametrize("n_samples", [100, 149, 200, 1000])
    def test_sampled_hessian_has_at_most_max_rows(self, n_samples):
        problem = make_problem("cross-entropy", 0.5, n_samples=n_samples)
        model = make_model_around(problem, max_rows=50)
        assert 25 <= model.hessian.data.shape[0] <= 50

    def test_sampled_hessian_resembles_the_whole(self):
        problem = make_problem("cross-entropy", 0.5, n_samples=3000)
        whole, sampled = (
            make_model_around(problem, max_rows=rows).dense_hessian() for rows in (3000, 750)
        )
        difference = np.linalg.norm(sampled - whole)
        assert 0 < difference <= 0.15 * np.linalg.norm(whole)

    def test_sampled_products_cost_their_share_of_a_pass(self):
        problem = make_problem("cross-entropy", 0.5, n_samples=1000)
        model = make_model_around(problem, max_rows=100)
        before = problem.data.passes.total
        model.product(model.start)
        assert problem.data.passes.total - before == pytest.approx(0.1)


class Unscaled:
    """No preconditioner."""

    def apply(self, rows):
        return rows


def shortfall(model, preconditioner, n_products=20):
    """What the model falls short of its minimum after some products, as a share of its fall."""
    best = model.value(*minimise_dense(model, 1e-10))
    value = model.value(*minimise_by_products(model, preconditioner, 1e-12, n_products))
    return 1 - value / best


def badly_scaled(X):
    """Features of sizes from a hundredth to a hundred."""
    return X * np.geomspace(0.01, 100, X.shape[1])


def correlated(X):
    """Features that are sums of others, of sizes far apart."""
    return badly_scaled(X) @ np.triu(np.ones((X.shape[1], X.shape[1])))


class TestPreconditioners:
    @over_containers
    @over_curvatures
    def test_diagonal_helps_where_scales_differ(self, curvature, container):
        problem = make_problem(
            CURVATURES[curvature],
            0.0,
            1e-4,
            n_samples=200,
            n_features=20,
            X=lambda X: CONTAINERS[container](badly_scaled(X)),
        )
        model = make_model_around(problem, size=1e-3)
        assert shortfall(model, Diagonal(model)) < 0.5 * shortfall(model, Unscaled())

    @over_curvatures
    def test_kronecker_helps_where_features_correlate(self, curvature):
        problem = make_problem(
            CURVATURES[curvature], 0.0, 1e-4, n_samples=200, n_features=20, X=correlated
        )
        model = make_model_around(problem, size=1e-3)
        kronecker = shortfall(model, kronecker_of(SecondMoments(problem.data), model))
        assert kronecker < 0.5 * shortfall(model, Unscaled())
        assert kronecker < 0.5 * shortfall(model, Diagonal(model))

    @over_curvatures
    def test_classes_help_where_features_are_orthogonal(self, curvature):
        """As they do by themselves; the diagonal knows nothing of the other classes."""
        problem = make_problem(CURVATURES[curvature], 0.0, 1e-4, n_samples=2000, n_features=20)
        model = make_model_around(problem, size=1e-3)
        kronecker = shortfall(model, kronecker_of(MeanSquares(problem), model))
        assert kronecker < 0.5 * shortfall(model, Diagonal(model))

    def test_kronecker_on_some_of_the_features(self):
        problem = make_problem(
            "cross-entropy", 0.0, 1e-4, n_samples=200, n_features=20, X=correlated
        )
        model = make_model_around(problem, 0.3, size=1e-3)
        assert not model.kept.all()
        kronecker = shortfall(model, kronecker_of(SecondMoments(problem.data), model))
        assert kronecker < 0.5 * shortfall(model, Unscaled())

    def test_kronecker_is_the_inverse_where_all_samples_curve_alike(self):
        """At zero scores every q is 1/C; equal weights make the moments those of the model."""
        problem = make_problem("cross-entropy", 0.0, 0.1, n_samples=60, fit_intercept=False)
        problem.weights[:] = 1 / 60
        zero = np.zeros(problem.shape)
        iterate = problem.certified(zero, np.zeros(3), np.zeros((60, 3)), np.zeros((60, 3)))
        model = model_at(problem, iterate, np.ones((6, 3), dtype=bool))
        vector = np.random.default_rng(0).normal(size=(6, 3))
        vector[-1] = 0
        shifted = kronecker_of(SecondMoments(problem.data), model)
        image = model.product(vector)
        image[-1] += model.penalty.l2 * vector[-1]
        np.testing.assert_allclose(shifted.apply(image), vector, atol=1e-8)

    def test_diagonal_is_the_inverse_of_the_diagonal(self):
        model = make_model_around(make_problem("cross-entropy", 0.0))
        scaled = Diagonal(model).apply(model.diagonal())
        np.testing.assert_allclose(scaled, 1, rtol=1e-14)

    @pytest.mark.parametrize("tilt", [0.0, 1e-4])
    def test_orthogonal_features_need_no_eigenvectors(self, tilt):
        """The same inverse either way; a little beside the diagonal is too much."""

        def orthogonal(X):
            X = np.linalg.qr(X - X.mean(axis=0))[0] * np.arange(1, 6)
            return X + tilt * X[:, ::-1]

        problem = make_problem("cross-entropy", 0.0, n_samples=60, X=orthogonal)
        moments = SecondMoments(problem.data)
        assert (moments.vectors is None) == (tilt == 0)
        model = make_model_around(problem, 0.5, size=1e-3)
        found = kronecker_of(moments, model)
        X1 = np.column_stack([problem.data.X, np.ones(60)])
        moments.values, moments.vectors = np.linalg.eigh(X1.T @ X1 / 60)
        rows = np.random.default_rng(0).normal(size=model.free.shape)
        np.testing.assert_allclose(found.apply(rows), kronecker_of(moments, model).apply(rows))

    def test_moments_are_in_single_precision_where_the_ridge_is_larger_than_its_rounding(self):
        def chosen(alpha, X=np.asarray):
            problem = make_problem("cross-entropy", 0.0, alpha, X=X)
            return moments_dtype(problem, make_model_around(problem, size=1e-3).ridge)

        def far_apart(X):
            return X * np.logspace(-3, 3, X.shape[1])

        assert chosen(1e-4) == np.float32
        assert chosen(1e-9) == chosen(1e-4, far_apart) == np.float64

    def test_moments_are_found_again_where_the_ridge_falls_below_their_rounding(self):
        problem = make_problem("cross-entropy", 0.0, 1e-4, n_samples=90)
        preconditioners, found = Preconditioners(), []
        for scale in (1.0, 0.5, 1e-5, 1.0):
            scaled = problem.with_penalty(problem.penalty.scaled(scale))
            preconditioners.of(scaled, make_model_around(scaled, size=1e-3))
            found.append(preconditioners.moments.second)
        assert found[0].dtype == np.float32
        assert found[1] is found[0]
        assert found[2].dtype == np.float64
        assert found[3] is found[2]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_moments_in_either_precision(self, dtype):
        problem = make_problem("cross-entropy", 0.0, 1e-2, n_samples=90)
        moments = SecondMoments(problem.data, dtype)
        X1 = np.column_stack([problem.data.X, np.ones(90)])
        rebuilt = (moments.vectors * moments.values) @ moments.vectors.T
        assert moments.vectors.dtype == dtype
        atol = 1e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(rebuilt, X1.T @ X1 / 90, atol=atol)

    def test_moments_of_some_rows(self):
        """Of about max_rows evenly drawn ones."""
        problem = make_problem("cross-entropy", 0.0, n_samples=3000)
        whole = SecondMoments(problem.data, max_rows=3000)
        part = SecondMoments(problem.data, max_rows=500)
        X1 = np.column_stack([problem.data.X, np.ones(3000)])
        expected = np.linalg.eigvalsh(X1.T @ X1 / 3000)
        np.testing.assert_allclose(whole.values, expected, rtol=1e-10)
        np.testing.assert_allclose(part.values, expected, rtol=0.3)
        assert not np.allclose(part.values, expected, rtol=1e-10)


class TestDrawRows:
    @pytest.mark.parametrize("size", [1, 7, 99, 100, 1000])
    def test_one_of_each_part(self, size):
        rows = draw_rows(100, size)
        assert len(rows) == min(size, 100)
        assert np.all(np.diff(rows) > 0)
        parts = np.arange(len(rows) + 1) * 100 // len(rows)
        assert np.all((parts[:-1] <= rows) & (rows < parts[1:]))

    def test_classes_in_turn_are_all_met(self):
        met = np.bincount(draw_rows(3000, 300) % 10, minlength=10)
        assert met.min() >= 15

    def test_deterministic(self):
        np.testing.assert_array_equal(draw_rows(1000, 30), draw_rows(1000, 30))


class TestDrawBySize:
    def test_about_so_many_and_the_largest_for_certain(self):
        sizes = np.ones(1000)
        sizes[[3, 500, 999]] = 1e3
        rows, factor = draw_by_size(sizes, 100)
        assert abs(len(rows) - 100) <= 1
        assert np.all(np.diff(rows) > 0)
        assert {3, 500, 999} <= set(rows)
        assert factor[np.isin(rows, [3, 500, 999])] == pytest.approx(1.0)

    def test_sums_are_met_on_average(self):
        """Of the sizes next to exactly, of anything else within a few deviations."""
        rng = np.random.default_rng(0)
        sizes, values = rng.pareto(1.5, 20_000), rng.random(20_000)
        rows, factor = draw_by_size(sizes, 2000)
        assert factor @ sizes[rows] == pytest.approx(sizes.sum(), rel=0.03)
        assert factor @ values[rows] == pytest.approx(values.sum(), rel=0.1)

    def test_no_sizes_at_all(self):
        rows, factor = draw_by_size(np.zeros(100), 10)
        assert len(rows) == 10
        np.testing.assert_allclose(factor, 10.0)

    def test_deterministic(self):
        sizes = np.random.default_rng(0).random(500)
        first, second = draw_by_size(sizes, 50), draw_by_size(sizes, 50)
        np.testing.assert_array_equal(first[0], second[0])


def hard_quadratic(n_variables=400, n_rows=60, seed=0):
    """Columns that are nearly collinear, a fifth of them without a norm's weight of any use."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_rows, 8))
    columns = factors @ rng.normal(size=(8, n_variables))
    columns += 0.05 * rng.normal(size=columns.shape)
    hessian = columns.T @ columns / n_rows + 1e-6 * np.eye(n_variables)
    l1 = np.full(n_variables, 1e-3)
    l1[-3:] = 0.0
    return hessian, columns.T @ rng.normal(size=n_rows) / n_rows, l1


@pytest.mark.parametrize("begin", [0.0, 0.3])
def test_interior_points_find_the_minimiser(begin):
    """Its subgradient of least norm is next to zero; most weights are zero."""
    hessian, constant, l1 = hard_quadratic()
    start = begin * np.random.default_rng(1).normal(size=len(l1))
    x, gradient = from_inside(hessian, l1, start, constant + hessian @ start, 1e-9, (1e-13,))
    np.testing.assert_allclose(gradient, constant + hessian @ x, atol=1e-12)
    assert np.abs(least_subgradient(x, gradient, l1)).max() <= 1e-4 * np.abs(constant).max()
    assert np.count_nonzero(x) < 0.4 * len(x)


def test_interior_points_give_up_where_nothing_is_positive():
    hessian, constant, l1 = hard_quadratic()
    wrong = 3 * hessian - 2 * np.diag(np.diag(hessian))
    assert from_inside(wrong, l1, np.zeros(len(l1)), constant, 1e-3, (1e-13,)) is None


@pytest.mark.parametrize(("first", "solved"), [(3, True), (np.inf, False)])
def test_hard_models_are_minimised_from_inside(first, solved, monkeypatch):
    """Twenty rounds without interior points are not enough."""
    hessian, constant, l1 = hard_quadratic()
    monkeypatch.setattr(_explicit, "FEW_ROUNDS", first)
    monkeypatch.setattr(_explicit, "ROUNDS", first)
    found = Quadratic(hessian, l1, None).minimise(np.zeros(len(l1)), constant, 1e-8)
    assert found[1] == solved


def test_interior_points_that_are_no_lower_are_not_taken(monkeypatch):
    hessian, constant, l1 = hard_quadratic()
    high = np.full(len(l1), 1e3)
    monkeypatch.setattr(_explicit, "from_inside", lambda *_: (high, constant + hessian @ high))
    x = np.zeros(len(l1))
    found = Quadratic(hessian, l1, None)._from_inside(x, constant, 1e-3)
    assert found[0] is x
