"""That the mechanisms inside the solvers act, each on its own."""

import itertools

import numpy as np
import pytest
from data import csr, make_classes
from models import make_model
from problems import LOSSES, make_problem, random_point
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

from sklinear import SoftmaxClassifier, SVMClassifier, _driver
from sklinear._certificate import certify
from sklinear._driver import Start
from sklinear._losses import Hinge
from sklinear._problem import best_shift, line_search
from sklinear.solvers import choose
from sklinear.solvers._conjugate import (
    ClassDescent,
    minimise_by_columns,
    minimise_by_products,
)
from sklinear.solvers._explicit import minimise_dense
from sklinear.solvers._model import QuadraticModel, violation
from sklinear.solvers._newton import newton, stages
from sklinear.solvers._preconditioner import Diagonal, Kronecker, SecondMoments
from sklinear.solvers._proximal_newton import (
    MAX_DENSE_VARIABLES,
    ProximalNewton,
    free_variables,
)
from sklinear.solvers._proximal_point import proximal_point
from sklinear.solvers._representer import applies
from sklinear.solvers._sampling import draw_rows
from sklinear.solvers._search import Ray

CONTAINERS = {"dense": np.asarray, "csr": csr}
CURVATURES = {"softmax": "cross-entropy", "star": "squared hinge", "smoothed": "smoothed hinge"}
over_losses = pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
over_containers = pytest.mark.parametrize("container", CONTAINERS)
over_curvatures = pytest.mark.parametrize("curvature", CURVATURES)


def zero_point(problem):
    return np.zeros(problem.shape), np.zeros(problem.n_classes)


def zero_start(problem):
    return Start(*zero_point(problem))


def last(solver, problem, n_iterates, tol=0.0):
    """The iterate that meets tol, or the last one of so many."""
    for iterate in itertools.islice(solver(problem, zero_start(problem)), n_iterates):
        if certify(problem, iterate).gap <= tol * problem.value_at_zero:
            break
    return iterate


class TestRepresenter:
    @over_losses
    def test_wide_dense_data_without_l1_are_reduced(self, name):
        problem = make_problem(name, 0.0, n_samples=20, n_features=250)
        assert applies(problem)
        assert choose(problem) not in (newton, proximal_point)

    @pytest.mark.parametrize(
        ("l1_ratio", "size", "container"),
        [(0.5, (20, 250), "dense"), (0.0, (250, 20), "dense"), (0.0, (20, 250), "csr")],
        ids=["with L1", "tall", "sparse"],
    )
    def test_others_are_not(self, l1_ratio, size, container):
        n, d = size
        problem = make_problem(
            "cross-entropy", l1_ratio, n_samples=n, n_features=d, X=CONTAINERS[container]
        )
        assert choose(problem) is newton

    @pytest.mark.parametrize("fit_intercept", [True, False])
    @over_losses
    def test_same_objective_as_without(self, name, fit_intercept):
        problem = make_problem(name, 0.0, n_samples=12, n_features=200, fit_intercept=fit_intercept)
        solver = newton if problem.loss.smooth else proximal_point
        found, expected = (last(s, problem, 100, 1e-12) for s in (choose(problem), solver))
        value = problem.objective(expected)
        assert problem.objective(found) == pytest.approx(value, rel=1e-6)
        assert certify(problem, found).gap <= 1e-12 * problem.value_at_zero

    def test_lifted_iterate_is_consistent(self):
        problem = make_problem("cross-entropy", 0.0, n_samples=20, n_features=250)
        found = last(choose(problem), problem, 3)
        X, weighted = problem.data.X, problem.weights[:, None] * found.dual
        np.testing.assert_allclose(found.scores, X @ found.coef + found.intercept, atol=1e-10)
        np.testing.assert_allclose(found.correlation, X.T @ weighted, atol=1e-13)

    def test_linearly_dependent_samples(self):
        """Repeated rows leave a Gram matrix of half the rank."""
        problem = make_problem(
            "cross-entropy",
            0.0,
            n_samples=20,
            n_features=200,
            X=lambda X: np.repeat(X[:10], 2, axis=0),
        )
        assert certify(problem, last(choose(problem), problem, 20, 1e-10)).gap <= 1e-9

    def test_starts_where_it_is_told(self):
        """At the part of the weights that the samples see."""
        problem = make_problem("cross-entropy", 0.0, n_samples=20, n_features=250)
        coef, intercept = random_point(problem)
        iterate = next(choose(problem)(problem, Start(coef, intercept)))
        X = problem.data.X
        np.testing.assert_allclose(X @ iterate.coef, X @ coef, atol=1e-10)


