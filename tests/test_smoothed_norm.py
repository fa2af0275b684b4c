"""Newton's method on a smoothed norm: its penalty, its steps and what preconditions them."""

from dataclasses import replace

import numpy as np
import pytest
from data import csr
from problems import make_problem, model_at, random_point
from scipy.optimize import approx_fprime

from sklinear import SVMClassifier
from sklinear._certificate import certify
from sklinear._driver import Start
from sklinear._penalty import ElasticNet
from sklinear.solvers import _newton, _smoothed_norm
from sklinear.solvers._conjugate import conjugate_gradients
from sklinear.solvers._explicit import minimise_dense
from sklinear.solvers._newton import Newton, crowded, newton, smoothable
from sklinear.solvers._preconditioner import ClassModes, Diagonal
from sklinear.solvers._proximal_newton import ProximalNewton
from sklinear.solvers._smoothed_norm import SmoothedNewton, SmoothedNorm

pytestmark = pytest.mark.usefixtures("without_small_steps")

SMOOTH = ["cross-entropy", "squared hinge", "smoothed hinge"]
over_losses = pytest.mark.parametrize("name", SMOOTH)
over_penalties = pytest.mark.parametrize("l1_ratio", [0.5, 1.0])


def zero(problem):
    return problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))


def optimum(problem):
    """The least objective, by proximal Newton steps alone."""
    steps, iterate = ProximalNewton(), zero(problem)
    while (following := steps.step(problem, iterate)) is not None:
        iterate = following
        if certify(problem, steps.shown).gap <= 1e-12 * problem.value_at_zero:
            break
    return problem.objective(iterate)


def walk(problem, n_steps, steps=None):
    """The iterates shown after each of so many steps on a smoothed norm."""
    steps, iterate, shown = steps or SmoothedNewton(), zero(problem), []
    while len(shown) < n_steps and (iterate := steps.step(problem, iterate)) is not None:
        shown.append(steps.shown)
    return shown


class TestNorm:
    norm = SmoothedNorm(0.3, 0.2, 0.01)
    coef = np.random.default_rng(0).normal(size=(4, 3))

    def test_gradient_against_finite_differences(self):
        flat = self.coef.ravel()
        found = approx_fprime(flat, lambda w: self.norm.value(w.reshape(4, 3)), 1e-7)
        np.testing.assert_allclose(self.norm.gradient(self.coef).ravel(), found, atol=1e-5)

    def test_slope_is_the_gradient_along_a_direction(self):
        direction = np.random.default_rng(1).normal(size=(4, 3))
        expected = (self.norm.gradient(self.coef) * direction).sum()
        assert self.norm.slope(self.coef, direction) == pytest.approx(expected)

    def test_excess_is_what_it_adds_to_the_elastic_net(self):
        difference = self.norm.value(self.coef) - ElasticNet(0.3, 0.2).value(self.coef)
        assert self.norm.excess(self.coef) == pytest.approx(difference)
        assert 0 < difference <= 0.3 * 0.01 * self.coef.size

    def test_nothing_is_divided_where_there_is_neither_weight_nor_smoothing(self):
        coef = np.array([[0.0, 2.0]])
        with np.errstate(all="raise"):
            found = SmoothedNorm(0.3, 0.2, 0.0).gradient(coef)
        np.testing.assert_allclose(found, [[0.0, 0.7]])

    def test_dual_slope_is_strictly_feasible(self):
        slope = self.norm.gradient(self.coef) - 0.2 * self.coef
        assert np.abs(slope).max() < 0.3


