"""Features far from zero: data less their centre, and fits that do not see the offset."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from data import make_classes
from models import make_model, problem_of
from oracle import LOSSES, objective, optimum
from problems import make_problem
from sklearn.datasets import load_wine

from sklinear import SoftmaxClassifierCV, softmax_path
from sklinear._centred_data import CentredData, means_and_variances
from sklinear._dense_data import DenseData
from sklinear._driver import Start
from sklinear.solvers import _centring, choose, choose_sparse
from sklinear.solvers._centring import Centred, centre_of

ORDERS = {"C": np.ascontiguousarray, "Fortran": np.asfortranarray}
over_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
over_orders = pytest.mark.parametrize("order", ORDERS)


def pair(dtype, order, n=60, d=7):
    """X - 1 m^T as it should be, and as it is."""
    rng = np.random.default_rng(0)
    centre = 1e3 * rng.normal(size=d)
    X = ORDERS[order]((rng.normal(size=(n, d)) + centre).astype(dtype))
    return DenseData(X - centre), CentredData(DenseData(X), centre)


@over_orders
@over_dtypes
def test_every_product_is_that_of_centred_data(dtype, order):
    expected, data = pair(dtype, order)
    rng = np.random.default_rng(1)
    coef, rows, weights = rng.normal(size=(7, 4)), rng.normal(size=(60, 4)), rng.random(7)
    close = {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(data.scores(coef), expected.scores(coef), **close)
    np.testing.assert_allclose(data.correlate(rows), expected.correlate(rows), **close)
    np.testing.assert_allclose(data.row_squares(weights), expected.row_squares(weights), **close)
    squares = expected.correlate_squares(rows)
    np.testing.assert_allclose(data.correlate_squares(rows), squares, **close)
    np.testing.assert_allclose(data.correlate_squares(rows[:, :1]), squares[:, :1], **close)
    np.testing.assert_allclose(data.gram(), expected.gram(), **close)
    columns = expected.by_columns(np.float64).columns
    np.testing.assert_allclose(data.by_columns(np.float64).columns, columns, **close)


@over_orders
@over_dtypes
@pytest.mark.parametrize("features", [np.arange(7), np.array([1, 4])])
@pytest.mark.parametrize("kept", [np.float32, np.float64])
def test_columns(dtype, order, features, kept):
    """The offset goes before the digits do."""
    expected, data = pair(dtype, order)
    found = data.columns(slice(3, 40, 2), features, kept)
    assert found.dtype == kept
    exact = expected.columns(slice(3, 40, 2), features)
    np.testing.assert_allclose(found, exact, rtol=2 * np.finfo(kept).eps, atol=1e-12)


@over_orders
@over_dtypes
@pytest.mark.parametrize("rows", [slice(2, 50), np.array([4, 9, 10])])
@pytest.mark.parametrize("features", [slice(None), np.array([1, 4])])
def test_parts_are_centred_copies(dtype, order, rows, features):
    """Exactly X - 1 m^T in the precision of X, which stays as it is."""
    expected, data = pair(dtype, order)
    before = data.X.copy()
    part, exact = data.take(rows, features), expected.take(rows, features)
    np.testing.assert_array_equal(part.X, exact.X.astype(dtype))
    assert part.dtype == dtype
    assert part.is_part
    assert part.share == exact.share
    np.testing.assert_array_equal(data.X, before)


@over_orders
@over_dtypes
@pytest.mark.parametrize("kept", [np.float32, np.float64])
def test_another_precision(dtype, order, kept):
    """The offset goes before the digits do."""
    expected, data = pair(dtype, order)
    found = data.astype(kept)
    assert found.dtype == kept
    np.testing.assert_allclose(found.X, expected.X, rtol=2 * np.finfo(kept).eps)


@over_dtypes
def test_opposite_columns(dtype, monkeypatch):
    """One product for both, and the centre is subtracted once."""
    monkeypatch.setattr("sklinear._dense_data.WORTH_HALVING", 1)
    expected, data = pair(dtype, "C")
    column = np.random.default_rng(1).normal(size=(7, 1))
    coef = np.hstack([-column, column])
    np.testing.assert_allclose(data.scores(coef), expected.scores(coef), rtol=1e-10, atol=1e-10)


def test_means_and_variances():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(5, 2, size=(80, 3)), rng.random(80)
    weights[:40] = 0
    X[:40] = 1e9
    mean, variance = means_and_variances(DenseData(X), weights, np.arange(80))
    exact = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(mean, exact)
    np.testing.assert_allclose(variance, np.average((X - exact) ** 2, axis=0, weights=weights))


@pytest.mark.parametrize("period", [2, 3, 5])
def test_means_of_large_data_come_from_some_of_the_rows(monkeypatch, period):
    """Whatever the order of rows: samples of no weight in turns, classes in turns."""
    monkeypatch.setattr("sklinear.solvers._centring.ENOUGH_ENTRIES", 3 * 4000 // period)
    seen, original = [], _centring.means_and_variances

    def means_and_variances(data, weights, rows):
        seen.append(rows)
        return original(data, weights, rows)

    monkeypatch.setattr(_centring, "means_and_variances", means_and_variances)
    problem = make_problem("hinge", 0.5, n_samples=4000, n_features=3, X=lambda X: X + 5)
    weights = np.where(np.arange(4000) % period, problem.weights, 0.0)
    centre = centre_of(replace(problem, weights=weights / weights.sum()))
    np.testing.assert_allclose(centre, weights @ problem.data.X / weights.sum(), atol=0.5)
    assert weights[seen[0]].all()
    assert len(seen[0]) == min(4000 // period, np.count_nonzero(weights))


def test_when_data_are_centred():
    far, near = make_problem("hinge", 0.5, X=lambda X: X + 3), make_problem("hinge", 0.5)
    assert centre_of(far) is not None
    assert isinstance(choose(far), Centred)
    assert isinstance(choose_sparse(far), Centred)
    assert centre_of(near) is None
    assert not isinstance(choose(near), Centred)
    assert centre_of(make_problem("hinge", 0.5, X=lambda X: sp.csr_matrix(X + 3))) is None
    assert centre_of(replace(far, fit_intercept=False)) is None
    free = replace(far.penalty, factor=np.array([[0.0], [1.0], [1.0], [1.0], [1.0]]))
    assert centre_of(far.with_penalty(free)) is None
    # Squares that are infinite tell nothing, and are no reason to warn.
    assert centre_of(make_problem("hinge", 0.5, X=lambda X: 1e200 * (X + 3))) is None


@pytest.mark.parametrize("loss", ["cross-entropy", "squared hinge", "hinge"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_iterates_are_those_of_the_problem_as_given(loss, l1_ratio):
    """From a start that is not zero, with another penalty afterwards."""
    problem = make_problem(loss, l1_ratio, X=lambda X: X + 100)
    solver = choose(problem)
    rng = np.random.default_rng(0)
    start = Start(rng.normal(size=problem.shape), rng.normal(size=problem.n_classes))
    for penalty in (problem.penalty, problem.penalty.scaled(0.1)):
        posed = problem.with_penalty(penalty)
        for number, found in enumerate(solver(posed, start)):
            scores = problem.scores(found.coef, found.intercept)
            np.testing.assert_allclose(found.scores, scores, atol=1e-9)
            correlation = problem.correlate(found.dual)
            np.testing.assert_allclose(found.correlation, correlation, atol=1e-11)
            if number == 5:
                break
        start = Start(found.coef, found.intercept, found.dual, found.scores)
    assert solver.centred.given is problem.data


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("offset", [10.0, 1e6])
def test_an_offset_costs_nothing(loss, l1_ratio, offset):
    """Before, offsets of 1e5 and more were beyond a thousand iterations."""
    X, y = make_classes(3, 150)
    params = {"alpha": 0.01, "l1_ratio": l1_ratio, "tol": 1e-6}
    near = make_model(loss, **params).fit(X, y)
    far = make_model(loss, **params).fit(X + offset, y)
    problem = problem_of(far, X + offset, y)
    assert far.dual_gap_ <= 1e-6 * problem.at_zero
    assert far.n_iter_ <= near.n_iter_ + 5
    assert objective(problem, far.coef_, far.intercept_) == pytest.approx(far.objective_, rel=1e-7)
    lowest = optimum(problem_of(near, X, y)).value
    assert far.objective_ <= lowest + far.dual_gap_ + 1e-8
    assert far.objective_ >= lowest - 1e-8
    np.testing.assert_allclose(far.coef_, near.coef_, atol=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_paths_and_cross_validation(dtype):
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    far = (X + 100).astype(dtype)
    alphas = np.geomspace(0.3, 1e-3, 12)
    first, second = (softmax_path(Z, y, alphas=alphas, l1_ratio=0.5) for Z in (X, far))
    assert np.all(second.dual_gaps <= 1e-4 * np.log(3))
    np.testing.assert_allclose(second.objectives, first.objectives, atol=3e-4)
    models = [SoftmaxClassifierCV(alphas=alphas, cv=3).fit(Z, y) for Z in (X, far)]
    assert models[0].alpha_ == models[1].alpha_
    np.testing.assert_allclose(models[0].scores_, models[1].scores_, atol=2e-2)
