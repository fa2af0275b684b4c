"""Every bad input is refused by a message that names the value and the remedy."""

import re

import numpy as np
import pytest
from data import csr, make_classes
from sklearn.exceptions import NotFittedError

from sklinear import SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier
from sklinear.inspection import objective

X, Y = make_classes(3)
NAMES = np.array(["cat", "car", "frog"])[Y]

both = pytest.mark.parametrize("Model", [SoftmaxClassifier, SVMClassifier])
dense_and_csr = pytest.mark.parametrize("container", [np.asarray, csr], ids=["dense", "csr"])


def refusal(model, *data, error=ValueError, method="fit", **options):
    """The message of the error."""
    with pytest.raises(error) as info:
        getattr(model, method)(*data, **options)
    return str(info.value)


def assert_says(message, *patterns):
    for pattern in patterns:
        assert re.search(pattern, message), f"{pattern!r} is not in {message!r}"


def X_with(value, dtype=np.float64):
    bad = X.astype(dtype)
    bad[3, 2] = value
    return bad


def weights_with(value):
    weights = np.ones(len(Y))
    weights[7] = value
    return weights


@both
@dense_and_csr
def test_nan(Model, container):
    message = refusal(Model(), container(X_with(np.nan)), Y)
    assert_says(message, r"\bX\b", "NaN", "imput|drop|remov")


@both
@dense_and_csr
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity(Model, container, value):
    message = refusal(Model(), container(X_with(value)), Y)
    assert_says(message, r"\bX\b", "inf")


@both
@dense_and_csr
@pytest.mark.parametrize("value", [1e300, -1e300])
def test_overflow(Model, container, value):
    assert_says(refusal(Model(), container(X_with(value)), Y), r"\bX\b", r"1e\+?300", "(?i)scale")


@both
@dense_and_csr
def test_overflow_in_float32(Model, container):
    message = refusal(Model(), container(X_with(3e38, np.float32)), Y)
    assert_says(message, r"\bX\b", r"3e\+?38", "(?i)scale")


@both
def test_one_class(Model):
    message = refusal(Model(), X, np.full(len(X), "cat"))
    assert_says(message, "cat", "(?i)(at least|more than|two|2).*class|class.*(at least|two|2)")


@both
def test_y_too_short(Model):
    assert_says(refusal(Model(), X, Y[:-1]), "inconsistent", rf"{len(X)}\b", rf"{len(X) - 1}\b")


@both
def test_continuous_y(Model):
    message = refusal(Model(), X, X[:, 0])
    assert_says(message, "continuous", "(?i)classif")


@both
def test_nan_in_y(Model):
    y = Y.astype(float)
    y[5] = np.nan
    assert_says(refusal(Model(), X, y), r"\by\b", "NaN")


@both
def test_multilabel_y(Model):
    message = refusal(Model(), X, np.eye(3, dtype=int)[Y])
    assert_says(message, r"multilabel|\(40, 3\)", "(?i)1d|one label|OneVsRest|MultiOutput")


@both
def test_negative_weight(Model):
    message = refusal(Model(), X, Y, weights_with(-2.5))
    assert_says(message, "sample_weight", r"-2\.5", "(?i)negative")


@both
def test_nan_weight(Model):
    assert_says(refusal(Model(), X, Y, weights_with(np.nan)), "sample_weight", "NaN")


@both
def test_infinite_weight(Model):
    assert_says(refusal(Model(), X, Y, weights_with(np.inf)), "sample_weight", "inf")


class Column:
    """As a column of a table is: an array where one is asked for."""

    def __init__(self, values):
        self.values = np.array(values, dtype=object)

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


@both
@pytest.mark.parametrize("kind", [list, np.array, lambda v: np.array(v, dtype=object), Column])
def test_words_for_weights_and_factors(Model, kind):
    weights, factors = kind(["1"] * 7 + ["heavy"] + ["1"] * (len(Y) - 8)), kind(["1", "no"] * 2)
    assert_says(refusal(Model(), X, Y, weights), r"sample_weight\[7\] is 'heavy'", "number")
    message = refusal(Model(penalty_factor=factors), X[:, :4], Y)
    assert_says(message, r"penalty_factor\[1\] is 'no'", "number")


@both
def test_all_zero_weights(Model):
    message = refusal(Model(), X, Y, np.zeros(len(Y)))
    assert_says(message, "(?i)sample.weight", "(?i)zero|positive")


