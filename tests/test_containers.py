"""Whatever X and y come in: the same model, and the caller's arrays as they were."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from data import csr, make_classes, messy_csr
from models import make_model
from oracle import LOSSES
from scipy import sparse
from sklearn.datasets import make_classification

X, Y = make_classes(3)
TOL = 1e-6

every_loss = pytest.mark.parametrize("loss", LOSSES)


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def read_only_csr(X):
    X = csr(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def negative_strides(X):
    return X[::-1, ::-1].copy()[::-1, ::-1]


def every_other(X):
    return np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]


FORMS = {
    "C order": np.ascontiguousarray,
    "F order": np.asfortranarray,
    "negative strides": negative_strides,
    "every other row and column": every_other,
    "read-only": read_only,
    "list": np.ndarray.tolist,
    "object": lambda X: X.astype(object),
    "pandas": pd.DataFrame,
    "csr": csr,
    "csr matrix": sparse.csr_matrix,
    "read-only csr": read_only_csr,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "lil": sparse.lil_array,
    "unsorted duplicates int32": messy_csr,
    "unsorted duplicates int64": lambda X: messy_csr(X, np.int64),
}


@every_loss
@pytest.mark.parametrize("form", FORMS)
def test_same_optimum_and_predictions(loss, form):
    model = make_model(loss, alpha=0.01, tol=TOL).fit(X, Y)
    other = make_model(loss, alpha=0.01, tol=TOL).fit(FORMS[form](X), Y)
    assert other.objective_ == pytest.approx(model.objective_, abs=2 * TOL)
    scores = other.decision_function(FORMS[form](X))
    np.testing.assert_allclose(scores, other.decision_function(X), atol=1e-12)


@every_loss
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_mapped(loss, dtype, order, tmp_path):
    mapped = np.memmap(tmp_path / "X", dtype, "w+", shape=X.shape, order=order)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "X", dtype, "r", shape=X.shape, order=order)
    model = make_model(loss, alpha=0.01).fit(mapped, Y)
    expected = make_model(loss, alpha=0.01).fit(np.asarray(X, dtype, order=order), Y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)


@every_loss
def test_feature_names(loss):
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = make_model(loss, alpha=0.01).fit(frame, pd.Series(Y))
    np.testing.assert_array_equal(model.feature_names_in_, list("abcde"))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("edcba")])


@every_loss
def test_wide_csr_with_int64_indices(loss):
    """Far columns, few entries."""
    wide = sparse.hstack([csr(X), sparse.csr_array((len(X), 50_000)), csr(X)]).tocsr()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    model = make_model(loss, alpha=0.01, tol=TOL).fit(wide, Y)
    expected = make_model(loss, alpha=0.01, tol=TOL).fit(np.hstack([X, X]), Y)
    assert model.objective_ == pytest.approx(expected.objective_, abs=2 * TOL)


SMALL = ["bool", "int8", "uint8", "int16", "uint16", "float16", "float32"]
LARGE = ["int32", "uint32", "int64", "uint64", "float64", "longdouble"]
DTYPES = {**dict.fromkeys(SMALL, "float32"), **dict.fromkeys(LARGE, "float64")}


def assert_fitted_as(dtype, loss, given):
    model = make_model(loss, alpha=0.01).fit(given, Y)
    same = make_model(loss, alpha=0.01).fit(given.astype(dtype), Y)
    assert model.coef_.dtype == model.intercept_.dtype == dtype
    np.testing.assert_array_equal(model.coef_, same.coef_)


@every_loss
@pytest.mark.parametrize("given", DTYPES)
def test_dtypes(loss, given):
    assert_fitted_as(DTYPES[given], loss, np.abs(X.round()).astype(given))


@every_loss
@pytest.mark.parametrize("given", sorted(DTYPES.keys() - {"float16"}))
def test_dtypes_of_csr(loss, given):
    """float16 does not exist there."""
    assert_fitted_as(DTYPES[given], loss, csr(np.abs(X.round()).astype(given)))


@pytest.mark.parametrize("container", [csr, messy_csr])
@every_loss
def test_callers_csr_unchanged(loss, container):
    given, before = container(X), container(X)
    make_model(loss, alpha=0.01).fit(given, Y).predict(given)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(given, part), getattr(before, part))
        assert getattr(given, part).dtype == getattr(before, part).dtype


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_loss
def test_callers_arrays_unchanged(loss, dtype, order):
    given = np.array(X, dtype, order=order)
    y, weights = Y.copy(), np.linspace(0.5, 2, len(Y))
    class_weight = {0: 2.0, 1: 1.0, 2: 0.5}
    model = make_model(loss, alpha=0.01, class_weight=class_weight).fit(given, y, weights)
    model.predict(given)
    np.testing.assert_array_equal(given, X)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_array_equal(weights, np.linspace(0.5, 2, len(Y)))
    assert class_weight == {0: 2.0, 1: 1.0, 2: 0.5}


def peak_memory(model, X, y):
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@every_loss
@pytest.mark.parametrize("order", ["C", "F"])
def test_no_float64_copy_of_float32(loss, order):
    X, y = make_classification(4000, 400, n_informative=10, n_classes=3, random_state=0)
    X = np.asarray(X, np.float32, order=order)
    model = make_model(loss, alpha=0.1, tol=0.1)
    assert peak_memory(model, X, y) < 2 * X.nbytes


@every_loss
def test_csr_is_never_densified(loss):
    X = sparse.random_array((2000, 20_000), density=1e-3, format="csr", rng=0)
    y = np.arange(2000) % 3
    model = make_model(loss, alpha=0.1, tol=0.1)
    assert peak_memory(model, X, y) < 2000 * 20_000 * 8 / 4
