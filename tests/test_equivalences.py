"""Different ways to say the same problem reach the same optimum.

"The same to 1e-k" means the objective, relative, at tol = 1e-10; the coefficients too where the
loss is smooth and l1_ratio < 1.
"""

import warnings

import numpy as np
import pytest
from data import CONTAINERS, csr, make_classes, random_weights
from models import make_model, problem_of
from oracle import LOSSES, objective, optimum
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, LinearSVC

pytestmark = pytest.mark.usefixtures("either_steps")

every_loss = pytest.mark.parametrize("loss", LOSSES)
every_l1_ratio = pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
every_size = pytest.mark.parametrize("n_classes", [2, 3, 10])


def tight(loss, l1_ratio=0, **params):
    return make_model(loss, **{"alpha": 0.01, "l1_ratio": l1_ratio, "tol": 1e-10, **params})


def assert_same(model, other, problem, to):
    F = [objective(problem, m.coef_, m.intercept_) for m in (model, other)]
    assert F[0] == pytest.approx(F[1], rel=to)
    if problem.loss != "hinge" and problem.l1_ratio < 1:
        np.testing.assert_allclose(model.coef_, other.coef_, rtol=to, atol=to)


@every_size
@every_l1_ratio
@every_loss
def test_integer_weights_are_repeated_rows(loss, l1_ratio, n_classes):
    X, y = make_classes(n_classes)
    counts = np.random.default_rng(0).integers(1, 4, size=len(y))
    weighted = tight(loss, l1_ratio).fit(X, y, counts)
    repeated = tight(loss, l1_ratio).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    assert_same(weighted, repeated, problem_of(weighted, X, y, counts), to=1e-8)


@every_size
@every_l1_ratio
@every_loss
def test_zero_weights_are_dropped_rows(loss, l1_ratio, n_classes):
    X, y = make_classes(n_classes)
    kept = np.arange(len(y)) // n_classes % 3 != 0
    weighted = tight(loss, l1_ratio).fit(X, y, kept.astype(float))
    dropped = tight(loss, l1_ratio).fit(X[kept], y[kept])
    assert_same(weighted, dropped, problem_of(dropped, X[kept], y[kept]), to=1e-8)


@every_size
@every_loss
def test_scale_of_weights(loss, n_classes):
    X, y = make_classes(n_classes)
    weights = random_weights(y)
    model, scaled = tight(loss).fit(X, y, weights), tight(loss).fit(X, y, 1000 * weights)
    assert_same(model, scaled, problem_of(model, X, y, weights), to=1e-8)


@every_l1_ratio
@every_loss
def test_class_weight_is_sample_weight(loss, l1_ratio):
    X, y = make_classes(3)
    class_weight = {0: 0.5, 1: 2.0, 2: 1.5}
    weights = random_weights(y)
    product = weights * np.array([0.5, 2.0, 1.5])[y]
    by_class = tight(loss, l1_ratio, class_weight=class_weight).fit(X, y, weights)
    by_sample = tight(loss, l1_ratio).fit(X, y, product)
    assert_same(by_class, by_sample, problem_of(by_class, X, y, product), to=1e-8)


@every_loss
def test_class_weight_leaves_the_unnamed_at_one(loss):
    X, y = make_classes(3)
    names = np.array(["cat", "car", "frog"])[y]
    weights = np.where(names == "frog", 3.0, 1.0)
    by_class = tight(loss, class_weight={"frog": 3.0}).fit(X, names)
    by_sample = tight(loss).fit(X, names, weights)
    codes = np.searchsorted(by_class.classes_, names)
    assert_same(by_class, by_sample, problem_of(by_class, X, codes, weights), to=1e-8)


@every_l1_ratio
@every_loss
def test_balanced(loss, l1_ratio):
    """The total weight of every class is the same, as if each had as many samples."""
    X, y = make_classes(3)
    X, y = X[y <= np.arange(len(y)) % 5], y[y <= np.arange(len(y)) % 5]
    weights = (len(y) / (3 * np.bincount(y)))[y]
    balanced = tight(loss, l1_ratio, class_weight="balanced").fit(X, y)
    by_sample = tight(loss, l1_ratio).fit(X, y, weights)
    assert_same(balanced, by_sample, problem_of(balanced, X, y, weights), to=1e-8)


