"""The strength of the penalty in other packages' words, and models to and from scikit-learn.

==================  ==============================================  ============================
`convention`        who minimises what                              `alpha` here
==================  ==============================================  ============================
"C"                 scikit-learn's `LogisticRegression`, `SVC`,     1 / (C * total_weight)
                    `LinearSVC`: C sum_i s_i loss_i + penalty
"sgd_alpha"         `SGDClassifier`: mean loss + alpha * penalty    alpha
"glmnet_lambda"     glmnet: mean loss + lambda * penalty            lambda
"cs231n_reg"        mean loss + reg * sum W^2                       2 reg; two classes: reg
"cs231n_half_reg"   mean loss + reg / 2 * sum W^2                   reg; two classes: reg / 2
==================  ==============================================  ============================

An estimator's name, class or instance stands for its convention: ``"LogisticRegression"``,
``LogisticRegression`` and ``LogisticRegression()`` for "C".

- The penalty of the first three is the same, ``l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2``, so
  `l1_ratio` needs no translation (glmnet calls it `alpha`).
- `SVC`, `LinearSVC` and `SGDClassifier` have the same problem for two classes only; of more they
  make several. `LinearSVC` has it with ``fit_intercept=False``, as it penalises the intercept;
  `SGDClassifier` without weights, as it does not divide by their sum.
- glmnet standardises the features unless told otherwise. With ``standardize = TRUE`` its problem is
  the one here on X divided by its (weighted, population) standard deviations, and its coefficients
  are those found there, divided by them too.
- CS231n has a weight vector for each of two classes, where here one, v, is penalised; at the
  optimum they are -v/2 and v/2.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from ._messages import plain
from ._objective import single
from ._softmax import SoftmaxClassifier
from ._validation import check_class_weight, check_weights
from .inspection import certificate

__all__ = [
    "from_alpha",
    "logistic_regression_from_softmax",
    "softmax_from_logistic_regression",
    "to_alpha",
    "total_weight",
]

# alpha by the strength in that convention, for three classes or more and for two.
FACTORS = {
    "sgd_alpha": (1.0, 1.0),
    "glmnet_lambda": (1.0, 1.0),
    "cs231n_reg": (2.0, 1.0),
    "cs231n_half_reg": (1.0, 0.5),
}

TAKEN = ("C", *FACTORS)
# What the estimators call their own.
OF_ESTIMATORS = {
    "LogisticRegression": "C",
    "LogisticRegressionCV": "C",
    "SVC": "C",
    "LinearSVC": "C",
    "SGDClassifier": "sgd_alpha",
}

positive = [Interval(Real, 0, None, closed="neither")]
translation = {
    "total_weight": [*positive, None],
    "n_classes": [Interval(Integral, 2, None, closed="left"), None],
}


@validate_params({"value": positive, **translation}, prefer_skip_nested_validation=True)
def to_alpha(value, convention, *, total_weight=None, n_classes=None):
    """The `alpha` here for the strength of the penalty elsewhere.

    Parameters
    ----------
    value : float
        The strength elsewhere, positive.
    convention : {"C", "sgd_alpha", "glmnet_lambda", "cs231n_reg", "cs231n_half_reg"} or estimator
        What it is; see the table of the module. `LogisticRegression`, `SVC`, `LinearSVC` and
        `SGDClassifier`, as a name, class or instance, stand for what they have.
    total_weight : float, default=None
        Sum of the weights of the samples (their number without weights); needed for "C".
    n_classes : int, default=None
        Number of classes; needed for "cs231n_reg" and "cs231n_half_reg".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is out of range, or one that is needed is missing.

    See Also
    --------
    from_alpha : The other way.
    total_weight : The sum of the weights.

    Examples
    --------
    >>> from sklinear.conversion import to_alpha
    >>> to_alpha(10.0, "LogisticRegression", total_weight=150)  # its C
    0.0006666666666666666
    >>> to_alpha(1e-3, "cs231n_reg", n_classes=10)
    0.002
    """
    convention = _known(convention)
    if convention == "C":
        return 1.0 / (value * _needed(total_weight, "total_weight", convention))
    return value * _factor(convention, n_classes)


@validate_params({"alpha": positive, **translation}, prefer_skip_nested_validation=True)
def from_alpha(alpha, convention, *, total_weight=None, n_classes=None):
    """The strength of the penalty elsewhere for `alpha` here.

    Parameters
    ----------
    alpha : float
        Weight of the penalty here, positive.
    convention : {"C", "sgd_alpha", "glmnet_lambda", "cs231n_reg", "cs231n_half_reg"} or estimator
        What is wanted; see the table of the module. `LogisticRegression`, `SVC`, `LinearSVC` and
        `SGDClassifier`, as a name, class or instance, stand for what they have.
    total_weight : float, default=None
        Sum of the weights of the samples (their number without weights); needed for "C".
    n_classes : int, default=None
        Number of classes; needed for "cs231n_reg" and "cs231n_half_reg".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is out of range, or one that is needed is missing.

    See Also
    --------
    to_alpha : The other way.
    total_weight : The sum of the weights.

    Examples
    --------
    >>> from sklinear.conversion import from_alpha
    >>> from_alpha(1e-3, "C", total_weight=2000)
    0.5
    """
    convention = _known(convention)
    if convention == "C":
        return 1.0 / (alpha * _needed(total_weight, "total_weight", convention))
    return alpha / _factor(convention, n_classes)


def total_weight(y, *, sample_weight=None, class_weight=None):
    """Sum of sample weights times class weights, by which `alpha` and C differ.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    class_weight : dict or "balanced", default=None
        As the estimator has it.

    Returns
    -------
    float
        The number of samples if there are no weights.

    Raises
    ------
    ValueError
        If a weight is negative, or all are zero.

    Examples
    --------
    >>> from sklinear.conversion import total_weight
    >>> total_weight(["cat", "car", "cat"], class_weight={"cat": 2.0, "car": 1.0})
    5.0
    """
    y = np.asarray(y)
    weights = check_weights(sample_weight, y)
    classes, labels = np.unique(y, return_inverse=True)
    if isinstance(class_weight, dict):
        check_class_weight(class_weight, classes)
    by_class = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
    return float(weights @ by_class[labels])


def softmax_from_logistic_regression(model, *, total_weight, X=None, y=None, sample_weight=None):
    """A fitted `SoftmaxClassifier` that predicts what a fitted `LogisticRegression` does.

    Parameters
    ----------
    model : LogisticRegression
        Fitted, with a finite C.
    total_weight : float
        Sum of the weights of its samples, for ``alpha = 1 / (C * total_weight)``; the model does
        not know it. Without weights it is the number of samples.
    X, y, sample_weight : default=None
        Data of its fit. If X and y are given, the result has `objective_` and `dual_gap_`.

    Returns
    -------
    SoftmaxClassifier
        With copies of the coefficients, the intercept shifted to the sum zero (for three classes or
        more; probabilities don't see it). It has no `n_iter_` and no `history_`, as it made no
        iterations; `tol` and `max_iter`, which mean other things there, have their defaults.

    Raises
    ------
    TypeError
        If the model is not a `LogisticRegression`.
    ValueError
        If its C is infinite, as without a penalty there is no certificate; or if only one of X
        and y is given.

    See Also
    --------
    total_weight : The sum of the weights.
    sklinear.inspection.certificate : The gap of any model.

    Notes
    -----
    With ``solver="liblinear"`` scikit-learn penalises the intercept; the result predicts the same,
    but is not the optimum of the problem here, as its gap shows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklinear.conversion import softmax_from_logistic_regression
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = LogisticRegression(max_iter=1000).fit(X, y)
    >>> ours = softmax_from_logistic_regression(theirs, total_weight=150, X=X, y=y)
    >>> bool(abs(ours.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-12)
    True
    >>> bool(ours.dual_gap_ < 1e-5)  # how good was it?
    True
    """
    _check_type(model, LogisticRegression, LogisticRegressionCV)
    if (X is None) != (y is None) or (X is None and sample_weight is not None):
        raise ValueError(
            "Of X, y and sample_weight only some are given; objective_ and dual_gap_ need X and y. "
            "Pass both, or neither and no sample_weight."
        )
    C, l1_ratio = _penalty_of(model)
    if not np.isfinite(C):
        raise ValueError(
            f"The LogisticRegression has C={C}, so no penalty; alpha must be positive here. "
            "Refit it with a large C, for instance C=1e6."
        )
    softmax = SoftmaxClassifier(
        to_alpha(C, "C", total_weight=total_weight),
        l1_ratio=l1_ratio,
        fit_intercept=model.fit_intercept,
        class_weight=model.class_weight,
        warm_start=model.warm_start,
        random_state=model.random_state,
    )
    _copy_fitted(model, softmax)
    # liblinear leaves a number where there is no intercept.
    softmax.intercept_ = np.atleast_1d(softmax.intercept_)
    if len(model.classes_) > 2:
        softmax.intercept_ -= softmax.intercept_.mean()
    if X is not None:
        found = certificate(softmax, X, y, sample_weight=sample_weight)
        softmax.objective_, softmax.dual_gap_ = found.objective, found.dual_gap
    return softmax


def logistic_regression_from_softmax(model, *, total_weight):
    """A fitted `LogisticRegression` that predicts what a fitted `SoftmaxClassifier` does.

    Parameters
    ----------
    model : SoftmaxClassifier
        Fitted.
    total_weight : float
        Sum of the weights of its samples, for ``C = 1 / (alpha * total_weight)``. Without weights
        it is the number of samples.

    Returns
    -------
    LogisticRegression
        With copies of the coefficients and ``solver="lbfgs"``, or "saga" with an L1 part; no
        `n_iter_`, as it made no iterations. `tol` and `max_iter`, which mean other things here,
        have their defaults.

    Raises
    ------
    TypeError
        If the model is not a `SoftmaxClassifier`.
    ValueError
        If it has a `penalty_factor`, which `LogisticRegression` has not.

    See Also
    --------
    total_weight : The sum of the weights.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.conversion import logistic_regression_from_softmax
    >>> X, y = load_iris(return_X_y=True)
    >>> ours = SoftmaxClassifier(alpha=1e-2).fit(X, y)
    >>> theirs = logistic_regression_from_softmax(ours, total_weight=150)
    >>> round(theirs.C, 4)
    0.6667
    >>> bool(abs(ours.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-12)
    True
    """
    _check_type(model, SoftmaxClassifier)
    model = single(model)
    if model.penalty_factor is not None:
        raise ValueError(
            "model has a penalty_factor, and LogisticRegression penalises all features alike. "
            "Use the SoftmaxClassifier as it is, or scale the features instead: with l1_ratio=0 "
            "each by 1 / sqrt(factor)."
        )
    logistic = LogisticRegression(
        C=from_alpha(model.alpha, "C", total_weight=total_weight),
        l1_ratio=model.l1_ratio,
        fit_intercept=model.fit_intercept,
        class_weight=model.class_weight,
        solver="saga" if model.l1_ratio > 0 else "lbfgs",
        warm_start=model.warm_start,
        random_state=model.random_state,
    )
    _copy_fitted(model, logistic)
    return logistic


def _known(convention):
    """The convention, given so or by an estimator."""
    kind = convention if isinstance(convention, type) else type(convention)
    names = [convention] if issubclass(kind, str) else [base.__name__ for base in kind.__mro__]
    for name in names:
        if name in OF_ESTIMATORS:
            return OF_ESTIMATORS[name]
    if isinstance(convention, str) and convention in TAKEN:
        return convention
    raise ValueError(
        f"convention is {plain(convention)}; it must be one of {', '.join(map(repr, TAKEN))}, or "
        f"an estimator among {', '.join(OF_ESTIMATORS)}, as a name, class or instance."
    )


def _needed(value, name, convention):
    if value is None:
        raise ValueError(
            f"{name} is None; convention={convention!r} can't be translated without it. "
            f"Pass {name}=."
        )
    return value


def _factor(convention, n_classes):
    many, two = FACTORS[convention]
    if many == two:
        return many
    return two if _needed(n_classes, "n_classes", convention) == 2 else many


def _check_type(model, expected, refused=()):
    if not isinstance(model, expected) or isinstance(model, refused):
        raise TypeError(
            f"model is a {type(model).__name__}; a fitted {expected.__name__} is needed. Of a "
            "pipeline or a search, pass the model inside; of a cross-validated one, a model fitted "
            "with the parameters it chose."
        )
    check_is_fitted(model)


def _penalty_of(model):
    """C and l1_ratio; until scikit-learn 1.10 the parameter `penalty` may overrule both."""
    penalty = getattr(model, "penalty", "deprecated")
    overruled = {"l1": 1.0, "l2": 0.0}.get(penalty)
    l1_ratio = model.l1_ratio if overruled is None else overruled
    return np.inf if penalty is None else model.C, l1_ratio or 0.0


def _copy_fitted(source, target):
    """Coefficients, classes and features."""
    names = ("coef_", "intercept_", "classes_", "n_features_in_", "feature_names_in_")
    for name in names:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(target, name, value.copy() if hasattr(value, "copy") else value)
