"""The public losses: the lecture's figures, independent formulas, difference quotients, errors."""

import time

import numpy as np
import pytest
from data import make_classes
from models import make_model
from oracle import class_scores, sample_losses
from problems import make_scores
from scipy.special import log_softmax as scipy_log_softmax
from sklearn.metrics import log_loss
from test_bad_input import assert_says

from sklinear import losses

# CS231n, lecture 3: the scores of three images for cat, car and frog.
LECTURE = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
ANIMALS = np.array(["cat", "car", "frog"])

VALUES = {
    "hinge": losses.hinge_loss,
    "squared_hinge": losses.squared_hinge_loss,
    "softmax": losses.cross_entropy_loss,
}
GRADIENTS = {
    "hinge": losses.hinge_loss_gradient,
    "squared_hinge": losses.squared_hinge_loss_gradient,
    "softmax": losses.cross_entropy_loss_gradient,
}
every_loss = pytest.mark.parametrize("loss", VALUES)
every_function = pytest.mark.parametrize("function", [*VALUES.values(), *GRADIENTS.values()])


def refusal(function, *data, **options):
    with pytest.raises(ValueError, match=r".") as info:
        function(*data, **options)
    return str(info.value)


class TestLecture:
    def test_hinge(self):
        each = losses.hinge_loss(LECTURE, [0, 1, 2], reduction="none")
        np.testing.assert_allclose(each, [2.9, 0, 12.9], atol=1e-14)
        assert losses.hinge_loss(LECTURE, [0, 1, 2]) == pytest.approx(15.8 / 3, rel=1e-15)

    def test_squared_hinge_is_a_sum_of_squares(self):
        frog = losses.squared_hinge_loss(LECTURE[2:], [2])
        assert frog == pytest.approx(6.3**2 + 6.6**2, rel=1e-14)
        assert frog == pytest.approx(83.25, rel=1e-14)

    def test_softmax(self):
        np.testing.assert_allclose(losses.softmax(LECTURE)[0], [0.13, 0.87, 0], atol=5e-3)
        assert losses.cross_entropy_loss(LECTURE[:1], [0]) == pytest.approx(2.04, abs=5e-3)

    @every_loss
    def test_equal_scores(self, loss):
        expected = np.log(10) if loss == "softmax" else 9
        assert VALUES[loss](np.zeros((4, 10)), [3, 1, 4, 1]) == pytest.approx(expected, rel=1e-15)


@every_loss
def test_against_the_formula(loss):
    scores, y, weights = make_scores(n_samples=200)
    expected = sample_losses(scores, y, loss)
    np.testing.assert_allclose(VALUES[loss](scores, y, reduction="none"), expected, rtol=1e-13)
    assert VALUES[loss](scores, y) == pytest.approx(expected.mean(), rel=1e-13)
    mean = VALUES[loss](scores, y, sample_weight=3 * weights)
    assert mean == pytest.approx(weights @ expected, rel=1e-13)


