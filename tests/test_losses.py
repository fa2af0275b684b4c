"""Losses on scores: values, gradients, conjugates and the Fenchel-Young gap between them."""

import numpy as np
import pytest
from problems import LOSSES, SMOOTH, make_scores, random_dual, violations
from scipy.special import logsumexp, softmax, xlogy

from sklinear import _core
from sklinear._losses import CrossEntropy, Hinge, SmoothedHinge, SquaredHinge

LECTURE = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
ROUNDING = 1e-14
largest = {"cross-entropy": 1.0, "hinge": 1.0, "squared hinge": 3.0, "smoothed hinge": 1.0}


def make(name, **size):
    scores, labels, weights = make_scores(**size)
    return LOSSES[name](labels, scores.shape[1]), scores, labels, weights


def each_value(loss, scores, labels):
    """The loss of every sample."""
    return [loss.value_and_dual(scores, labels, row)[0] for row in np.eye(len(labels))]


def naive_conjugate(name, loss, labels, dual):
    """The conjugate of every sample."""
    true = np.eye(dual.shape[1])[labels]
    u = np.where(true, 0.0, dual)
    if name == "cross-entropy":
        return xlogy(dual + true, dual + true).sum(axis=1)
    quadratic = {"hinge": 0.0, "squared hinge": u**2 / 4}.get(name)
    if quadratic is None:
        quadratic = np.where(true, 0.0, (u - loss.centre) ** 2 / (2 * loss.bend))
    return (quadratic - u).sum(axis=1)


def test_hinge_of_the_lecture():
    values = each_value(Hinge(), LECTURE, np.arange(3, dtype=np.int32))
    np.testing.assert_allclose(values, [2.9, 0, 12.9], rtol=ROUNDING)


def test_mean_hinge_of_the_lecture():
    value, _ = Hinge().value_and_dual(LECTURE, np.arange(3, dtype=np.int32), np.full(3, 1 / 3))
    assert value == pytest.approx(15.8 / 3, rel=ROUNDING)
    assert round(value, 2) == 5.27


def test_squared_hinge_sums_squares():
    values = each_value(SquaredHinge(), LECTURE, np.arange(3, dtype=np.int32))
    np.testing.assert_allclose(values, [2.9**2, 0, 6.3**2 + 6.6**2], rtol=ROUNDING)


def test_cross_entropy_is_log_sum_exp_less_true_score():
    loss, scores, labels, _ = make("cross-entropy")
    expected = logsumexp(scores, axis=1) - scores[np.arange(len(labels)), labels]
    np.testing.assert_allclose(each_value(loss, scores, labels), expected, rtol=ROUNDING)


def test_smoothed_hinge_is_a_maximum():
    """Over a grid of u; the true maximiser beats it by the square of its spacing."""
    loss, scores, labels, _ = make("smoothed hinge")
    u = np.linspace(0, 1, 1001)[:, None, None]
    m = violations(scores, labels)
    wrong = np.isfinite(m)
    terms = u * np.where(wrong, m, 0) - (u - 0.3) ** 2 / (2 * loss.bend)
    best = np.where(wrong, terms.max(axis=0), 0).sum(axis=1)
    excess = np.array(each_value(loss, scores, labels)) - best
    assert np.all(excess >= -ROUNDING)
    assert np.all(excess <= 3 * 0.0005**2 / (2 * loss.bend) + ROUNDING)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("loss", [CrossEntropy(), Hinge(), SquaredHinge()])
