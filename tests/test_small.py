"""Steps with the exact Hessian of all variables, for small dense problems."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from data import csr
from problems import SMOOTH, last, make_problem, random_point, zero_point, zero_start

from sklinear._certificate import certify
from sklinear._data import wrap
from sklinear._penalty import ElasticNet
from sklinear.solvers import _newton
from sklinear.solvers._newton import Newton, newton
from sklinear.solvers._small import MAX_SHORT, SmallNewton

over_losses = pytest.mark.parametrize("name", SMOOTH)
over_classes = pytest.mark.parametrize("n_classes", [2, 3, 4])
over_intercepts = pytest.mark.parametrize("fit_intercept", [True, False])
over_ratios = pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])


def explicit_hessian(problem, scores):
    """X^T M X with X the features and a constant one, in variables (feature, class)."""
    n, d = problem.data.shape
    X = np.column_stack([problem.data.X, np.ones(n)])[:, : d + problem.fit_intercept]
    eye, size = np.eye(problem.n_classes), X.shape[1] * problem.n_classes
    curvature = problem.curvature(scores)
    columns = [X.T @ curvature.product(np.outer(x, unit)) for x in X.T for unit in eye]
    return np.reshape(columns, (size, size))


@over_intercepts
@over_classes
@over_losses
def test_hessian(name, n_classes, fit_intercept):
    problem = make_problem(name, 0.0, n_classes=n_classes, fit_intercept=fit_intercept)
    iterate = problem.evaluate(*random_point(problem))
    small = SmallNewton()
    small._learn(problem)
    found = small._hessian(problem.curvature(iterate.scores))
    lift = np.array([small.coordinates.lift(unit).ravel() for unit in np.eye(len(found))])
    expected = explicit_hessian(problem, iterate.scores)
    lift = lift[:, : len(expected)]
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found, lift @ expected @ lift.T, atol=1e-14)


@over_ratios
@over_classes
@over_losses
def test_ends_at_a_certified_optimum(name, n_classes, l1_ratio, monkeypatch):
    """By these steps alone: the others are out of order."""
    monkeypatch.setattr(_newton.ProximalNewton, "step", None)
    monkeypatch.setattr(_newton.SmoothedNewton, "step", None)
    problem = make_problem(name, l1_ratio, n_classes=n_classes)
    iterate = last(newton, problem, 30, tol=1e-10)
    assert certify(problem, iterate).gap <= 1e-10 * problem.value_at_zero


@over_ratios
def test_penalty_factors(l1_ratio, monkeypatch):
    monkeypatch.setattr(_newton.ProximalNewton, "step", None)
    problem = make_problem("cross-entropy", l1_ratio)
    factor = np.linspace(0.5, 3.0, problem.shape[0])[:, None]
    problem = problem.with_penalty(replace(problem.penalty, factor=factor))
    iterate = last(newton, problem, 30, tol=1e-10)
    assert certify(problem, iterate).gap <= 1e-10 * problem.value_at_zero


@over_ratios
def test_few_steps(l1_ratio):
    """Newton's method with exact Hessians converges quadratically."""
    problem = make_problem("cross-entropy", l1_ratio)
    iterate = last(newton, problem, 8, tol=1e-8)
    assert certify(problem, iterate).gap <= 1e-8 * problem.value_at_zero


class TestServes:
    """Small dense problems only, and as long as they are easy."""

    def test_a_small_problem(self):
        assert SmallNewton().serves(make_problem("cross-entropy", 0.5))

    def test_no_sparse_data(self):
        assert not SmallNewton().serves(make_problem("cross-entropy", 0.5, X=csr))

    def test_no_many_features(self):
        problem = make_problem("cross-entropy", 0.5)
        X = np.random.default_rng(0).normal(size=(len(problem.labels), 150))
        assert not SmallNewton().serves(replace(problem, data=wrap(X)))
        assert SmallNewton().serves(replace(problem, data=wrap(X[:, :50])))

    def test_no_many_samples(self):
        problem = make_problem("cross-entropy", 0.5, n_features=20)
        copies = 800
        many = replace(
            problem,
            data=wrap(np.tile(problem.data.X, (copies, 1))),
            labels=np.tile(problem.labels, copies),
            weights=np.tile(problem.weights, copies) / copies,
        )
        assert SmallNewton().serves(problem)
        assert not SmallNewton().serves(many)

    def test_no_part_of_the_samples(self):
        problem = make_problem("cross-entropy", 0.5)
        fewer = replace(problem, data=problem.data.take(slice(None), [0, 1]))
        assert SmallNewton().serves(fewer)
        part = replace(fewer, data=fewer.data.take(np.arange(20)))
        assert not SmallNewton().serves(part)
        assert not SmallNewton().serves(replace(part, data=part.data.astype(np.float32)))

    def test_no_features_without_a_penalty(self):
        problem = make_problem("cross-entropy", 0.5)
        factor = np.ones((problem.shape[0], 1))
        factor[0] = 0.0
        assert not SmallNewton().serves(problem.with_penalty(ElasticNet(0.1, 0.1, factor)))

    def test_no_more_after_some_short_steps(self):
        small, problem = SmallNewton(), make_problem("cross-entropy", 0.5)
        small.n_short = MAX_SHORT
        assert small.serves(problem)
        small.n_short += 1
        assert not small.serves(problem)


@over_ratios
def test_hands_over_what_is_hard(l1_ratio, monkeypatch):
    """Where its steps lead nowhere the others go on from the same iterate."""
    monkeypatch.setattr(SmallNewton, "step", lambda self, problem, iterate: None)
    problem = make_problem("squared hinge", l1_ratio)
    iterate = last(newton, problem, 60, tol=1e-8)
    assert certify(problem, iterate).gap <= 1e-8 * problem.value_at_zero


def test_ends_where_only_rounding_moves(monkeypatch):
    """A stepper that finds a next iterate for ever, no better than the last."""
    problem = make_problem("cross-entropy", 0.5)
    monkeypatch.setattr(_newton, "MAX_IDLE", 7)
    monkeypatch.setattr(Newton, "shown", None, raising=False)
    monkeypatch.setattr(Newton, "step", lambda self, problem, iterate: iterate)
    found = list(itertools.islice(newton(problem, zero_start(problem)), 100))
    assert len(found) == 1 + 1 + 7


def test_another_problem_is_learnt_anew():
    """One stepper may meet several data sets, as in a fit that begins on a part of the rows."""
    stepper = Newton()
    for n_features in (3, 5):
        problem = make_problem("cross-entropy", 0.0, n_features=n_features)
        iterate = problem.evaluate(*zero_point(problem))
        for _ in range(8):
            iterate = stepper.step(problem, iterate) or iterate
        assert certify(problem, iterate).gap <= 1e-8