class TestSteps:
    @pytest.mark.parametrize("explicit", [True, False], ids=["explicit", "products"])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @over_penalties
    @over_losses
    def test_reach_the_optimum(self, name, l1_ratio, fit_intercept, explicit, monkeypatch):
        monkeypatch.setattr(_smoothed_norm, "MAX_EXPLICIT", 1000 * explicit)
        problem = make_problem(name, l1_ratio, 0.02, n_samples=90, fit_intercept=fit_intercept)
        best = optimum(problem)
        shown = walk(problem, 60)
        certificates = [certify(problem, iterate) for iterate in shown]
        assert min(c.gap for c in certificates) <= 1e-7 * problem.value_at_zero
        for certificate in certificates:
            assert certificate.objective - certificate.gap <= best + 1e-12
            assert certificate.objective >= best - 1e-12

    @over_losses
    def test_zeros_of_the_optimum_are_zero(self, name):
        problem = make_problem(name, 1.0, 0.05, n_samples=90)
        steps, iterate = ProximalNewton(), zero(problem)
        while (following := steps.step(problem, iterate)) is not None:
            iterate = following
        shown = walk(problem, 60)[-1]
        assert 0 < np.count_nonzero(iterate.coef) < iterate.coef.size
        np.testing.assert_array_equal(shown.coef != 0, iterate.coef != 0)

    def test_shown_iterate_is_consistent(self):
        problem = make_problem("cross-entropy", 1.0, 0.05, n_samples=90)
        for iterate in walk(problem, 8):
            X, weighted = problem.data.X, problem.weights[:, None] * iterate.dual
            np.testing.assert_allclose(iterate.scores, X @ iterate.coef + iterate.intercept)
            np.testing.assert_allclose(iterate.correlation, X.T @ weighted, atol=1e-14)

    def test_smoothing_falls_and_ends(self):
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        steps, iterate, betas = SmoothedNewton(), zero(problem), []
        while (following := steps.step(problem, iterate)) is not None:
            iterate = following
            betas.append(steps.beta)
        assert np.all(np.diff(betas) <= 0)
        assert betas[-1] <= 1e-6 * betas[0]
        assert len(betas) <= 60

    def test_begin_anew_with_another_problem(self):
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        steps, iterate = SmoothedNewton(), zero(problem)
        for _ in range(12):
            iterate = steps.step(problem, iterate)
        before = steps.beta
        weaker = replace(problem, penalty=ElasticNet(problem.penalty.l1 / 64, 0.0))
        steps.step(weaker, iterate)
        assert steps.beta > 64 * before

    def test_samples_of_the_rows(self, monkeypatch):
        problem = make_problem("cross-entropy", 1.0, 0.001, n_samples=900, n_features=8)
        monkeypatch.setattr("sklinear.solvers._renewal.FEWEST_ROWS", 30)
        monkeypatch.setattr("sklinear.solvers._renewal.FIRST_PASSES", 0)
        steps = SmoothedNewton()
        gap = certify(problem, walk(problem, 60, steps)[-1]).gap
        assert gap <= 1e-7 * problem.value_at_zero

    def test_hessian_of_a_sample_is_kept_and_corrected(self, monkeypatch):
        """Through products; at the end all samples enter."""
        monkeypatch.setattr("sklinear.solvers._renewal.FIRST_ROWS", 100)
        monkeypatch.setattr(_smoothed_norm, "MAX_EXPLICIT", 0)
        problem = make_problem("cross-entropy", 0.5, 0.01, n_samples=900, n_features=8)
        steps, iterate, ages = SmoothedNewton(), zero(problem), []
        while (following := steps.step(problem, iterate)) is not None and len(ages) < 60:
            iterate = following
            ages.append(steps.renewal.hessian.age if steps.renewal.hessian else 0)
        assert max(ages) >= 2
        assert steps.renewal.effort == np.inf
        assert certify(problem, steps.shown).gap <= 1e-7 * problem.value_at_zero

    def test_all_samples_are_met_with_more_smoothing(self, monkeypatch):
        """As much as the gap is worth: those of a sample led it to fall too far."""
        monkeypatch.setattr("sklinear.solvers._smoothed_norm.MAX_EXPLICIT", 0)
        monkeypatch.setattr("sklinear.solvers._renewal.FIRST_ROWS", 300)
        problem = make_problem("cross-entropy", 0.5, 1e-3, n_samples=2000, n_features=8)
        steps, iterate = SmoothedNewton(), problem.evaluate(*random_point(problem))
        steps._begin(problem, iterate)
        first = steps.beta
        while steps.beta > 1e-3 * first:
            iterate = steps.step(problem, iterate)
        assert steps.sampled
        steps.renewal.restart()
        excess = 0.3 * certify(problem, iterate).gap / (problem.penalty.l1 * iterate.coef.size)
        smoothed = []
        original = SmoothedNewton._solve

        def solve(self, model, norm, gradient):
            smoothed.append(norm.beta)
            return original(self, model, norm, gradient)

        monkeypatch.setattr(SmoothedNewton, "_solve", solve)
        before = steps.beta
        steps.step(problem, iterate)
        assert smoothed == [pytest.approx(max(excess, before), rel=1e-12)]
        assert excess > 3 * before
        assert not steps.sampled

    def test_optimum_as_start(self):
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        iterate = walk(problem, 60)[-1]
        following = SmoothedNewton().step(problem, iterate)
        assert following is None or np.isfinite(following.coef).all()


