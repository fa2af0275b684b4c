"""Products with X, dense in both orders and CSR, against NumPy in float64."""

import tracemalloc

import numpy as np
import pytest
from data import csr, messy_csr
from models import make_model
from scipy.sparse import csr_array

from sklinear import SoftmaxClassifierCV, _data, _dense, _dense_data, _sparse
from sklinear._centred_data import CentredData
from sklinear._data import wrap
from sklinear._dense_data import DenseData
from sklinear._sparse_data import SparseData

half = _dense_data._half

DENSE = {
    "C float64": lambda X: np.ascontiguousarray(X, dtype=np.float64),
    "C float32": lambda X: np.ascontiguousarray(X, dtype=np.float32),
    "Fortran float64": lambda X: np.asfortranarray(X, dtype=np.float64),
    "Fortran float32": lambda X: np.asfortranarray(X, dtype=np.float32),
}
SPARSE = {
    f"csr {dtype.__name__} {index.__name__}": lambda X, dtype=dtype, index=index: csr(
        X.astype(dtype), index
    )
    for dtype in (np.float64, np.float32)
    for index in (np.int32, np.int64)
}
KINDS = DENSE | SPARSE
over_kinds = pytest.mark.parametrize("kind", KINDS)


def make_X(n=50, d=7, seed=0):
    """A third zeros, a row and a column of them; entries exact in float32."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype(np.float32).astype(np.float64)
    X[rng.random((n, d)) < 0.3] = 0
    X[3] = X[:, 2] = 0
    return X


def weights_for(rows, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, 4))


@over_kinds
def test_wrap(kind):
    data = wrap(KINDS[kind](make_X()))
    assert type(data) is (DenseData if kind in DENSE else SparseData)
    assert data.sparse == (kind in SPARSE)
    assert data.shape == (50, 7)
    assert data.dtype == (np.float64 if "float64" in kind else np.float32)


@over_kinds
def test_scores_in_double_precision(kind):
    X, coef = make_X(), weights_for(7)
    scores = wrap(KINDS[kind](X)).scores(coef)
    assert scores.dtype == np.float64
    assert scores.flags.c_contiguous
    np.testing.assert_allclose(scores, X @ coef, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
@over_kinds
def test_scores_with_an_offset(kind, precision, n_classes, monkeypatch):
    """Of opposite columns too, of which one tells the other."""
    monkeypatch.setattr(_dense_data, "WORTH_HALVING", 0)
    X, coef = make_X(), weights_for(7)[:, :n_classes].astype(precision)
    if n_classes == 2:
        coef[:, 0] = -coef[:, 1]
    offset = np.arange(1.0, n_classes + 1)
    scores = wrap(KINDS[kind](X)).scores(coef, offset)
    assert scores.dtype == precision
    atol = 1e-12 if precision is np.float64 else 1e-5
    np.testing.assert_allclose(scores, X @ coef + offset, atol=atol)


@over_kinds
def test_correlations_in_double_precision(kind):
    X, rows = make_X(), weights_for(50)
    correlation = wrap(KINDS[kind](X)).correlate(rows)
    assert correlation.dtype == np.float64
    assert correlation.flags.c_contiguous
    np.testing.assert_allclose(correlation, X.T @ rows, rtol=1e-12, atol=1e-13)


@over_kinds
def test_products_in_single_precision(kind):
    X, coef, rows = make_X(), weights_for(7), weights_for(50)
    data = wrap(KINDS[kind](X))
    scores = data.scores(coef.astype(np.float32))
    correlation = data.correlate(rows.astype(np.float32))
    assert scores.dtype == correlation.dtype == np.float32
    np.testing.assert_allclose(scores, X @ coef, atol=1e-5)
    np.testing.assert_allclose(correlation, X.T @ rows, atol=1e-5)


@pytest.mark.parametrize("kind", ["C float32", "Fortran float32"])
def test_products_of_several_blocks(kind, monkeypatch):
    for module in ("_base_data", "_dense_data"):
        monkeypatch.setattr(f"sklinear.{module}.BLOCK_ENTRIES", 300)
    X, coef, rows = make_X(), weights_for(7), weights_for(50)
    data = wrap(KINDS[kind](X))
    assert len(data.blocks(14)) == 4
    np.testing.assert_allclose(data.scores(coef), X @ coef, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(data.correlate(rows), X.T @ rows, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(data.correlate_squares(rows), (X * X).T @ rows, rtol=1e-12)
    np.testing.assert_allclose(data.gram(), X @ X.T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("skew", [0.0, 1e-16, 1e-10])
@over_kinds
def test_products_with_opposite_columns(kind, skew, monkeypatch):
    """Half of the work where both tell the same; a little more than rounding is too much."""
    monkeypatch.setattr(_dense_data, "WORTH_HALVING", 1)
    X, data = make_X(), wrap(KINDS[kind](make_X()))
    halved = []
    monkeypatch.setattr(_dense_data, "_half", lambda columns: halved.append(1) or half(columns))
    for product, whole, size in ((data.scores, X, 7), (data.correlate, X.T, 50)):
        right = weights_for(size)[:, :2]
        right[:, 0] = -right[:, 1]
        right[1, 0] += skew
        found = product(right)
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, whole @ right, rtol=1e-12, atol=1e-14)
    assert len(halved) == (2 if kind.endswith("float64") and kind in DENSE and skew < 1e-12 else 0)


@over_kinds
def test_correlations_of_squares(kind):
    X, rows = make_X(), weights_for(50)
    for chosen in (rows, rows[:, :1]):
        found = wrap(KINDS[kind](X)).correlate_squares(chosen)
        np.testing.assert_allclose(found, (X * X).T @ chosen, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("width", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("kind", DENSE)
def test_sums_of_squares_of_any_width(kind, width):
    X, weights = np.tile(make_X(), 6)[:, :width], np.abs(weights_for(50)[:, :1])
    data = wrap(KINDS[kind](X))
    by_feature = weights[:width, 0]
    np.testing.assert_allclose(data.row_squares(by_feature), (X * X) @ by_feature, rtol=1e-12)
    np.testing.assert_allclose(data.correlate_squares(weights), (X * X).T @ weights, rtol=1e-12)


@pytest.mark.parametrize("kind", DENSE)
def test_gram(kind):
    X = make_X()
    gram = wrap(DENSE[kind](X)).gram()
    assert gram.dtype == np.float64
    np.testing.assert_allclose(gram, X @ X.T, rtol=1e-12, atol=1e-14)


@over_kinds
@pytest.mark.parametrize("features", [np.arange(7), np.array([1, 4]), np.array([], dtype=int)])
@pytest.mark.parametrize("rows", [slice(None), slice(5, 30, 3), slice(0, 0)])
def test_columns(kind, features, rows):
    """The chosen part of X, and a column of ones."""
    X = make_X()
    found = wrap(KINDS[kind](X)).columns(rows, features)
    part = X[rows][:, features]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.column_stack([part, np.ones(len(part))]))


@over_kinds
@pytest.mark.parametrize("features", [slice(None), np.array([1, 4])])
@pytest.mark.parametrize("rows", [slice(None), np.array([4, 9, 10])])
def test_take(kind, rows, features):
    X = make_X()
    data = wrap(KINDS[kind](X))
    part, expected = data.take(rows, features), X[rows][:, features]
    assert part.shape == expected.shape
    assert part.dtype == data.dtype
    assert part.sparse == data.sparse
    coef = weights_for(expected.shape[1])
    np.testing.assert_allclose(part.scores(coef), expected @ coef, rtol=1e-12, atol=1e-14)


@over_kinds
def test_sweep_of_one_column_takes_its_best_step(kind):
    """A quadratic in one weight: curvature <x, a x> + ridge, slope <x, r> + s + ridge x."""
    X = make_X()
    data, a = wrap(KINDS[kind](X)), np.full(50, 0.5)
    residual, move, weights = np.ones(50), np.zeros(50), np.full(8, 0.2)
    curvature = 0.5 * (X[:, 4] ** 2).sum() + 3
    slope = X[:, 4].sum() + 0.7 + 3 * 0.2
    others = np.full(8, 0.7), np.full(8, curvature), np.zeros(8), np.full(8, 3.0)
    data.by_columns(np.float64).descend(
        np.array([4], np.int32), residual, a, move, weights, *others
    )
    step = -slope / curvature
    np.testing.assert_allclose(weights, 0.2 + step * np.eye(8)[4], rtol=1e-12)
    np.testing.assert_allclose(move, step * X[:, 4], rtol=1e-12)
    np.testing.assert_allclose(residual, 1 + 0.5 * step * X[:, 4], rtol=1e-12)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 4, 7, 8, 9, 26])
@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_products_of_any_width(kind, n_classes):
    X, rng = make_X(), np.random.default_rng(1)
    coef, rows = rng.normal(size=(7, n_classes)), rng.normal(size=(50, n_classes))
    data = wrap(SPARSE[kind](X))
    np.testing.assert_allclose(data.scores(coef), X @ coef, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(data.correlate(rows), X.T @ rows, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n_classes", [3, 12])
@pytest.mark.parametrize("kind", SPARSE)
def test_scores_of_few_features_with_a_weight(kind, n_classes, monkeypatch):
    """They pass over the others."""
    X, coef = make_X(), np.zeros((7, n_classes))
    coef[[0, 2, 5], [0, 1, 2]] = 1.5, -2.0, 0.25
    data, seen = wrap(SPARSE[kind](X)), []
    original = _sparse.csr_scores_of_some
    monkeypatch.setattr(
        _sparse, "csr_scores_of_some", lambda *state: (seen.append(state[4]), original(*state))[1]
    )
    np.testing.assert_allclose(data.scores(coef), X @ coef, rtol=1e-12, atol=1e-14)
    assert [len(part) for part in seen] == [3]
    assert not data.scores(np.zeros((7, n_classes))).any()
    np.testing.assert_allclose(data.scores(coef.astype(np.float32)), X @ coef, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_classes", [4, 12])
@pytest.mark.parametrize("kind", SPARSE)
def test_the_third_correlation_goes_by_features(kind, n_classes):
    X, rows = make_X(), np.random.default_rng(1).normal(size=(50, n_classes))
    data, found = wrap(SPARSE[kind](X)), []
    for number in range(4):
        assert (data._transpose is not None) == (number > 2)
        found.append(data.correlate(rows))
        np.testing.assert_allclose(found[-1], X.T @ rows, rtol=1e-12, atol=1e-13)
    narrow = data.correlate(rows.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, X.T @ rows, rtol=1e-4, atol=1e-4)


def test_a_transpose_that_would_take_much_memory_is_not_made():
    data = wrap(csr(np.ones((400, 300))))
    for _ in range(5):
        data.correlate(np.ones((400, 2)))
    assert data._transpose is None


def test_number_rows():
    place = np.empty(4, np.int32)
    coef = np.array([[0.0, 0.0], [0.0, 1e-300], [-0.0, 0.0], [np.nan, 0.0]])
    assert _sparse.number_rows(coef, place) == 2
    np.testing.assert_array_equal(place, [-1, 0, -1, 1])


def test_unsorted_rows():
    """Each entry in two halves, the columns of a row in falling order."""
    X, coef, rows = make_X(), weights_for(7), weights_for(50)
    data = wrap(messy_csr(X))
    np.testing.assert_allclose(data.scores(coef), X @ coef, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(data.correlate(rows), X.T @ rows, rtol=1e-12, atol=1e-13)


@over_kinds
def test_no_samples_and_no_features(kind):
    data = wrap(KINDS[kind](make_X()))
    empty = data.take(np.array([], dtype=int))
    assert empty.scores(weights_for(7)).shape == (0, 4)
    np.testing.assert_array_equal(empty.correlate(np.zeros((0, 4))), np.zeros((7, 4)))
    narrow = data.take(slice(None), np.array([], dtype=int))
    np.testing.assert_array_equal(narrow.scores(np.zeros((0, 4))), np.zeros((50, 4)))


@over_kinds
def test_read_only(kind):
    X = KINDS[kind](make_X())
    for part in (X.data, X.indices, X.indptr) if kind in SPARSE else (X,):
        part.flags.writeable = False
    np.testing.assert_allclose(wrap(X).scores(np.ones((7, 1)))[:, 0], X.sum(axis=1), rtol=1e-5)


def peak_of(action):
    """Bytes allocated at most beyond those before."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def centred(X):
    return CentredData(wrap(X), np.ones(X.shape[1]))


