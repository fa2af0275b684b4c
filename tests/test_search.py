"""Line searches, best intercepts, and where a step leads."""

import numpy as np
import pytest
from problems import make_problem, model_at, random_point, zero_point
from scipy.special import expit

from sklinear import _shift
from sklinear._certificate import certify
from sklinear._line_search import line_search
from sklinear._losses import Hinge
from sklinear._shift import best_shift, one_step
from sklinear.solvers._explicit import minimise_dense
from sklinear.solvers._hessian import Hessian
from sklinear.solvers._model import RAISED_DAMPING_WIDE, QuadraticModel, adapted_wide
from sklinear.solvers._proximal_newton import ProximalNewton
from sklinear.solvers._search import Ray

pytestmark = pytest.mark.usefixtures("without_small_steps")

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
        shift, _, dual, _ = best_shift(problem, scores)
        assert np.abs(problem.weights @ dual).max() <= 1e-12
        again = problem.loss.value_and_dual(scores + shift, problem.labels, problem.weights)[1]
        np.testing.assert_allclose(dual, again, atol=1e-9)

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_no_other_shift_is_better(self, name):
        problem = make_problem(name, 0.0)
        rng = np.random.default_rng(0)
        scores = rng.normal(size=(len(problem.labels), 3))
        shift, *_ = best_shift(problem, scores)
        best = problem.loss_value(scores + shift)
        others = [shift + 10.0**-power * rng.normal(size=3) for power in range(6)]
        assert best <= min(problem.loss_value(scores + other) for other in others) + 1e-15

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_curvatures_of_some_samples_lead_there_too(self, name, monkeypatch):
        """Where that of all costs much, and only if it does not jump."""
        problem = make_problem(name, 0.0)
        scores = np.random.default_rng(0).normal(size=(len(problem.labels), 3))
        expected, *_ = best_shift(problem, scores)
        sizes, original = [], type(problem.loss).mean_curvature

        def mean_curvature(loss, dual, labels, weights):
            sizes.append(len(labels))
            assert weights.sum() == pytest.approx(1)
            return original(loss, dual, labels, weights)

        monkeypatch.setattr(type(problem.loss), "mean_curvature", mean_curvature)
        for name, number in (("DEAR", 0), ("FEW_ROWS", 20), ("ROWS_PER_CLASS", 1)):
            monkeypatch.setattr(_shift, name, number)
        shift, _, dual, _ = best_shift(problem, scores)
        np.testing.assert_allclose(shift, expected, atol=1e-9)
        assert np.abs(problem.weights @ dual).max() <= 1e-12
        few = not problem.loss.curvature_jumps
        assert set(sizes[:6]) == {20 if few else len(problem.labels)}
        assert all(size == len(problem.labels) for size in sizes[6:])

    def test_sums_to_zero(self):
        problem = make_problem("cross-entropy", 0.0)
        shift, *_ = best_shift(problem, np.zeros((len(problem.labels), 3)))
        assert shift.sum() == pytest.approx(0, abs=1e-15)

    @pytest.mark.parametrize("sigma", [1e-3, 1.0, 1e3, 1e6])
    def test_steep_smoothing(self, sigma):
        """A hinge nearly unsmoothed: the active set jumps, the residual still vanishes."""
        problem = make_problem("hinge", 0.0)
        scores = np.random.default_rng(0).normal(size=(len(problem.labels), 3))
        smoothed = problem.with_loss(Hinge().smoothed(np.zeros_like(scores), sigma))
        _, _, dual, _ = best_shift(smoothed, scores)
        assert np.abs(problem.weights @ dual).max() <= 1e-9