def sensors(X):
    """Many features that are nearly combinations of a few."""
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(len(X), 8)) * np.logspace(0, -1, 8)
    return factors @ rng.normal(size=(8, X.shape[1])) + 0.02 * X


class TestTowardsTheEnd:
    """By steps on the smoothed norm alone, through products."""

    @pytest.fixture(autouse=True)
    def never_explicit(self, monkeypatch):
        monkeypatch.setattr(_smoothed_norm, "MAX_EXPLICIT", 0)

    @pytest.mark.parametrize("alpha", [1e-4, 1e-6])
    @pytest.mark.parametrize("n_classes", [4, 6])
    def test_certified_to_the_last_digits(self, n_classes, alpha):
        """Of an even number of classes a whole interval of shifts costs an L1 norm the same."""
        size = {"n_samples": 300, "n_features": 30, "n_classes": n_classes}
        problem = make_problem("cross-entropy", 1.0, alpha, X=sensors, **size)
        shown = walk(problem, 40)
        gap = min(certify(problem, iterate).gap for iterate in shown)
        assert gap <= 1e-8 * problem.value_at_zero

    def test_rows_that_nothing_holds_are_not_shifted_by_rounding(self):
        model = bordered_model(make_problem("cross-entropy", 1.0, n_classes=4))
        modes, diagonal = ClassModes(model), np.full(model.start.shape, 0.01)
        diagonal[1] = 1e-17
        modes.factor(diagonal)
        found = modes.apply(np.ones(model.start.shape))
        assert np.abs(found).max() <= 1e3
        assert found[0].mean() >= 100

    @pytest.mark.parametrize("explicit", [True, False])
    def test_goes_on_without_smoothing_only_where_products_can_be_more_accurate(
        self, explicit, monkeypatch
    ):
        monkeypatch.setattr(_smoothed_norm, "MAX_EXPLICIT", 1000 if explicit else 0)
        problem = make_problem("cross-entropy", 1.0, 1e-3, n_samples=90)
        steps, iterate = SmoothedNewton(), zero(problem)
        for _ in range(3):
            iterate = steps.step(problem, iterate)
        steps.beta = 1e-30
        assert (steps.step(problem, iterate) is None) == explicit

    def test_given_up_where_products_are_not_enough(self, monkeypatch):
        monkeypatch.setattr(_smoothed_norm, "MAX_PRODUCTS", 1)
        monkeypatch.setattr(_smoothed_norm, "NEAR", np.inf)
        problem = make_problem("cross-entropy", 1.0, 1e-4, n_samples=90)
        assert len(walk(problem, 60)) == _smoothed_norm.MAX_EXHAUSTED + 2
        jumping = make_problem("squared hinge", 1.0, 1e-4, n_samples=90)
        assert len(walk(jumping, 30)) == 30


