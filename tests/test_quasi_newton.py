"""Quasi-Newton steps, and the memory of pairs that corrects their inverse Hessian."""

from dataclasses import replace

import numpy as np
import pytest
from data import csr
from problems import last, make_problem, zero_start

from sklinear import SoftmaxClassifier, softmax_path
from sklinear._certificate import certify
from sklinear._penalty import ElasticNet
from sklinear.solvers import _moments, _newton, _quasi_newton
from sklinear.solvers._limited_memory import LimitedMemory
from sklinear.solvers._moments import KnownMoments, MeanSquares, SecondMoments
from sklinear.solvers._newton import newton
from sklinear.solvers._quasi_newton import QuasiNewton, most_steps

SHAPE = 7, 3


def make_pairs(count, seed=0):
    """Moves on a quadratic, and how its gradient changes along them."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(21, 21))
    moves = rng.normal(size=(count, *SHAPE))
    changes = (moves.reshape(count, 21) @ (root @ root.T + np.eye(21))).reshape(moves.shape)
    return moves, changes


def corrected(inverse, move, change):
    """The inverse after a BFGS update, as a matrix."""
    s, y = move.ravel(), change.ravel()
    left = np.eye(len(s)) - np.outer(s, y) / (s @ y)
    return left @ inverse @ left.T + np.outer(s, s) / (s @ y)


class TestLimitedMemory:
    @pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 13])
    def test_same_as_updates_of_a_matrix(self, count):
        """With the last five pairs, however many there were."""
        diagonal = np.linspace(0.5, 2.0, 21)
        memory, expected = LimitedMemory(5), np.diag(diagonal)
        moves, changes = make_pairs(count)
        for move, change in zip(moves, changes, strict=True):
            memory.add(move, change)
        for move, change in zip(moves[-5:], changes[-5:], strict=True):
            expected = corrected(expected, move, change)
        gradient = np.random.default_rng(1).normal(size=SHAPE)
        found = memory.solve(gradient, lambda rows: diagonal.reshape(SHAPE) * rows)
        np.testing.assert_allclose(found.ravel(), expected @ gradient.ravel(), rtol=1e-9)

    def test_maps_the_last_change_to_its_move(self):
        memory = LimitedMemory(3)
        for move, change in zip(*make_pairs(5), strict=True):
            memory.add(move, change)
        np.testing.assert_allclose(memory.solve(change, np.copy), move, rtol=1e-9)

    @pytest.mark.parametrize("factor", [0.0, -1.0])
    def test_learns_nothing_where_nothing_curves_upwards(self, factor):
        memory = LimitedMemory(3)
        (move,), (change,) = make_pairs(1)
        memory.add(move, factor * change)
        gradient = np.ones(SHAPE)
        np.testing.assert_array_equal(memory.solve(gradient, lambda rows: 2 * rows), 2 * gradient)

    def test_forgets(self):
        memory = LimitedMemory(3)
        for move, change in zip(*make_pairs(4), strict=True):
            memory.add(move, change)
        memory.clear()
        gradient = np.ones(SHAPE)
        np.testing.assert_array_equal(memory.solve(gradient, np.copy), gradient)
        assert memory.scale_of(np.copy) == 1
        memory.add(move, change)
        np.testing.assert_allclose(memory.solve(change, np.copy), move, rtol=1e-12)

    def test_scale_is_that_of_the_last_pair(self):
        """For a Hessian that is a multiple of the identity it is exact."""
        memory = LimitedMemory(3)
        moves, _ = make_pairs(4)
        for move in moves:
            memory.add(move, 8.0 * move)
        assert memory.scale_of(lambda rows: 0.5 * rows) == pytest.approx(0.25, rel=1e-14)


def make_served(**settings):
    """Too many variables for an explicit Hessian."""
    size = {"n_samples": 300, "n_features": 120, "alpha": 1e-3} | settings
    return make_problem("cross-entropy", 0.0, **size)


class TestServes:
    def test_smooth_dense_problems_of_many_variables(self):
        assert QuasiNewton(KnownMoments()).serves(make_served())

    @pytest.mark.parametrize("settings", [{"n_features": 20}, {"X": csr}, {"n_samples": 100}])
    def test_not_where_others_are_better(self, settings):
        """An explicit Hessian is small, data are sparse, features are more than samples."""
        assert not QuasiNewton(KnownMoments()).serves(make_served(**settings))

    @pytest.mark.parametrize("name", ["squared hinge", "smoothed hinge"])
    def test_no_losses_that_rest(self, name):
        size = {"n_samples": 300, "n_features": 120, "alpha": 1e-3}
        assert not QuasiNewton(KnownMoments()).serves(make_problem(name, 0.0, **size))

    def test_no_l1_part(self):
        problem = make_problem("cross-entropy", 0.5, n_samples=300, n_features=120)
        assert not QuasiNewton(KnownMoments()).serves(problem)

    def test_no_many_samples(self, monkeypatch):
        monkeypatch.setattr(_quasi_newton, "MAX_SAMPLES", 299)
        assert not QuasiNewton(KnownMoments()).serves(make_served())

    def test_no_part_of_the_samples(self):
        problem = make_served()
        part = problem.data.take(np.arange(250))
        fewer = replace(
            problem, data=part, labels=problem.labels[:250], weights=np.full(250, 1 / 250)
        )
        assert not QuasiNewton(KnownMoments()).serves(fewer)

    def test_no_features_without_a_penalty(self):
        problem = make_served()
        factor = np.ones((120, 1))
        assert QuasiNewton(KnownMoments()).serves(
            problem.with_penalty(ElasticNet(0.0, 0.1, 2 * factor))
        )
        factor[0] = 0.0
        assert not QuasiNewton(KnownMoments()).serves(
            problem.with_penalty(ElasticNet(0.0, 0.1, factor))
        )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gradient_is_that_of_the_objective(fit_intercept):
    problem = make_served(n_features=6, fit_intercept=fit_intercept, alpha=0.1)
    rng = np.random.default_rng(0)
    coef, move = rng.normal(size=(2, *problem.shape))
    iterate = problem.evaluate(coef, np.zeros(3))
    shift = fit_intercept * rng.normal(size=3)

    def value(step):
        scores = problem.scores(iterate.coef + step * move, iterate.intercept + step * shift)
        return problem.loss_value(scores) + problem.penalty.value(iterate.coef + step * move)

    slope = np.vdot(problem.smooth_gradient(iterate), np.vstack([move, shift]))
    assert abs(slope) > 0.1
    assert slope == pytest.approx((value(1e-5) - value(-1e-5)) / 2e-5, rel=1e-7)


def alone(monkeypatch):
    """The other steps are out of order."""
    monkeypatch.setattr(_newton.ProximalNewton, "step", lambda self, problem, iterate: None)
    monkeypatch.setattr(_newton.ProximalNewton, "shown", None, raising=False)


class TestSteps:
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("alpha", [1e-1, 1e-3])
    @pytest.mark.parametrize("uneven", [False, True])
    def test_end_at_a_certified_optimum(self, fit_intercept, alpha, uneven, monkeypatch):
        alone(monkeypatch)
        problem = make_served(fit_intercept=fit_intercept, alpha=alpha, X=lambda X: X + 0.5)
        if uneven:
            factor = np.linspace(0.5, 3.0, problem.shape[0])[:, None]
            problem = problem.with_penalty(replace(problem.penalty, factor=factor))
        iterate = last(newton, problem, 60, tol=1e-9)
        assert certify(problem, iterate).gap <= 1e-9 * problem.value_at_zero
        assert fit_intercept or not iterate.intercept.any()
        scores = problem.scores(iterate.coef, iterate.intercept)
        np.testing.assert_allclose(iterate.scores, scores, atol=1e-10)

    def test_weights_of_two_classes_are_opposite(self, monkeypatch):
        """To the last digit: products with X then take one column."""
        alone(monkeypatch)
        problem = make_served(n_classes=2, n_features=200)
        assert QuasiNewton(KnownMoments()).serves(problem)
        iterate = last(newton, problem, 60, tol=1e-9)
        assert certify(problem, iterate).gap <= 1e-9 * problem.value_at_zero
        assert iterate.coef.any()
        np.testing.assert_array_equal(iterate.coef[:, 0], -iterate.coef[:, 1])

    def test_fewer_passes_than_newton_steps(self, monkeypatch):
        """On the way, where the curvature changes."""

        def passes():
            problem = make_served(n_samples=600, alpha=1e-4)
            last(newton, problem, 100, tol=1e-3)
            return problem.data.passes.total

        with_them = passes()
        monkeypatch.setattr(QuasiNewton, "serves", lambda self, problem: False)
        assert with_them < 0.6 * passes()

    def test_curvature_is_that_of_the_dual_point_of_the_step_before(self, monkeypatch):
        """Exponentials are taken anew for the first step of a run alone."""
        problem = make_served()
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        quasi, taken = QuasiNewton(KnownMoments()), []
        original = type(problem).curvature
        monkeypatch.setattr(
            type(problem), "curvature", lambda self, z: taken.append(z) or original(self, z)
        )
        monkeypatch.setattr(_quasi_newton, "FALLEN", 0.0)
        found = quasi.step(problem, iterate)
        assert [scores is iterate.scores for scores in taken] == [True]
        exact = original(problem, found.scores).mean()
        dual = problem.loss.mean_curvature(found.dual, problem.labels, problem.weights)
        np.testing.assert_allclose(dual, exact, rtol=0, atol=1e-2 * np.abs(exact).max())

    @pytest.mark.parametrize("with_eigenvectors", [True, False])
    def test_scales_of_columns_do_not_matter(self, with_eigenvectors, monkeypatch):
        """The first inverse knows them, in either form."""
        monkeypatch.setattr(_moments, "eigenvectors_pay", lambda *state: with_eigenvectors)
        alone(monkeypatch)

        def passes(scales):
            problem = make_served(alpha=1e-6, X=lambda X: X * scales)
            penalty = replace(problem.penalty, factor=scales[:, None] ** 2)
            last(newton, problem.with_penalty(penalty), 60, tol=1e-4)
            return problem.data.passes.total

        even, uneven = np.ones(120), np.logspace(-2, 2, 120)
        assert passes(uneven) <= 2 * passes(even)

    def test_eigenvectors_save_passes_where_features_correlate(self, monkeypatch):
        def passes(with_eigenvectors):
            monkeypatch.setattr(_moments, "eigenvectors_pay", lambda *state: with_eigenvectors)
            mixing = np.triu(np.ones((120, 120)))
            problem = make_served(X=lambda X: X @ mixing)
            last(newton, problem, 60, tol=1e-3)
            return problem.data.passes.total

        assert passes(True) < 0.7 * passes(False)

    @pytest.mark.parametrize("cause", ["cost", "a slow run"])
    def test_eigenvectors_of_many_features_come_late(self, cause, monkeypatch):
        """Once the steps have cost as much, or where they bring too little without them."""
        monkeypatch.setattr(_moments, "CHEAP_EIGENVECTORS", 100)
        monkeypatch.setattr(_quasi_newton, "EXPECTED_PRODUCTS", 0)
        problem, quasi = make_served(alpha=1e-5), QuasiNewton(KnownMoments())
        monkeypatch.setattr(_moments, "EIGENVECTORS", 18 if cause == "cost" else 1e9)
        price = _moments.EIGENVECTORS * problem.shape[0] ** 3
        if cause == "a slow run":
            monkeypatch.setattr(_quasi_newton, "FALLEN", 1e-9)
        iterate = next(newton(problem, zero_start(problem)))
        kinds = []
        while quasi.serves(problem) and len(kinds) < 6:
            spent = quasi.spent
            iterate = quasi.step(problem, iterate)
            kinds.append(type(quasi.moments))
            if cause == "cost":
                assert kinds[-1] is (SecondMoments if spent >= price else MeanSquares)
        assert kinds[0] is MeanSquares
        assert kinds[-1] is SecondMoments

    @pytest.mark.parametrize(("n_features", "most"), [(110, 15), (200, 25)])
    def test_runs_are_shorter_where_an_explicit_hessian_follows(self, n_features, most):
        assert most_steps(make_served(n_features=n_features)) == most

    def test_slow_runs_hand_over(self, monkeypatch):
        """To Newton's, which end where these would take long."""
        monkeypatch.setattr(_quasi_newton, "MAX_STEPS", 3)
        quasi, problem = QuasiNewton(KnownMoments()), make_served(alpha=1e-5)
        iterate = next(newton(problem, zero_start(problem)))
        while quasi.serves(problem):
            iterate = quasi.step(problem, iterate) or iterate
        assert quasi.left is problem
        assert quasi.serves(problem.with_penalty(problem.penalty.scaled(2.0)))
        iterate = last(newton, problem, 100, tol=1e-10)
        assert certify(problem, iterate).gap <= 1e-10 * problem.value_at_zero

    def test_an_explicit_hessian_follows_where_it_is_small_enough(self, monkeypatch):
        """Not products with Hessians, of which weak penalties take hundreds."""
        monkeypatch.setattr(_newton.ProximalNewton, "step", lambda self, problem, iterate: 1 / 0)
        problem = make_served(n_features=105, alpha=1e-6)
        iterate = last(newton, problem, 100, tol=1e-9)
        assert certify(problem, iterate).gap <= 1e-9 * problem.value_at_zero

    def test_points_of_a_run_need_no_certificate(self, monkeypatch):
        """Its end gets one, without another product with X."""
        problem, quasi = make_served(), QuasiNewton(KnownMoments())
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        ends, passes, repaired = [], problem.data.passes, type(problem).repaired

        def counted(problem, point):
            before, gap = passes.total, certify(problem, point).gap
            found = repaired(problem, replace(point, dual=point.dual.copy()))
            ends.append((passes.total - before, np.abs(problem.weights @ found.dual).max()))
            assert certify(problem, found).gap <= 2 * gap
            return found

        monkeypatch.setattr(type(problem), "repaired", counted)
        found = quasi.step(problem, iterate)
        assert [passes for passes, _ in ends] == [0.0]
        assert ends[0][1] <= 1e-15
        np.testing.assert_allclose(found.correlation, problem.correlate(found.dual), atol=1e-14)

    def test_nothing_where_nothing_falls(self, monkeypatch):
        problem, quasi = make_served(), QuasiNewton(KnownMoments())
        iterate = next(newton(problem, zero_start(problem)))
        monkeypatch.setattr(_quasi_newton.Ray, "search", lambda self, longest, flat: (0, 0.0))
        assert quasi.step(problem, iterate) is None
        assert not quasi.serves(problem)


