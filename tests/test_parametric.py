"""The hinge followed along alpha: optima without a Newton step, forth and back, ties and all."""

from dataclasses import replace

import numpy as np
import pytest
from data import csr
from problems import make_problem, uncentred, zero_start
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from sklinear import svm_path
from sklinear._certificate import certify
from sklinear._driver import solve
from sklinear._path import alpha_grid, penalised, solve_path
from sklinear.solvers import _parametric, _parametric_cost, choose, follows
from sklinear.solvers._parametric import TIES, Followed
from sklinear.solvers._parametric_cost import allowance, expected_cost

RATIOS = (0.0, 1e-3, 0.5, 1.0)


def never(problem, start):
    raise AssertionError("the optimum was not followed")


def first(solver, problem):
    return next(solver(problem, zero_start(problem)))


def nearness(problem, iterate):
    """The gap by what the ties may cost."""
    return certify(problem, iterate).gap / (10 * TIES * problem.value_at_zero)


@pytest.mark.parametrize("factor", [1.0, np.array([[0.5], [1.0], [3.0], [2.0], [1.0]])])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_optima_are_exact_but_for_the_ties(l1_ratio, n_classes, fit_intercept, factor):
    problem = make_problem("hinge", l1_ratio, n_classes=n_classes, fit_intercept=fit_intercept)
    problem = problem.with_penalty(type(problem.penalty)(1.0, 1.0, factor))
    solver = Followed(never)
    for alpha in alpha_grid(problem, l1_ratio, 12):
        chosen = penalised(problem, alpha, l1_ratio)
        iterate = first(solver, chosen)
        assert nearness(chosen, iterate) <= 1
        if fit_intercept:
            np.testing.assert_allclose(chosen.weights @ iterate.dual, 0, atol=1e-13)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_alphas_come_in_any_order(l1_ratio):
    problem = make_problem("hinge", l1_ratio)
    solver = Followed(never)
    for alpha in (0.1, 0.3, 1e-3, 10.0, 0.02):
        chosen = penalised(problem, alpha, l1_ratio)
        assert nearness(chosen, first(solver, chosen)) <= 1


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_repeated_samples_and_features_are_no_trap(l1_ratio):
    X, y = load_iris(return_X_y=True)
    X = np.round(np.hstack([X, X[:, :2], np.zeros((150, 1))]))
    path = svm_path(np.vstack([X, X]), np.append(y, y), l1_ratio=l1_ratio, tol=1e-6)
    assert (path.n_iter == 1).all()
    assert (path.dual_gaps <= 1e-6 * 2).all()


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_circles_end(l1_ratio, monkeypatch):
    """Without broken ties; any number of changes is allowed here."""
    monkeypatch.setattr(_parametric, "TIES", 0.0)
    counts, original = [], _parametric.follow

    def follow(state, alpha, most):
        counts.append(original(state, alpha, 10**15))
        return counts[-1]

    monkeypatch.setattr(_parametric, "follow", follow)
    X, y = load_iris(return_X_y=True)
    X = np.round(np.hstack([X, X]) / np.tile(X.std(axis=0), 2))
    path = svm_path(np.vstack([X, X]), np.append(y, y), l1_ratio=l1_ratio, alphas=30)
    assert counts[-1] == -1
    assert (path.dual_gaps <= 1e-4 * 2).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_zero_weights_are_zeros(l1_ratio):
    X, y = load_iris(return_X_y=True)
    path = svm_path(StandardScaler().fit_transform(X), y, l1_ratio=l1_ratio)
    assert (path.n_iter == 1).all()
    counts = [np.count_nonzero(coef) for coef in path.coefs]
    assert counts[-1] == 12 if l1_ratio == 0 else 0 < counts[20] < counts[-1] < 12


def test_samples_without_weight_are_left_out():
    problem = make_problem("hinge", 0.5)
    weights = problem.weights.copy()
    weights[::3] = 0.0
    problem = type(problem)(**{**vars(problem), "weights": weights / weights.sum()})
    solver = Followed(never)
    chosen = penalised(problem, 0.01, 0.5)
    iterate = first(solver, chosen)
    assert nearness(chosen, iterate) <= 1
    assert not iterate.dual[::3].any()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_tighter_tolerances_are_met_by_the_other_solver(l1_ratio):
    problem = make_problem("hinge", l1_ratio)
    grid = alpha_grid(problem, l1_ratio, 5)
    path = list(solve_path(problem, grid, l1_ratio, tol=1e-10, max_iter=1000, dtype=np.float64))
    assert all(solution.converged for solution in path)
    assert any(len(solution.history["gap"]) > 2 for solution in path)