def make_model_around(problem, part=1.0, damping=0.0, max_rows=10_000, seed=0, size=0.3):
    """A model at a random point; `part` of the weights are free, and the intercept if any is."""
    coef, intercept = random_point(problem, seed)
    iterate = problem.evaluate(size * coef, size * intercept)
    shape = problem.shape[0] + 1, problem.n_classes
    free = np.random.default_rng(seed).random(shape) < part
    free[-1] = problem.fit_intercept
    return QuadraticModel(problem, iterate, free, damping, max_rows)


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

    def test_expand_puts_weights_back(self):
        problem = make_problem("cross-entropy", 0.5)
        model = make_model_around(problem, 0.3, seed=5)
        assert not model.kept.all()
        whole = model.expand(model.start + 1)
        free = np.zeros(whole.shape, dtype=bool)
        free[model.kept] = model.free
        np.testing.assert_array_equal(whole, model.whole + free)

    def test_only_samples_that_curve_are_kept(self):
        problem = make_problem("squared hinge", 0.5, n_samples=200)
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        true = np.eye(3)[problem.labels] * np.array(np.arange(200) % 4 > 0)[:, None]
        margins = problem.certified(
            iterate.coef, iterate.intercept, 5 * true, np.zeros_like(iterate.dual)
        )
        free = np.ones((problem.shape[0] + 1, 3), dtype=bool)
        model = QuadraticModel(problem, margins, free, 0.01, 10_000)
        assert model.data.shape[0] == 50

    @pytest.mark.parametrize("n_samples", [100, 149, 200, 1000])
    def test_sampled_hessian_has_at_most_max_rows(self, n_samples):
        problem = make_problem("cross-entropy", 0.5, n_samples=n_samples)
        model = make_model_around(problem, max_rows=50)
        assert 25 <= model.data.shape[0] <= 50

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

    def test_subgradient_of_least_norm(self):
        x = np.array([0.0, 0.0, 0.0, 2.0, -2.0])
        gradient = np.array([0.5, 1.5, -1.5, -1.0, 0.4])
        expected = [0.0, 0.5, -0.5, 0.0, -0.6]
        np.testing.assert_allclose(violation(x, gradient, np.ones(5)), expected, atol=1e-15)


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
        kronecker = shortfall(model, Kronecker(SecondMoments(problem.data), model))
        assert kronecker < 0.5 * shortfall(model, Unscaled())
        assert kronecker < 0.5 * shortfall(model, Diagonal(model))

    def test_kronecker_on_some_of_the_features(self):
        problem = make_problem(
            "cross-entropy", 0.0, 1e-4, n_samples=200, n_features=20, X=correlated
        )
        model = make_model_around(problem, 0.3, size=1e-3)
        assert not model.kept.all()
        kronecker = shortfall(model, Kronecker(SecondMoments(problem.data), model))
        assert kronecker < 0.5 * shortfall(model, Unscaled())

    def test_kronecker_is_the_inverse_where_all_samples_curve_alike(self):
        """At zero scores every q is 1/C; equal weights make the moments those of the model."""
        problem = make_problem("cross-entropy", 0.0, 0.1, n_samples=60, fit_intercept=False)
        problem.weights[:] = 1 / 60
        zero = np.zeros(problem.shape)
        iterate = problem.certified(zero, np.zeros(3), np.zeros((60, 3)), np.zeros((60, 3)))
        model = QuadraticModel(problem, iterate, np.ones((6, 3), dtype=bool), 0.0, 10_000)
        vector = np.random.default_rng(0).normal(size=(6, 3))
        vector[-1] = 0
        shifted = Kronecker(SecondMoments(problem.data), model)
        image = model.product(vector)
        image[-1] += model.penalty.l2 * vector[-1]
        np.testing.assert_allclose(shifted.apply(image), vector, atol=1e-8)

    def test_diagonal_is_the_inverse_of_the_diagonal(self):
        model = make_model_around(make_problem("cross-entropy", 0.0))
        scaled = Diagonal(model).apply(model.diagonal())
        np.testing.assert_allclose(scaled, 1, rtol=1e-14)

    def test_moments_of_some_rows(self):
        """Of about max_rows evenly drawn ones."""
        problem = make_problem("cross-entropy", 0.0, n_samples=3000)
        whole = SecondMoments(problem.data, 3000)
        part = SecondMoments(problem.data, 500)
        X1 = np.column_stack([problem.data.X, np.ones(3000)])
        expected = np.linalg.eigvalsh(X1.T @ X1 / 3000)
        np.testing.assert_allclose(whole.values, expected, rtol=1e-10)
        np.testing.assert_allclose(part.values, expected, rtol=0.3)
        assert not np.allclose(part.values, expected, rtol=1e-10)


