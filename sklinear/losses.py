"""The losses as functions of scores: values, gradients, softmax and the elastic net.

They run the compiled kernels of the estimators, so what they say of a model's scores is what
its fit minimised.  Scores Z (n, C) have a row for each sample and a column for each class, two
at least.  A two-class estimator has one score s, for its second class; its two columns are
(-s/2, s/2).
"""

from numbers import Real

import numpy as np
import scipy.sparse as sp
from scipy import special
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._losses import CrossEntropy, Hinge, SquaredHinge
from ._penalty import ElasticNet
from ._validation import check_columns, check_scores, check_weights

__all__ = [
    "cross_entropy_loss",
    "cross_entropy_loss_gradient",
    "elastic_net_penalty",
    "hinge_loss",
    "hinge_loss_gradient",
    "log_softmax",
    "softmax",
    "squared_hinge_loss",
    "squared_hinge_loss_gradient",
]

with_reduction = validate_params(
    {"reduction": [StrOptions({"mean", "none"})]}, prefer_skip_nested_validation=True
)


def softmax(scores):
    """Probabilities q_k = exp z_k / sum_l exp z_l, as `predict_proba` computes them.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Non-negative; rows sum to one.

    Raises
    ------
    ValueError
        If the scores are not two-dimensional or not finite.

    Notes
    -----
    The largest score of a row is subtracted first, so no exponential overflows.

    Examples
    --------
    >>> from sklinear.losses import softmax
    >>> softmax([[3.2, 5.1, -1.7]]).round(2)
    array([[0.13, 0.87, 0.  ]])
    >>> softmax([[1e4, 0.0, -1e4]])
    array([[1., 0., 0.]])
    """
    return special.softmax(check_scores(scores), axis=1)


def log_softmax(scores):
    """Log-probabilities z_k - log sum_l exp z_l, precise where probabilities underflow.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        At most zero.

    Raises
    ------
    ValueError
        If the scores are not two-dimensional or not finite.

    Examples
    --------
    >>> from sklinear.losses import log_softmax
    >>> log_softmax([[1e4, 0.0, -1e4]])
    array([[     0., -10000., -20000.]])
    """
    return special.log_softmax(check_scores(scores), axis=1)