@pytest.mark.parametrize("wrapped", [wrap, centred])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "product",
    [
        lambda data: data.scores(np.ones((data.shape[1], 2))),
        lambda data: data.correlate(np.ones((data.shape[0], 2))),
        lambda data: data.correlate_squares(np.ones((data.shape[0], 2))),
    ],
    ids=["scores", "correlate", "correlate_squares"],
)
def test_no_double_copy_of_single_precision(product, order, wrapped):
    data = wrapped(np.ones((8000, 1000), dtype=np.float32, order=order))
    assert peak_of(lambda: product(data)) < 0.25 * 2 * data.X.nbytes


@pytest.mark.parametrize(("order", "copies"), [("C", 0), ("F", 1)])
def test_columns_side_by_side_are_copied_once(order, copies):
    X = np.ones((2000, 1000), dtype=np.float32, order=order)
    assert round(peak_of(lambda: wrap(X)) / X.nbytes, 2) == copies
    assert wrap(X).X.flags.c_contiguous
    assert (wrap(X).X is X) == (order == "C")


def test_so_are_some_features():
    """They are in no other order from the start."""
    data = wrap(np.arange(12.0).reshape(3, 4))
    part = data._part([0, 2], np.array([1, 3]))
    assert part.flags.c_contiguous
    np.testing.assert_array_equal(part, [[1, 3], [9, 11]])