FUNCTIONS = {
    "quadratic": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "far quadratic": (lambda t: (t - 700) ** 2, lambda t: 2 * (t - 700)),
    "near quadratic": (lambda t: (t - 1e-4) ** 2, lambda t: 2 * (t - 1e-4)),
    "quartic": (lambda t: (t - 0.3) ** 4, lambda t: 4 * (t - 0.3) ** 3),
    "exponential": (lambda t: np.exp(t) - 2 * t, lambda t: np.exp(t) - 2),
    "logistic": (lambda t: np.logaddexp(0, 5 - 9 * t) + t, lambda t: 1 - 9 * expit(5 - 9 * t)),
    "kink": (lambda t: abs(t - 0.37), lambda t: np.sign(t - 0.37)),
    "far kink": (lambda t: abs(t - 37.7), lambda t: np.sign(t - 37.7)),
    "steep kink": (lambda t: max(-t, 1e6 * t - 10), lambda t: -1 if 1e6 * t - 10 < -t else 1e6),
    "kink at the first step": (lambda t: abs(t - 1), lambda t: np.sign(t - 1)),
    "two kinks": (
        lambda t: abs(t - 0.2) + abs(t - 0.21),
        lambda t: np.sign(t - 0.2) + np.sign(t - 0.21),
    ),
}
KINKS = [name for name in FUNCTIONS if "kink" in name]


class TestLineSearch:
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_function_falls(self, function):
        value, slope = FUNCTIONS[function]
        step = line_search(lambda t: (value(t), slope(t)), (value(0.0), slope(0.0)))
        assert step > 0
        assert value(step) < value(0.0)

    @pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in KINKS])
    def test_slope_falls_to_half(self, function):
        value, slope = FUNCTIONS[function]
        step = line_search(lambda t: (value(t), slope(t)), (value(0.0), slope(0.0)))
        assert abs(slope(step)) <= 0.5 * abs(slope(0.0))

    @pytest.mark.parametrize("function", ["kink", "far kink", "steep kink"])
    def test_ends_close_before_a_kink(self, function):
        value, slope = FUNCTIONS[function]
        kink = {"kink": 0.37, "far kink": 37.7, "steep kink": 10 / (1e6 + 1)}[function]
        step = line_search(lambda t: (value(t), slope(t)), (value(0.0), slope(0.0)))
        assert 0.99 * kink <= step <= kink

    @pytest.mark.parametrize("slope", [0.0, 1.0, np.nan])
    def test_no_step_without_descent(self, slope):
        assert line_search(lambda t: (slope * t, slope), (0.0, slope)) == 0

    def test_no_step_beyond_the_longest(self):
        assert line_search(lambda t: (-t, -1.0), (0.0, -1.0), longest=0.5) == 0.5
        assert line_search(lambda t: (-t, -1.0), (0.0, -1.0), longest=10.0) == 10

    def test_one_is_tried_first(self):
        tried = []

        def flat(step):
            tried.append(step)
            return -1.0, 0.0

        assert line_search(flat, (0.0, -1.0)) == 1
        assert tried == [1.0]