@every_loss
@pytest.mark.parametrize("size", [1e-4, 1, 30, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_are_those_of_the_compiled_sum(loss, size, dtype):
    """What only NumPy gives, each sample's loss, against the kernel on that sample alone."""
    scores, y, _ = make_scores(n_samples=60)
    scores = (size * scores).astype(dtype)
    each = VALUES[loss](scores, y, reduction="none")
    alone = [VALUES[loss](scores[i : i + 1], y[i : i + 1]) for i in range(len(y))]
    assert each.dtype == dtype
    # The sum of exponentials, one at least, is rounded in the kernel.
    np.testing.assert_allclose(each, alone, rtol=4 * np.finfo(dtype).eps, atol=4e-16)


@every_loss
def test_weights_multiply_each_sample(loss):
    scores, y, weights = make_scores()
    each = VALUES[loss](scores, y, sample_weight=5 * weights, reduction="none")
    gradient = GRADIENTS[loss](scores, y, sample_weight=5 * weights, reduction="none")
    np.testing.assert_allclose(each.sum() / 5, VALUES[loss](scores, y, sample_weight=weights))
    mean = GRADIENTS[loss](scores, y, sample_weight=weights)
    np.testing.assert_allclose(gradient / 5, mean, rtol=1e-14)


@every_loss
def test_mean_does_not_depend_on_the_scale_of_weights(loss):
    scores, y, weights = make_scores()
    mean = VALUES[loss](scores, y, sample_weight=weights)
    for scale in (1e-300, 1e307):
        assert VALUES[loss](scores, y, sample_weight=scale * weights) == pytest.approx(mean)


@every_loss
def test_gradient_is_the_difference_quotient(loss):
    """The scores are a tenth or more away from all kinks."""
    scores, y, weights = make_scores(n_samples=9)
    gradient = GRADIENTS[loss](scores, y, sample_weight=weights)
    for i, k in np.ndindex(*scores.shape):
        step = np.zeros_like(scores)
        step[i, k] = 1e-4
        ahead, behind = (
            VALUES[loss](s, y, sample_weight=weights) for s in (scores + step, scores - step)
        )
        assert gradient[i, k] == pytest.approx((ahead - behind) / 2e-4, rel=1e-6, abs=1e-9)


@every_loss
def test_gradients_sum_to_zero(loss):
    scores, y, _ = make_scores()
    np.testing.assert_allclose(GRADIENTS[loss](scores, y).sum(axis=1), 0, atol=1e-15)


def test_hinge_at_a_kink_has_no_slope():
    np.testing.assert_array_equal(losses.hinge_loss_gradient([[1.0, 0.0]], [0]), 0)


@every_loss
def test_names_of_columns(loss):
    named = VALUES[loss](LECTURE, ["frog", "cat", "car"], labels=ANIMALS)
    assert named == VALUES[loss](LECTURE, [2, 0, 1])
    columns = GRADIENTS[loss](LECTURE, [2, 0, 1])
    names = GRADIENTS[loss](LECTURE, [30, 10, 20], labels=[10, 20, 30])
    np.testing.assert_array_equal(names, columns)


@every_function
def test_precision_of_the_scores(function):
    single = function(LECTURE.astype(np.float32), [0, 1, 2], reduction="none")
    assert single.dtype == np.float32
    assert function(np.int64(LECTURE), [0, 1, 2], reduction="none").dtype == np.float64
    np.testing.assert_allclose(single, function(LECTURE, [0, 1, 2], reduction="none"), rtol=1e-6)


@pytest.mark.parametrize("function", [losses.softmax, losses.log_softmax])
def test_precision_of_softmax(function):
    assert function(LECTURE.astype(np.float32)).dtype == np.float32
    assert function(LECTURE).dtype == np.float64


@every_function
def test_inputs_stay_as_they_are(function):
    scores, y, weights = make_scores()
    before = scores.copy(), y.copy(), weights.copy()
    function(scores, y, sample_weight=weights)
    for array, copy in zip((scores, y, weights), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_scores(loss, dtype):
    scores = 1e4 * np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 0]], dtype=dtype)
    each = VALUES[loss](scores, [0, 0, 0], reduction="none")
    expected = {"softmax": [0, 2e4, np.log(3)], "hinge": [0, 30002, 2]}
    squares = [0, 20001.0**2 + 10001.0**2, 2]
    np.testing.assert_allclose(each, expected.get(loss, squares), rtol=1e-6)
    assert np.isfinite(GRADIENTS[loss](scores, [0, 0, 0])).all()


def test_small_cross_entropy_is_precise():
    each = losses.cross_entropy_loss([[40.0, 0.0]], [0], reduction="none")
    assert each[0] == pytest.approx(np.exp(-40), rel=1e-14, abs=0)


def test_softmax_of_large_scores():
    scores = [[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]]
    np.testing.assert_array_equal(losses.softmax(scores), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    expected = [[0, -1e4, -2e4], [-np.log(3)] * 3]
    np.testing.assert_allclose(losses.log_softmax(scores), expected, rtol=1e-12)


def test_log_softmax_and_log_loss():
    scores, y, _ = make_scores()
    np.testing.assert_allclose(losses.log_softmax(scores), scipy_log_softmax(scores, axis=1))
    expected = log_loss(y, losses.softmax(scores))
    assert losses.cross_entropy_loss(scores, y) == pytest.approx(expected, rel=1e-12)


@every_loss
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0, 0.3, 1])
def test_loss_and_penalty_are_the_objective(loss, n_classes, l1_ratio):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.05, l1_ratio=l1_ratio).fit(X, y)
    value = VALUES[loss](class_scores(X, model.coef_, model.intercept_), y)
    value += losses.elastic_net_penalty(model.coef_, 0.05, l1_ratio=l1_ratio)
    assert value == pytest.approx(model.objective_, rel=1e-12)
    assert np.allclose(model.coef_, model.sparsify().coef_.toarray())
    sparse = losses.elastic_net_penalty(model.coef_, 0.05, l1_ratio=l1_ratio)
    assert sparse == losses.elastic_net_penalty(model.densify().coef_, 0.05, l1_ratio=l1_ratio)


