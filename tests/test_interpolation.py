"""Optima between knots: their certificates are those of the whole iterates, at less cost."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from problems import make_problem

from sklinear import _core
from sklinear._certificate import certify
from sklinear._interpolation import BLOCK, combination, coordinates, lagrange
from sklinear._path import Path, alpha_grid, penalised
from sklinear._stored import as_stored

LOSSES = ("cross-entropy", "squared hinge", "hinge")


def make_span(loss, l1_ratio, factor=1.0):
    """A span between two knots (before them another where it is smooth), and its path."""
    problem = make_problem(loss, l1_ratio, n_features=30)
    problem = problem.with_penalty(replace(problem.penalty, factor=factor))
    grid = alpha_grid(problem, l1_ratio, 40)
    path = Path(problem, grid, l1_ratio, {"tol": 1e-6, "max_iter": 500, "dtype": np.float64})
    knots = []
    for index in (2, 4, 8):
        knots.append(path._solve(index, knots)[1])
    return path._span(*knots[1:], knots[:1]), path


def even_and_not():
    uneven = np.linspace(0.3, 2.0, 30)[:, None]
    return pytest.mark.parametrize("factor", [1.0, uneven], ids=["even", "uneven"])


@even_and_not()
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_certificate_is_that_of_the_whole_iterate(loss, l1_ratio, factor):
    span, path = make_span(loss, l1_ratio, factor)
    alphas = path.alphas[[4, 5, 6, 8]]
    problems = [penalised(path.problem, alpha, l1_ratio) for alpha in alphas]
    factors = span.factors(alphas)
    found = span.certificates(factors, [problem.penalty for problem in problems])
    for problem, iterate, certificate in zip(problems, span.at(factors), found, strict=True):
        whole = certify(problem, iterate, search=False)
        assert certificate.objective == pytest.approx(whole.objective, rel=1e-13)
        assert certificate.gap == pytest.approx(whole.gap, rel=1e-9, abs=1e-15)
        assert certificate.scale == pytest.approx(whole.scale, rel=1e-9)


@even_and_not()
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_certificate_holds_for_rounded_weights(loss, l1_ratio, factor):
    span, path = make_span(loss, l1_ratio, factor)
    problem = penalised(path.problem, path.alphas[6], l1_ratio)
    factors = span.factors(path.alphas[6:7])
    certificates = [
        span.certificates(factors, [problem.penalty], roundoff)[0]
        for roundoff in (0.0, 0.5 * np.finfo(np.float32).eps)
    ]
    exact, bound = certificates
    (iterate,) = span.at(factors)
    stored = certify(problem, as_stored(problem, iterate, np.float32), search=False)
    assert exact.objective != stored.objective <= bound.objective
    assert exact.gap != stored.gap <= bound.gap
    assert bound.gap - exact.gap <= 2e-6 * problem.value_at_zero
    assert bound.objective - bound.gap == pytest.approx(exact.objective - exact.gap, rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_the_iterate_is_one(l1_ratio):
    span, path = make_span("cross-entropy", l1_ratio)
    problem, (iterate,) = path.problem, span.at(span.factors(path.alphas[6:7]))
    scores = problem.scores(iterate.coef, iterate.intercept)
    np.testing.assert_allclose(iterate.scores, scores, atol=1e-13)
    np.testing.assert_allclose(iterate.correlation, problem.correlate(iterate.dual), atol=1e-14)
    some = np.array([3, 0])
    # Products of fewer rows may be rounded otherwise.
    np.testing.assert_allclose(iterate.scores_of(some), iterate.scores[some], rtol=1e-14)
    np.testing.assert_array_equal(iterate.used, np.flatnonzero(iterate.coef.any(axis=1)))
    assert (len(iterate.used) < 30) == (l1_ratio > 0)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_certificates_see_few_weights(l1_ratio):
    span, path = make_span("cross-entropy", l1_ratio)
    size = path.problem.shape[0] * path.problem.shape[1]
    seen = span.coefs.shape[1], span.correlations.shape[1]
    assert seen == (5, 5) if l1_ratio == 0 else max(seen) < size


def test_a_span_is_certified_in_one_loop_over_the_samples(monkeypatch):
    span, path = make_span("cross-entropy", 0.5)
    seen, original = [], _core.values_and_gaps

    def values_and_gaps(*arguments):
        seen.append(len(arguments[5]))
        return original(*arguments)

    monkeypatch.setattr(_core, "values_and_gaps", values_and_gaps)
    assert len(list(path._interpolated(span, [5, 6, 7]))) == 3
    assert seen == [3]


def test_the_hinge_is_linear_in_alpha_between_kinks():
    """alpha W and the dual point are: with few weights the interpolation is the optimum."""
    problem = make_problem("hinge", 0.0, n_features=30, n_samples=24)
    alphas = np.array([60.0, 55.0, 50.0])
    path = Path(problem, alphas, 0.0, {"tol": 1e-11, "max_iter": 500, "dtype": np.float64})
    knots = [path._solve(index, [])[1] for index in (0, 2)]
    span = path._span(*knots, [])
    penalty = penalised(problem, alphas[1], 0.0).penalty
    (certificate,) = span.certificates(span.factors(alphas[1:2]), [penalty])
    assert certificate.gap <= 1e-10 * problem.value_at_zero
    straight = lagrange(alphas[[0, 2]], alphas[1])
    assert np.abs(span.factors(alphas[1:2])[0] - straight).max() > 1e-3


def test_coordinates_keep_lengths_and_products():
    rng = np.random.default_rng(0)
    columns = list(rng.normal(size=(3, 2 * BLOCK + 7)))
    columns.append(columns[0] + 1e-9 * columns[1])
    short = coordinates(columns)
    assert [len(column) for column in short] == [4] * 4
    for (a, b), (c, d) in zip(
        itertools.product(columns, repeat=2), itertools.product(short, repeat=2), strict=True
    ):
        assert c @ d == pytest.approx(a @ b, rel=1e-12, abs=1e-9)
    near = np.linalg.norm(short[3] - short[0])
    assert near == pytest.approx(1e-9 * np.linalg.norm(columns[1]), rel=1e-4)


def test_coordinates_of_short_columns():
    a, b = coordinates([np.array([3.0]), np.array([-2.0])])
    assert (a @ a, b @ b, a @ b) == (pytest.approx(9), pytest.approx(4), pytest.approx(-6))


def test_lagrange_and_combination():
    nodes = np.array([0.0, 1.0, 3.0])
    factors = lagrange(nodes, 2.0)
    for power in range(3):
        assert factors @ nodes**power == pytest.approx(2.0**power)
    places = np.array([2.0, 0.5])
    np.testing.assert_array_equal(lagrange(nodes, places)[0], factors)
    np.testing.assert_allclose(lagrange(nodes, places) @ nodes, places)
    np.testing.assert_array_equal(lagrange(np.array([0.5]), 7.0), [1.0])
    a, b = np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((2, 3)))
    np.testing.assert_allclose(combination([b, a], [2.0, -1.0]), 2 - a)
    np.testing.assert_array_equal(b, 1)
    assert combination([b[:0], a[:0]], [2.0, -1.0]).shape == (0, 3)