class TestBestShift:
    @pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_residual_vanishes(self, name, size):
        problem = make_problem(name, 0.0)
        scores = size * np.random.default_rng(0).normal(size=(len(problem.labels), 3))
        shift, dual = best_shift(problem, scores)
        assert np.abs(problem.weights @ dual).max() <= 1e-12
        again = problem.loss.value_and_dual(scores + shift, problem.labels, problem.weights)[1]
        np.testing.assert_allclose(dual, again, atol=1e-9)

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_no_other_shift_is_better(self, name):
        problem = make_problem(name, 0.0)
        rng = np.random.default_rng(0)
        scores = rng.normal(size=(len(problem.labels), 3))
        shift, _ = best_shift(problem, scores)
        best = problem.loss_value(scores + shift)
        others = [shift + 10.0**-power * rng.normal(size=3) for power in range(6)]
        assert best <= min(problem.loss_value(scores + other) for other in others) + 1e-15

    def test_sums_to_zero(self):
        problem = make_problem("cross-entropy", 0.0)
        shift, _ = best_shift(problem, np.zeros((len(problem.labels), 3)))
        assert shift.sum() == pytest.approx(0, abs=1e-15)

    @pytest.mark.parametrize("sigma", [1e-3, 1.0, 1e3, 1e6])
    def test_steep_smoothing(self, sigma):
        """A hinge nearly unsmoothed: the active set jumps, the residual still vanishes."""
        problem = make_problem("hinge", 0.0)
        scores = np.random.default_rng(0).normal(size=(len(problem.labels), 3))
        smoothed = problem.with_loss(Hinge().smoothed(np.zeros_like(scores), sigma))
        _, dual = best_shift(smoothed, scores)
        assert np.abs(problem.weights @ dual).max() <= 1e-9


class TestProximalNewton:
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_every_step_lowers_the_objective(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio, 0.05)
        steps, iterate = ProximalNewton(), problem.evaluate(*random_point(problem))
        values = [problem.objective(iterate)]
        while len(values) < 15 and (iterate := steps.step(problem, iterate)) is not None:
            values.append(problem.objective(iterate))
        assert np.all(np.diff(values) <= 1e-14)
        assert values[-1] < 0.9 * values[0]

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    def test_hessian_products_and_explicit_hessian_agree(self, l1_ratio, monkeypatch):
        problem = make_problem("cross-entropy", l1_ratio, n_samples=60)
        explicit = last(newton, problem, 15)
        monkeypatch.setattr("sklinear.solvers._proximal_newton.dense_limit", lambda problem: 0)
        products = last(newton, problem, 30)
        value = problem.objective(explicit)
        assert problem.objective(products) == pytest.approx(value, rel=1e-10)

    @pytest.mark.parametrize(
        ("l1_ratio", "alpha", "n_features", "explicit"),
        [(0.0, 0.01, 5, True), (0.0, 0.01, 400, False), (1.0, 0.1, 400, True)],
        ids=["few variables", "many", "few free ones of many"],
    )
    def test_hessian_is_formed_for_few_variables(
        self, l1_ratio, alpha, n_features, explicit, monkeypatch
    ):
        formed = []
        original = QuadraticModel.dense_hessian

        def record(model):
            formed.append(np.count_nonzero(model.free))
            return original(model)

        monkeypatch.setattr(QuadraticModel, "dense_hessian", record)
        problem = make_problem(
            "cross-entropy", l1_ratio, alpha, n_samples=450, n_features=n_features
        )
        last(newton, problem, 4)
        assert bool(formed) == explicit
        assert max(formed, default=0) <= MAX_DENSE_VARIABLES

    def test_free_variables_hold_support_and_worst_violations(self):
        problem = make_problem("cross-entropy", 1.0, 1e-4, n_samples=40, n_features=500)
        coef = np.zeros(problem.shape)
        coef[:3] = 0.1
        iterate = problem.evaluate(coef, np.zeros(3))
        free = free_variables(problem, iterate)
        size = np.abs(iterate.correlation)
        assert free[:3].all()
        assert free[-1].all()
        assert 200 <= np.count_nonzero(free[3:-1]) < 0.5 * free.size
        assert size[3:][free[3:-1]].min() >= size[3:][~free[3:-1]].max()

    def test_all_variables_are_free_without_l1(self):
        problem = make_problem("cross-entropy", 0.0, n_samples=40, n_features=500)
        iterate = problem.evaluate(*random_point(problem))
        assert free_variables(problem, iterate).all()

    def test_intercept_is_free_only_if_there_is_one(self):
        problem = make_problem("cross-entropy", 0.5, fit_intercept=False)
        free = free_variables(problem, problem.evaluate(*random_point(problem)))
        assert not free[-1].any()
        assert not last(newton, problem, 5).intercept.any()

    def test_sampled_hessian_grows_until_it_is_good_enough(self):
        """A model of ten samples predicts too much."""
        problem = make_problem("cross-entropy", 0.0, 1e-4, n_samples=600, n_features=8)
        steps, iterate = ProximalNewton(), problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        steps.max_rows = 10
        for _ in range(30):
            iterate = steps.step(problem, iterate) or iterate
        assert steps.max_rows > 10
        assert certify(problem, iterate).gap <= 1e-6


