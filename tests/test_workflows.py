"""The estimators inside scikit-learn's tools."""

import numpy as np
import pandas as pd
import pytest
from models import make_model
from oracle import LOSSES
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklinear import (
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    SVMClassifierCV,
    softmax_path,
)

X, Y = load_iris(return_X_y=True)

every_loss = pytest.mark.parametrize("loss", LOSSES)


@every_loss
def test_pipeline(loss):
    pipeline = make_pipeline(StandardScaler(), make_model(loss, alpha=1e-3))
    assert cross_val_score(pipeline, X, Y).mean() > 0.93


@every_loss
def test_grid_search(loss):
    """Every fit of the grid succeeds, without a warning."""
    grid = {"alpha": [1e-3, 1e-2, 1e-1], "l1_ratio": [0, 0.5, 1]}
    search = GridSearchCV(make_model(loss), grid, cv=3, error_score="raise")
    search.fit(StandardScaler().fit_transform(X), Y)
    assert search.best_score_ > 0.93
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


@every_loss
def test_grid_search_over_a_pipeline_of_a_frame(loss):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), make_model(loss))
    name = pipeline.steps[-1][0]
    search = GridSearchCV(pipeline, {f"{name}__alpha": [1e-2, 1e-1]}, cv=3, error_score="raise")
    search.fit(frame, load_iris().target_names[Y])
    assert list(search.best_estimator_[-1].feature_names_in_) == ["a", "b", "c", "d"]
    assert search.best_score_ > 0.9


@every_loss
def test_text(loss):
    """Sparse float64 straight from a vectoriser."""
    text = ["a cat sat", "a dog ran", "the cat slept", "the dog barked", "a frog hopped"]
    animals = ["cat", "dog", "cat", "dog", "frog"]
    pipeline = make_pipeline(TfidfVectorizer(), make_model(loss)).fit(text, animals)
    assert list(pipeline.predict(text)) == animals


@every_loss
def test_selection_of_features(loss):
    """The L1 norm drops the columns of noise."""
    noise = np.random.default_rng(0).normal(size=(len(X), 20))
    padded = np.hstack([StandardScaler().fit_transform(X), noise])
    selector = SelectFromModel(make_model(loss, alpha=0.1, l1_ratio=1)).fit(padded, Y)
    assert selector.get_support()[:4].any()
    assert not selector.get_support()[4:].any()


@every_loss
def test_selection_of_all_features_with_a_weight(loss):
    """By the threshold that the docstring names."""
    model = make_model(loss, alpha=0.03, l1_ratio=1).fit(StandardScaler().fit_transform(X), Y)
    selector = SelectFromModel(model, prefit=True, threshold=1e-5)
    np.testing.assert_array_equal(selector.get_support(), (model.coef_ != 0).any(axis=0))


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_calibrated_probabilities_of_the_svm(loss):
    """The recipe of the AttributeError."""
    model = CalibratedClassifierCV(SVMClassifier(1e-2, loss=loss), method="temperature", cv=3)
    probabilities = model.fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert log_loss(Y, probabilities) < 0.3


@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y: SoftmaxClassifier(alpha=1e-6, max_iter=1).fit(X, y),
        lambda X, y: softmax_path(X, y, alphas=3, max_iter=1),
        lambda X, y: SoftmaxClassifierCV(alphas=3, max_iter=1, refit=False).fit(X, y),
        lambda X, y: SVMClassifierCV(alphas=[1, 2], scoring=lambda *data: np.inf).fit(X, y),
    ],
)
def test_a_warning_names_the_line_that_asked(fit):
    with pytest.warns(UserWarning, match="gap|finite") as caught:
        fit(X, Y)
    assert [one.filename for one in caught] == [__file__]