class TestOneStep:
    def step(self, slack, size=0.1):
        problem = make_problem("cross-entropy", 0.0)
        scores = size * np.random.default_rng(0).normal(size=(len(problem.labels), 3))
        known = problem.loss.value_and_dual(scores, problem.labels, problem.weights)
        mean = problem.loss.mean_curvature(known[1], problem.labels, problem.weights)
        return problem, scores, known[0], one_step(problem, scores, known, mean, slack)

    def test_is_newtons(self):
        """It leaves the square of what is missing."""
        problem, scores, value, (shift, lower, dual, residual) = self.step(slack=0.0)
        best, least, *_ = best_shift(problem, scores)
        assert np.abs(shift - best).max() <= 0.05 * np.abs(best).max()
        assert lower - least <= 0.01 * (value - least)
        expected = problem.loss.value_and_dual(scores + shift, problem.labels, problem.weights)
        assert lower == pytest.approx(expected[0], rel=1e-14)
        np.testing.assert_allclose(dual, expected[1], atol=1e-14)
        np.testing.assert_allclose(residual, problem.weights @ dual, atol=1e-15)

    def test_none_where_it_gains_little(self):
        assert self.step(slack=1.0)[-1] is None

    def test_none_where_it_is_too_long(self, monkeypatch):
        solve = _shift._solve_on_sum_zero
        monkeypatch.setattr(_shift, "_solve_on_sum_zero", lambda *system: 50 * solve(*system))
        assert self.step(slack=0.0)[-1] is None


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

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_start_is_known_from_the_iterate(self, name):
        ray = self.ray(name)
        np.testing.assert_allclose(ray.start, ray.value_and_slope(0.0), rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_bend_is_the_second_derivative_of_the_loss(self, name):
        ray, near = self.ray(name, 0.0), 1e-6
        slopes = [ray.value_and_slope(step)[1] for step in (-near, near)]
        penalty = ray.problem.penalty.l2 * np.vdot(ray.coef_move, ray.coef_move)
        expected = (slopes[1] - slopes[0]) / (2 * near) - penalty
        assert ray.bend() == pytest.approx(expected, rel=1e-6)

    def test_bend_in_the_exact_hessian_is_the_same(self):
        ray = self.ray("cross-entropy", 0.0)
        curvature = ray.problem.curvature(ray.iterate.scores)
        free = np.ones((len(ray.coef_move) + 1, 3), dtype=bool)
        hessian = Hessian(ray.problem, curvature, free, len(ray.problem.labels))
        assert ray.bend_in(hessian) == pytest.approx(ray.bend(), rel=1e-12)

    def test_features_without_weight_and_move_need_no_look(self):
        problem, free = make_problem("cross-entropy", 0.7, 0.02), np.ones((6, 3), dtype=bool)
        coef, intercept = random_point(problem)
        free[[1, 3]], coef[[1, 3]] = False, 0.0
        iterate = problem.evaluate(coef, intercept)
        move = model_at(problem, iterate, free).move_to(np.ones((4, 3)))
        whole = Ray(problem, iterate, move, problem.penalty)
        kept = np.array([0, 2, 4])
        part = Ray(problem, iterate, move, problem.penalty.take(kept), kept)
        np.testing.assert_allclose(part.start, whole.start, rtol=1e-14)
        np.testing.assert_allclose(part.value_and_slope(0.4), whole.value_and_slope(0.4))
        np.testing.assert_array_equal(part.at(0.4).coef, whole.at(0.4).coef)

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

    def test_ends_at_a_kink(self):
        """Where all weights become zero at once, and beyond which the penalty would grow."""
        problem = make_problem("cross-entropy", 1.0, 0.3)
        iterate = problem.evaluate(*random_point(problem))
        move = np.vstack([-iterate.coef, np.zeros(3)])
        ray = Ray(problem, iterate, move, problem.penalty)
        near = 1e-9
        left, right = (ray.value_and_slope(1.0 + shift)[1] for shift in (-near, near))
        assert left < -0.1
        assert right > 0.1
        assert ray.value_and_slope(1.0)[1] == 0
        step, _ = ray.search(longest=4.0)
        assert step == 1
        assert not ray.at(step).coef.any()

    def test_slope_before_a_kink_that_is_passed_uphill(self):
        problem = make_problem("cross-entropy", 1.0, 0.01)
        iterate = problem.evaluate(*random_point(problem))
        ray = Ray(problem, iterate, np.vstack([-iterate.coef, np.zeros(3)]), problem.penalty)
        slope = ray.value_and_slope(1.0)[1]
        assert slope == pytest.approx(ray.value_and_slope(1.0 - 1e-9)[1])
        assert slope > 0

    def test_linearised_dual_point_is_much_tighter_without_l2(self):
        """After an exact step close to the optimum."""
        problem = make_problem("cross-entropy", 1.0, 0.02, n_samples=90)
        steps, iterate = ProximalNewton(), problem.evaluate(*zero_point(problem))
        while certify(problem, iterate).gap > 0.1 * problem.value_at_zero:
            iterate = steps.step(problem, iterate)
        free = np.ones((problem.shape[0] + 1, 3), dtype=bool)
        model = model_at(problem, iterate, free)
        target, _ = minimise_dense(model, 1e-10, max_rounds=100)
        ray = Ray(problem, iterate, target - model.start, problem.penalty)
        natural = ray.at(1.0)
        linearised = ray.linearised(natural)
        assert certify(problem, linearised).gap <= 0.2 * certify(problem, natural).gap

    def test_linearised_point_is_consistent_and_feasible(self):
        ray = self.ray("cross-entropy", 1.0)
        found = ray.linearised(ray.at(1.0))
        weighted = ray.problem.weights[:, None] * found.dual
        np.testing.assert_allclose(found.correlation, ray.problem.data.X.T @ weighted, atol=1e-14)
        np.testing.assert_allclose(weighted.sum(axis=0), 0, atol=1e-14)
        assert (found.dual + np.eye(3)[ray.problem.labels]).min() >= -1e-15

    def test_only_steps_near_the_end_show_it(self):
        """It costs a product with X, and the model is rough before."""
        problem = make_problem("cross-entropy", 1.0, 1e-3, n_samples=90)
        steps, iterate, shown = ProximalNewton(), problem.evaluate(*zero_point(problem)), []
        for _ in range(8):
            iterate = steps.step(problem, iterate)
            shown.append(steps.shown is iterate)
        assert shown[0]
        assert not all(shown)

    def test_without_l1_the_tighter_point_is_shown_after_many_products(self, monkeypatch):
        monkeypatch.setattr("sklinear.solvers._proximal_newton.MANY_PRODUCTS", 1)
        problem = make_problem("cross-entropy", 0.0, 1e-3, n_samples=400, n_features=120)
        steps, iterate, gains = ProximalNewton(), problem.evaluate(*zero_point(problem)), []
        for _ in range(8):
            iterate = steps.step(problem, iterate)
            gains.append(certify(problem, iterate).gap - certify(problem, steps.shown).gap)
        assert min(gains) == 0
        assert max(gains) > 0


class TestFlatModels:
    """Models that hope for more than there is to gain, however they are damped."""

    def test_are_searched_all_the_same(self, monkeypatch):
        problem = make_problem("cross-entropy", 0.5, 1e-3, n_samples=90)
        iterate = problem.evaluate(*zero_point(problem))
        value = QuadraticModel.value
        monkeypatch.setattr(QuadraticModel, "value", lambda *model: 1e3 * value(*model))
        steps = ProximalNewton()
        found = steps.step(problem, iterate)
        assert problem.objective(found) < 0.9 * problem.objective(iterate)
        assert steps.damping > 1e-2


class TestDamping:
    """A model whose active set changes on the way promises more than its step brings."""

    def most(self, n_features, n_samples=60):
        """The largest damping of twelve steps on a squared hinge with a weak penalty."""
        size = {"n_samples": n_samples, "n_features": n_features}
        problem = make_problem("squared hinge", 0.5, 1e-4, **size)
        steps, iterate, most = ProximalNewton(), problem.evaluate(*zero_point(problem)), 0.0
        for _ in range(12):
            iterate = steps.step(problem, iterate) or iterate
            most = max(most, steps.damping)
        return most

    def test_it_jumps_where_features_outnumber_samples(self):
        assert self.most(n_features=120) >= RAISED_DAMPING_WIDE

    def test_but_not_else(self):
        assert self.most(n_features=20) < 1e-3

    def test_it_rises_and_falls_with_what_came_true(self):
        damping = adapted_wide(1e-9, 0.2)
        assert damping == RAISED_DAMPING_WIDE
        assert adapted_wide(damping, 0.2) == 4 * damping
        assert adapted_wide(damping, 0.7) == damping
        assert adapted_wide(damping, 1.0) == damping / 2