class TestRay:
    def ray(self, name, l1_ratio=0.5):
        problem = make_problem(name, l1_ratio)
        iterate = problem.evaluate(*random_point(problem))
        move = np.random.default_rng(1).normal(size=(problem.shape[0] + 1, 3))
        move[-1] -= move[-1].mean()
        return Ray(problem, iterate, move, problem.penalty)

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_value_is_the_objective(self, name):
        ray = self.ray(name)
        for step in (0.0, 0.3, 1.0):
            coef = ray.iterate.coef + step * ray.coef_move
            intercept = ray.iterate.intercept + step * ray.intercept_move
            scores = ray.problem.data.X @ coef + intercept
            value = ray.problem.loss_value(scores) + ray.problem.penalty.value(coef)
            assert ray.value_and_slope(step)[0] == pytest.approx(value)

    def test_at_a_step(self):
        ray = self.ray("cross-entropy")
        found = ray.at(0.3)
        np.testing.assert_allclose(found.coef, ray.iterate.coef + 0.3 * ray.coef_move)
        scores = ray.problem.data.X @ found.coef + found.intercept
        np.testing.assert_allclose(found.scores, scores)

    def test_search_reports_the_change(self):
        ray = self.ray("squared hinge")
        step, change = ray.search(longest=1.0)
        assert change == ray.value_and_slope(step)[0] - ray.start[0]
        assert change <= 0

    def test_linearised_dual_point_is_much_tighter_without_l2(self):
        """After an exact step close to the optimum."""
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        steps, iterate = ProximalNewton(), problem.evaluate(*zero_point(problem))
        while certify(problem, iterate).gap > 0.1 * problem.value_at_zero:
            iterate = steps.step(problem, iterate)
        free = np.ones((problem.shape[0] + 1, 3), dtype=bool)
        model = QuadraticModel(problem, iterate, free, 0.0, 10_000)
        target, _ = minimise_dense(model, 1e-10, max_rounds=100)
        ray = Ray(problem, iterate, target - model.whole, problem.penalty)
        natural = ray.at(1.0)
        linearised = ray.linearised(model.full_curvature, natural)
        assert certify(problem, linearised).gap <= 0.2 * certify(problem, natural).gap

    def test_linearised_point_is_consistent_and_feasible(self):
        ray = self.ray("cross-entropy", 1.0)
        curvature = ray.problem.curvature(ray.iterate.scores)
        found = ray.linearised(curvature, ray.at(1.0))
        weighted = ray.problem.weights[:, None] * found.dual
        np.testing.assert_allclose(found.correlation, ray.problem.data.X.T @ weighted, atol=1e-14)
        np.testing.assert_allclose(weighted.sum(axis=0), 0, atol=1e-14)
        assert (found.dual + np.eye(3)[ray.problem.labels]).min() >= -1e-15


