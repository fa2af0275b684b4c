"""The hinge followed with few features, and by old factors with borders: optima all the same."""

import numpy as np
import pytest
from problems import make_problem, zero_start

from sklinear._certificate import certify
from sklinear._path import alpha_grid, penalised
from sklinear.solvers import _parametric, _screening
from sklinear.solvers._parametric import TIES, Followed

WIDE = {"n_samples": 60, "n_features": 300}


def never(problem, start):
    raise AssertionError("the optimum was not followed")


def follow_grid(problem, l1_ratio, n_alphas=6):
    """A solver at the end of a grid; each optimum on it is checked."""
    solver = Followed(never)
    for alpha in alpha_grid(problem, l1_ratio, n_alphas):
        chosen = penalised(problem, alpha, l1_ratio)
        iterate = next(solver(chosen, zero_start(chosen)))
        # Ties are broken by so much.
        assert certify(chosen, iterate).gap <= 10 * TIES * problem.value_at_zero
    return solver


@pytest.fixture
def screened(monkeypatch):
    """Features of each state that is followed."""
    monkeypatch.setattr(_parametric, "MANY_FEATURES", 1)
    seen, original = [], _screening.follow

    def follow(part, alpha, most):
        seen.append(part.rows.shape[1])
        return original(part, alpha, most)

    monkeypatch.setattr(_screening, "follow", follow)
    return seen


@pytest.mark.parametrize("factor", [1.0, np.array([[0.5], [1.0], [3.0], [2.0], [1.0]])])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("l1_ratio", [1e-3, 0.5, 1.0])
def test_optima_are_those_of_all_features(l1_ratio, n_classes, fit_intercept, factor, screened):
    problem = make_problem("hinge", l1_ratio, n_classes=n_classes, fit_intercept=fit_intercept)
    problem = problem.with_penalty(type(problem.penalty)(1.0, 1.0, factor))
    follow_grid(problem, l1_ratio)
    assert screened


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_most_features_are_left_out(l1_ratio, screened):
    problem = make_problem("hinge", l1_ratio, n_samples=60, n_features=1000)
    follow_grid(problem, l1_ratio, 100)
    assert np.median(screened) < 200


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_what_was_left_out_in_error_is_brought_back(l1_ratio, screened, monkeypatch):
    """A rule that keeps the support alone finds the same optima on more ways."""
    problem = make_problem("hinge", l1_ratio, **WIDE)
    follow_grid(problem, l1_ratio)
    ways = len(screened)

    def support(state, alpha):
        kept = (np.asarray(state.sign) != 0).any(axis=0)
        kept[-1] = True
        return kept

    monkeypatch.setattr(_screening, "_strong", support)
    follow_grid(problem, l1_ratio)
    assert len(screened) - ways > ways


def test_alphas_come_in_any_order(screened):
    problem, solver = make_problem("hinge", 0.5, **WIDE), Followed(never)
    for alpha in (0.1, 0.3, 1e-3, 10.0, 0.02):
        chosen = penalised(problem, alpha, 0.5)
        iterate = next(solver(chosen, zero_start(chosen)))
        assert certify(chosen, iterate).gap <= 10 * TIES * problem.value_at_zero


def test_operations_are_counted_on_every_way(screened):
    problem = penalised(make_problem("hinge", 0.5, **WIDE), 0.01, 0.5)

    def follow(most):
        state = _parametric.at_zero(problem, 0.01)
        count = _screening.follow_with_few(state, 0.01, most, _parametric._set_room)
        return count, state.operations

    count, operations = follow(np.inf)
    assert count > 0
    assert follow(0.99 * operations) == (-1, pytest.approx(operations, rel=0.05))


@pytest.mark.parametrize("most", [1, 32])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_old_factors_serve(l1_ratio, most, monkeypatch):
    """Where systems are large; with one border they are factored again and again."""
    monkeypatch.setattr(_parametric, "MOST_BORDERS", most)
    solver = follow_grid(make_problem("hinge", l1_ratio, **WIDE), l1_ratio, 12)
    bordered = solver.state.bordered
    assert bordered.most == most
    assert bordered.size > 60
    assert bordered.n_borders <= most


def test_small_systems_are_eliminated():
    solver = follow_grid(make_problem("hinge", 0.5), 0.5)
    assert solver.state.bordered.size == 0
