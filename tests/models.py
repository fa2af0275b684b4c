"""The estimator of a loss, and the oracle's problem of an estimator."""

from oracle import Problem

from sklinear import SoftmaxClassifier, SVMClassifier, softmax_path, svm_path


def make_model(loss, **params):
    if loss == "softmax":
        return SoftmaxClassifier(**params)
    return SVMClassifier(loss=loss, **params)


def problem_of(model, X, y, sample_weight=None):
    """The problem that `model.fit(X, y, sample_weight)` solves, y holding 0 … C-1."""
    loss = getattr(model, "loss", "softmax")
    penalty = model.alpha, model.l1_ratio
    return Problem(X, y, loss, *penalty, model.fit_intercept, sample_weight, model.penalty_factor)


def both(loss):
    """The path function and the classifier of a loss."""
    if loss == "cross-entropy":
        return softmax_path, SoftmaxClassifier, {}
    return svm_path, SVMClassifier, {"loss": loss.replace(" ", "_")}