@both
def test_wrong_number_of_weights(Model):
    message = refusal(Model(), X, Y, np.ones(len(Y) + 1))
    assert_says(message, "sample_weight", rf"\({len(Y) + 1},\)", rf"\({len(Y)},\)")


@both
def test_class_of_no_sample_weight(Model):
    message = refusal(Model(), X, NAMES, np.where(NAMES == "frog", 0.0, 1.0))
    assert_says(message, "'frog'", "sample_weight", "zero", "positive", "y != 'frog'")


@both
def test_the_remedy_for_a_class_of_no_sample_weight(Model):
    """Left out, it is no class, and the rest is fitted as with a weight of zero elsewhere."""
    weights = np.where(NAMES == "frog", 0.0, 1.0)
    kept = NAMES != "frog"
    model = Model().fit(X[kept], NAMES[kept], weights[kept])
    np.testing.assert_array_equal(model.classes_, ["car", "cat"])


@both
def test_class_of_no_class_weight(Model):
    message = refusal(Model(class_weight={"frog": 0, "cat": 1, "car": 1}), X, NAMES)
    assert_says(message, "frog", "weight", "(?i)zero|positive", "(?i)remove|drop|positive")


@both
def test_unknown_class_in_class_weight(Model):
    message = refusal(Model(class_weight={"cat": 1, "car": 2, "emu": 3}), X, NAMES)
    assert_says(message, "class_weight", "emu", "cat.*car|car.*cat", "'frog' has no weight")


@both
def test_a_class_weight_beside_those_of_all_classes(Model):
    """A part of the data may lack a rare class."""
    known = {"cat": 1, "car": 2, "frog": 1}
    model = Model(class_weight=known | {"emu": 3}).fit(X, NAMES)
    np.testing.assert_array_equal(model.coef_, Model(class_weight=known).fit(X, NAMES).coef_)


@both
@pytest.mark.parametrize("weight", ["2", None, np.nan, np.inf])
def test_class_weight_that_is_no_weight(Model, weight):
    message = refusal(Model(class_weight={"cat": weight, "car": 2, "frog": 1}), X, NAMES)
    assert_says(message, r"class_weight\['cat'\]", repr(weight), "finite")


@both
def test_negative_class_weight(Model):
    message = refusal(Model(class_weight={"cat": -1.5, "car": 2, "frog": 1}), X, NAMES)
    assert_says(message, "class_weight", r"-1\.5", "(?i)negative|positive")


@both
def test_misspelt_class_weight(Model):
    message = refusal(Model(class_weight="balance"), X, Y)
    assert_says(message, "class_weight", "'balance'", "'balanced'")


@both
@pytest.mark.parametrize("alpha", [0, 0.0, -1.5, np.nan, np.inf])
def test_alpha(Model, alpha):
    message = refusal(Model(alpha=alpha), X, Y)
    assert_says(message, "alpha", re.escape(str(alpha)))


@both
@pytest.mark.parametrize("alpha", [0, -1.5])
def test_alpha_names_the_remedy(Model, alpha):
    assert_says(refusal(Model(alpha=alpha), X, Y), "(?i)small")


@both
@pytest.mark.parametrize("alpha", [5e-324, 0.9e-100])
def test_an_alpha_that_is_lost_in_products(Model, alpha):
    assert_says(refusal(Model(alpha=alpha), X, Y), "alpha", "e-", "1e-100 or more")


@both
@pytest.mark.parametrize("l1_ratio", [-0.1, 1.1, np.nan])
def test_l1_ratio(Model, l1_ratio):
    message = refusal(Model(l1_ratio=l1_ratio), X, Y)
    assert_says(message, "l1_ratio", re.escape(str(l1_ratio)), r"\[0(\.0)?, 1(\.0)?\]")


def test_unknown_loss():
    message = refusal(SVMClassifier(loss="huber"), X, Y)
    assert_says(message, "loss", "'huber'", "'hinge'", "'squared_hinge'")


@both
@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_wrong_number_of_features(Model, method):
    message = refusal(Model().fit(X, Y), X[:, :3], method=method)
    assert_says(message, "3 features", "expecting 5 features")


@both
def test_complex_X(Model):
    assert_says(refusal(Model(), X + 1j, Y), "(?i)complex")


@both
def test_strings_in_object_X(Model):
    assert_says(refusal(Model(), X_with("tall", object), Y), "tall", "float|number|numeric")


