"""The oracle against its own lower bound, and against solvers by other hands."""

from dataclasses import replace

import numpy as np
import pytest
from data import WEIGHTS, make_classes
from oracle import LOSSES, Problem, objective, optimum
from scipy.optimize import linprog, minimize
from sklearn.linear_model import LogisticRegression


def make_problem(n_classes, loss, l1_ratio, fit_intercept=True, weights="weighted", **size):
    X, y = make_classes(n_classes, **size)
    return Problem(X, y, loss, 0.01, l1_ratio, fit_intercept, WEIGHTS[weights](y))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_objective_at_zero(loss, n_classes):
    problem = make_problem(n_classes, loss, 0.5)
    n_rows = 1 if n_classes == 2 else n_classes
    value = objective(problem, np.zeros((n_rows, 5)), np.zeros(n_rows))
    assert value == pytest.approx(problem.at_zero, rel=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_primal_meets_dual(loss, l1_ratio, fit_intercept, weights, n_classes):
    problem = make_problem(n_classes, loss, l1_ratio, fit_intercept, weights)
    best = optimum(problem)
    assert best.value == pytest.approx(best.lower_bound, rel=1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_softmax_against_logistic_regression(n_classes, fit_intercept):
    problem = make_problem(n_classes, "softmax", 0, fit_intercept)
    C = 1 / (problem.alpha * problem.sample_weight.sum())
    model = LogisticRegression(
        C=C, solver="newton-cholesky", tol=1e-12, fit_intercept=fit_intercept
    ).fit(problem.X, problem.y, problem.sample_weight)
    best = optimum(problem)
    np.testing.assert_allclose(best.coef, model.coef_, atol=1e-8)
    assert best.value == pytest.approx(objective(problem, model.coef_, model.intercept_), rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.5, 1])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_softmax_against_saga(n_classes, l1_ratio):
    problem = make_problem(n_classes, "softmax", l1_ratio)
    C = 1 / (problem.alpha * problem.sample_weight.sum())
    model = LogisticRegression(
        C=C, l1_ratio=l1_ratio, solver="saga", tol=1e-12, max_iter=100_000, random_state=0
    ).fit(problem.X, problem.y, problem.sample_weight)
    best = optimum(problem)
    assert best.value == pytest.approx(objective(problem, model.coef_, model.intercept_), rel=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_l1_hinge_against_linear_programming(n_classes, fit_intercept):
    problem = make_problem(n_classes, "hinge", 1, fit_intercept)
    assert optimum(problem).value == pytest.approx(linear_program(problem), rel=1e-9)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("l1_ratio", [0, 0.5])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_hinges_against_sequential_quadratic_programming(n_classes, l1_ratio, loss):
    problem = make_problem(n_classes, loss, l1_ratio, n_samples=15, n_features=2)
    assert optimum(problem).value == pytest.approx(quadratic_program(problem), rel=1e-8)


def margins(problem):
    """Rows a of z_k - z_y = a·(W, b) for every sample and wrong class, and their weights p."""
    to_scores = np.array([[-0.5], [0.5]]) if problem.n_classes == 2 else np.eye(problem.n_classes)
    rows, p = [], []
    for x, label, weight in zip(problem.X, problem.y, problem.p, strict=True):
        for wrong in set(range(problem.n_classes)) - {label}:
            contrast = to_scores[wrong] - to_scores[label]
            rows.append(np.concatenate([np.kron(contrast, x), problem.fit_intercept * contrast]))
            p.append(weight)
    return np.array(rows), np.array(p), to_scores.shape[1] * problem.X.shape[1]


def linear_program(problem):
    """min Σ p ξ + λ1 Σ (P + N) over W = P - N, b and ξ >= 1 + z_k - z_y, by HiGHS."""
    rows, p, m = margins(problem)
    A = np.hstack([rows[:, :m], -rows[:, :m], rows[:, m:], -np.eye(len(p))])
    n_intercepts = rows.shape[1] - m
    cost = np.concatenate([np.full(2 * m, problem.l1), np.zeros(n_intercepts), p])
    bounds = [(0, None)] * 2 * m + [(None, None)] * n_intercepts + [(0, None)] * len(p)
    return linprog(cost, A, -np.ones(len(p)), bounds=bounds).fun


def quadratic_program(problem):
    """min Σ p ξ or Σ p ξ², plus the elastic net, over the same variables, by SLSQP."""
    rows, p, m = margins(problem)
    A = np.hstack([rows[:, :m], -rows[:, :m], rows[:, m:], -np.eye(len(p))])
    power = 1 if problem.loss == "hinge" else 2

    def value(x):
        P, N, xi = x[:m], x[m : 2 * m], x[-len(p) :]
        penalty = problem.l1 * (P + N).sum() + problem.l2 / 2 * ((P - N) ** 2).sum()
        return p @ xi**power + penalty

    def gradient(x):
        P, N, xi = x[:m], x[m : 2 * m], x[-len(p) :]
        l2 = problem.l2 * (P - N)
        intercept = np.zeros(rows.shape[1] - m)
        return np.concatenate(
            [problem.l1 + l2, problem.l1 - l2, intercept, power * p * xi ** (power - 1)]
        )

    x = np.concatenate([np.zeros(A.shape[1] - len(p)), np.ones(len(p))])
    above = {"type": "ineq", "fun": lambda x: -A @ x - 1, "jac": lambda x: -A}
    bounds = [(0, None)] * 2 * m + [(None, None)] * (rows.shape[1] - m) + [(0, None)] * len(p)
    options = {"ftol": 1e-15, "maxiter": 1000}
    return minimize(value, x, jac=gradient, bounds=bounds, constraints=above, options=options).fun


# Columns beside X that are free, with its first two, and say nothing new where those are too.
DEPENDENT = {
    "multiple": lambda X: X[:, 0] / 3,
    "sum": lambda X: 1e4 * (X[:, 0] + X[:, 1]),
    "constant": lambda X: np.full(len(X), 3.0),
    "zero": lambda X: np.zeros(len(X)),
}


def with_free_column(problem, column):
    X, free = problem.X, [0.0, 0.0, 1.0, 1.0, 1.0]
    factor = np.array(free if column is None else [0.0, *free])
    X = X if column is None else np.column_stack([column(X), X])
    return replace(problem, X=X, penalty_factor=factor)


@pytest.mark.parametrize("column", DEPENDENT)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_free_features_that_depend_on_others(loss, l1_ratio, n_classes, column):
    problem = make_problem(n_classes, loss, l1_ratio)
    best = optimum(with_free_column(problem, DEPENDENT[column]))
    alone = optimum(with_free_column(problem, None))
    assert best.value == pytest.approx(alone.value, rel=1e-9)
    assert best.value == pytest.approx(best.lower_bound, rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_an_optimum_that_is_none_is_an_error(loss):
    """Free features depend on each other but for what rounding leaves little of."""
    problem = make_problem(3, loss, 0.5)
    nearly = with_free_column(problem, lambda X: X[:, 0] + 1e-11 * X[:, 2])
    with pytest.raises(ArithmeticError, match="bound"):
        optimum(nearly)