def test_value_at_zero(loss, n_classes):
    expected = np.log(n_classes) if isinstance(loss, CrossEntropy) else n_classes - 1
    value, _ = loss.value_and_dual(np.zeros((1, n_classes)), np.array([1], np.int32), np.ones(1))
    assert value == pytest.approx(expected, rel=ROUNDING)
    assert loss.value_at_zero(n_classes) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_against_finite_differences(name):
    loss, scores, labels, weights = make(name)
    _, dual = loss.value_and_dual(scores, labels, weights)
    h = 1e-4  # smaller steps leave more of the rounding of losses near 100
    for i, k in np.ndindex(scores.shape):
        up, down = scores.copy(), scores.copy()
        up[i, k] += h
        down[i, k] -= h
        one = np.eye(len(labels))[i]
        slope = (
            loss.value_and_dual(up, labels, one)[0] - loss.value_and_dual(down, labels, one)[0]
        ) / (2 * h)
        assert dual[i, k] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_sums_to_zero(name):
    loss, scores, labels, weights = make(name)
    _, dual = loss.value_and_dual(scores, labels, weights)
    np.testing.assert_allclose(dual.sum(axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_common_shift_goes_unseen(name):
    loss, scores, labels, weights = make(name)
    value, dual = loss.value_and_dual(scores, labels, weights)
    shifted, same = loss.value_and_dual(scores + 8, labels, weights)
    assert shifted == pytest.approx(value, rel=ROUNDING)
    np.testing.assert_allclose(same, dual, atol=ROUNDING)


@pytest.mark.parametrize("name", LOSSES)
def test_single_precision(name):
    loss, scores, labels, weights = make(name)
    value, dual = loss.value_and_dual(scores, labels, weights)
    small, narrow = loss.value_and_dual(scores.astype(np.float32), labels, weights)
    assert narrow.dtype == np.float32
    assert small == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(narrow, dual, rtol=1e-5, atol=1e-6)


def test_no_subnormal_numbers_in_single_precision():
    """Products with them take a hundred times as long."""
    labels, weights = np.zeros(40, np.int32), np.full(40, 1 / 40)
    scores = np.outer(np.linspace(60, 120, 40), [1.0, 0.0, 0.0])
    value, dual = CrossEntropy().value_and_dual(scores, labels, weights)
    small, narrow = CrossEntropy().value_and_dual(scores.astype(np.float32), labels, weights)
    tiny = np.finfo(np.float32).tiny
    assert np.any(np.abs(dual) < tiny)
    assert dual.all()
    assert not np.any((narrow != 0) & (np.abs(narrow) < tiny))
    assert small == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(narrow, dual, rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_offset_for_all_rows(dtype):
    rows, offset = np.arange(12, dtype=dtype).reshape(4, 3), np.arange(6.0)[::2]
    expected = rows + offset
    _core.add_to_rows(rows, offset)
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_the_gap_comes_with_the_value(name, dtype):
    loss, scores, labels, weights = make(name)
    scores, dual = scores.astype(dtype), random_dual(name, labels, scores.shape[1]).astype(dtype)
    if isinstance(loss, SmoothedHinge):
        loss = SmoothedHinge(loss.centre.astype(dtype), loss.bend)
    value, gap = loss.value_and_gap(scores, labels, weights, dual, 0.7)
    assert value == pytest.approx(loss.value_and_dual(scores, labels, weights)[0], rel=1e-6)
    assert gap == loss.fenchel_young(scores, labels, weights, dual, 0.7) >= 0


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_gaps_of_combinations(name):
    loss, scores, labels, weights = make(name)
    known = [scores, 0.5 * scores[::-1], np.cos(scores)]
    duals = [random_dual(name, labels, scores.shape[1], seed) for seed in (0, 1)]
    factors = np.array([[1.0, 0, 0], [0.3, -0.5, 2.0]]), np.array([[0.0, 1.0], [0.25, 0.75]])
    scales = np.array([1.0, 0.7])
    values, gaps = loss.values_and_gaps(known, duals, factors, labels, weights, scales)
    for found in zip(values, gaps, *factors, scales, strict=True):
        value, gap, of_scores, of_duals, scale = found
        point = np.tensordot(of_scores, known, 1), np.tensordot(of_duals, duals, 1)
        expected = loss.value_and_gap(point[0], labels, weights, point[1], scale)
        np.testing.assert_allclose((value, gap), expected, rtol=1e-12)


def test_no_values_of_no_samples():
    none, labels = np.empty((0, 3)), np.empty(0, dtype=np.int32)
    factors = np.ones((2, 1)), np.ones((2, 1))
    found = CrossEntropy().values_and_gaps([none], [none], factors, labels, none[:, 0], np.ones(2))
    np.testing.assert_array_equal(found, np.zeros((2, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("name", LOSSES)
def test_slope_along_a_direction(name, step, dtype):
    loss, scores, labels, weights = make(name)
    scores = scores.astype(dtype)
    direction = np.random.default_rng(3).integers(-3, 4, size=scores.shape).astype(dtype)
    if isinstance(loss, SmoothedHinge):
        loss = SmoothedHinge(loss.centre.astype(dtype), loss.bend)
    # In double precision, whatever that of the scores.
    moved = scores.astype(float) + step * direction
    value, dual = loss.value_and_dual(moved, labels, weights)
    slope = weights @ (dual * direction).sum(axis=1)
    out = np.empty_like(scores), np.empty_like(scores)
    found = loss.value_along(scores, direction, step, labels, weights, out)
    np.testing.assert_allclose(found, (value, slope), rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(out[0], moved.astype(dtype))
    np.testing.assert_array_equal(out[1], dual.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_samples", [1, 32, 70])
@pytest.mark.parametrize("name", LOSSES)
def test_value_at_a_shift(name, n_samples, dtype):
    loss, *arrays = make(name)
    scores, labels, weights = (array[:n_samples] for array in arrays)
    if isinstance(loss, SmoothedHinge):
        loss = SmoothedHinge(loss.centre[:n_samples].astype(dtype), loss.bend)
    scores, shift = scores.astype(dtype), np.array([0.5, -2.0, 0.0, 1.25])
    expected = loss.value_and_dual(scores + shift, labels, weights)
    value, dual, residual = loss.value_at_shift(scores, shift, labels, weights)
    assert value == pytest.approx(expected[0], rel=1e-13)
    assert dual.dtype == dtype
    np.testing.assert_allclose(dual, expected[1], rtol=1e-6 if dtype == np.float32 else 1e-13)
    np.testing.assert_allclose(residual, weights @ expected[1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LOSSES)
def test_conjugate_against_its_formula(name, seed):
    loss, _, labels, weights = make(name)
    dual = random_dual(name, labels, 4, seed)
    scale = largest[name] * np.random.default_rng(seed).random()
    value, *_ = loss.conjugate(labels, weights, dual, scale)
    expected = weights @ naive_conjugate(name, loss, labels, scale * dual)
    assert value == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", LOSSES)
def test_fenchel_young_is_value_and_conjugate_less_product(name, seed):
    loss, scores, labels, weights = make(name, seed=seed)
    dual = random_dual(name, labels, 4, seed)
    scale = largest[name] * np.random.default_rng(seed).random()
    value, _ = loss.value_and_dual(scores, labels, weights)
    conjugate = weights @ naive_conjugate(name, loss, labels, scale * dual)
    product = weights @ (scale * dual * scores).sum(axis=1)
    gap = loss.fenchel_young(scores, labels, weights, dual, scale)
    assert gap == pytest.approx(value + conjugate - product, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_fenchel_young_of_every_sample_is_not_negative(name, dtype):
    loss, scores, labels, _ = make(name, n_samples=200)
    dual = random_dual(name, labels, 4).astype(dtype)
    rows = np.eye(len(labels))
    gaps = [loss.fenchel_young(scores.astype(dtype), labels, row, dual, 0.9) for row in rows]
    assert min(gaps) >= 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_fenchel_young_vanishes_at_the_natural_dual(name, dtype):
    """To the square of rounding: it grows with the square of the distance."""
    loss, scores, labels, weights = make(name)
    scores = scores.astype(dtype)
    _, dual = loss.value_and_dual(scores, labels, weights)
    gap = loss.fenchel_young(scores, labels, weights, dual)
    assert 0 <= gap <= 100 * np.finfo(dtype).eps ** 2


@pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
def test_fenchel_young_near_the_natural_dual(name):
    """A relative move of 1e-9 leaves a positive gap below the rounding of its naive terms."""
    loss, scores, labels, weights = make(name)
    _, dual = loss.value_and_dual(scores, labels, weights)
    gap = loss.fenchel_young(scores, labels, weights, dual, 1 - 1e-9)
    assert 0 < gap <= 1e-16


@pytest.mark.parametrize("name", LOSSES)
def test_conjugate_slope_against_finite_differences(name):
    loss, _, labels, weights = make(name)
    dual = random_dual(name, labels, 4)
    t, h = 0.6, 1e-5
    _, slope, bend = loss.conjugate(labels, weights, dual, t)
    up, down = (loss.conjugate(labels, weights, dual, t + s) for s in (h, -h))
    assert slope == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-7)
    assert bend == pytest.approx((up[1] - down[1]) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_largest_scale_is_the_edge_of_the_domain(name):
    loss, _, labels, _ = make(name)
    dual = 0.25 * random_dual(name, labels, 4)
    scale = loss.largest_scale(dual)
    if name == "squared hinge":
        assert scale == np.inf
    elif name == "cross-entropy":
        assert scale == 1
    else:
        assert (scale * dual).max() == pytest.approx(1, rel=ROUNDING)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_huge_scores(dtype):
    scores = np.array([[1e4, -1e4, 0], [1e4, -1e4, 0]], dtype=dtype)
    value, dual = CrossEntropy().value_and_dual(scores, np.array([0, 1], np.int32), np.ones(2))
    assert value == 2e4
    np.testing.assert_array_equal(dual, [[0, 0, 0], [1, -1, 0]])


def test_fenchel_young_where_a_probability_underflows():
    """KL of (1/2, 1/2) from softmax (0, -1e4)."""
    scores, dual = np.array([[0.0, -1e4]]), np.array([[-0.5, 0.5]])
    gap = CrossEntropy().fenchel_young(scores, np.zeros(1, np.int32), np.ones(1), dual)
    assert gap == pytest.approx(5e3 - np.log(2), rel=ROUNDING)


def test_fenchel_young_where_a_dual_probability_is_zero():
    """KL of (1, 0) from softmax (0, 0)."""
    labels, dual = np.zeros(1, np.int32), np.zeros((1, 2))
    gap = CrossEntropy().fenchel_young(np.zeros((1, 2)), labels, np.ones(1), dual)
    assert gap == pytest.approx(np.log(2), rel=ROUNDING)


def ulps(found, exact):
    """Distance in units of the last place of the exact value."""
    return np.abs(found - exact) / np.spacing(exact.astype(np.float64))


def odds(x):
    """exp x, as the ratio of the probabilities of two classes with scores x and 0."""
    scores = np.column_stack([x, np.zeros_like(x)])
    _, dual = CrossEntropy().value_and_dual(scores, np.ones(len(x), np.int32), np.ones(len(x)))
    return dual[:, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 4, 5, 6, 7, 8, 13])
@pytest.mark.parametrize("n_samples", [1, 31, 33])
def test_rows_of_any_length_go_to_lanes_and_back(n_samples, n_classes, dtype):
    rng = np.random.default_rng(0)
    scores, direction = rng.normal(size=(2, n_samples, n_classes)).astype(dtype)
    labels = rng.integers(n_classes, size=n_samples, dtype=np.int32)
    moved, dual = room = np.empty_like(scores), np.empty_like(scores)
    weights = np.full(n_samples, 1 / n_samples)
    CrossEntropy().value_along(scores, direction, 0.5, labels, weights, room)
    close = {"rtol": 4 * np.finfo(dtype).eps, "atol": 4 * np.finfo(dtype).eps}
    np.testing.assert_allclose(moved, scores + dtype(0.5) * direction, **close)
    exact = softmax(moved.astype(float), axis=1) - np.eye(n_classes)[labels]
    np.testing.assert_allclose(dual, exact, **close)


def test_exponentials_of_the_whole_range():
    """To two units in the last place: that of a quotient of exponentials."""
    x = -np.concatenate([np.geomspace(1e-17, 745.13, 20_000), np.linspace(0, 745.13, 20_000)])
    exact = np.exp(x.astype(np.longdouble))
    assert ulps(odds(x), exact / (1 + exact)).max() <= 2


def test_exponentials_that_underflow():
    """Half the smallest subnormal number is exp(-745.13...)."""
    x = np.array([-708.4, -720.0, -745.13, -745.14, -746.0, -1e4, -1e308, -np.inf])
    np.testing.assert_array_equal(odds(x), np.exp(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_scores_spoil_only_their_own_row(bad, dtype):
    loss, scores, labels, weights = make("cross-entropy")
    _, expected = loss.value_and_dual(scores.astype(dtype), labels, weights)
    scores[4, 1] = bad
    value, dual = loss.value_and_dual(scores.astype(dtype), labels, weights)
    assert np.isnan(value)
    assert np.isnan(dual[4]).all()
    np.testing.assert_array_equal(np.delete(dual, 4, axis=0), np.delete(expected, 4, axis=0))


@pytest.mark.parametrize("x", [1e-300, 1e-20, 0.1, 0.5, 0.7071, 0.70711, 1 - 1e-9, 1.0])
def test_logarithms(x):
    """The conjugate of q = (x, 1 - x) by its formula."""
    state = np.ones(1, np.int32), np.ones(1), np.array([[x, -x]])
    value, slope, _ = CrossEntropy().conjugate(*state)
    assert value == pytest.approx(xlogy(x, x) + xlogy(1 - x, 1 - x), rel=1e-15)
    assert slope == pytest.approx(xlogy(x, x) - xlogy(x, 1 - x) if x < 1 else 0, rel=1e-15)


@pytest.mark.parametrize("n_classes", [2, 5, 26])
@pytest.mark.parametrize("name", LOSSES)
def test_order_of_rows_changes_no_bit(name, n_classes):
    rng = np.random.default_rng(0)
    size = 1007, n_classes
    labels = rng.integers(0, n_classes, size[0]).astype(np.int32)
    scores, order = 3 * rng.normal(size=size), rng.permutation(size[0])
    loss, ones = LOSSES[name](labels, n_classes), np.ones(size[0])
    moved = LOSSES[name](labels[order], n_classes)
    _, dual = loss.value_and_dual(scores, labels, ones)
    _, permuted = moved.value_and_dual(scores[order], labels[order], ones)
    np.testing.assert_array_equal(permuted, dual[order])


def test_cross_entropy_keeps_a_tiny_gradient():
    """g_y is minus the sum of the others, not q_y - 1."""
    _, dual = CrossEntropy().value_and_dual(
        np.array([[50.0, 0.0, 0.0]]), np.zeros(1, np.int32), np.ones(1)
    )
    assert dual[0, 0] == pytest.approx(-2 * np.exp(-50), rel=ROUNDING)


@pytest.mark.parametrize("sigma", [1.0, 1e2, 1e4, 1e6])
def test_smoothed_hinge_is_near_the_hinge(sigma):
    """Within 1 / (2 sigma) a term, from below."""
    _, scores, labels, weights = make("hinge")
    loss = SmoothedHinge(random_dual("hinge", labels, 4), sigma)
    value, _ = loss.value_and_dual(scores, labels, weights)
    hinge, _ = Hinge().value_and_dual(scores, labels, weights)
    assert hinge - 3 / (2 * sigma) <= value <= hinge + ROUNDING


@pytest.mark.parametrize("sigma", [1e-3, 1.0, 1e3])
def test_smoothed_hinge_around_its_maximiser_is_the_hinge(sigma):
    _, scores, labels, weights = make("hinge")
    hinge, dual = Hinge().value_and_dual(scores, labels, weights)
    value, same = Hinge().smoothed(dual, sigma).value_and_dual(scores, labels, weights)
    assert value == pytest.approx(hinge, rel=ROUNDING)
    np.testing.assert_array_equal(same, dual)


@pytest.mark.parametrize("name", SMOOTH)
def test_bend_bounds_the_second_derivative(name):
    """In one score of a wrong class; random scores come near it or do not pass it."""
    loss, scores, labels, weights = make(name, n_samples=200)
    diagonal = loss.curvature(scores, labels, weights).diagonal() / weights[:, None]
    wrong = ~np.eye(4, dtype=bool)[labels]
    assert 0.5 * loss.bend <= diagonal[wrong].max() <= loss.bend * (1 + ROUNDING)


@pytest.mark.parametrize("size", [1e-6, 0.1, 10.0])
@pytest.mark.parametrize("name", LOSSES)
def test_most_growth_bounds_that_of_the_loss(name, size):
    loss, scores, labels, weights = make(name, n_samples=50)
    weights = weights / weights.sum()
    value, dual = loss.value_and_dual(scores, labels, weights)
    for way in (dual, np.random.default_rng(0).standard_normal(scores.shape)):
        move = size * way
        length = np.sqrt(weights @ np.square(move).sum(axis=1))
        grown = loss.value_and_dual(scores + move, labels, weights)[0] - value
        assert grown <= loss.most_growth(value, length, 4) * (1 + 1e-9)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "smoothed hinge"])
def test_most_growth_is_reached(name):
    """By the hinges where all scores are the same, by the cross-entropy far on the wrong side."""
    loss, labels, weight = LOSSES[name](np.array([2]), 4), np.array([2], np.int32), np.ones(1)
    start = 50.0 * np.eye(4)[[0]] if name == "cross-entropy" else np.zeros((1, 4))
    value, dual = loss.value_and_dual(start, labels, weight)
    move = 1e-3 * dual
    grown = loss.value_and_dual(start + move, labels, weight)[0] - value
    assert grown == pytest.approx(loss.most_growth(value, np.linalg.norm(move), 4), rel=1e-9)
