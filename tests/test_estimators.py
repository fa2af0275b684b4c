"""scikit-learn's own checks, and what a fitted model holds, says and keeps."""

import inspect
import pickle
import re

import numpy as np
import pytest
from data import make_classes
from models import make_model, problem_of
from oracle import LOSSES, class_scores, objective
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from sklinear import SoftmaxClassifier, SVMClassifier

X, Y = make_classes(3)
MODELS = [make_model(loss, l1_ratio=l1_ratio) for loss in LOSSES for l1_ratio in (0, 0.5)]

every_loss = pytest.mark.parametrize("loss", LOSSES)
every_size = pytest.mark.parametrize("n_classes", [2, 3, 10])


@parametrize_with_checks(MODELS)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", MODELS, ids=str)
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert "xfail" not in {result["status"] for result in results}


@pytest.mark.parametrize("Model", [SoftmaxClassifier, SVMClassifier])
def test_parameters(Model):
    parameters = inspect.signature(Model).parameters
    defaults = {name: p.default for name, p in parameters.items()}
    assert defaults.pop("loss", "hinge") == "hinge"
    assert isinstance(defaults.pop("max_iter"), int)
    assert defaults == {
        "alpha": 1e-4,
        "l1_ratio": 0.0,
        "fit_intercept": True,
        "tol": 1e-4,
        "penalty_factor": None,
        "class_weight": None,
        "warm_start": False,
        "random_state": None,
        "verbose": 0,
    }
    assert [n for n, p in parameters.items() if p.kind is not p.KEYWORD_ONLY] == ["alpha"]


@every_loss
@every_size
def test_fitted_attributes(loss, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01).fit(X, y)
    rows = 1 if n_classes == 2 else n_classes
    assert model.coef_.shape == (rows, 5)
    assert model.intercept_.shape == (rows,)
    assert model.n_features_in_ == 5
    np.testing.assert_array_equal(model.classes_, np.arange(n_classes))


@every_loss
@every_size
def test_objective_attribute(loss, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01, l1_ratio=0.5).fit(X, y)
    F = objective(problem_of(model, X, y), model.coef_, model.intercept_)
    assert model.objective_ == pytest.approx(F, rel=1e-10)


@every_loss
@every_size
def test_intercept_is_zero_without_fit_intercept(loss, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01, fit_intercept=False).fit(X, y)
    assert not np.any(model.intercept_)


@every_loss
@every_size
def test_decision_function_and_predict(loss, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01).fit(X, y)
    scores = X @ model.coef_.T + model.intercept_
    np.testing.assert_allclose(model.decision_function(X), scores.squeeze(), atol=1e-12)
    best = class_scores(X, model.coef_, model.intercept_).argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), best)
    assert model.score(X, y) == np.mean(best == y)


@every_loss
@pytest.mark.parametrize("labels", [["cat", "car", "frog"], [7, -2, 400], [2.0, 0.0, 1.0]])
def test_labels(loss, labels):
    labels = np.array(labels)
    model = make_model(loss, alpha=0.01).fit(X, labels[Y])
    np.testing.assert_array_equal(model.classes_, np.sort(labels))
    assert set(model.predict(X)) <= set(labels)
    assert model.score(X, labels[Y]) > 0.5


@every_loss
@every_size
def test_history(loss, n_classes):
    """A row each iteration; the first is W = 0, the last the model but for zeros set at the end."""
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.01, l1_ratio=0.5).fit(X, y)
    history = model.history_
    assert set(history) == {"seconds", "passes", "objective", "gap"}
    assert {len(column) for column in history.values()} == {model.n_iter_ + 1}
    at_zero = problem_of(model, X, y).at_zero
    assert history["objective"][0] == pytest.approx(at_zero, rel=1e-14)
    assert history["objective"][-1] == pytest.approx(
        model.objective_, abs=0.1 * model.tol * at_zero
    )
    assert model.dual_gap_ <= model.tol * at_zero
    plain = make_model(loss, alpha=0.01).fit(X, y)
    assert plain.history_["objective"][-1] == pytest.approx(plain.objective_, rel=1e-9)
    assert plain.history_["gap"][-1] == pytest.approx(plain.dual_gap_, rel=1e-9)
    assert np.all(history["gap"] >= 0)
    assert np.all(np.diff(history["seconds"]) >= 0)
    assert np.all(np.diff(history["passes"]) >= 0)


def numbers(message):
    return [float(s) for s in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", message)]


@every_loss
@pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
def test_max_iter_warning(loss, l1_ratio):
    """It names the gap achieved, the target and what to change."""
    model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, tol=1e-9, max_iter=1)
    with pytest.warns(ConvergenceWarning, match=r"gap.*max_iter.*standardise") as caught:
        model.fit(X, Y)
    assert model.n_iter_ == 1
    message = str(caught[0].message)
    for value in (model.dual_gap_, model.tol * problem_of(model, X, Y).at_zero):
        assert any(number == pytest.approx(value, rel=0.01) for number in numbers(message))