@every_loss
def test_balanced_counts_repeated_rows(loss):
    """Integer weights equal repeated rows under "balanced" too."""
    X, y = make_classes(3)
    counts = np.random.default_rng(0).integers(1, 4, size=len(y))
    rows, labels = np.repeat(X, counts, axis=0), np.repeat(y, counts)
    weighted = tight(loss, class_weight="balanced").fit(X, y, counts)
    repeated = tight(loss, class_weight="balanced").fit(rows, labels)
    weights = (1 / np.bincount(labels))[labels]
    assert_same(weighted, repeated, problem_of(weighted, rows, labels, weights), to=1e-8)


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
@every_size
@every_l1_ratio
@every_loss
def test_sparse_is_dense(loss, l1_ratio, n_classes, index_dtype):
    X, y = make_classes(n_classes)
    dense = tight(loss, l1_ratio).fit(X, y)
    sparse = tight(loss, l1_ratio).fit(csr(X, index_dtype), y)
    assert_same(dense, sparse, problem_of(dense, X, y), to=1e-6)


@every_size
@every_l1_ratio
@every_loss
def test_float32_is_float64(loss, l1_ratio, n_classes):
    """As far as float32's tol of 1e-4 goes."""
    X, y = make_classes(n_classes)
    single = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, tol=1e-4).fit(X.astype(np.float32), y)
    problem = problem_of(single, X, y)
    F = objective(problem, single.coef_, single.intercept_)
    assert abs(F - optimum(problem).value) <= 1e-4 * problem.at_zero
    assert single.objective_ == pytest.approx(F, rel=1e-5)


@every_size
@every_l1_ratio
@every_loss
def test_order_of_samples(loss, l1_ratio, n_classes):
    X, y = make_classes(n_classes)
    order = np.random.default_rng(0).permutation(len(y))
    model, shuffled = tight(loss, l1_ratio).fit(X, y), tight(loss, l1_ratio).fit(X[order], y[order])
    assert_same(model, shuffled, problem_of(model, X, y), to=1e-8)


@every_size
@every_l1_ratio
@every_loss
def test_order_of_classes(loss, l1_ratio, n_classes):
    X, y = make_classes(n_classes)
    model = tight(loss, l1_ratio).fit(X, y)
    reversed_ = tight(loss, l1_ratio).fit(X, n_classes - 1 - y)
    assert model.objective_ == pytest.approx(reversed_.objective_, rel=1e-8)


@pytest.mark.parametrize("n_classes", [3, 10])
@pytest.mark.parametrize("l1_ratio", [0, 0.5])
@every_loss
def test_shift_of_features(loss, l1_ratio, n_classes):
    """The intercept takes it up; no prediction changes."""
    X, y = make_classes(n_classes)
    model, shifted = tight(loss, l1_ratio).fit(X, y), tight(loss, l1_ratio).fit(X + 8, y)
    assert shifted.objective_ == pytest.approx(model.objective_, rel=1e-8)
    np.testing.assert_array_equal(shifted.predict(X + 8), model.predict(X))


@every_loss
@pytest.mark.parametrize("n_classes", [3, 10])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_intercepts_sum_to_zero(loss, n_classes, fit_intercept):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01, fit_intercept=fit_intercept).fit(X + 3, y)
    assert model.intercept_.sum() == pytest.approx(0, abs=1e-12 * n_classes)
    assert fit_intercept == bool(np.any(model.intercept_))


@every_size
@every_l1_ratio
@pytest.mark.parametrize("class_weight", [None, {0: 2.0, 1: 0.25}])
def test_huge_alpha_gives_class_frequencies(l1_ratio, class_weight, n_classes):
    X, y = make_classes(n_classes)
    weights = random_weights(y)
    model = tight("softmax", l1_ratio, alpha=1e10, class_weight=class_weight).fit(X, y, weights)
    total = weights * np.array([(class_weight or {}).get(label, 1) for label in y])
    frequencies = np.bincount(y, total) / total.sum()
    np.testing.assert_allclose(model.predict_proba(X), np.tile(frequencies, (len(X), 1)), atol=1e-6)


@pytest.mark.parametrize("container", CONTAINERS)
@every_size
@every_l1_ratio
@every_loss
def test_warm_start_at_the_optimum(loss, l1_ratio, n_classes, container):
    """A refit takes at most one iteration."""
    X, y = make_classes(n_classes)
    X, tol = CONTAINERS[container](X), 1e-4 if container == "dense float32" else 1e-6
    model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, tol=tol, warm_start=True).fit(X, y)
    cold = model.objective_
    model.fit(X, y)
    assert model.n_iter_ <= 1
    assert model.objective_ <= cold + model.dual_gap_ + 1e-12 * cold
    assert model.history_["objective"][0] == pytest.approx(problem_of(model, X, y).at_zero)