def test_elastic_net_by_hand():
    coef = np.array([[1.0, -2.0], [0.0, 3.0]])
    assert losses.elastic_net_penalty(coef) == 7
    assert losses.elastic_net_penalty(coef, 2, l1_ratio=1) == 12
    assert losses.elastic_net_penalty(coef, 2, l1_ratio=0.25) == pytest.approx(3 + 10.5)
    assert losses.elastic_net_penalty(coef.astype(np.float32), 0) == 0


class TestRefusals:
    @every_function
    def test_scores_of_one_dimension(self, function):
        assert_says(refusal(function, [1.0, 2.0], [0]), r"\(2,\)", "row for each", "newaxis")

    @every_function
    @pytest.mark.parametrize("shape", [(3, 1), (0, 3), (2, 3, 4)])
    def test_scores_of_another_shape(self, function, shape):
        message = refusal(function, np.zeros(shape), [0, 0, 0])
        assert_says(message, r"\(" + ", ".join(map(str, shape)), "column")

    @every_function
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_scores_not_finite(self, function, value):
        scores = LECTURE.copy()
        scores[1, 2] = value
        assert_says(refusal(function, scores, [0, 1, 2]), r"scores\[1, 2\]", str(value), "Check")

    @pytest.mark.parametrize("function", [losses.softmax, losses.log_softmax])
    def test_softmax(self, function):
        assert_says(refusal(function, [1.0, 2.0]), r"\(2,\)")
        assert_says(refusal(function, [[1.0, np.nan]]), r"scores\[0, 1\] is nan")

    @every_function
    @pytest.mark.parametrize("label", [3, -1, 1.5, "cat"])
    def test_label_out_of_range(self, function, label):
        y = np.array([0, label, 2], dtype=object)
        assert_says(
            refusal(function, LECTURE, y), r"y\[1\]", repr(label), r"\[0, 1, 2\]", "labels="
        )

    @every_function
    def test_unknown_name(self, function):
        message = refusal(function, LECTURE, ["cat", "emu", "frog"], labels=ANIMALS)
        assert_says(message, r"y\[1\]", "'emu'", "'cat', 'car', 'frog'", "Correct")

    @every_function
    @pytest.mark.parametrize("labels", [[0, 1], [0, 1, 1]])
    def test_names_of_other_columns(self, function, labels):
        message = refusal(function, LECTURE, [0, 1, 1], labels=labels)
        assert_says(message, r"\[0, 1", "3 columns", r"classes_")

    @every_function
    def test_wrong_length(self, function):
        assert_says(refusal(function, LECTURE, [0, 1]), "3 rows", "2 labels")

    @every_function
    def test_one_hot_labels(self, function):
        assert_says(refusal(function, LECTURE, np.eye(3)), "1d", r"\(3, 3\)")

    @every_function
    def test_weights(self, function):
        def message(weights):
            return refusal(function, LECTURE, [0, 1, 2], sample_weight=weights)

        assert_says(message([1, -2.5, 1]), r"sample_weight\[1\]", r"-2\.5", "negative")
        assert_says(message([0, 0, 0]), "zero", "positive")
        assert_says(message([1, 1]), r"\(2,\)", r"\(3,\)")
        assert_says(message([1, np.nan, 1]), "sample_weight", "NaN")

    @every_function
    def test_reduction(self, function):
        message = refusal(function, LECTURE, [0, 1, 2], reduction="sum")
        assert_says(message, "reduction", "'sum'", "'mean'", "'none'")

    def test_penalty(self):
        assert_says(refusal(losses.elastic_net_penalty, [1.0], -1), "alpha", "-1")
        assert_says(refusal(losses.elastic_net_penalty, [1.0], l1_ratio=1.5), "l1_ratio", r"1\.5")


@every_function
def test_speed(function):
    """A loop of Python over 100,000 samples would take many times as long."""
    scores = np.random.default_rng(0).normal(size=(100_000, 10))
    y = np.arange(100_000) % 10
    begin = time.perf_counter()
    function(scores, y, reduction="none")
    assert time.perf_counter() - begin < 1
