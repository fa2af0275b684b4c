"""Cross-validated estimators: the scores and choices of single fits, and what they keep."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from data import csr, make_classes, random_weights
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError, UnsetMetadataPassedError
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklinear import (
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    SVMClassifierCV,
    _base_cv,
)
from sklinear._folds import fold_problem
from sklinear._scoring import FROM_SCORES, with_labels
from sklinear._selection import best_index, one_standard_error_index
from sklinear.callbacks import CoefRecorder
from sklinear.conversion import logistic_regression_from_softmax
from sklinear.inspection import certificate, objective

X, Y = make_classes(3, n_samples=60)
ALPHAS = np.array([0.3, 0.1, 0.03, 0.01])
MODELS = {
    "softmax": (SoftmaxClassifierCV, SoftmaxClassifier, {}),
    "hinge": (SVMClassifierCV, SVMClassifier, {"loss": "hinge"}),
    "squared_hinge": (SVMClassifierCV, SVMClassifier, {"loss": "squared_hinge"}),
}
every_loss = pytest.mark.parametrize("loss", MODELS)


def make_cv(loss="softmax", **params):
    Model, _, own = MODELS[loss]
    return Model(**{"alphas": ALPHAS, "cv": 3, "tol": 1e-9, **own, **params})


def make_plain(loss="softmax", **params):
    _, Model, own = MODELS[loss]
    return Model(**{"tol": 1e-9, **own, **params})


@pytest.mark.filterwarnings("ignore:The least populated class")  # of a check's own data
@parametrize_with_checks(
    [
        SoftmaxClassifierCV(alphas=2, cv=2, l1_ratios=(0, 1)),
        SVMClassifierCV(alphas=2, cv=2),
        SVMClassifierCV(alphas=2, cv=2, loss="squared_hinge", selection="1se"),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


# --- the same as one fit after the other


@every_loss
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weigh", [None, random_weights])
def test_scores_are_those_of_fits_on_each_fold(loss, n_classes, weigh):
    X, y = make_classes(n_classes, n_samples=60)
    weights = None if weigh is None else weigh(y)
    folds = list(StratifiedKFold(3).split(X, y))
    model = make_cv(loss, cv=folds, l1_ratios=[0.5, 1]).fit(X, y, weights)
    assert model.scores_.shape == model.n_iter_.shape == (3, 2, 4)
    scorer = get_scorer("neg_log_loss" if loss == "softmax" else "accuracy")
    for f, (train, test) in enumerate(folds):
        for r, l1_ratio in enumerate([0.5, 1]):
            for a, alpha in enumerate(ALPHAS):
                plain = make_plain(loss, alpha=alpha, l1_ratio=l1_ratio)
                plain.fit(X[train], y[train], None if weights is None else weights[train])
                score = {} if weights is None else {"sample_weight": weights[test]}
                expected = scorer(plain, X[test], y[test], **score)
                np.testing.assert_allclose(model.scores_[f, r, a], expected, rtol=2e-4)


@every_loss
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_grid_search_chooses_the_same(loss, scoring):
    folds = StratifiedKFold(3)
    model = make_cv(loss, cv=folds, scoring=scoring).fit(X, Y)
    search = GridSearchCV(make_plain(loss), {"alpha": ALPHAS}, scoring=scoring, cv=folds)
    search.fit(X, Y)
    assert model.alpha_ == search.best_params_["alpha"]
    np.testing.assert_allclose(model.mean_scores_[0], search.cv_results_["mean_test_score"])
    np.testing.assert_allclose(model.coef_, search.best_estimator_.coef_, atol=1e-6)


def test_grid_search_chooses_the_same_by_the_loss():
    model = make_cv(l1_ratios=[0.2, 0.8]).fit(X, Y)
    grid = {"l1_ratio": [0.2, 0.8], "alpha": ALPHAS}
    search = GridSearchCV(make_plain(), grid, scoring="neg_log_loss", cv=3).fit(X, Y)
    assert search.best_params_ == {"alpha": model.alpha_, "l1_ratio": model.l1_ratio_}
    means = {
        (p["l1_ratio"], p["alpha"]): mean
        for p, mean in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    }
    expected = [[means[ratio, alpha] for alpha in ALPHAS] for ratio in (0.2, 0.8)]
    np.testing.assert_allclose(model.mean_scores_, expected, rtol=1e-5)


@every_loss
def test_refit_is_the_plain_fit(loss):
    model = make_cv(loss, alphas=6, eps=0.01, l1_ratios=[1, 0.3], class_weight="balanced")
    model.fit(X, Y, random_weights(Y))
    plain = make_plain(
        loss, alpha=model.alpha_, l1_ratio=model.l1_ratio_, class_weight="balanced"
    ).fit(X, Y, random_weights(Y))
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.intercept_, plain.intercept_)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))
    assert (model.dual_gap_, model.objective_) == (plain.dual_gap_, plain.objective_)
    assert len(model.history_["gap"]) == len(plain.history_["gap"])
    if loss == "softmax":
        np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("name", FROM_SCORES)
def test_scores_from_decision_values_are_scikit_learns(name):
    model = SoftmaxClassifier(alpha=0.05).fit(X, Y)
    scores, weights = model.decision_function(X), random_weights(Y)
    expected = get_scorer(name)(model, X, Y, sample_weight=weights)
    assert FROM_SCORES[name](scores, Y, weights) == pytest.approx(expected, rel=1e-12)


def test_no_probability_counts_as_less_than_the_machine_epsilon():
    scores = np.array([[0, -np.inf], [0, -100.0], [0, -1.0]])
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    for labels in np.eye(3, dtype=int):
        expected = -log_loss(labels, probabilities, labels=[0, 1])
        assert FROM_SCORES["neg_log_loss"](scores, labels, None) == pytest.approx(expected)


# --- selection


def test_best_of_equal_means_has_the_larger_alpha():
    assert best_index(np.array([[0, 2.0, 2], [2, 1, 0]])) == (0, 1)
    assert best_index(np.array([[np.nan, 1], [0.5, np.nan]])) == (0, 1)


def test_one_standard_error_takes_the_largest_alpha_at_the_best_l1_ratio():
    means = np.array([[0.2, 0.7, 0.85, 0.9, 0.8], [0.89, 0.89, 0.89, 0.89, 0.89]])
    errors = np.array([[9, 9, 9, 0.06, 9], [0, 0, 0, 0, 0]])
    assert one_standard_error_index(means, errors) == (0, 2)
    assert one_standard_error_index(means, 0 * errors) == (0, 3)
    assert one_standard_error_index(means, 10 + errors) == (0, 0)
    means[0, 1] = np.nan
    assert one_standard_error_index(means, 0.2 + 0 * errors) == (0, 2)


def test_a_scorer_may_ask_for_the_score_of_the_estimator():
    names = pd.DataFrame(X).add_prefix("x")
    model = make_cv(scoring=lambda estimator, X, y: estimator.score(X, y)).fit(names, Y)
    accuracy = make_cv(scoring="accuracy").fit(names, Y)
    np.testing.assert_array_equal(model.scores_, accuracy.scores_)
    assert model.score(names, Y) == accuracy.score(names, Y)


@pytest.mark.parametrize("number", [np.float32, np.asarray, int])
def test_a_score_may_be_any_kind_of_number(number):
    model = make_cv(scoring=lambda *data: number(2)).fit(X, Y)
    np.testing.assert_array_equal(model.scores_, 2.0)


class NotFiniteFor:
    """A scorer with a value of its own for the larger alphas on half of the folds."""

    def __init__(self, value, alphas):
        self.value, self.alphas, self.calls = value, alphas, 0

    def __call__(self, estimator, X, y):
        number, self.calls = self.calls, self.calls + 1
        place = number % len(ALPHAS)
        if place in self.alphas and number // len(ALPHAS) % 2 == 0:
            return self.value
        return float(place)


@pytest.mark.parametrize("selection", ["best", "1se"])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_scores_that_are_not_finite_rank_last(value, selection):
    scorer = NotFiniteFor(value, [0, 1, 3])
    with pytest.warns(UserWarning, match="not finite .* for 3 of the 4 pairs") as caught:
        model = make_cv(cv=4, scoring=scorer, selection=selection).fit(X, Y)
    assert len(caught) == 1
    assert model.best_index_ == (0, 2)
    assert np.isnan(model.std_error_[0, [0, 1, 3]]).all()
    assert model.std_error_[0, 2] == 0


def test_an_infinite_score_is_the_best():
    scorer = NotFiniteFor(np.inf, [1])
    with pytest.warns(UserWarning, match="not finite"):
        model = make_cv(cv=4, scoring=scorer, selection="1se").fit(X, Y)
    assert model.best_index_ == (0, 1)


def test_mean_error_and_chosen_pair():
    best = make_cv(l1_ratios=[1, 0.5], alphas=20).fit(X, Y)
    simple = clone(best).set_params(selection="1se").fit(X, Y)
    np.testing.assert_allclose(best.mean_scores_, best.scores_.mean(axis=0))
    np.testing.assert_allclose(best.std_error_, best.scores_.std(axis=0, ddof=1) / np.sqrt(3))
    for model in (best, simple):
        assert model.alpha_ == model.alphas_[model.best_index_]
        assert model.l1_ratio_ == model.l1_ratios_[model.best_index_[0]]
    i = best.best_index_
    assert best.mean_scores_[i] == best.mean_scores_.max()
    assert simple.l1_ratio_ == best.l1_ratio_
    assert simple.alpha_ > best.alpha_
    assert np.count_nonzero(simple.coef_) < np.count_nonzero(best.coef_)
    floor = best.mean_scores_[i] - best.std_error_[i]
    assert best.mean_scores_[simple.best_index_] >= floor
    larger = best.alphas_[i[0]] > simple.alpha_
    assert (best.mean_scores_[i[0], larger] < floor).all()


# --- grids


@every_loss
def test_each_l1_ratio_has_its_grid_from_all_data(loss):
    model = make_cv(loss, alphas=5, eps=0.05, l1_ratios=[1, 0.5], tol=1e-4).fit(X, Y)
    assert model.alphas_.shape == (2, 5)
    np.testing.assert_allclose(model.alphas_[0], model.alphas_[1] / 2)
    np.testing.assert_allclose(model.alphas_[:, -1], 0.05 * model.alphas_[:, 0])
    assert (np.diff(model.alphas_) < 0).all()
    below = make_plain(loss, alpha=0.8 * model.alphas_[0, 0], l1_ratio=1).fit(X, Y)
    above = make_plain(loss, alpha=1.0001 * model.alphas_[0, 0], l1_ratio=1).fit(X, Y)
    assert np.abs(above.coef_).max() < 1e-7
    assert np.abs(below.coef_).max() > 1e-3


def test_alphas_given_are_put_in_falling_order():
    model = make_cv(alphas=[0.01, 0.3, 0.1], l1_ratios=(0, 1)).fit(X, Y)
    np.testing.assert_array_equal(model.alphas_, [[0.3, 0.1, 0.01]] * 2)


# --- folds share X


@pytest.mark.parametrize("make", [np.asarray, csr])
def test_fold_problems_hold_the_same_matrix(monkeypatch, make):
    seen, matrix = [], make(X)
    original = _base_cv.fold_path

    def spy(model, samples, fold, *rest):
        seen.append(fold_problem(samples, fold)[0])
        return original(model, samples, fold, *rest)

    monkeypatch.setattr(_base_cv, "fold_path", spy)
    make_cv().fit(matrix, Y)
    assert len(seen) == 3
    assert len({id(problem.data.X) for problem in seen}) == 1
    part = "data" if sparse.issparse(matrix) else slice(None)
    held = seen[0].data.X
    assert np.shares_memory(held.data, matrix.data) if part == "data" else held is matrix
    assert len({id(problem.data.passes) for problem in seen}) == 3


def test_memory_is_that_of_one_fit():
    X, y = make_classes(3, n_samples=3000, n_features=200)

    def peak(model):
        tracemalloc.start()
        model.fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    one = peak(make_plain(alpha=0.1, l1_ratio=0.5, tol=1e-4))
    params = {"alphas": [0.3, 0.1], "cv": 10, "l1_ratios": [0.5], "tol": 1e-4}
    many = peak(make_cv(store_paths=False, **params))
    assert many <= 1.5 * one  # beside X, which both have


def test_weights_are_repetitions():
    """Rows three times in X, three times in the indices, or of weight three."""
    times = 1 + np.arange(len(Y)) % 3
    rows = np.repeat(np.arange(len(Y)), times)
    folds = list(StratifiedKFold(3).split(X, Y))
    weighted = make_cv(cv=folds).fit(X, Y, times)
    of_rows = [tuple(np.flatnonzero(np.isin(rows, part)) for part in fold) for fold in folds]
    repeated = make_cv(cv=of_rows).fit(X[rows], Y[rows])
    of_indices = [tuple(rows[np.isin(rows, part)] for part in fold) for fold in folds]
    indexed = make_cv(cv=of_indices, refit=False).fit(X, Y)
    for model in (repeated, indexed):
        np.testing.assert_allclose(model.scores_, weighted.scores_, rtol=1e-6)
    np.testing.assert_allclose(repeated.coef_, weighted.coef_, atol=1e-6)


def test_zero_weight_is_absence():
    kept = np.arange(len(Y)) % 4 > 0
    folds = list(StratifiedKFold(3).split(X, Y))
    weighted = make_cv(cv=folds).fit(X, Y, kept)
    place = np.cumsum(kept) - 1
    fewer = [tuple(place[part[kept[part]]] for part in fold) for fold in folds]
    absent = make_cv(cv=fewer).fit(X[kept], Y[kept])
    np.testing.assert_allclose(weighted.scores_, absent.scores_, rtol=1e-6)


def test_masks_are_folds():
    masks = [(Y >= 0, np.arange(len(Y)) % 2 == i) for i in range(2)]
    indices = [tuple(map(np.flatnonzero, fold)) for fold in masks]
    np.testing.assert_array_equal(
        make_cv(cv=masks).fit(X, Y).scores_, make_cv(cv=indices).fit(X, Y).scores_
    )


def test_penalty_factor():
    factor, folds = np.array([1, 2, 0.5, 1, 3]), list(StratifiedKFold(3).split(X, Y))
    model = make_cv(cv=folds, l1_ratios=[0.5], penalty_factor=factor).fit(X, Y)
    for f, (train, test) in enumerate(folds):
        plain = make_plain(alpha=ALPHAS[2], l1_ratio=0.5, penalty_factor=factor)
        plain.fit(X[train], Y[train])
        expected = get_scorer("neg_log_loss")(plain, X[test], Y[test])
        assert model.scores_[f, 0, 2] == pytest.approx(expected, rel=1e-4)


def test_a_factor_of_all_features_multiplies_alpha():
    even = {"penalty_factor": np.full(5, 2.0), "l1_ratios": [0.5]}
    one = make_cv(l1_ratios=[0.5]).fit(X, Y)
    two = make_cv(alphas=ALPHAS / 2, **even).fit(X, Y)
    np.testing.assert_allclose(one.scores_, two.scores_, rtol=1e-6)
    grids = [
        make_cv(alphas=3, **params).fit(X, Y).alphas_ for params in (even, {"l1_ratios": [0.5]})
    ]
    np.testing.assert_allclose(2 * grids[0], grids[1])


# --- classes


@every_loss
@pytest.mark.parametrize("n_classes", [3, 4])
def test_an_absent_class_is_absent_from_its_fold_only(loss, n_classes):
    X, y = make_classes(n_classes, n_samples=60)
    names = np.array(list("dbca"))[y]
    folds = [(np.flatnonzero(y != 0), np.arange(60)), (np.arange(60), np.arange(60))]
    model = make_cv(loss, cv=folds, l1_ratios=[0.5]).fit(X, names)
    missing = np.flatnonzero(model.classes_ == "d")[0]
    train = folds[0][0]
    for a, alpha in enumerate(ALPHAS):
        rows = model.coefs_paths_[:, 0, a]
        rows = [part.toarray() if sparse.issparse(part) else part for part in rows]
        assert (rows[0][missing, :-1] == 0).all()
        assert rows[0][missing, -1] == -np.inf
        assert np.isfinite(rows[1]).all()
        plain = make_plain(loss, alpha=alpha, l1_ratio=0.5).fit(X[train], names[train])
        known = y > 0
        if loss == "softmax":
            losses = np.full(60, -np.log(np.finfo(float).eps))
            at = plain.classes_.searchsorted(names[known])
            losses[known] = -plain.predict_log_proba(X[known])[np.arange(known.sum()), at]
            expected = -losses.mean()
        else:
            expected = np.mean(plain.predict(X) == names)
        np.testing.assert_allclose(model.scores_[0, 0, a], expected, rtol=1e-4)
    assert list(model.classes_) == sorted(set(names))
    assert model.coef_.shape == (n_classes, X.shape[1])


@pytest.mark.parametrize("scoring", ["neg_log_loss", "neg_brier_score", "roc_auc_ovr"])
def test_scorers_see_all_classes(scoring):
    """Of a fold that lacks one in its training part, and of one that lacks one to score."""
    folds = [(np.flatnonzero(Y != 1), np.arange(60)), (np.arange(60), np.arange(60))]
    if scoring != "roc_auc_ovr":
        folds.append((np.arange(60), np.flatnonzero(Y != 1)))
    model = make_cv(cv=folds, scoring=scoring).fit(X, Y)
    assert np.isfinite(model.scores_).all()
    some = Y != 1
    if scoring != "roc_auc_ovr":
        assert np.isfinite(model.score(X[some], Y[some]))
    by_name = make_cv(cv=folds, scoring=get_scorer(scoring)).fit(X, Y)
    np.testing.assert_allclose(model.scores_, by_name.scores_, rtol=1e-9)


@pytest.mark.parametrize("loss", ["softmax", "hinge"])
def test_a_scorer_that_needs_scores_of_an_absent_class(loss):
    folds = [(np.flatnonzero(Y != 1), np.arange(60)), (np.arange(60), np.arange(60))]
    message = r"'top_k_accuracy' can't score fold 0.*lacks the class 1.*-inf.*balanced_accuracy"
    with pytest.raises(ValueError, match=message):
        make_cv(loss, cv=folds, scoring="top_k_accuracy").fit(X, Y)
    make_cv(loss, cv=folds[1:], scoring="top_k_accuracy").fit(X, Y)
    make_cv(loss, cv=folds, scoring="balanced_accuracy").fit(X, Y)


def test_a_scorer_of_probabilities_that_there_are_not():
    with pytest.raises(AttributeError, match="CalibratedClassifierCV"):
        make_cv("hinge", scoring="neg_log_loss").fit(X, Y)


@pytest.mark.parametrize("rows", [None, slice(0, 30), np.arange(60)[:, None]])
def test_folds_that_are_no_lists_of_rows(rows):
    with pytest.raises(ValueError, match=r"as rows of a fold; give a list of indices"):
        make_cv(cv=[(rows, np.arange(60))]).fit(X, Y)


def test_labels_of_a_scorer_are_kept():
    scorer = make_scorer(log_loss, response_method="predict_proba", labels=[0, 1, 2])
    assert with_labels(scorer, np.arange(3)) is scorer
    f1 = make_scorer(f1_score, average="macro")
    assert with_labels(f1, np.arange(3)) is f1


# --- metadata


def test_groups_are_routed_to_the_splitter():
    groups = np.arange(len(Y)) // 12
    with config_context(enable_metadata_routing=True):
        model = make_cv(cv=LeaveOneGroupOut()).fit(X, Y, groups=groups)
    folds = list(LeaveOneGroupOut().split(X, Y, groups))
    np.testing.assert_array_equal(model.scores_, make_cv(cv=folds).fit(X, Y).scores_)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        make_cv(cv=GroupKFold(3)).fit(X, Y, groups=groups)


@pytest.mark.parametrize("requested", [True, False])
def test_a_scorer_gets_the_weights_it_requests(requested):
    weights, folds = random_weights(Y), list(StratifiedKFold(3).split(X, Y))
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("accuracy").set_score_request(sample_weight=requested)
        model = make_cv(cv=folds, scoring=scorer).fit(X, Y, sample_weight=weights)
        weigh = {"sample_weight": weights} if requested else {}
        score = model.score(X, Y, **weigh)
        with pytest.raises(UnsetMetadataPassedError):
            make_cv(scoring=get_scorer("accuracy")).fit(X, Y, sample_weight=weights)
    plain = make_plain(alpha=model.alpha_, l1_ratio=0).fit(X, Y, weights)
    assert score == plain.score(X, Y, **weigh)
    train, test = folds[0]
    plain.fit(X[train], Y[train], weights[train])
    part = {"sample_weight": weights[test]} if requested else {}
    assert model.scores_[0, 0, model.best_index_[1]] == pytest.approx(
        plain.score(X[test], Y[test], **part)
    )


def test_a_scorer_without_weights_gets_none():
    weights, calls = random_weights(Y), []

    def scorer(estimator, X, y):
        calls.append(estimator)
        return np.mean(estimator.predict(X) == y)

    model = make_cv(scoring=scorer).fit(X, Y, weights)
    assert len(calls) == model.scores_.size
    assert all(type(call) is SoftmaxClassifier for call in calls)
    assert model.score(X, Y) == np.mean(model.predict(X) == Y)


@every_loss
def test_score_is_the_scoring(loss):
    model = make_cv(loss).fit(X, Y)
    name = "neg_log_loss" if loss == "softmax" else "accuracy"
    assert model.score(X, Y) == get_scorer(name)(model, X, Y)
    weights = random_weights(Y)
    expected = get_scorer(name)(model, X, Y, sample_weight=weights)
    assert model.score(X, Y, weights) == expected


# --- threads, containers, precision


@every_loss
def test_threads_change_nothing(loss):
    one = make_cv(loss, l1_ratios=[0, 1]).fit(X, Y)
    two = make_cv(loss, l1_ratios=[0, 1], n_jobs=2).fit(X, Y)
    for name in ("scores_", "n_iter_", "coef_", "alphas_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("scoring", [None, "f1_macro"])
def test_sparse_X(scoring):
    dense = make_cv(scoring=scoring).fit(X, Y)
    model = make_cv(scoring=scoring).fit(csr(X), Y)
    np.testing.assert_allclose(model.scores_, dense.scores_, rtol=1e-5)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-6)


def test_float32():
    double, single = make_cv(tol=1e-6).fit(X, Y), make_cv(tol=1e-6).fit(np.float32(X), Y)
    assert single.coef_.dtype == single.coefs_paths_.dtype == np.float32
    np.testing.assert_allclose(single.scores_, double.scores_, rtol=1e-2)
    assert single.alpha_ == double.alpha_


# --- stored paths, refit


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0, 1])
def test_stored_paths_are_the_models_of_the_folds(n_classes, l1_ratio):
    X, y = make_classes(n_classes, n_samples=60, n_features=15)
    folds = list(StratifiedKFold(3).split(X, y))
    alphas = [0.1, 0.05]
    model = make_cv(alphas=alphas, l1_ratios=[l1_ratio], cv=folds).fit(X, y)
    n_rows = 1 if n_classes == 2 else 3
    if l1_ratio:
        assert model.coefs_paths_.shape == (3, 1, 2)
        assert all(sparse.issparse(rows) for rows in model.coefs_paths_.flat)
        paths = np.array([rows.toarray() for rows in model.coefs_paths_.flat])
        paths = paths.reshape(3, 1, 2, n_rows, 16)
    else:
        paths = model.coefs_paths_
        assert paths.shape == (3, 1, 2, n_rows, 16)
    for f, (train, _) in enumerate(folds):
        for a, alpha in enumerate(alphas):
            plain = make_plain(alpha=alpha, l1_ratio=l1_ratio).fit(X[train], y[train])
            np.testing.assert_allclose(paths[f, 0, a, :, :-1], plain.coef_, atol=2e-4)
            np.testing.assert_allclose(paths[f, 0, a, :, -1], plain.intercept_, atol=2e-4)


def test_paths_are_not_stored_on_request():
    assert not hasattr(make_cv(store_paths=False).fit(X, Y), "coefs_paths_")


def test_without_refit():
    model = make_cv(refit=False).fit(X, Y)
    assert model.alpha_ == make_cv().fit(X, Y).alpha_
    assert not hasattr(model, "coef_")
    for predict in (model.predict, model.predict_proba, model.decision_function):
        with pytest.raises(AttributeError, match="refit=False"):
            predict(X)


def test_nothing_of_an_earlier_fit_remains():
    model = make_cv().fit(X, Y)
    model.set_params(refit=False, store_paths=False).fit(X, Y)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "coefs_paths_")


def test_callbacks_watch_the_refit():
    recorder = CoefRecorder()
    model = make_cv().set_callbacks(recorder).fit(X, Y)
    assert len(recorder.coef) == len(model.history_["gap"])
    np.testing.assert_array_equal(recorder.coef[-1], model.coef_)


def test_classes_of_gaps_above_tol_are_warned_of():
    with pytest.warns(ConvergenceWarning, match=r"of the 12 fits of SoftmaxClassifierCV.*max_iter"):
        make_cv(max_iter=1, refit=False).fit(X, Y)


# --- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scoring": "unknown"}, "scoring"),
        ({"alphas": []}, "alphas has the shape.*at least one"),
        ({"alphas": [0.1, -1]}, "alphas holds -1"),
        ({"alphas": [0.1, np.nan]}, "alphas holds nan"),
        ({"alphas": [[0.1]]}, "alphas has the shape"),
        ({"alphas": [0.1, 0.1]}, "more than once"),
        ({"alphas": 0}, "alphas"),
        ({"eps": 1.0}, "eps"),
        ({"l1_ratios": [0.5, 1.5]}, r"l1_ratios=.*in \[0, 1\]"),
        ({"l1_ratios": ()}, "l1_ratios=.*at least one"),
        ({"l1_ratios": 0.5}, "l1_ratios"),
        ({"selection": "worst"}, "selection"),
        ({"cv": 100}, "n_splits=100"),
        ({"cv": []}, "no fold"),
        ({"cv": [(np.arange(50), [])]}, "held-out part of fold 0 is empty"),
        ({"cv": [(np.arange(50), [60])]}, "rows that X does not have"),
        ({"cv": [([0, -1], [2])]}, "rows that X does not have"),
        ({"cv": [(np.arange(50), [True])]}, "rows that X does not have"),
        ({"cv": [(np.arange(0, 60, 3), [1, 2])]}, "training part of fold 0 holds 1 of the 3"),
        ({"cv": ShuffleSplit(1, random_state=0), "selection": "1se"}, "two folds"),
        ({"scoring": lambda estimator, X, y: np.nan}, "NaN or -inf"),
        ({"scoring": lambda estimator, X, y: -np.inf}, "NaN or -inf"),
        ({"scoring": lambda estimator, X, y: None}, "gave None, a NoneType; .* one number"),
        ({"scoring": lambda estimator, X, y: np.ones(2)}, r"gave \[1\.0, 1\.0\], a ndarray"),
        ({"scoring": lambda estimator, X, y: {"f1": 1}}, r"gave \{'f1': 1\}, a dict"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_cv(**params).fit(X, Y)


def test_one_weight_for_all_samples():
    weighted, plain = make_cv(alphas=2).fit(X, Y, 2.0), make_cv(alphas=2).fit(X, Y)
    np.testing.assert_allclose(weighted.scores_, plain.scores_)


def test_bad_weights():
    with pytest.raises(ValueError, match=r"sample_weight\[3\]"):
        make_cv().fit(X, Y, np.where(np.arange(60) == 3, -1, 1))
    folds = [(np.arange(60), np.arange(5)), (np.arange(60), np.arange(5, 60))]
    with pytest.raises(ValueError, match="held-out part of fold 0 has total weight zero"):
        make_cv(cv=folds).fit(X, Y, np.arange(60) >= 5)


def test_the_svm_has_no_log_loss():
    with pytest.raises(AttributeError, match="predict_proba"):
        make_cv("hinge", scoring="neg_log_loss").fit(X, Y)


def test_a_failed_fit_leaves_the_features_as_they_were():
    model = make_cv().fit(X, Y)
    with pytest.raises(ValueError, match="no fold"):
        model.set_params(cv=[]).fit(X[:, :3], Y)
    assert model.n_features_in_ == X.shape[1]


def test_grids_without_an_l1_part_go_as_far_down_as_others():
    model = SoftmaxClassifierCV(alphas=4, l1_ratios=[0, 0.5], cv=2, tol=1e-2).fit(X, Y)
    low = model.alphas_[:, -1] / model.alphas_[:, 0]
    np.testing.assert_allclose(low, [1e-6, 1e-3])


@pytest.mark.parametrize("cv_class", [SoftmaxClassifierCV, SVMClassifierCV])
def test_the_model_of_the_refit_can_be_inspected(cv_class):
    model = cv_class(alphas=4, l1_ratios=[0.5], cv=2).fit(X, Y)
    assert objective(model, X, Y) == pytest.approx(model.objective_, rel=1e-9)
    found = certificate(model, X, Y)
    assert found.objective == pytest.approx(model.objective_, rel=1e-9)
    assert (
        found.dual_gap
        >= model.objective_ - model._chosen().set_params(tol=1e-8).fit(X, Y).objective_
    )
    if cv_class is SoftmaxClassifierCV:
        theirs = logistic_regression_from_softmax(model, total_weight=len(Y))
        np.testing.assert_allclose(theirs.predict_proba(X), model.predict_proba(X), atol=1e-12)
    with pytest.raises(NotFittedError, match="fit it first, with refit=True"):
        objective(cv_class(), X, Y)
