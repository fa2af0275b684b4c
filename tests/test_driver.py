"""The driver: interrupts, history, limits, and the best lower bound."""

import itertools
import warnings

import numpy as np
import pytest
from data import make_classes
from models import make_model
from problems import (
    LOSSES,
    last,
    make_problem,
    zero_start,
)
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklinear import SoftmaxClassifier, SVMClassifier, _driver
from sklinear._certificate import certify
from sklinear.solvers import choose
from sklinear.solvers._newton import newton


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
        with pytest.raises(NotFittedError):
            model.predict(X)

    def test_interrupt_before_the_first_iterate_leaves_an_earlier_fit(self, monkeypatch):
        X, y = make_classes(3)
        model = SoftmaxClassifier().fit(X, y)
        before = model.predict(X)
        monkeypatch.setattr(_driver, "choose", interrupted_after(0))
        with pytest.raises(KeyboardInterrupt):
            model.fit(np.hstack([X, X]), y)
        np.testing.assert_array_equal(model.predict(X), before)

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


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_what_rounding_of_the_weights_hides_is_no_longer_sought(l1_ratio):
    """Weights in single precision of features far from zero: more iterations bring nothing."""
    rng = np.random.default_rng(0)
    X, y = (rng.normal(size=(20, 3)) + 1e4).astype(np.float32), rng.integers(0, 3, 20)
    model = SVMClassifier(alpha=1e-3, l1_ratio=l1_ratio, tol=1e-7)
    with pytest.warns(ConvergenceWarning, match="pass X as float64"):
        model.fit(X, y)
    assert model.n_iter_ <= 100
    precise = SVMClassifier(**model.get_params()).fit(X.astype(float), y)
    assert abs(model.objective_ - precise.objective_) <= model.dual_gap_ + precise.dual_gap_


@pytest.mark.parametrize("max_iter", [1, 2, 3])
@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_no_fit_is_worse_than_no_weights(loss, max_iter):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y = 10 * rng.normal(size=(30, 6)), rng.integers(0, 3, 30)
        model = SVMClassifier(alpha=1e-4, loss=loss, max_iter=max_iter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        assert model.objective_ <= 2.0


@pytest.mark.parametrize("alpha", [1e-10, 1e-8])
def test_rounded_weights_are_no_worse_than_none(alpha):
    """In single precision large weights of features that cancel each other may be."""
    rng, y = np.random.default_rng(0), np.arange(60) % 3
    X = (rng.normal(size=(60, 1)) @ rng.normal(size=(1, 20))).astype(np.float32)
    model = SVMClassifier(alpha, loss="squared_hinge", l1_ratio=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert model.objective_ <= model.history_["objective"][0]