class TestHandOver:
    """Between proximal steps and those on a smoothed norm."""

    def few(self, monkeypatch, limit=4):
        monkeypatch.setattr(_newton, "dense_limit", lambda problem: limit)

    def test_when_the_working_set_is_large(self, monkeypatch):
        problem = make_problem("cross-entropy", 0.5, 0.01)
        assert not crowded(problem, zero(problem))
        self.few(monkeypatch)
        assert crowded(problem, zero(problem))

    def test_when_a_model_could_not_be_minimised(self, monkeypatch):
        problem = make_problem("cross-entropy", 0.5, 0.01)
        steps, iterate = Newton(), zero(problem)
        steps.step(problem, iterate)
        assert steps.shown is steps.proximal.shown
        steps.proximal.solved = False
        steps.step(problem, iterate)
        assert steps.shown is steps.smoothed.shown

    def test_models_say_whether_they_were_minimised(self):
        problem = make_problem("cross-entropy", 0.5, 0.01)
        for rounds in (1, 100):
            model = bordered_model(problem)
            minimise_dense(model, 1e-12, max_rounds=rounds)
            assert model.solved == (rounds == 100)

    @pytest.mark.parametrize(
        ("l1_ratio", "size", "container", "expected"),
        [
            (0.0, (60, 5), "dense", False),
            (0.5, (60, 5), "dense", True),
            (0.5, (60, 5), "csr", True),
            (0.5, (500, 400), "dense", True),
            (0.5, (500, 400), "csr", False),
            (0.5, (300, 400), "dense", False),
        ],
        ids=["no L1", "few", "few sparse", "many", "many sparse", "wide"],
    )
    def test_where_it_can_be_afforded(self, l1_ratio, size, container, expected):
        n, d = size
        X = csr if container == "csr" else np.asarray
        problem = make_problem("cross-entropy", l1_ratio, n_samples=n, n_features=d, X=X)
        assert smoothable(problem) == expected

    def test_not_where_single_precision_would_overflow(self):
        problem = make_problem(
            "cross-entropy", 0.5, n_samples=500, n_features=400, X=lambda X: 1e5 * X
        )
        assert not smoothable(problem)

    def test_not_where_the_moments_are_too_large(self, monkeypatch):
        monkeypatch.setattr(_newton, "MAX_MOMENTS", 1e6)
        problem = make_problem("cross-entropy", 0.5, n_samples=500, n_features=400)
        assert not smoothable(problem)

    def test_back_to_proximal_steps_at_the_end(self, monkeypatch):
        self.few(monkeypatch)
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        steps, iterate = Newton(), zero(problem)
        smoothed = 0
        while (following := steps.step(problem, iterate)) is not None:
            iterate, smoothed = following, smoothed + (steps.finished is None)
        assert smoothed >= 5
        assert steps.finished is problem
        assert steps.proximal.shown is not None
        assert certify(problem, steps.shown).gap <= 1e-10

    @over_penalties
    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_same_optimum_either_way(self, monkeypatch, name, l1_ratio):
        problem = make_problem(name, l1_ratio, 1e-3, n_samples=90)
        best = optimum(problem)
        self.few(monkeypatch)
        start = zero(problem)
        for iterate in newton(problem, Start(start.coef, start.intercept)):
            certificate = certify(problem, iterate)
            if certificate.gap <= 1e-9 * problem.value_at_zero:
                break
        assert certificate.objective == pytest.approx(best, rel=1e-8)


def confusable(X):
    """Nearly collinear features."""
    return X @ np.tril(np.ones((X.shape[1], X.shape[1])))


def bordered_model(problem):
    coef, intercept = random_point(problem)
    iterate = problem.evaluate(0.3 * coef, 0.3 * intercept)
    free = np.ones((problem.shape[0] + 1, problem.n_classes), dtype=bool)
    return model_at(problem, iterate, free)