@pytest.mark.parametrize("wrapped", [wrap, centred])
@pytest.mark.parametrize("order", ["C", "F"])
def test_no_double_copy_in_the_gram_matrix(order, wrapped):
    X = np.ones((100, 80_000), dtype=np.float32, order=order)
    assert peak_of(wrapped(X).gram) < 0.25 * 2 * X.nbytes


@pytest.mark.parametrize("product", ["scores", "correlate"])
def test_no_copy_of_sparse_data(product):
    X = csr(np.ones((2000, 1000), dtype=np.float32))
    size = X.shape[1] if product == "scores" else X.shape[0]
    weights = np.ones((size, 2))
    assert peak_of(lambda: getattr(wrap(X), product)(weights)) < 0.1 * X.data.nbytes


@over_kinds
def test_a_pass_is_two_products(kind):
    data = wrap(KINDS[kind](make_X()))
    assert data.passes.total == 0
    data.correlate(data.scores(weights_for(7)))
    assert data.passes.total == 1


@over_kinds
def test_other_products_count_half_a_pass(kind):
    data = wrap(KINDS[kind](make_X()))
    data.correlate_squares(weights_for(50))
    assert data.passes.total == 0.5


@over_kinds
def test_products_with_a_part_count_its_share(kind):
    data = wrap(KINDS[kind](make_X(d=8)))
    part = data.take(np.arange(0, 50, 5), np.arange(4))
    part.correlate(part.scores(weights_for(4)))
    assert data.passes.total == pytest.approx(0.2 * 0.5)
    smaller = part.take(np.arange(5))
    smaller.correlate(smaller.scores(weights_for(4)))
    assert data.passes.total == pytest.approx(0.1 + 0.05)


