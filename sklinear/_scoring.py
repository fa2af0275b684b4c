"""Scores of the rows that a fold leaves out: from their decision values, or by any scorer."""

from dataclasses import dataclass, field
from inspect import signature
from numbers import Real

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.validation import _check_method_params

from ._messages import plain


def neg_log_loss(scores, labels, weights):
    """Minus the mean cross-entropy; no probability counts as less than the machine epsilon."""
    log_proba = log_softmax(scores, axis=1)[np.arange(len(labels)), labels]
    return np.average(np.maximum(log_proba, np.log(np.finfo(float).eps)), weights=weights)


def accuracy(scores, labels, weights):
    """Share of the samples whose largest score is that of the true class."""
    return np.average(scores.argmax(axis=1) == labels, weights=weights)


# Same values as scikit-learn's scorers of these names.
FROM_SCORES = {"neg_log_loss": neg_log_loss, "accuracy": accuracy}


@dataclass(frozen=True)
class Scoring:
    """How held-out rows are scored.

    Attributes
    ----------
    scoring : str or callable
        Name of a scorer, or a scorer.
    params : dict
        Metadata for the scorer; those with an entry for each row of X are split with it.
    """

    scoring: object
    params: dict = field(default_factory=dict)

    def on(self, fold, samples, model):
        """A function from a `FoldModel` of a fold to its score."""
        params = _check_method_params(samples.X, self.params, indices=fold.test)
        weights = params.get("sample_weight")
        if weights is not None and not np.sum(weights) > 0:
            raise ValueError(
                f"The held-out part of fold {fold.number} has total weight zero, so its score is "
                "not defined. Use fewer folds, or give some of its samples a positive weight."
            )
        if self._needs_only_scores(model):
            measure = FROM_SCORES[self.scoring]
            labels = samples.problem.labels[fold.test]
            return lambda fitted: measure(fitted.scores(), labels, weights)
        scorer = with_labels(get_scorer(self.scoring), samples.classes)
        if getattr(scorer, "_response_method", None) == "predict_proba":
            getattr(model, scorer._response_method)  # where there is none, the model says why
        X, y = samples.X[fold.test], samples.y[fold.test]
        return lambda fitted: self._by(scorer, fitted, fitted.estimator(model), X, y, params)

    def _by(self, scorer, fold_model, estimator, X, y, params):
        """What a scorer returns; some can't do with the scores of a class that a fold lacks."""
        try:
            return _number(scorer(estimator, X, y, **params))
        except ValueError as error:
            absent = np.delete(estimator.classes_, fold_model.present)
            if len(absent) == 0:
                raise
            raise ValueError(
                f"scoring={plain(self.scoring)} can't score fold {fold_model.fold.number}, whose "
                f"training part lacks the class {plain(absent[0])}, so that its scores are -inf: "
                f"{error} Use a stratified splitter, fewer folds, or a scorer of predictions such "
                "as 'balanced_accuracy'."
            ) from error

    def _needs_only_scores(self, model):
        if not isinstance(self.scoring, str) or self.scoring not in FROM_SCORES:
            return False
        defined = self.scoring != "neg_log_loss" or hasattr(model, "predict_proba")
        return defined and set(self.params) <= {"sample_weight"}


def _number(score):
    """What a scorer returned as a float."""
    score = score.item() if getattr(score, "size", 0) == 1 else score
    if not isinstance(score, Real):
        raise ValueError(
            f"scoring gave {plain(score)}, a {type(score).__name__}; a scorer has to return one "
            "number, the larger the better. Reduce several to one, for instance to their mean."
        )
    return float(score)


def accepts_sample_weight(scorer):
    """Whether a scorer can be called with sample_weight."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


def with_labels(scorer, classes):
    """The scorer, told which class each column of probabilities stands for.

    Otherwise scikit-learn takes the classes from the labels it is given, and a few held-out
    rows need not show all.
    """
    function = getattr(scorer, "_score_func", None)
    names = signature(function).parameters if function else {}
    if "labels" not in names or "labels" in scorer._kwargs:
        return scorer
    if "predict_proba" not in scorer._response_method:
        return scorer
    known = {"labels": classes}
    if "pos_label" in names and len(classes) == 2:
        known["pos_label"] = classes[1]
    return make_scorer(
        function,
        response_method=scorer._response_method,
        greater_is_better=scorer._sign > 0,
        **{**known, **scorer._kwargs},
    )