class TestClassModes:
    @over_losses
    def test_symmetric_and_positive(self, name):
        problem = make_problem(name, 0.5, n_classes=4)
        model = bordered_model(problem)
        modes = ClassModes(model)
        modes.factor(np.full(model.start.shape, 0.01))
        basis = np.eye(model.start.size).reshape(-1, *model.start.shape)
        matrix = np.stack([modes.apply(rows).ravel() for rows in basis])
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-4 * np.abs(matrix).max())
        assert np.linalg.eigvalsh(0.5 * (matrix + matrix.T)).min() > -1e-4

    @over_losses
    def test_fewer_products_than_the_diagonal(self, name):
        """At a thousandth of the curvature in the diagonal."""
        problem = make_problem(
            name, 1.0, 1e-4, n_samples=400, n_features=12, n_classes=4, X=confusable
        )
        model = bordered_model(problem)
        diagonal = np.full(model.start.shape, 1e-3)
        diagonal[-1] = 0.0
        modes = ClassModes(model)
        modes.factor(diagonal + model.ridges()[:, None])

        def products(preconditioner):
            rhs = np.random.default_rng(2).normal(size=model.start.shape)
            rhs[-1] -= rhs[-1].mean()
            return conjugate_gradients(
                lambda v: model.product(v) + diagonal * v,
                rhs,
                preconditioner,
                model.free,
                1e-3,
                500,
            )[2]

        assert 2 * products(modes) <= products(Diagonal(model))

    def test_blocks_are_those_of_the_hessian(self):
        problem = make_problem("cross-entropy", 0.5, n_classes=3)
        model = bordered_model(problem)
        explicit = model.dense_hessian() - np.diag(np.repeat(model.ridges(), 3))
        X1 = np.column_stack([problem.data.X, np.ones(len(problem.labels))])
        size = X1.shape[1]
        whole = explicit.reshape(size, 3, size, 3)
        modes = ClassModes(model)
        for direction, block in zip(modes.directions.T, modes.hessians, strict=True):
            expected = np.einsum("k,jkJl,l->jJ", direction, whole, direction)
            np.testing.assert_allclose(block, expected, atol=1e-6)

    def test_some_rows_give_moments_of_the_same_size(self, monkeypatch):
        problem = make_problem("cross-entropy", 0.5, n_samples=6000)
        model = bordered_model(problem)
        whole = ClassModes(model).hessians
        monkeypatch.setattr("sklinear.solvers._preconditioner.MOMENT_ROWS", 2000)
        part = ClassModes(model).hessians
        assert 0 < np.linalg.norm(part - whole) <= 0.2 * np.linalg.norm(whole)


def test_hard_small_problem_takes_few_iterations():
    """Nearly collinear features of sizes far apart: proximal steps alone need hundreds."""
    rng = np.random.default_rng(40)
    y = np.arange(220) % 9
    X = rng.normal(size=(220, 5)) * np.array([1e-2, 1e2, 1.0, 10.0, 1e3]) + 300.0
    weights = 10 ** rng.uniform(-4, 4, 220)
    model = SVMClassifier(loss="squared_hinge", alpha=5e-6, l1_ratio=1.0).fit(X, y, weights)
    assert model.dual_gap_ <= 1e-4 * 8
    assert model.n_iter_ <= 60


@pytest.mark.parametrize("container", [np.array, csr], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    ("alpha", "factor"), [(1e-2, [1e-7, 1e-7, 1e-7, 1, 1e7]), (1e-9, [1e-4, 1e-4, 1e-4, 1, 1])]
)
def test_smoothing_ends_before_it_underflows(alpha, factor, container):
    """Warnings are errors: a norm without smoothing bends infinitely."""
    X = [[-1, -2, -2, 1, 2], [-2, -1, -1, -2, -1], [0, 0, 0, 0, -1], [0, 1, 2, 0, -1]]
    X = container(np.array([*X, [0, -2, 0, 2, -1]], dtype=float))
    model = SVMClassifier(alpha, l1_ratio=1, penalty_factor=factor, tol=1e-10)
    model.fit(X, [0, 1, 2, 1, 1])
    assert model.dual_gap_ <= 1e-10 * model.history_["objective"][0]