def test_blocks_cover_all_rows():
    data = wrap(np.zeros((1000, 3)))
    for entries in (0, 1, 1000, 10**7):
        parts = [np.arange(1000)[rows] for rows in data.blocks(entries)]
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(1000))
        assert len(parts) == 1 or len(parts) % 2 == 0
        assert np.ptp([len(part) for part in parts]) <= 1


@pytest.mark.parametrize("n_columns", [1, 2, 7, 8, 9, 13, 17, 26, 32, 40, 70])
@pytest.mark.parametrize(
    ("entry", "number"),
    [(np.float64, np.float64), (np.float32, np.float32), (np.float32, np.float64)],
)
@pytest.mark.parametrize("shape", [(1, 1), (67, 5), (203, 300), (64, 128)])
def test_dense_products_of_any_width(shape, entry, number, n_columns):
    """Groups of rows, rows that are left over, features in several parts; kernels or BLAS."""
    rng = np.random.default_rng(0)
    X = rng.integers(-4, 5, size=shape).astype(entry)
    coef = rng.integers(-4, 5, size=(shape[1], n_columns)).astype(number)
    rows = rng.integers(-4, 5, size=(shape[0], n_columns)).astype(number)
    for data in (wrap(X), wrap(np.asfortranarray(X))):
        np.testing.assert_array_equal(data.scores(coef), X.astype(float) @ coef)
        np.testing.assert_array_equal(data.correlate(rows), X.T.astype(float) @ rows)
        assert data.scores(coef).dtype == data.correlate(rows).dtype == number
        offset = rng.integers(-4, 5, size=n_columns).astype(float)
        expected = X.astype(float) @ coef + offset
        np.testing.assert_array_equal(data.scores(coef, offset), expected)
        offset[1:] = 0.0
        np.testing.assert_array_equal(
            data.scores(coef, offset[::-1]), X.astype(float) @ coef + offset[::-1]
        )


