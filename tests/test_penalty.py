"""The elastic net: its prox, its slope, its shift over the classes and its conjugate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from problems import LOSSES, make_scores

from sklinear._penalty import ElasticNet, soft_threshold

PENALTIES = {
    "l1": ElasticNet(0.3, 0.0),
    "l2": ElasticNet(0.0, 0.7),
    "both": ElasticNet(0.3, 0.7),
    "mostly l1": ElasticNet(0.3, 1e-3),
}
entries = st.floats(-5, 5, allow_subnormal=False).map(lambda x: round(x, 3))
rows = arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=entries)
pairs = st.integers(2, 6).flatmap(
    lambda C: st.tuples(*2 * [arrays(float, (3, C), elements=entries)])
)
over_penalties = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
many = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def naive_value(penalty, coef):
    return penalty.l1 * np.abs(coef).sum() + penalty.l2 / 2 * (coef**2).sum()


def each_row(penalty, coef):
    return np.array([naive_value(penalty, row) for row in coef])


@over_penalties
@many
@given(rows)
def test_value(penalty, coef):
    assert penalty.value(coef) == pytest.approx(naive_value(penalty, coef), rel=1e-14)


@over_penalties
@many
@given(pairs)
def test_slope_against_a_step_to_the_right(penalty, pair):
    """With entries of thousandths a step of 1e-5 times a direction crosses no zero."""
    coef, direction = pair
    h = 1e-5
    quotient = (naive_value(penalty, coef + h * direction) - naive_value(penalty, coef)) / h
    bend = penalty.l2 * (direction**2).sum()
    assert penalty.slope(coef, direction) == pytest.approx(quotient - h * bend / 2, abs=1e-8)


@pytest.mark.parametrize("factor", [1.0, np.array([[0.0], [0.5], [3.0]])])
@over_penalties
@many
@given(pair=pairs)
def test_along_a_line(penalty, factor, pair):
    """The values and the slopes to both sides, also where weights are or become zero."""
    penalty = replace(penalty, factor=factor)
    coef, move = pair
    move[0] = -coef[0]
    at = penalty.along(coef, move)
    for step in (0.0, 0.3, 1.0):
        value, right, left = at(step)
        moved = coef + step * move
        assert value == pytest.approx(penalty.value(moved), rel=1e-12, abs=1e-12)
        assert right == pytest.approx(penalty.slope(moved, move), rel=1e-12, abs=1e-12)
        assert left == pytest.approx(-penalty.slope(moved, -move), rel=1e-12, abs=1e-12)


@many
@given(rows, st.floats(0, 3))
def test_soft_threshold(values, threshold):
    expected = np.sign(values) * np.maximum(np.abs(values) - threshold, 0)
    np.testing.assert_allclose(soft_threshold(values, threshold), expected, atol=1e-15)


@over_penalties
@pytest.mark.parametrize("step", [0.1, 1.0, 10.0])
@many
@given(pairs)
def test_prox_inequality(penalty, step, pair):
    """step h(u) + |u - v|^2/2 exceeds its minimum by (1 + step l2) |u - prox|^2/2 at least."""
    values, other = pair
    prox = penalty.prox(values, step)

    def objective(u):
        return step * naive_value(penalty, u) + 0.5 * ((u - values) ** 2).sum()

    margin = 0.5 * (1 + step * penalty.l2) * ((other - prox) ** 2).sum()
    assert objective(other) - objective(prox) >= margin - 1e-11


@over_penalties
@many
@given(rows)
def test_prox_inequality_close_by(penalty, values):
    prox = penalty.prox(values, 1.0)
    for shift in (-1e-3, 1e-3):
        other = prox + shift
        gain = each_row(penalty, other) - each_row(penalty, prox)
        gain += 0.5 * ((other - values) ** 2 - (prox - values) ** 2).sum(axis=1)
        assert np.all(gain >= -1e-14)


@over_penalties
@many
@given(rows)
def test_recentred_rows_cost_least(penalty, coef):
    """Against shifts to each entry, and a grid between them."""
    best = each_row(penalty, penalty.recentre(coef))
    low, high = coef.min(axis=1), coef.max(axis=1)
    for shift in (*coef.T, *np.linspace(low, high, 101)):
        assert np.all(best <= each_row(penalty, coef - shift[:, None]) + 1e-13)


@over_penalties
@many
@given(rows)
def test_recentre_is_a_shift(penalty, coef):
    shift = coef - penalty.recentre(coef)
    np.testing.assert_allclose(shift, shift[:, :1] + 0 * coef, atol=1e-14)


@over_penalties
@many
@given(rows)
def test_recentre_twice(penalty, coef):
    once = penalty.recentre(coef)
    np.testing.assert_allclose(penalty.recentre(once), once, atol=1e-14)


@many
@given(rows)
def test_recentre_without_l2_shifts_an_entry_to_zero_or_not_at_all(coef):
    shifted = PENALTIES["l1"].recentre(coef)
    assert np.all((shifted == 0).any(axis=1) | (shifted == coef).all(axis=1))


@many
@given(rows)
def test_recentre_without_l1_takes_the_mean_out(coef):
    np.testing.assert_allclose(PENALTIES["l2"].recentre(coef).sum(axis=1), 0, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
@over_penalties
def test_losses_do_not_see_a_recentring(penalty, name):
    _, labels, weights = make_scores()
    coef = np.random.default_rng(0).normal(size=(5, 4)) + 1
    X = np.random.default_rng(1).normal(size=(len(labels), 5))
    loss = LOSSES[name](labels, 4)
    before, _ = loss.value_and_dual(X @ coef, labels, weights)
    after, _ = loss.value_and_dual(X @ penalty.recentre(coef), labels, weights)
    assert not np.allclose(coef, penalty.recentre(coef), atol=0.1)
    assert after == pytest.approx(before, rel=1e-13)


@pytest.mark.parametrize("name", ["l2", "both", "mostly l1"])
@many
@given(rows)
def test_dual_value_is_reached(name, correlation):
    """<-A, W> - penalty(W) at W = -soft(A, l1) / l2."""
    penalty = PENALTIES[name]
    coef = -soft_threshold(correlation, penalty.l1) / penalty.l2
    reached = -np.vdot(correlation, coef) - naive_value(penalty, coef)
    assert penalty.dual_value(correlation) == pytest.approx(reached, rel=1e-10, abs=1e-10)


def test_dual_value_without_l2():
    penalty = PENALTIES["l1"]
    assert penalty.dual_value(np.array([[0.3, -0.3, 0.1]])) == 0
    assert penalty.dual_value(np.array([[0.3, -0.31, 0.1]])) == np.inf


@pytest.mark.parametrize("name", ["l2", "both", "mostly l1"])
def test_dual_slope_against_finite_differences(name):
    penalty, h = PENALTIES[name], 1e-6
    correlation = np.random.default_rng(0).normal(size=(6, 4))
    up, down = (penalty.dual_value((0.8 + s) * correlation) for s in (h, -h))
    slope, bend = penalty.dual_slope(correlation)(0.8)
    assert slope == pytest.approx((up - down) / (2 * h), rel=1e-6)
    up, down = (penalty.dual_slope(correlation)(0.8 + s)[0] for s in (h, -h))
    assert bend == pytest.approx((up - down) / (2 * h), rel=1e-6)


@over_penalties
@many
@given(pairs)
def test_fenchel_young_is_value_and_dual_value_and_product(penalty, pair):
    coef, correlation = pair
    naive = naive_value(penalty, coef) + penalty.dual_value(correlation)
    naive += np.vdot(coef, correlation)
    gap = penalty.fenchel_young(coef, correlation)
    assert gap >= 0
    assert gap == pytest.approx(naive, rel=1e-11, abs=1e-10)


@many
@given(rows)
def test_fenchel_young_without_l2_inside(coef):
    """Where |A| <= l1: the penalty and <W, A>."""
    penalty = PENALTIES["l1"]
    correlation = 0.3 * np.cos(np.arange(coef.size).reshape(coef.shape))
    gap = penalty.fenchel_young(coef, correlation)
    assert gap >= 0
    assert gap == pytest.approx(penalty.value(coef) + np.vdot(coef, correlation), abs=1e-13)


def test_fenchel_young_is_infinite_outside_without_l2():
    assert PENALTIES["l1"].fenchel_young(np.zeros((1, 2)), np.array([[0.1, 0.301]])) == np.inf


@pytest.mark.parametrize("name", ["l2", "both", "mostly l1"])
@many
@given(rows)
def test_fenchel_young_vanishes_at_the_optimal_weights(name, correlation):
    """To rounding squared, over l2, where naive terms would leave rounding itself."""
    penalty = PENALTIES[name]
    coef = -soft_threshold(correlation, penalty.l1) / penalty.l2
    assert 0 <= penalty.fenchel_young(coef, correlation) <= 1e-12


@over_penalties
def test_penalty_of_no_features(penalty):
    assert penalty.value(np.zeros((0, 3))) == 0
    assert penalty.fenchel_young(np.zeros((0, 3)), np.zeros((0, 3))) == 0
