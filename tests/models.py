"""The estimator of a loss, and the oracle's problem of an estimator."""

from oracle import Problem

from sklinear import SoftmaxClassifier, SVMClassifier


def make_model(loss, **params):
    if loss == "softmax":
        return SoftmaxClassifier(**params)
    return SVMClassifier(loss=loss, **params)


def problem_of(model, X, y, sample_weight=None):
    """The problem that `model.fit(X, y, sample_weight)` solves, y holding 0 … C-1."""
    loss = getattr(model, "loss", "softmax")
    penalty = model.alpha, model.l1_ratio
    return Problem(X, y, loss, *penalty, model.fit_intercept, sample_weight, model.penalty_factor)