def test_where_it_fails_the_other_solver_goes_on(monkeypatch):
    monkeypatch.setattr(_parametric, "ROOM", 2)
    problem = make_problem("hinge", 0.5)
    solver = choose(penalised(problem, 0.1, 0.5), on_path=True)
    assert follows(solver)
    chosen = penalised(problem, 1e-3, 0.5)
    found = solve(
        chosen, zero_start(chosen), tol=1e-6, max_iter=1000, dtype=np.float64, solver=solver
    )
    assert not follows(solver)
    assert found.converged
    path = svm_path(*load_iris(return_X_y=True), l1_ratio=0.5)
    assert path.n_iter.max() > 1
    assert (path.dual_gaps <= 1e-4 * 2).all()


def test_only_paths_are_followed():
    problem = make_problem("hinge", 0.5)
    assert not follows(choose(problem))
    assert follows(choose(problem, on_path=True))
    for loss in ("cross-entropy", "squared hinge"):
        assert not follows(choose(make_problem(loss, 0.5), on_path=True))
    sparse = make_problem("hinge", 0.5, X=csr)
    assert not follows(choose(sparse, on_path=True))


def test_small_moves_take_few_changes(monkeypatch):
    problem, counts = make_problem("hinge", 1.0), []
    original = _parametric.follow
    monkeypatch.setattr(
        _parametric, "follow", lambda *state: counts.append(original(*state)) or counts[-1]
    )
    solver = Followed(never)
    for alpha in (1e-2, 1e-2 * (1 + 1e-9), 0.9e-2):
        first(solver, penalised(problem, alpha, 1.0))
    assert counts[1] == 0
    assert 0 < counts[2] < 0.2 * counts[0]


def test_where_it_would_cost_too_much_nothing_is_spent(monkeypatch):
    monkeypatch.setattr(_parametric_cost, "FITS", 1)
    problem = make_problem("hinge", 0.5, n_samples=4000)
    solver = Followed(lambda chosen, start: iter([start]))
    start = first(solver, problem)
    assert solver.failed
    assert solver.state is None
    assert not start.coef.any()


def test_what_it_may_cost_is_bounded(monkeypatch):
    problem = make_problem("hinge", 0.5)
    solver = Followed(lambda chosen, start: iter([start]))
    first(solver, problem)
    assert not solver.failed
    assert solver.spent > 0
    monkeypatch.setattr(_parametric_cost, "FITS", 0)
    first(solver, penalised(problem, 1e-4, 0.5))
    assert solver.failed


@pytest.mark.parametrize(
    ("n_samples", "n_features", "l1_ratio", "share"),
    [(20, 300, 0.5, "TRIAL"), (20, 300, 0.0, None), (200, 5, 0.5, None)],
)
def test_few_samples_are_worth_a_trial(n_samples, n_features, l1_ratio, share, monkeypatch):
    """Where following seems a few times as dear as a path without it."""
    size = {"n_samples": n_samples, "n_features": n_features}
    problem = make_problem("hinge", l1_ratio, **size)
    budget = 0.2 * expected_cost(problem)
    monkeypatch.setattr(_parametric_cost, "budget", lambda problem: budget)
    expected = getattr(_parametric_cost, share) * budget if share else 0.0
    assert allowance(problem) == expected
    monkeypatch.setattr(_parametric_cost, "budget", lambda problem: 10 * budget)
    assert allowance(problem) == _parametric_cost.SURE * 10 * budget
    monkeypatch.setattr(_parametric_cost, "budget", lambda problem: 0.1 * budget)
    assert allowance(problem) == 0.0


def test_samples_without_weight_cost_no_changes():
    """As in the folds of a cross-validation."""
    problem = make_problem("hinge", 0.5, n_samples=60, n_features=300)
    weights = np.where(np.arange(60) < 30, problem.weights, 0.0)
    assert expected_cost(replace(problem, weights=weights)) < 0.3 * expected_cost(problem)


def test_many_features_are_followed_in_the_space_of_the_samples():
    problem = make_problem("hinge", 0.0, n_samples=20, n_features=300)
    solver = choose(problem, on_path=True)
    assert follows(solver)
    for alpha in (1.0, 0.1, 0.01):
        chosen = penalised(problem, alpha, 0.0)
        assert nearness(chosen, first(solver, chosen)) <= 1
    # Centred samples span one dimension less, and one more is the intercept's.
    assert uncentred(solver).inner.state.rows.shape == (20, 20)
