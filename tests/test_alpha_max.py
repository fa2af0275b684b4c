"""The smallest alpha that leaves all weights at zero, and the linear programs behind it."""

from dataclasses import replace

import numpy as np
import pytest
from data import csr, make_classes
from models import both
from problems import cold, make_problem, zero_start
from scipy.optimize import linprog

from sklinear import _hinge_at_zero, svm_path
from sklinear._alpha_max import alpha_max
from sklinear._driver import solve
from sklinear._hinge_at_zero import SmallestCorrelation, groups, least_hinge
from sklinear._path import penalised
from sklinear._penalty import ElasticNet

LOSSES = ("cross-entropy", "squared hinge", "hinge")


def at_zero(problem, l1_ratio):
    """The objective of the best intercept alone."""
    flat = penalised(problem, 1e6, max(l1_ratio, 1e-3))
    return solve(flat, zero_start(flat), tol=1e-10, max_iter=1000, dtype=np.float64).objective


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("container", [None, csr], ids=["dense", "sparse"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [1e-3, 0.5, 1.0])
def test_weights_leave_zero_at_alpha_max(loss, l1_ratio, n_classes, fit_intercept, container):
    problem = make_problem(
        loss, l1_ratio, n_classes=n_classes, fit_intercept=fit_intercept, X=container
    )
    largest, value = alpha_max(problem, l1_ratio), at_zero(problem, l1_ratio)
    above = cold(problem, 1.001 * largest, l1_ratio, tol=1e-9)
    assert above.objective - above.gap <= value <= above.objective + 1e-9
    assert value - above.objective + above.gap <= 2e-9 * problem.value_at_zero
    below = cold(problem, 0.97 * largest, l1_ratio, tol=1e-9)
    assert below.objective + 1e-7 < value
    assert np.abs(below.iterate.coef).max() > 1e-5
    if loss != "hinge":
        assert not above.iterate.coef.any()


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_alpha_max_knows_penalty_factors(loss, free):
    problem = make_problem(loss, 0.5)
    factor = np.array([[0.5], [1.0], [0.0 if free else 3.0], [2.0], [1.0]])
    problem = problem.with_penalty(replace(problem.penalty, factor=factor))
    largest, held = alpha_max(problem, 0.5), factor.ravel() > 0
    above, below = (cold(problem, share * largest, 0.5) for share in (1.001, 0.97))
    without = make_problem(loss, 0.5, X=lambda X: X[:, ~held] if free else 0 * X)
    none = without.with_penalty(ElasticNet(0.5, 0.5, np.zeros((without.shape[0], 1))))
    if not free:
        none = without
    value = solve(none, zero_start(none), tol=1e-9, max_iter=1000, dtype=np.float64).objective
    assert above.objective - above.gap <= value <= above.objective + 1e-8
    assert value - above.objective + above.gap <= 4e-8
    assert below.objective + 1e-7 < value
    if loss != "hinge":
        assert not above.iterate.coef[held].any()
    assert np.abs(below.iterate.coef[held]).max() > 1e-5


def with_free(problem, *free):
    """The same problem with some features that no penalty holds."""
    factor = np.linspace(0.5, 2.0, problem.shape[0])[:, None]
    factor[list(free)] = 0.0
    return problem.with_penalty(replace(problem.penalty, factor=factor))


def least_correlation(problem):
    """max |A| / factor, the least one of all optimal dual points at W = 0: one linear program."""
    labels, weights, n_classes = problem.labels, problem.weights, problem.n_classes
    X = problem.data.columns(np.arange(len(labels)), np.arange(problem.shape[0]))
    factor = np.broadcast_to(np.ravel(problem.penalty.factor), problem.shape[0])
    held = factor > 0
    sample, wrong = np.nonzero(np.arange(n_classes) != labels[:, None])
    classes = np.arange(n_classes)[:, None]
    signs = weights[sample] * (1.0 * (classes == wrong) - (classes == labels[sample]))
    entries = (X[sample].T[:, None, :] * signs).reshape(-1, n_classes, len(sample))
    demanded = np.append(~held, problem.fit_intercept)
    zero = entries[demanded].reshape(-1, len(sample))
    low = -linprog(-weights[sample], A_eq=zero, b_eq=np.zeros(len(zero)), bounds=(0, 1)).fun
    factor = np.repeat(factor[held], n_classes)[:, None]
    rows = entries[:-1][held].reshape(-1, len(sample)) / factor
    none, ones = np.zeros((len(zero), 1)), np.ones((len(rows), 1))
    optimal = np.append(-weights[sample], 0.0)[None]
    return linprog(
        np.append(np.zeros(len(sample)), 1.0),
        A_ub=np.vstack([np.hstack([rows, -ones]), np.hstack([-rows, -ones]), optimal]),
        b_ub=np.append(np.zeros(2 * len(rows)), -low * (1 - 1e-12)),
        A_eq=np.hstack([zero, none]),
        b_eq=np.zeros(len(zero)),
        bounds=[(0, 1)] * len(sample) + [(0, None)],
    ).fun


@pytest.mark.parametrize("free", [(), (2,), (0, 3)], ids=str)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("container", [None, csr], ids=["dense", "sparse"])
def test_alpha_max_of_the_hinge_is_the_least_of_all_dual_points(
    container, n_classes, fit_intercept, free
):
    problem = make_problem(
        "hinge", 0.5, fit_intercept=fit_intercept, n_classes=n_classes, X=container
    )
    problem = with_free(problem, *free)
    assert alpha_max(problem, 0.5) == pytest.approx(2 * least_correlation(problem), rel=1e-6)


def test_alpha_max_of_the_hinge_with_free_features_of_few_values(monkeypatch):
    """Samples that no penalty tells apart have the same violations, many of them zero."""
    problem = make_problem("hinge", 1.0, X=lambda X: np.c_[np.sign(X[:, 0]), 1e3 * X[:, 1:]])
    problem = with_free(problem, 0)
    exact = alpha_max(problem, 1.0)
    assert exact == pytest.approx(least_correlation(problem), rel=1e-6)
    monkeypatch.setattr(_hinge_at_zero, "MAX_FREE", 20)
    monkeypatch.setattr(_hinge_at_zero, "N_SHARED", 20)
    shared = SmallestCorrelation(problem)
    assert 0 < shared.size < len(shared.sample)
    assert exact * (1 - 1e-7) <= alpha_max(problem, 1.0) <= 2 * exact


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rare_classes_of_the_hinge_may_need_no_weights_at_all(n_classes):
    """Samples of the large class can balance those of the others: A = 0, for any alpha."""
    X, y = make_classes(n_classes, n_samples=200, n_features=2)
    weights = np.where(y == 0, 1.0, 1e-4)
    problem = make_problem("hinge", 1.0, n_classes=n_classes, n_samples=200, n_features=2)
    problem = replace(problem, labels=y.astype(np.int32), weights=weights / weights.sum())
    assert least_correlation(problem) <= 1e-12
    largest = alpha_max(problem, 1.0)
    assert 0 < largest <= 1e-9 * np.abs(X).max()
    path = svm_path(X, y, sample_weight=weights, l1_ratio=1.0, alphas=5, tol=1e-6)
    assert path.alphas[0] == pytest.approx(largest)
    assert path.dual_gaps.max() <= 1e-6 * (n_classes - 1)


@pytest.mark.parametrize(("far", "seed"), [(1e4, 9), (1e4, 14), (1e6, 12)])
def test_alpha_max_of_the_hinge_does_not_know_where_zero_is(far, seed):
    """With an intercept; be features free or not."""
    X = np.random.default_rng(seed).normal(size=(60, 5))

    def moved(far):
        where = X + far * np.array([1, 1, 0, 1, 1])
        return with_free(make_problem("hinge", 1.0, n_samples=60, X=lambda _: where), 0, 1)

    assert alpha_max(moved(far), 1.0) == pytest.approx(alpha_max(moved(0.0), 1.0), rel=1e-7)


@pytest.mark.parametrize(("n_classes", "seed"), [(8, 10), (8, 12), (15, 0), (15, 15)])
def test_very_uneven_weights_of_many_classes_have_a_grid(n_classes, seed):
    """Rounding leaves the program of the dual point no exact solution."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 3)), rng.integers(0, n_classes, 40)
    y[:n_classes] = range(n_classes)
    path = svm_path(X, y, alphas=3, eps=0.5, class_weight={0: 1e4, 1: 1e-4})
    assert (path.alphas > 0).all()


def test_a_program_without_a_solution_is_named(monkeypatch):
    monkeypatch.setattr(_hinge_at_zero, "linear_program", lambda *_, **__: None)
    with pytest.raises(ValueError, match="Give the alphas themselves"):
        alpha_max(make_problem("hinge", 1.0), 1.0)


@pytest.mark.parametrize("seed", range(8))
def test_a_constant_feature_of_the_hinge_overflows_nothing(seed):
    rng = np.random.default_rng(seed)
    X, y = np.full((20, 1), rng.normal()), rng.permutation(np.arange(20) % 2)
    weights = rng.integers(1, 4, 20)
    with np.errstate(all="raise"), pytest.raises(ValueError, match="would begin at 0"):
        svm_path(X, y, sample_weight=weights, alphas=2, penalty_factor=[0.01])


@pytest.mark.parametrize("loss", LOSSES)
def test_what_rounding_leaves_of_constant_features_is_no_grid(loss):
    path, _, params = both(loss)
    with pytest.raises(ValueError, match="A grid of alphas would begin at 0"):
        path(np.full((31, 1), 0.1), np.arange(31) % 3, alphas=3, l1_ratio=1.0, **params)


@pytest.mark.parametrize("container", [np.array, csr], ids=["dense", "sparse"])
def test_where_something_varies_the_hinge_has_a_grid(container):
    """Though its smallest alpha may be zero: a rare class is inside another one."""
    X = np.column_stack([np.full(40, 0.1), np.r_[np.zeros(30), np.linspace(-1, 1, 10)]])
    y = np.r_[np.zeros(39), 1]
    assert svm_path(container(X), y, alphas=3, l1_ratio=1.0).alphas[0] > 0
    with pytest.raises(ValueError, match="would begin at 0"):
        svm_path(container(X), y, alphas=3, l1_ratio=1.0, penalty_factor=[1, 0])
    assert svm_path(container(X), y, alphas=3, l1_ratio=1.0, fit_intercept=False).alphas[0] > 0


def test_free_features_that_tell_the_classes_apart_leave_no_grid():
    X, y = make_classes(3)
    factor = np.r_[np.ones(X.shape[1]), 0.0, 0.0]
    apart = np.column_stack([X, 10.0 * np.eye(3)[y][:, :2]])
    with pytest.raises(ValueError, match="Give the alphas themselves"):
        svm_path(apart, y, alphas=5, penalty_factor=factor, loss="hinge")
    alphas = [1.0, 0.1]
    path = svm_path(apart, y, alphas=alphas, penalty_factor=factor, loss="hinge")
    np.testing.assert_array_equal(path.alphas, alphas)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_least_hinge_has_the_multipliers_of_an_optimum(n_classes):
    problem = make_problem("hinge", 1.0, n_classes=n_classes)
    X = problem.data.columns(np.arange(len(problem.labels)), np.arange(2)) * [1e3, 1.0, 1.0]
    best = least_hinge(X, problem.labels, problem.weights, n_classes)
    least = problem.loss_value(X @ best)
    for other in np.random.default_rng(0).normal(size=(50, *best.shape)):
        assert problem.loss_value(X @ (best + 0.1 * other)) >= least - 1e-12
    violation = 1 + X @ best - np.take_along_axis(X @ best, problem.labels[:, None], axis=1)
    wrong = np.arange(n_classes) != problem.labels[:, None]
    assert np.count_nonzero(np.abs(violation[wrong]) <= 1e-12) == 3 * (n_classes - 1)


def test_alpha_max_counts_weights_and_not_rows():
    problem = make_problem("hinge", 1.0)
    index = np.flatnonzero(problem.weights)
    counts = np.round(problem.weights / problem.weights.min()).astype(int)
    repeated = np.repeat(index, counts)
    twin = type(problem)(
        data=problem.data.take(repeated),
        labels=problem.labels[repeated],
        weights=np.full(len(repeated), 1 / len(repeated)),
        n_classes=problem.n_classes,
        loss=problem.loss,
        penalty=problem.penalty,
        fit_intercept=True,
    )
    np.testing.assert_allclose(alpha_max(twin, 0.7), alpha_max(problem, 0.7), rtol=1e-7)


def test_best_intercept_of_the_hinge_minimises_it():
    problem = make_problem("hinge", 1.0, n_classes=4)
    intercept = least_hinge(np.ones((4, 1)), np.arange(4), problem.frequencies, 4)[0]
    scores = np.zeros((len(problem.labels), 4))
    least = problem.loss_value(scores + intercept)
    assert abs(least - at_zero(problem, 1.0)) <= 1e-9
    for other in np.random.default_rng(0).normal(size=(50, 4)):
        assert problem.loss_value(scores + intercept + 0.1 * other) >= least - 1e-12


def test_shared_dual_variables_give_an_upper_bound(monkeypatch):
    problem = make_problem("hinge", 1.0)
    exact = alpha_max(problem, 1.0)
    monkeypatch.setattr(_hinge_at_zero, "MAX_FREE", 20)
    monkeypatch.setattr(_hinge_at_zero, "N_SHARED", 20)
    shared = SmallestCorrelation(problem)
    assert shared.size < len(shared.sample)
    bound = alpha_max(problem, 1.0)
    assert exact <= bound * (1 + 1e-9) <= 2 * exact
    value, above = at_zero(problem, 1.0), cold(problem, 1.001 * bound, 1.0, tol=1e-9)
    assert value - above.objective + above.gap <= 2e-9 * problem.value_at_zero


@pytest.mark.parametrize("more", [3, 40])
def test_rows_are_added_until_the_program_is_exact(monkeypatch, more):
    """As many at once as there are features, too."""
    problem = make_problem("hinge", 1.0, n_features=40, n_samples=60)
    monkeypatch.setattr(_hinge_at_zero, "MORE_ROWS", more)
    assert alpha_max(problem, 1.0) == pytest.approx(least_correlation(problem), rel=1e-6)


def test_groups_hold_neighbours_of_one_pair(monkeypatch):
    """Few free variables stay on their own; of many, about so many groups as are asked for."""
    pair = np.random.default_rng(0).integers(0, 4, 300)
    assert len(np.unique(groups(pair))) == 300
    monkeypatch.setattr(_hinge_at_zero, "MAX_FREE", 299)
    monkeypatch.setattr(_hinge_at_zero, "N_SHARED", 60)
    found = groups(pair)
    assert 60 <= len(np.unique(found)) <= 64
    for group in np.unique(found):
        members = np.flatnonzero(found == group)
        assert len(np.unique(pair[members])) == 1
        between = np.arange(members[0], members[-1] + 1)
        assert np.count_nonzero(pair[between] == pair[members[0]]) == len(members) <= 5