@with_reduction
def hinge_loss(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Weston and Watkins' multiclass hinge loss, sum over wrong k of max(0, 1 + z_k - z_y).

    The loss of ``SVMClassifier(loss="hinge")``, without the penalty.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    float or ndarray of shape (n_samples,)
        The weighted mean, or one value a sample in the precision of the scores.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    hinge_loss_gradient : Its derivatives in the scores.

    Notes
    -----
    At equal scores it is C - 1. scikit-learn's ``hinge_loss`` is Crammer and Singer's, which
    takes the largest of the terms and not their sum.

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition, 1999.

    Examples
    --------
    An image of a cat, a car and a frog, each with its scores for the three:

    >>> from sklinear.losses import hinge_loss
    >>> scores = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
    >>> hinge_loss(scores, [0, 1, 2], reduction="none").round(1)
    array([ 2.9,  0. , 12.9])
    >>> round(hinge_loss(scores, [0, 1, 2]), 2)
    5.27
    >>> round(hinge_loss(scores, ["cat", "car", "frog"], labels=["cat", "car", "frog"]), 2)
    5.27
    """
    return _value(Hinge(), _hinges, scores, y, labels, sample_weight, reduction)


@with_reduction
def squared_hinge_loss(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Squared multiclass hinge loss, sum over wrong k of max(0, 1 + z_k - z_y)^2.

    The loss of ``SVMClassifier(loss="squared_hinge")``, without the penalty. It is the sum of
    the squares, not the square of the sum.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    float or ndarray of shape (n_samples,)
        The weighted mean, or one value a sample in the precision of the scores.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    squared_hinge_loss_gradient : Its derivatives in the scores.

    Notes
    -----
    At equal scores it is C - 1.

    Examples
    --------
    The frog's two violations are 6.3 and 6.6:

    >>> from sklinear.losses import squared_hinge_loss
    >>> round(squared_hinge_loss([[2.2, 2.5, -3.1]], [2]), 2)
    83.25
    """
    return _value(SquaredHinge(), _squared_hinges, scores, y, labels, sample_weight, reduction)


@with_reduction
def cross_entropy_loss(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Cross-entropy of the softmax, -log q_y = log sum_k exp z_k - z_y.

    The loss of ``SoftmaxClassifier()``, without the penalty.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    float or ndarray of shape (n_samples,)
        The weighted mean, or one value a sample in the precision of the scores.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    cross_entropy_loss_gradient : Its derivatives in the scores.
    sklearn.metrics.log_loss : The same of probabilities.

    Notes
    -----
    At equal scores it is log C.

    Examples
    --------
    >>> from sklinear.losses import cross_entropy_loss
    >>> round(cross_entropy_loss([[3.2, 5.1, -1.7]], [0]), 2)
    2.04
    >>> cross_entropy_loss([[1e4, 0.0], [0.0, 1e4]], [0, 0], reduction="none")
    array([    0., 10000.])
    """
    return _value(CrossEntropy(), _cross_entropies, scores, y, labels, sample_weight, reduction)


@with_reduction
def hinge_loss_gradient(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Derivatives of the hinge loss in the scores.

    1 for each wrong class k with 1 + z_k > z_y, minus their number for the true class.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Derivatives of what `reduction` says, in the precision of the scores: with "mean" the
        weights over their sum (1/n if there are none) are in it. Rows sum to zero.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    hinge_loss : The loss itself.

    Notes
    -----
    At a kink, where 1 + z_k = z_y, it is the subgradient with 0 for class k.

    Examples
    --------
    >>> from sklinear.losses import hinge_loss_gradient
    >>> hinge_loss_gradient([[2.2, 2.5, -3.1]], [2])
    array([[ 1.,  1., -2.]])
    """
    return _gradient(Hinge(), scores, y, labels, sample_weight, reduction)


@with_reduction
def squared_hinge_loss_gradient(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Derivatives of the squared hinge loss in the scores.

    2 max(0, 1 + z_k - z_y) for each wrong class k, minus their sum for the true class.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Derivatives of what `reduction` says, in the precision of the scores: with "mean" the
        weights over their sum (1/n if there are none) are in it. Rows sum to zero.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    squared_hinge_loss : The loss itself.

    Examples
    --------
    >>> from sklinear.losses import squared_hinge_loss_gradient
    >>> squared_hinge_loss_gradient([[2.2, 2.5, -3.1]], [2]).round(1)
    array([[ 12.6,  13.2, -25.8]])
    """
    return _gradient(SquaredHinge(), scores, y, labels, sample_weight, reduction)


@with_reduction
def cross_entropy_loss_gradient(scores, y, *, labels=None, sample_weight=None, reduction="mean"):
    """Derivatives of the cross-entropy in the scores: q_k, less 1 for the true class.

    Parameters
    ----------
    scores : array-like of shape (n_samples, n_classes)
        Scores; float32 stays float32, all else becomes float64.
    y : array-like of shape (n_samples,)
        Columns of the true classes, 0 to n_classes - 1, or their names in `labels`.
    labels : array-like of shape (n_classes,), default=None
        Names of the columns, for instance a model's `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None.
    reduction : {"mean", "none"}, default="mean"
        Weighted mean over the samples, or each sample's own times its weight.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Derivatives of what `reduction` says, in the precision of the scores: with "mean" the
        weights over their sum (1/n if there are none) are in it. Rows sum to zero.

    Raises
    ------
    ValueError
        If scores, labels or weights can't be used; the message names the value and the remedy.

    See Also
    --------
    cross_entropy_loss : The loss itself.
    softmax : The probabilities q.

    Examples
    --------
    >>> from sklinear.losses import cross_entropy_loss_gradient
    >>> cross_entropy_loss_gradient([[3.2, 5.1, -1.7]], [0]).round(2)
    array([[-0.87,  0.87,  0.  ]])
    """
    return _gradient(CrossEntropy(), scores, y, labels, sample_weight, reduction)


@validate_params(
    {
        "coef": ["array-like", "sparse matrix"],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    },
    prefer_skip_nested_validation=True,
)
def elastic_net_penalty(coef, alpha=1.0, *, l1_ratio=0.0):
    """``alpha * (l1_ratio * sum |w| + (1 - l1_ratio) / 2 * sum w^2)``, of every estimator.

    Parameters
    ----------
    coef : {array-like, sparse matrix} of any shape
        Weights, as `coef_` has them. The intercept is not penalised.
    alpha : float, default=1.0
        Weight of the penalty, at least zero.
    l1_ratio : float, default=0.0
        Share of the L1 norm, in [0, 1]: 0 is L2, 1 is L1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `alpha` is negative or `l1_ratio` outside [0, 1].

    References
    ----------
    Zou and Hastie, Regularization and variable selection via the elastic net, 2005.

    Examples
    --------
    L2 prefers weights that are spread out, L1 does not mind:

    >>> from sklinear.losses import elastic_net_penalty
    >>> elastic_net_penalty([1, 0, 0, 0]), elastic_net_penalty([0.25, 0.25, 0.25, 0.25])
    (0.5, 0.125)
    >>> elastic_net_penalty([0.25, 0.25, 0.25, 0.25], l1_ratio=1)
    1.0
    """
    coef = coef.toarray() if sp.issparse(coef) else coef
    penalty = ElasticNet(alpha * l1_ratio, alpha * (1 - l1_ratio))
    return penalty.value(np.asarray(coef, dtype=np.float64))


def _weights(sample_weight, scores, reduction):
    """Weights of the sum, that sum to one for a mean."""
    weights = check_weights(sample_weight, scores)
    if reduction == "none":
        return weights
    weights = weights / weights.max()
    return weights / weights.sum()


def _value(loss, sample_values, scores, y, labels, sample_weight, reduction):
    scores = check_scores(scores)
    columns, weights = check_columns(y, scores, labels), _weights(sample_weight, scores, reduction)
    if reduction == "mean":
        return float(loss.value_and_dual(scores, columns, weights)[0])
    return (weights * sample_values(scores, columns)).astype(scores.dtype, copy=False)


def _gradient(loss, scores, y, labels, sample_weight, reduction):
    scores = check_scores(scores)
    columns, weights = check_columns(y, scores, labels), _weights(sample_weight, scores, reduction)
    _, gradient = loss.value_and_dual(scores, columns, weights)
    gradient *= weights[:, np.newaxis]
    return gradient


# The kernels give a sum over samples and the gradient of each; the gradient holds what the
# loss of each is made of.


def _violations(scores, columns):
    """max(0, 1 + z_k - z_y) of the wrong classes: half the gradient of the squared hinge."""
    _, gradient = SquaredHinge().value_and_dual(scores, columns, np.ones(len(columns)))
    return np.maximum(gradient, 0.0) / 2


def _hinges(scores, columns):
    return _violations(scores, columns).sum(axis=1)


def _squared_hinges(scores, columns):
    return np.square(_violations(scores, columns)).sum(axis=1)


def _cross_entropies(scores, columns):
    """z_top - z_y - log q_top, top the largest score: neither of the two terms is negative."""
    _, gradient = CrossEntropy().value_and_dual(scores, columns, np.ones(len(columns)))
    rows, top = np.arange(len(columns)), scores.argmax(axis=1)
    gap = scores[rows, top].astype(np.float64) - scores[rows, columns]
    return gap - np.log1p(gradient[rows, top] - (top != columns))