def test_kernels_take_few_columns_only():
    most = _dense.most_columns(8)
    assert most == _dense.most_columns(4) // 2
    if most == 0:
        pytest.skip("no vectors here")
    called = []
    patch = pytest.MonkeyPatch()
    for name in ("scores", "correlate"):
        patch.setattr(_dense, name, lambda *arguments, name=name: called.append(name))
    data = wrap(np.ones((5, 3)))
    data.scores(np.ones((3, most)))
    data.correlate(np.ones((5, most)))
    assert called == ["scores", "correlate"]
    data.scores(np.ones((3, most + 1)))
    data.scores(np.ones((3, 2), dtype=np.float32))
    assert len(called) == 2
    patch.undo()


@pytest.mark.parametrize(("n_columns", "itemsize"), [(4, 8), (5, 8), (8, 4), (9, 4), (32, 8)])
def test_vectors_are_no_longer_than_few_columns_fill(n_columns, itemsize):
    longest = _dense.most_columns(8) * 8 // 4
    size = _dense.bytes_for(n_columns, itemsize)
    if longest == 0:
        pytest.skip("no vectors here")
    assert size == (32 if n_columns * itemsize <= 32 else longest)


class TestFullMatrices:
    """Of CSR those that are half full become arrays."""

    @pytest.fixture(autouse=True)
    def as_for_users(self, monkeypatch):
        monkeypatch.undo()

    @pytest.mark.parametrize("kind", SPARSE)
    @pytest.mark.parametrize(("n_zeros", "expected"), [(10, DenseData), (11, SparseData)])
    def test_which(self, n_zeros, expected, kind):
        X = np.arange(1.0, 21).reshape(5, 4)
        X.ravel()[:n_zeros] = 0
        data = wrap(SPARSE[kind](X))
        assert type(data) is expected
        assert data.dtype == SPARSE[kind](X).dtype
        np.testing.assert_array_equal(data.scores(np.eye(4)), X)

    @pytest.mark.parametrize("loss", ["softmax", "hinge", "squared_hinge"])
    @pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
    def test_features_far_from_zero_are_no_harder(self, loss, l1_ratio):
        X, y = np.random.default_rng(0).normal(size=(60, 20)) + 1e3, np.arange(60) % 5
        model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio)
        n_iter = model.fit(X, y).n_iter_
        assert model.fit(csr(X), y).n_iter_ == n_iter

    @pytest.mark.parametrize(
        ("mean", "spread", "expected"),
        [(1e3, 1.0, DenseData), (10.0, 1.0, SparseData), (1e3, 0.0, SparseData)],
    )
    def test_small_ones_with_a_feature_far_from_zero(self, mean, spread, expected, monkeypatch):
        rng = np.random.default_rng(0)
        X = np.where(rng.random((50, 8)) < 0.1, rng.normal(size=(50, 8)), 0.0)
        X[:, 2] = mean + spread * rng.normal(size=50)
        assert type(wrap(csr(X))) is expected
        X[7, 2] = 0
        assert type(wrap(csr(X))) is SparseData
        X[7, 2] = mean
        monkeypatch.setattr(_data, "SMALL", X.size - 1)
        assert type(wrap(csr(X))) is SparseData

    def test_cross_validation_makes_one_array(self, monkeypatch):
        X, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 2
        made = []
        monkeypatch.setattr(_data.sp.csr_array, "toarray", counted(made))
        options = {"l1_ratios": [0, 1], "store_paths": False, "refit": False}
        SoftmaxClassifierCV(alphas=3, cv=5, **options).fit(csr(X), y)
        assert len(made) == 1


def counted(made, toarray=csr_array.toarray):
    def count(X, *args, **kwargs):
        made.append(X)
        return toarray(X, *args, **kwargs)

    return count