class TestStages:
    def start(self, name, alpha, l1_ratio):
        problem = make_problem(name, l1_ratio, alpha)
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        return problem, list(stages(problem, iterate))

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_penalty_falls_to_the_last_but_one(self, l1_ratio):
        problem, found = self.start("squared hinge", 1e-6, l1_ratio)
        total = [stage.penalty.l1 + stage.penalty.l2 for stage in found]
        assert len(found) >= 3
        np.testing.assert_allclose(np.divide(total[:-1], total[1:]), 4)
        assert total[-1] == pytest.approx(4 * (problem.penalty.l1 + problem.penalty.l2))

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_none_where_the_penalty_rules(self, l1_ratio):
        assert self.start("squared hinge", 10.0, l1_ratio)[1] == []

    @pytest.mark.parametrize("name", ["cross-entropy", "smoothed hinge"])
    def test_none_where_the_curvature_has_no_jumps(self, name):
        assert self.start(name, 1e-6, 0.0)[1] == []

    def test_none_close_to_the_optimum(self):
        problem = make_problem("squared hinge", 0.0, 1e-6)
        assert list(stages(problem, last(newton, problem, 40))) == []


class TestProximalPoint:
    def run(self, monkeypatch, l1_ratio=0.0, n_iterates=40):
        """The iterates, and the sigmas and centres of the smoothed problems."""
        problem = make_problem("hinge", l1_ratio)
        sigmas, centres = [], []
        original = Hinge.smoothed

        def record(loss, centre, sigma):
            sigmas.append(sigma)
            centres.append(centre)
            return original(loss, centre, sigma)

        monkeypatch.setattr(Hinge, "smoothed", record)
        start = zero_start(problem)
        iterates = list(itertools.islice(proximal_point(problem, start), n_iterates))
        return problem, iterates, sigmas[1:], centres[1:]

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_sigma_grows(self, monkeypatch, l1_ratio):
        _, _, sigmas, _ = self.run(monkeypatch, l1_ratio)
        assert len(sigmas) >= 3
        assert sigmas[1] > sigmas[0]
        assert sigmas[-1] >= 10 * sigmas[0]

    def test_centres_are_dual_points_of_iterates(self, monkeypatch):
        _, iterates, _, centres = self.run(monkeypatch)
        np.testing.assert_array_equal(centres[0], 0)
        duals = [iterate.dual for iterate in iterates]
        for centre in centres[1:]:
            assert any(centre is dual for dual in duals)

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_gap_of_the_hinge_falls(self, monkeypatch, l1_ratio):
        problem, iterates, _, _ = self.run(monkeypatch, l1_ratio, 60)
        gaps = [certify(problem, iterate).gap for iterate in iterates]
        assert min(gaps) >= 0
        assert min(gaps) <= 1e-6 * gaps[0]

    def test_begins_with_the_dual_point_it_is_given(self):
        problem = make_problem("hinge", 0.0)
        end = last(proximal_point, problem, 60)
        start = Start(end.coef, end.intercept, end.dual.copy())
        first = next(proximal_point(problem, start))
        gap = certify(problem, end).gap
        assert certify(problem, first).gap == pytest.approx(gap, rel=1e-6, abs=1e-12)


def interrupted_after(n_iterates):
    """A choice of solver that presses Ctrl-C."""

    def choose_interrupted(problem):
        def solver(problem, start):
            yield from itertools.islice(choose(problem)(problem, start), n_iterates)
            raise KeyboardInterrupt

        return solver

    return choose_interrupted