@both
def test_no_samples(Model):
    assert_says(refusal(Model(), X[:0], Y[:0]), r"0 sample", r"\(0, 5\)", "minimum of 1")


@both
def test_no_features(Model):
    assert_says(refusal(Model(), X[:, :0], Y), r"0 feature", r"\(40, 0\)", "minimum of 1")


@both
def test_one_dimensional_X(Model):
    assert_says(refusal(Model(), X[:, 0], Y), "1D array", "(?i)reshape")


@both
@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_not_fitted(Model, method):
    message = refusal(Model(), X, method=method, error=NotFittedError)
    assert_says(message, Model.__name__, "not fitted", "'fit'")


NUMPYS = [np.float64, np.int64, np.str_]


@pytest.mark.parametrize("of_numpy", NUMPYS)
def test_labels_look_like_those_of_python(of_numpy):
    """NumPy's own repr, np.int64(0), is none that a user has written."""
    y, one = Y.astype(of_numpy), of_numpy(1)
    said = repr(one.item())
    model = SoftmaxClassifier().fit(X, y)
    weights = np.where(y == one, 0.0, 1.0)
    messages = [
        refusal(SoftmaxClassifier(), X[y == one], y[y == one]),
        refusal(SoftmaxClassifier(), X, y, weights),
        refusal(SoftmaxClassifier(class_weight={one: of_numpy(-1)}), X, y),
        refusal(SoftmaxClassifier(class_weight={one: 1}), X[y != one], y[y != one]),
    ]
    with pytest.raises(ValueError, match="none of the") as info:
        objective(model, X, np.full(len(X), of_numpy(7)))
    for message in [*messages, str(info.value)]:
        assert "np." not in message
    for message in messages:
        assert said in message


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (SoftmaxClassifier(alpha=np.float64(0)), r"alpha=0\.0"),
        (SoftmaxClassifierCV(l1_ratios=[np.float64(2)]), r"l1_ratios=\[2\.0\]"),
        (SoftmaxClassifierCV(cv=[(np.arange(400), np.arange(5))]), r"\[0, 1, 2.*\.\.\.\]"),
    ],
)
def test_parameters_look_like_those_of_python(model, said):
    assert_says(refusal(model, X, Y), said)


@both
@pytest.mark.parametrize("column", [10_000, -1])
def test_csr_with_an_entry_beyond_its_columns(Model, column):
    """Compiled loops would read what is not theirs."""
    broken = csr(X)
    broken.indices[3] = column
    assert_says(refusal(Model(), broken, NAMES), "CSR", str(column), f"{X.shape[1]} columns")


@both
@pytest.mark.parametrize(("place", "end"), [(0, 1), (5, 0), (5, 10_000), (-1, 10_000)])
def test_csr_with_rows_beyond_its_entries(Model, place, end):
    broken = csr(X)
    size = str(broken.nnz)
    broken.indptr[place] = end
    assert_says(refusal(Model(), broken, NAMES), "CSR", "indptr", size, "anew")


@both
@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_one_weight_for_all_that_is_none(Model, weight):
    with pytest.raises(ValueError, match=rf"sample_weight is {weight}; weights must be finite"):
        Model().fit(X, NAMES, sample_weight=weight)


@both
@pytest.mark.parametrize("labels", [["a", None, "b"], ["a", 1, 2.5]])
def test_labels_without_an_order(Model, labels):
    y = np.array(labels * 20, dtype=object)[: len(X)]
    assert_says(refusal(Model(), X, y), "no order", r"'a' \(str\)", r"y\.astype\(str\)")


@both
def test_masks_are_not_ignored(Model):
    masked = np.ma.masked_array(X, X.max() - 1e-9 < X)
    assert_says(refusal(Model(), masked, NAMES), "X is a masked", "1 masked", r"X\.filled")
    masked = np.ma.masked_array(np.ones(len(X)), NAMES == "cat")
    with pytest.raises(ValueError, match="sample_weight is a masked array"):
        Model().fit(X, NAMES, sample_weight=masked)
    Model().fit(np.ma.masked_array(X), NAMES)


@both
def test_huge_class_weights(Model):
    """Only their ratios count."""
    huge = Model(class_weight=dict.fromkeys(["cat", "car", "frog"], 1e308)).fit(X, NAMES)
    np.testing.assert_allclose(huge.coef_, Model().fit(X, NAMES).coef_, rtol=1e-9, atol=1e-12)