@pytest.fixture
def made(monkeypatch):
    """The second moments made so far."""
    made, original = [], _moments.SecondMoments.__init__

    def count(self, *arguments):
        made.append(self)
        original(self, *arguments)

    monkeypatch.setattr(_moments.SecondMoments, "__init__", count)
    return made


def test_moments_serve_all_knots_of_a_path(made):
    problem = make_served(n_samples=500)
    path = softmax_path(problem.data.X, problem.labels, l1_ratio=0.0, alphas=8)
    assert np.count_nonzero(path.n_iter) > 3
    assert len(made) == 1


def test_newton_steps_after_them_know_the_moments(made, monkeypatch):
    monkeypatch.setattr(_quasi_newton, "MAX_STEPS", 2)
    problem = make_served(n_samples=600, alpha=1e-4)
    steps, handed = _newton.Newton(), []
    monkeypatch.setattr(
        _newton.ProximalNewton, "_search", lambda self, *arguments: handed.append(self)
    )
    last(lambda problem, start: newton(problem, start, steps), problem, 60)
    assert handed
    assert len(made) == 1


@pytest.mark.parametrize("alpha", [1e-2, 1e-5])
def test_single_precision(alpha):
    problem = make_served(n_samples=700)
    X, y = problem.data.X, problem.labels
    model = SoftmaxClassifier(alpha=alpha, tol=1e-8)
    found = model.fit(X, y).objective_
    assert model.fit(X.astype(np.float32), y).objective_ == pytest.approx(found, rel=1e-4)