class TestLowerBound:
    def iterates(self):
        """Two iterates, the second with better weights and a worse dual point."""
        problem = make_problem("cross-entropy", 0.5, 0.01)
        good = last(newton, problem, 4)
        best = last(newton, problem, 8)
        worse = problem.certified(best.coef, best.intercept, best.scores, 0.5 * good.dual)
        return problem, good, worse

    def test_an_earlier_dual_point_is_kept_while_it_is_better(self):
        problem, good, worse = self.iterates()
        bound = _driver.LowerBound(problem)
        bound.certify(good)
        iterate, certificate = bound.certify(worse)
        assert iterate.dual is good.dual
        assert iterate.coef is worse.coef
        assert certificate.gap == certify(problem, iterate).gap < certify(problem, worse).gap

    def test_a_better_dual_point_takes_its_place(self):
        problem, good, worse = self.iterates()
        bound = _driver.LowerBound(problem)
        bound.certify(worse)
        iterate, certificate = bound.certify(good)
        assert iterate is good
        assert certificate.gap == certify(problem, good).gap

    @pytest.mark.parametrize("loss", ["softmax", "hinge", "squared_hinge"])
    def test_lower_bound_of_a_fit_never_falls(self, loss):
        X, y = make_classes(3)
        history = make_model(loss, l1_ratio=1.0, alpha=0.01, tol=1e-9).fit(X, y).history_
        bound = history["objective"] - history["gap"]
        assert np.all(np.diff(bound[1:]) >= -1e-12)


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


class TestDriver:
    @pytest.mark.parametrize("loss", ["softmax", "hinge", "squared_hinge"])
    def test_interrupt_leaves_a_usable_model(self, loss, monkeypatch):
        X, y = make_classes(3)
        monkeypatch.setattr(_driver, "choose", interrupted_after(2))
        model = make_model(loss, tol=1e-12)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
        assert model.n_iter_ == 2
        assert len(model.history_["gap"]) == 3
        assert model.predict(X).shape == y.shape
        assert 0 < model.dual_gap_ < np.inf

    def test_interrupt_keeps_the_best_iterate(self, monkeypatch):
        X, y = make_classes(3)
        monkeypatch.setattr(_driver, "choose", interrupted_after(3))
        model = SoftmaxClassifier(tol=1e-12)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
        best = model.history_["gap"][1:].min()
        assert model.dual_gap_ == pytest.approx(best, rel=1e-6)

    def test_interrupt_before_the_first_iterate(self, monkeypatch):
        X, y = make_classes(3)
        monkeypatch.setattr(_driver, "choose", interrupted_after(0))
        model = SVMClassifier()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
        assert not hasattr(model, "coef_")

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    @pytest.mark.parametrize("loss", ["softmax", "hinge", "squared_hinge"])
    def test_history(self, loss, l1_ratio):
        X, y = make_classes(3)
        model = make_model(loss, l1_ratio=l1_ratio, alpha=0.01).fit(X, y)
        history = model.history_
        assert {len(column) for column in history.values()} == {model.n_iter_ + 1}
        assert np.all(np.diff(history["seconds"]) >= 0)
        assert np.all(np.diff(history["passes"]) >= 0)
        assert np.all(history["gap"] >= 0)
        assert history["passes"][-1] >= 1

    @pytest.mark.parametrize("max_iter", [1, 2, 3])
    def test_max_iter_bounds_the_rows(self, max_iter):
        X, y = make_classes(3)
        model = SVMClassifier(tol=1e-12, max_iter=max_iter)
        with pytest.warns(ConvergenceWarning, match=f"after {max_iter} iterations"):
            model.fit(X, y)
        assert model.n_iter_ == max_iter

    @pytest.mark.parametrize("name", LOSSES)
    def test_intercept_of_the_solution_sums_to_zero(self, name):
        problem = make_problem(name, 0.5, 0.05)
        solution = _driver.solve(
            problem, zero_start(problem), tol=1e-3, max_iter=100, dtype=np.float64
        )
        assert solution.converged
        assert solution.iterate.intercept.sum() == pytest.approx(0, abs=1e-15)

    def test_certificate_is_that_of_the_rounded_weights(self):
        problem = make_problem("cross-entropy", 0.5, 0.05)
        solution = _driver.solve(
            problem, zero_start(problem), tol=1e-4, max_iter=100, dtype=np.float32
        )
        coef = solution.iterate.coef
        np.testing.assert_array_equal(coef, coef.astype(np.float32))
        expected = certify(problem, solution.iterate)
        assert solution.gap == expected.gap
        assert solution.objective == expected.objective
