"""The objective of an estimator as a function of what `coef_` and `intercept_` hold.

The problem has two weight vectors where a model of two classes has one, v: they are (-v/2, v/2).
"""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ._base import BaseLinearClassifier, _two_rows
from ._data import wrap
from ._messages import plain
from ._validation import check_X_y, combined_weights, encode_known_labels, encode_labels


def pose(estimator, X, y, sample_weight=None):
    """The problem that the estimator poses on some data; the estimator stays as it is."""
    if not isinstance(estimator, BaseLinearClassifier):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}; a SoftmaxClassifier or SVMClassifier is "
            "needed. Of a pipeline, pass the last step, and X as the steps before transform it."
        )
    estimator = single(estimator)
    estimator._validate_params()
    fitted = hasattr(estimator, "coef_")
    X, y = check_X_y(estimator if fitted else clone(estimator), X, y, reset=not fitted)
    classes = estimator.classes_ if fitted else encode_labels(y)[0]
    labels = encode_known_labels(y, classes)
    weights = combined_weights(X, labels, classes, sample_weight, estimator.class_weight)
    if not weights.any():
        raise ValueError(
            "All samples have weight zero by sample_weight and class_weight together. Give at "
            "least one sample of a class with positive weight a positive weight."
        )
    return estimator._problem(wrap(X), labels, weights / weights.sum(), len(classes))


def single(estimator):
    """The estimator, or the model that a cross-validated one has chosen."""
    if not hasattr(estimator, "_chosen"):
        return estimator
    if not hasattr(estimator, "coef_"):
        raise NotFittedError(
            f"This {type(estimator).__name__} holds no model: fit it first, with refit=True."
        )
    return estimator._chosen()


def point(estimator, problem, coef=None, intercept=None):
    """Weights and intercept shaped as `coef_` and `intercept_`: those given, fitted or zero."""
    n_features, n_classes = problem.shape
    n_rows = 1 if n_classes == 2 else n_classes
    fitted = hasattr(estimator, "coef_")
    if coef is None:
        coef = estimator.coef_ if fitted else np.zeros((n_rows, n_features))
    if intercept is None:
        intercept = estimator.intercept_ if fitted else np.zeros(n_rows)
    coef = coef.toarray() if sp.issparse(coef) else coef
    coef = shaped(coef, (n_rows, n_features), "coef")
    intercept = shaped(intercept, (n_rows,), "intercept")
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            "coef or intercept holds NaN or infinity; the objective is a function of finite "
            "weights. Look for the step that was too long, or the division by zero."
        )
    if not problem.fit_intercept and intercept.any():
        raise ValueError(
            f"intercept is {plain(intercept)}, but with fit_intercept=False there is none. "
            "Leave it out, or set fit_intercept=True."
        )
    return coef, intercept


def shaped(array, shape, name):
    """A float64 array, if it has the shape."""
    array = np.asarray(array, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(
            f"{name} has the shape {array.shape} and should have {shape}; transpose or reshape it."
        )
    return array


def class_weights(coef, intercept):
    """W (d, C) and b (C,), also for the one vector of two classes."""
    return np.ascontiguousarray(_two_rows(coef).T), _two_rows(intercept)


def value(problem, coef, intercept):
    coef, intercept = class_weights(coef, intercept)
    return problem.loss_value(problem.scores(coef, intercept)) + problem.penalty.value(coef)


def gradient(problem, coef, intercept):
    """Shaped as `coef` and `intercept`."""
    weights, shifts = class_weights(coef, intercept)
    scores = problem.scores(weights, shifts)
    _, dual = problem.loss.value_and_dual(scores, problem.labels, problem.weights)
    by_weight = problem.correlate(dual)
    penalty = problem.penalty
    by_weight += penalty.gradient(weights) + penalty.l1s * np.sign(weights)
    by_shift = problem.fit_intercept * (problem.weights @ dual)
    if len(coef) == 1:
        return (by_weight[:, 1:] - by_weight[:, :1]).T / 2, (by_shift[1:] - by_shift[:1]) / 2
    return by_weight.T, by_shift
