"""Curvature of the losses against explicit matrices: (C, C) a sample, (dC, dC) the Hessian."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from problems import LOSSES, SMOOTH, make_scores
from scipy.special import softmax

from sklinear import _curvature, _gram, _gram_forms


def make(name, **size):
    scores, labels, weights = make_scores(**size)
    loss = LOSSES[name](labels, scores.shape[1])
    return loss.curvature(scores, labels, weights), matrices(name, scores, labels), weights


def matrices(name, scores, labels):
    """M_i of every sample, shape (n, C, C)."""
    n_classes = scores.shape[1]
    out = np.zeros((*scores.shape, n_classes))
    for i, y in enumerate(labels):
        if name == "cross-entropy":
            q = softmax(scores[i])
            out[i] = np.diag(q) - np.outer(q, q)
            continue
        for k in set(range(n_classes)) - {y}:
            m = 1 + scores[i, k] - scores[i, y]
            curved = m > 0 if name == "squared hinge" else 0 < 0.3 + 0.7 * m < 1
            e = np.eye(n_classes)[k] - np.eye(n_classes)[y]
            out[i] += (2.0 if name == "squared hinge" else 0.7) * curved * np.outer(e, e)
    return out


@pytest.mark.parametrize("name", SMOOTH)
def test_matrices_against_finite_differences_of_the_gradient(name):
    scores, labels, weights = make_scores()
    loss, h = LOSSES[name](labels, 4), 1e-5
    for k in range(4):
        move = h * np.eye(4)[k]
        up, down = (loss.value_and_dual(scores + s, labels, weights)[1] for s in (move, -move))
        column = matrices(name, scores, labels)[:, :, k]
        np.testing.assert_allclose((up - down) / (2 * h), column, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SMOOTH)
def test_product(name, dtype):
    curvature, M, weights = make(name)
    vectors = np.random.default_rng(1).normal(size=M.shape[:2]).astype(dtype)
    found = curvature.product(vectors)
    expected = np.einsum("i,ikl,il->ik", weights, M, vectors)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", SMOOTH)
def test_change_of_the_gradient(name):
    """To first order in the scores, whatever the weights."""
    scores, labels, weights = make_scores()
    weights[:3] = 0
    loss, move = LOSSES[name](labels, 4), 1e-6 * np.random.default_rng(1).normal(size=scores.shape)
    up, down = (loss.value_and_dual(scores + s, labels, weights)[1] for s in (move, -move))
    found = loss.curvature(scores, labels, weights).change(move)
    np.testing.assert_allclose(found, (up - down) / 2, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_product_after_narrowing_the_factor(name):
    curvature, M, weights = make(name)
    vectors = np.random.default_rng(1).normal(size=M.shape[:2])
    found = curvature.astype(np.float32).product(vectors)
    np.testing.assert_allclose(found, np.einsum("i,ikl,il->ik", weights, M, vectors), atol=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_mean(name):
    curvature, M, weights = make(name)
    np.testing.assert_allclose(curvature.mean(), np.tensordot(weights, M, 1), atol=1e-15)


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("name", SMOOTH)
def test_mean_from_the_dual_point(name, even):
    scores, labels, weights = make_scores()
    weights = np.full(len(weights), 1 / len(weights)) if even else weights
    loss, M = LOSSES[name](labels, 4), matrices(name, scores, labels)
    _, dual = loss.value_and_dual(scores, labels, weights)
    found, expected = loss.mean_curvature(dual, labels, weights), np.tensordot(weights, M, 1)
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_mean_keeps_its_digits_where_classes_are_separable():
    """q (1 - q) where q is next to one: the dual point knows 1 - q, and q has lost it."""
    labels = np.arange(4, dtype=np.int32)
    scores, weights = 60.0 * np.eye(4), np.full(4, 0.25)
    loss = LOSSES["cross-entropy"](labels, 4)
    _, dual = loss.value_and_dual(scores, labels, weights)
    other = np.exp(-60.0)
    expected = other * (1.5 * np.eye(4) - 0.5 * (1 - np.eye(4)))
    np.testing.assert_allclose(loss.mean_curvature(dual, labels, weights), expected, rtol=1e-12)


def subnormal(values):
    """How many there are in single precision, on which processors are slow."""
    assert values.dtype == np.float32
    return np.count_nonzero((values != 0) & (np.abs(values) < np.finfo(np.float32).tiny))


@pytest.mark.parametrize("name", SMOOTH)
def test_no_product_is_subnormal(name):
    curvature, _, _ = make(name)
    vectors = np.geomspace(1e-44, 1e-36, 48).astype(np.float32).reshape(12, 4)
    assert subnormal(vectors) > 20
    assert subnormal(curvature.product(vectors)) == 0
    assert np.isnan(curvature.product(np.full_like(vectors, np.nan))).any()


@pytest.mark.parametrize("n_pairs", [1, 4])
@pytest.mark.parametrize(("dtype", "kept"), [(np.float32, False), (np.float64, True)])
def test_moments_of_next_to_nothing(n_pairs, dtype, kept):
    left = np.zeros(n_pairs, int)
    moments = _gram.WeightedMoments(left, left)
    moments.add(np.full((3, 5), 1e-4, dtype), np.full((3, 1), 1e-16, dtype))
    assert np.all(moments.matrices() > 0) == kept
    moments = _gram.WeightedMoments(left, left)
    moments.add(np.ones((3, 5), dtype), np.full((3, 1), np.nan, dtype))
    assert np.isnan(moments.matrices()).all()


@pytest.mark.parametrize("name", SMOOTH)
def test_diagonal(name):
    curvature, M, weights = make(name)
    expected = weights[:, None] * np.diagonal(M, axis1=1, axis2=2)
    np.testing.assert_allclose(curvature.diagonal(), expected, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_null_vector(name):
    """A common shift of the scores changes no loss: M 1 = 0."""
    curvature, M, _ = make(name)
    np.testing.assert_allclose(curvature.product(np.ones(M.shape[:2])), 0, atol=1e-16)


@pytest.mark.parametrize("name", SMOOTH)
def test_positive_semi_definite(name):
    """Every M_i: the forms of a basis of eigenvectors of each, by way of its columns."""
    curvature, M, weights = make(name)
    columns = [curvature.product(np.tile(e, (len(M), 1))) for e in np.eye(4)]
    rebuilt = np.stack(columns, axis=2)
    np.testing.assert_allclose(rebuilt, rebuilt.transpose(0, 2, 1), atol=1e-16)
    assert np.linalg.eigvalsh(rebuilt).min() >= -1e-15
    assert np.linalg.eigvalsh(rebuilt).max() >= 0.1 * weights.min()


def gram(curvature, features, feature, klass):
    """From three blocks of rows."""
    edges = np.linspace(0, len(features), 4).astype(int)
    slices = [slice(*pair) for pair in itertools.pairwise(edges)]
    return curvature.gram(slices, lambda rows: features[rows], feature, klass)


VECTORS = [size for size in (0, 32, 64) if size <= _gram.VECTOR]


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("part", [1.0, 0.5])
@pytest.mark.parametrize("width", [5, 70])
@pytest.mark.parametrize("name", SMOOTH)
def test_gram(name, width, part, vector, monkeypatch):
    """Few and many features go different ways; all variables, or half of them; kernels or BLAS."""
    monkeypatch.setattr(_gram, "VECTOR", vector)
    monkeypatch.setattr(_gram_forms, "VECTOR", vector)
    curvature, M, weights = make(name)
    rng = np.random.default_rng(2)
    features = rng.normal(size=(len(M), width))
    feature, klass = np.nonzero(rng.random((width, 4)) < part)
    full = np.einsum("i,ikl,ij,iJ->jkJl", weights, M, features, features)
    expected = full[feature[:, None], klass[:, None], feature, klass]
    hessian = gram(curvature, features, feature, klass)
    np.testing.assert_allclose(hessian, expected, atol=1e-13)
    single = gram(curvature, features.astype(np.float32), feature, klass)
    np.testing.assert_allclose(single, expected, atol=1e-6)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("missing", [0, 3])
def test_softmax_of_most_variables_goes_by_pairs_of_classes(missing, single, monkeypatch):
    monkeypatch.setattr(_gram_forms, "OwnBlocks", None)
    curvature, M, weights = make("cross-entropy")
    features = np.random.default_rng(2).normal(size=(len(M), 5))
    feature, klass = np.nonzero(np.arange(20).reshape(5, 4) >= missing)
    full = np.einsum("i,ikl,ij,iJ->jkJl", weights, M, features, features)
    expected = full.reshape(20, 20)[missing:, missing:]
    found = gram(curvature, features.astype(np.float32 if single else float), feature, klass)
    np.testing.assert_allclose(found, expected, atol=1e-6 if single else 1e-14)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("form", ["form_of_softmax", "form_of_star"])
def test_moments_of_too_many_pairs_of_classes_are_not_summed(form):
    """A thousand classes with ten features would take eight gigabytes."""
    few, many = (getattr(_gram_forms, form)(n_classes, 11, 9000) for n_classes in (30, 1000))
    assert issubclass(few, _gram_forms.PairMoments)
    assert not issubclass(many, _gram_forms.PairMoments)


def test_classes_of_two_features_are_not_those_of_one():
    """Neither has all, though they follow upon each other as if one had."""
    curvature, M, weights = make("cross-entropy")
    features = np.random.default_rng(2).normal(size=(len(M), 2))
    free = np.array([[True, True, False, False], [False, False, True, True]])
    feature, klass = np.nonzero(free)
    full = np.einsum("i,ikl,ij,iJ->jkJl", weights, M, features, features)
    expected = full[feature[:, None], klass[:, None], feature, klass]
    np.testing.assert_allclose(gram(curvature, features, feature, klass), expected, atol=1e-14)


@pytest.mark.parametrize("entries", [1, 2000])
def test_star_samples_are_gathered(entries, monkeypatch):
    """The same sum from every block on its own, and from two together; a class has no variable."""
    curvature, _, _ = make("squared hinge")
    features = np.random.default_rng(2).normal(size=(len(curvature.labels), 70))
    feature, klass = np.nonzero(np.arange(4) * np.ones((70, 1)) != 2)
    whole = gram(curvature, features, feature, klass)
    calls, original = [], _gram_forms.StarColumns._sum
    monkeypatch.setattr(
        _gram_forms.StarColumns,
        "_sum",
        lambda self: (calls.append(len(self.waiting)), original(self)),
    )
    monkeypatch.setattr(_gram_forms, "MIN_ENTRIES", entries)
    monkeypatch.setattr(_gram_forms, "MANY_FEATURES", 0)
    np.testing.assert_allclose(gram(curvature, features, feature, klass), whole, atol=1e-13)
    assert max(calls) == (1 if entries == 1 else 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_mixed_columns(n_rows, dtype):
    rng = np.random.default_rng(0)
    features, shares = rng.normal(size=(n_rows, 5)), rng.random((n_rows, 3))
    feature, klass = rng.integers(0, 5, 11), rng.integers(0, 3, 11)
    features, shares = features.astype(dtype), shares.astype(dtype)
    found = _gram_forms.MixedColumns(feature, klass)(features, shares)
    np.testing.assert_array_equal(found, features[:, feature] * shares[:, klass])
    assert found.dtype == dtype


def test_gram_of_samples_with_the_same_scores():
    """The blocks of classes are multiples of one matrix."""
    _, labels, weights = make_scores()
    scores = np.tile([0.3, -1.0, 0.2, 0.7], (len(labels), 1))
    loss = LOSSES["cross-entropy"](labels, 4)
    curvature, M = (
        loss.curvature(scores, labels, weights),
        matrices("cross-entropy", scores, labels),
    )
    features = np.random.default_rng(2).normal(size=(len(M), 5))
    feature, klass = np.nonzero(np.random.default_rng(3).random((5, 4)) < 0.7)
    full = np.einsum("i,ikl,ij,iJ->jkJl", weights, M, features, features)
    expected = full[feature[:, None], klass[:, None], feature, klass]
    np.testing.assert_allclose(gram(curvature, features, feature, klass), expected, atol=1e-14)


@pytest.mark.parametrize(("noise", "alike"), [(1e-16, True), (1e-10, False)])
@pytest.mark.parametrize("row", [5, -1])
def test_samples_are_alike_but_for_rounding(noise, alike, row):
    factor = np.tile([0.2, 0.5, 0.3], (20, 1))
    factor[row] += noise * np.array([1.0, 0.0, -1.0])
    curvature = _curvature.SoftmaxCurvature(factor, np.zeros(20, np.int32), np.full(20, 0.05))
    form = curvature._form_of_gram(*np.nonzero(np.ones((4, 3))))
    assert (form == curvature._gram_of_like_samples) == alike


@pytest.mark.parametrize("n_samples", [20, 1797])
def test_the_first_hessian_is_a_kronecker_product(n_samples):
    """All samples have the same scores, which vectorised exponentials need not show exactly."""
    labels = np.arange(n_samples, dtype=np.int32) % 10
    weights = np.full(n_samples, 1 / n_samples)
    scores = np.tile(np.linspace(0, 1, 10), (n_samples, 1))
    curvature = LOSSES["cross-entropy"](labels, 10).curvature(scores, labels, weights)
    form = curvature._form_of_gram(*np.nonzero(np.ones((4, 10))))
    assert form == curvature._gram_of_like_samples


@pytest.mark.parametrize("width", [5, 70])
@pytest.mark.parametrize("name", SMOOTH)
def test_gram_of_one_class(name, width):
    curvature, M, weights = make(name)
    features = np.random.default_rng(2).normal(size=(len(M), width))
    expected = np.einsum("i,ij,iJ->jJ", weights * M[:, 1, 1], features, features)
    hessian = gram(curvature, features, np.arange(width), np.ones(width, dtype=int))
    np.testing.assert_allclose(hessian, expected, atol=1e-13)


@pytest.mark.parametrize("name", SMOOTH)
def test_by_class_begins_at_the_product(name):
    curvature, M, weights = make(name)
    moves = np.random.default_rng(1).normal(size=M.shape[:2])
    state = curvature.by_class(np.float64)
    state.begin(moves)
    expected = np.einsum("i,ikl,il->ki", weights, M, moves)
    np.testing.assert_allclose([state.residual(k) for k in range(4)], expected, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_by_class_follows_the_moves(name):
    curvature, M, weights = make(name)
    rng = np.random.default_rng(1)
    moves = rng.normal(size=M.shape[:2])
    state = curvature.by_class(np.float64)
    state.begin(moves)
    for k in (2, 0, 3, 1, 2):
        move = rng.normal(size=len(M))
        state.advance(k, move)
        moves[:, k] += move
        expected = np.einsum("i,ikl,il->ki", weights, M, moves)
        np.testing.assert_allclose([state.residual(k) for k in range(4)], expected, atol=1e-14)


@pytest.mark.parametrize("name", SMOOTH)
def test_by_class_holds_the_diagonal(name):
    curvature, M, weights = make(name)
    expected = (weights[:, None] * np.diagonal(M, axis1=1, axis2=2)).T
    np.testing.assert_allclose(curvature.by_class(np.float64).curvature, expected, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_some_rows_with_a_factor(name):
    curvature, M, weights = make(name)
    rows = np.array([7, 2, 3])
    expected = 4 * np.tensordot(weights[rows], M[rows], 1)
    np.testing.assert_allclose(curvature.take(rows, 4).mean(), expected, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_rows_that_are_not_active_do_not_curve(name):
    scores, labels, weights = make_scores(n_samples=60)
    weights[::3] = 0
    curvature = LOSSES[name](labels, 4).curvature(scores, labels, weights)
    curved = np.flatnonzero((weights[:, None, None] * matrices(name, scores, labels)).any((1, 2)))
    assert 0 < len(curved) < len(labels)
    np.testing.assert_array_equal(curvature.active_rows(), curved)


def test_probabilities_never_fall_below_zero_by_rounding():
    """That of a hopeless true class is one less the sum of the others."""
    scores = np.random.default_rng(0).normal(size=(500, 7))
    labels = np.zeros(500, dtype=np.int32)
    scores[:, 0] = -60.0
    loss, weights = LOSSES["cross-entropy"](labels, 7), np.full(500, 1 / 500)
    assert (loss.value_and_dual(scores, labels, weights)[1][:, 0] < -1).any()
    assert loss.curvature(scores, labels, weights).factor.min() >= 0


def test_cautious_softmax_keeps_a_share_of_both():
    """M is concave in q: no direction has less than the mixture of M and of M at zero."""
    curvature, _, _ = make("cross-entropy")
    even = replace(curvature, factor=np.full_like(curvature.factor, 1 / curvature.factor.shape[1]))
    cautious = curvature.cautious(0.3)
    vectors = np.random.default_rng(0).normal(size=(200, *curvature.factor.shape))
    for vector in vectors:
        bends = [(vector * c.product(vector)).sum(axis=1) for c in (cautious, curvature, even)]
        assert np.all(bends[0] >= 0.7 * bends[1] + 0.3 * bends[2] - 1e-12)
    assert cautious.caution == 0.3


def test_the_matrix_of_stars_from_their_moments():
    """Against sum_i c_ik (e_k - e_y)(e_k - e_y)^T kron x_i x_i^T, term by term."""
    rng, n_classes, width = np.random.default_rng(0), 3, 2
    features, labels = rng.standard_normal((12, width)), np.arange(12) % n_classes
    factor = rng.random((12, n_classes)) * (np.arange(n_classes) != labels[:, None])
    whole = np.zeros((n_classes * width,) * 2)
    for x, y, row in zip(features, labels, factor, strict=True):
        for k, share in enumerate(row):
            star = np.eye(n_classes)[k] - np.eye(n_classes)[y]
            whole += share * np.kron(np.outer(star, star), np.outer(x, x))
    klass, feature = np.array([2, 0, 1, 0]), np.array([0, 0, 1, 1])
    place = klass * width + feature
    moments = _gram_forms.StarMoments(feature, klass, n_classes)
    moments.add(features, factor, labels)
    np.testing.assert_allclose(moments.matrix(), whole[np.ix_(place, place)], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("n_rows", [1, 64, 150])
@pytest.mark.parametrize("width", [1, 7, 8, 9, 33])
@pytest.mark.parametrize("n_pairs", [1, 2, 3, 5, 6, 12, 20])
def test_weighted_moments(n_pairs, width, n_rows, vector, dtype, monkeypatch):
    """Kernels of every width, and BLAS; all groups of weights; rows from two blocks."""
    monkeypatch.setattr(_gram, "VECTOR", vector)
    rng = np.random.default_rng(0)
    features, shares = rng.normal(size=(n_rows, width)), rng.random((n_rows, 4))
    left, right = rng.integers(0, 4, (2, n_pairs))
    expected = np.einsum("ip,ij,ik->pjk", shares[:, left] * shares[:, right], features, features)
    moments = _gram.WeightedMoments(left, right)
    for rows in (slice(0, n_rows // 3), slice(n_rows // 3, None)):
        moments.add(features[rows].astype(dtype), shares[rows].astype(dtype))
    found = moments.matrices()
    assert found.dtype == dtype
    atol = 200 * n_rows**0.5 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, atol=atol)
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))


@pytest.mark.parametrize(("longest", "by_blas"), [(4, True), (5, False)])
@pytest.mark.parametrize("n_pairs", [1, 4])
def test_long_rows_go_by_blas(n_pairs, longest, by_blas, monkeypatch):
    monkeypatch.setattr(_gram, "LONGEST_ROW", longest)
    moments = _gram.WeightedMoments(np.arange(n_pairs), np.arange(n_pairs))
    moments.add(np.ones((2, 5)), np.ones((2, n_pairs)))
    assert moments.by_blas == (by_blas or _gram.VECTOR == 0)
    np.testing.assert_array_equal(moments.matrices(), np.full((n_pairs, 5, 5), 2.0))