@every_loss
@every_l1_ratio
@pytest.mark.parametrize("max_iter", [1, 3, 10])
def test_short_warm_starts_come_no_farther(loss, l1_ratio, max_iter):
    """Nor need they come nearer, as the docstring says."""
    X, y = make_classes(3)
    options = {"alpha": 0.01, "l1_ratio": l1_ratio, "tol": 1e-6, "warm_start": True}
    model = make_model(loss, max_iter=max_iter, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gaps = np.array([model.fit(X, y).dual_gap_ for _ in range(5)])
    assert (gaps[1:] <= gaps[:-1] + 1e-12).all()


@every_loss
def test_warm_start_at_a_tight_optimum(loss):
    """The closing step of a tight tolerance is not taken again."""
    X, y = make_classes(3)
    model = tight(loss, alpha=0.01, warm_start=True).fit(X, y)
    assert model.fit(X, y).n_iter_ <= 1


@pytest.mark.parametrize("change", ["alpha", "weights", "samples", "labels", "intercept"])
@every_l1_ratio
@every_loss
def test_warm_start_for_another_problem(loss, l1_ratio, change):
    """Its optimum does not depend on the start."""
    X, y = make_classes(3)
    model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, tol=1e-6, warm_start=True).fit(X, y)
    weights = random_weights(y) if change == "weights" else None
    if change == "alpha":
        model.set_params(alpha=0.1)
    elif change == "samples":
        X, y = X[:-7], y[:-7]
    elif change == "labels":
        y = y[::-1].copy()
    elif change == "intercept":
        model.set_params(fit_intercept=False)
    model.fit(X, y, weights)
    problem = problem_of(model, X, y, weights)
    excess = objective(problem, model.coef_, model.intercept_) - optimum(problem).value
    assert -1e-9 <= excess <= model.dual_gap_ + 1e-9
    assert model.dual_gap_ <= 1e-6 * problem.at_zero


def test_warm_start_after_other_classes():
    X, y = make_classes(3)
    model = tight("hinge", warm_start=True, tol=1e-6).fit(*make_classes(10)).fit(X, y)
    expected = tight("hinge", tol=1e-6).fit(X, y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)


def sklearn_C(model, weights):
    return 1 / (model.alpha * weights.sum())


def assert_coefficients(model, other, to):
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=to, atol=to)
    np.testing.assert_allclose(
        model.intercept_, other.intercept_ - drift(other.intercept_), rtol=to, atol=to
    )


def drift(intercept):
    """The common shift of many classes' intercepts, which the loss does not see."""
    return intercept.mean() if len(intercept) > 1 else 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@every_size
def test_logistic_regression(n_classes, fit_intercept, weighted):
    X, y = make_classes(n_classes)
    weights = random_weights(y) if weighted else np.ones(len(y))
    model = tight("softmax", fit_intercept=fit_intercept).fit(X, y, weights)
    other = LogisticRegression(
        C=sklearn_C(model, weights),
        solver="newton-cholesky",
        tol=1e-12,
        fit_intercept=fit_intercept,
    ).fit(X, y, weights)
    problem = problem_of(model, X, y, weights)
    assert_same(model, other, problem, to=1e-6)
    assert_coefficients(model, other, to=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [0.5, 1])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_elastic_net_logistic_regression(n_classes, l1_ratio):
    X, y = make_classes(n_classes)
    weights = random_weights(y)
    model = tight("softmax", l1_ratio).fit(X, y, weights)
    other = LogisticRegression(
        C=sklearn_C(model, weights),
        l1_ratio=l1_ratio,
        solver="saga",
        tol=1e-12,
        max_iter=100_000,
        random_state=0,
    ).fit(X, y, weights)
    assert_same(model, other, problem_of(model, X, y, weights), to=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_binary_hinge(weighted):
    """SVC leaves the intercept free too."""
    X, y = make_classes(2)
    weights = random_weights(y) if weighted else np.ones(len(y))
    model = tight("hinge").fit(X, y, weights)
    other = SVC(kernel="linear", C=sklearn_C(model, weights), tol=1e-10).fit(X, y, weights)
    assert_same(model, other, problem_of(model, X, y, weights), to=1e-6)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_binary_squared_hinge(weighted):
    """LinearSVC would penalise an intercept."""
    X, y = make_classes(2)
    weights = random_weights(y) if weighted else np.ones(len(y))
    model = tight("squared_hinge", fit_intercept=False).fit(X, y, weights)
    other = LinearSVC(C=sklearn_C(model, weights), dual=False, fit_intercept=False, tol=1e-12).fit(
        X, y, weights
    )
    assert_same(model, other, problem_of(model, X, y, weights), to=1e-6)
