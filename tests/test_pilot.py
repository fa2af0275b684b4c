"""The first approach on a sample of the rows."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from problems import make_problem, random_point, zero_start

from sklinear._certificate import certify
from sklinear._sampling import FEW, LEAST_SIZE, draw_from_classes
from sklinear.solvers import _pilot
from sklinear.solvers._newton import Newton, newton
from sklinear.solvers._pilot import approach, elsewhere, pilot_rows, represents, sample

pytestmark = pytest.mark.usefixtures("without_small_steps")

N_ROWS = 400


@pytest.fixture
def short(monkeypatch):
    """A pilot of 400 rows."""
    monkeypatch.setattr(_pilot, "FEWEST_ROWS", N_ROWS)


def large_problem(name="cross-entropy", l1_ratio=0.0, alpha=1e-3, **options):
    return make_problem(name, l1_ratio, alpha, n_samples=2400, n_features=6, **options)


class TestSample:
    def test_keeps_the_weight_of_each_class(self):
        problem = large_problem()
        small = sample(problem, N_ROWS)
        assert N_ROWS <= len(small.labels) <= N_ROWS + problem.n_classes
        np.testing.assert_allclose(small.frequencies, problem.frequencies, rtol=1e-14)

    def test_rows_belong_to_their_labels(self):
        problem = large_problem()
        sizes = problem.weights * (LEAST_SIZE + problem.row_sizes)
        rows, _ = draw_from_classes(problem.labels, sizes, N_ROWS)
        small = sample(problem, N_ROWS)
        np.testing.assert_array_equal(small.data.X, problem.data.X[rows])
        np.testing.assert_array_equal(small.labels, problem.labels[rows])

    def test_rare_classes_and_samples_without_weight(self):
        labels = np.r_[np.zeros(1000), np.ones(30), np.full(4, 2)].astype(np.int32)
        sizes = np.ones(len(labels))
        sizes[:500] = 0
        rows, factors = draw_from_classes(labels, sizes, 100)
        assert (sizes[rows] > 0).all()
        assert (np.diff(rows) > 0).all()
        counts = np.bincount(labels[rows])
        assert counts[1] == FEW
        assert counts[2] == 4
        np.testing.assert_allclose(factors[labels[rows] == 1], 3.0)
        np.testing.assert_array_equal(factors[labels[rows] == 2], 1.0)

    def test_rare_rows_of_a_feature_are_taken(self):
        """Drawn evenly, the sample would have them with a chance of one in six each."""
        problem = large_problem()
        problem.data.X[:, 0] = 0
        problem.data.X[7::600, 0] = 25
        small = sample(problem, N_ROWS)
        assert np.count_nonzero(small.data.X[:, 0]) == 4
        assert represents(small, problem)

    def test_moments_are_those_of_all_rows(self):
        """Of features with heavy tails, on average over twenty problems."""
        ratios = []
        for seed in range(20):
            tails = np.random.default_rng(seed).standard_t(2.5, size=(2400, 6))
            problem = large_problem(X=lambda X, tails=tails: tails)
            ratios.append(sample(problem, N_ROWS).mean_squares / problem.mean_squares)
        assert np.mean(ratios) == pytest.approx(1.0, abs=0.02)
        assert 0.7 < np.min(ratios) <= np.max(ratios) < 1.4

    def test_a_feature_of_which_a_sample_has_too_little_is_not_represented(self):
        problem = large_problem()
        assert represents(sample(problem, N_ROWS), problem)
        rows = np.argsort(np.abs(problem.data.X[:, 0]))[:N_ROWS]
        small = replace(
            problem,
            data=problem.data.take(rows),
            labels=problem.labels[rows],
            weights=np.full(N_ROWS, 1 / N_ROWS),
        )
        assert not represents(small, problem)

    @pytest.mark.parametrize(
        ("name", "l1_ratio", "enough"),
        [("cross-entropy", 0, True), ("cross-entropy", 0.5, False), ("squared hinge", 0, False)],
    )
    def test_smooth_problems_forgive_more(self, name, l1_ratio, enough, short, monkeypatch):
        """Where a feature is known half as well, what a step gains is seen on other rows."""
        monkeypatch.setattr(_pilot, "MOMENT_RATIO", 1.0)
        problem, seen = large_problem(name, l1_ratio), []
        monkeypatch.setattr(_pilot, "elsewhere", lambda *args: seen.append(1) or elsewhere(*args))
        found = approach(problem, Newton(), zero_start(problem), 1e-3)
        assert bool(seen) == (found is not None) == enough


class TestElsewhere:
    def test_objective_on_all_rows(self):
        problem = large_problem()
        iterate = problem.evaluate(*random_point(problem))
        found = elsewhere(problem, len(problem.labels))(iterate)
        assert found == pytest.approx(problem.objective(iterate), rel=1e-12)

    def test_rows_without_weight_do_not_count(self):
        problem = large_problem()
        weights = np.where(np.arange(len(problem.labels)) % 2, problem.weights, 0.0)
        problem = replace(problem, weights=weights / weights.sum())
        iterate = problem.evaluate(*random_point(problem))
        found = elsewhere(problem, len(problem.labels) // 2)(iterate)
        assert found == pytest.approx(problem.objective(iterate), rel=1e-12)

    def test_a_step_that_gains_nothing_there_is_not_taken(self, short, monkeypatch):
        problem, values = large_problem(), iter([1.0, 0.5, 0.6])
        with monkeypatch.context() as patch:
            patch.setattr(_pilot, "MOMENT_RATIO", 1.0)
            patch.setattr(_pilot, "elsewhere", lambda *_: lambda _: next(values))
            one, _ = approach(problem, Newton(), zero_start(problem), 1e-3)
        monkeypatch.setattr(_pilot, "MAX_STEPS", 1)
        np.testing.assert_array_equal(
            one, approach(problem, Newton(), zero_start(problem), 1e-3)[0]
        )


class TestApproach:
    def test_none_where_the_sample_would_not_be_much_smaller(self, short):
        assert pilot_rows(large_problem()) == N_ROWS
        assert pilot_rows(make_problem("cross-entropy", 0.0, n_samples=600)) is None

    def test_none_where_few_samples_of_each_class_are_not_few(self, short, monkeypatch):
        monkeypatch.setattr(_pilot, "FEW", 150)
        assert pilot_rows(large_problem()) == 450
        monkeypatch.setattr(_pilot, "FEW", 250)
        assert pilot_rows(large_problem()) is None

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_comes_near_for_few_passes(self, name, l1_ratio, short):
        problem = large_problem(name, l1_ratio)
        before = problem.data.passes.total
        coef, intercept = approach(problem, Newton(), zero_start(problem), 1e-3)
        passes = problem.data.passes.total - before
        near = problem.evaluate(coef, intercept)
        left = certify(problem, near).objective - best_value(problem)
        assert left <= 0.03 * problem.value_at_zero
        assert passes <= 12

    def test_what_it_learnt_is_known_to_be_that_of_a_sample(self, short):
        """The Hessian of the last step serves on, though on the sample a new one cost nothing."""
        problem, stepper = large_problem(), Newton()
        assert approach(problem, stepper, zero_start(problem), 1e-3) is not None
        renewal = stepper.proximal.renewal
        assert renewal.hessian.sampled
        assert renewal.hessian is renewal.last
        assert len(renewal.hessian.curvature.labels) < len(problem.labels)

    def test_no_old_hessian_with_an_l1_part(self, short):
        problem, stepper = large_problem(l1_ratio=0.5), Newton()
        assert approach(problem, stepper, zero_start(problem), 1e-3) is not None
        assert stepper.proximal.renewal.last is None
        assert stepper.proximal.renewal.hessian is None

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_same_optimum(self, l1_ratio, short):
        problem = large_problem(l1_ratio=l1_ratio)
        found = best_value(problem)
        assert found == pytest.approx(best_value(large_problem(l1_ratio=l1_ratio), None), rel=1e-9)

    def test_no_stages_after_it(self, short, monkeypatch):
        """A pilot is nearer to the optimum than that of a large penalty is."""
        found = []
        monkeypatch.setattr("sklinear.solvers._newton.stages", lambda *_: found.append(1) or [])
        next(islice(newton(large_problem("squared hinge"), zero_start(large_problem())), 2, None))
        assert not found
        monkeypatch.setattr(_pilot, "FEWEST_ROWS", 10**9)
        next(islice(newton(large_problem("squared hinge"), zero_start(large_problem())), 2, None))
        assert found

    def test_a_warm_start_has_no_pilot(self, short):
        problem, start = large_problem(), zero_start(large_problem())
        start.coef[0] = 0.1
        before = problem.data.passes.total
        assert approach(problem, Newton(), start, 1e-3) is None
        assert problem.data.passes.total == before


def best_value(problem, rows=N_ROWS):
    """The optimum, found with a pilot of so many rows or without."""
    patch = pytest.MonkeyPatch()
    patch.setattr(_pilot, "FEWEST_ROWS", rows or 10**9)
    for iterate in newton(problem, zero_start(problem)):
        certificate = certify(problem, iterate)
        if certificate.gap <= 1e-9 * problem.value_at_zero:
            break
    patch.undo()
    return certificate.objective