@every_loss
def test_verbose(loss, capsys):
    """A header and a row each iteration: iteration, objective, gap, seconds."""
    model = make_model(loss, alpha=0.01, verbose=1).fit(X, Y)
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.lower().split() == ["iteration", "objective", "gap", "seconds"]
    table = np.array([row.split() for row in rows], dtype=float)
    np.testing.assert_array_equal(table[:, 0], np.arange(model.n_iter_ + 1))
    np.testing.assert_allclose(table[:, 1], model.history_["objective"], rtol=1e-3)
    np.testing.assert_allclose(table[:, 2], model.history_["gap"], rtol=1e-2)


@every_loss
def test_silent_by_default(loss, capsys):
    make_model(loss, alpha=0.01).fit(X, Y)
    assert capsys.readouterr() == ("", "")


@every_loss
@pytest.mark.parametrize("l1_ratio", [0, 0.5])
def test_random_state_repeats_a_fit(loss, l1_ratio):
    fits = [make_model(loss, l1_ratio=l1_ratio, random_state=7).fit(X, Y) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)
    np.testing.assert_array_equal(fits[0].intercept_, fits[1].intercept_)


@every_loss
def test_random_state_may_be_a_generator(loss):
    model = make_model(loss, alpha=0.01, random_state=np.random.RandomState(3)).fit(X, Y)
    assert model.score(X, Y) > 0.5


@every_loss
@pytest.mark.parametrize("scale", [1e4, -1e4])
@every_size
def test_constant_and_zero_columns(loss, scale, n_classes):
    """They change nothing when the intercept is free."""
    X, y = make_classes(n_classes)
    padded = np.column_stack([X, np.zeros(len(X)), np.full(len(X), scale)])
    model = make_model(loss, alpha=0.01, tol=1e-8).fit(X, y)
    wider = clone(model).fit(padded, y)
    assert not np.any(wider.coef_[:, 5])
    assert wider.objective_ == pytest.approx(model.objective_, abs=2e-8 * (n_classes - 1))


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_zero_columns(loss, dtype):
    """Nothing but the intercept is left."""
    model = make_model(loss).fit(np.zeros((len(Y), 2), dtype), Y)
    assert not np.any(model.coef_)


@every_size
@pytest.mark.parametrize("largest", [1, 1e4])
def test_probabilities(largest, n_classes):
    """The softmax of the scores, stable when these are ±1e4."""
    X, y = make_classes(n_classes)
    model = SoftmaxClassifier(alpha=0.01, fit_intercept=False).fit(X, y)
    scaled = X * (largest / np.abs(model.decision_function(X)).max())
    scores = class_scores(scaled, model.coef_, model.intercept_)
    probabilities = model.predict_proba(scaled)
    assert probabilities.shape == (len(X), n_classes)
    np.testing.assert_allclose(probabilities, softmax(scores, axis=1), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    log_probabilities = model.predict_log_proba(scaled)
    np.testing.assert_allclose(log_probabilities, log_softmax(scores, axis=1), atol=1e-9)


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_svm_has_no_probabilities(method):
    """The error names what to use; test_workflows.py runs it."""
    remedy = r'CalibratedClassifierCV\(.*method="temperature"\)'
    for model in (SVMClassifier(), SVMClassifier().fit(X, Y)):
        assert not hasattr(model, method)
        with pytest.raises(AttributeError, match=remedy):
            getattr(model, method)


@every_loss
@pytest.mark.parametrize("warm_start", [False, True])
def test_pickle(loss, warm_start):
    model = make_model(loss, alpha=0.01, warm_start=warm_start).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))
    refitted = loaded.fit(X, Y)
    assert refitted.objective_ == pytest.approx(model.objective_, rel=1e-3)


@every_loss
@pytest.mark.parametrize("warm_start", [False, True])
def test_pickle_does_not_grow_with_samples(loss, warm_start):
    """An extra byte a sample would show."""
    model = make_model(loss, alpha=0.01, max_iter=200, warm_start=warm_start)
    small = len(pickle.dumps(clone(model).fit(X, Y)))
    many = 100
    big = len(pickle.dumps(clone(model).fit(np.tile(X, (many, 1)), np.tile(Y, many))))
    assert big < small + many * len(X)


@every_loss
@every_size
def test_sparsify(loss, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.1, l1_ratio=1).fit(X, y)
    scores = model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    np.testing.assert_allclose(model.decision_function(X), scores, atol=1e-12)
    np.testing.assert_allclose(model.densify().decision_function(X), scores, atol=1e-12)


@every_loss
def test_clone_and_set_params(loss):
    model = make_model(loss, alpha=0.3, l1_ratio=0.2, class_weight="balanced")
    copy = clone(model).set_params(alpha=0.01)
    assert copy.get_params() == {**model.get_params(), "alpha": 0.01}
    np.testing.assert_array_equal(
        copy.fit(X, Y).coef_, model.set_params(alpha=0.01).fit(X, Y).coef_
    )


@every_loss
def test_refit_forgets_the_last_fit(loss):
    model = make_model(loss, alpha=0.01).fit(*make_classes(10, n_features=3)).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, make_model(loss, alpha=0.01).fit(X, Y).coef_)
    assert model.n_features_in_ == 5


def test_no_gap_exceeds_the_objective():
    """No loss is negative, so zero is a lower bound: a poor dual point must not prove less."""
    X, y = make_classes(3)
    model = make_model("squared_hinge", alpha=1e-6, tol=1e-8).fit(100 * X, y)
    assert np.all(model.history_["gap"] <= model.history_["objective"])
