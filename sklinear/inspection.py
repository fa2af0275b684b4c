"""The objective of a model, its gradient and its certificate; gradients held against differences.

All take a `SoftmaxClassifier` or an `SVMClassifier`, fitted or not, and data.  A fitted model
knows its classes and features, so it can be held against other data than it was fitted on; one
that is not takes them from the data.
"""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from . import _objective
from ._base import BaseLinearClassifier
from ._certificate import certify_at_best
from ._gradient_check import GradientCheck, compare, entries, kinks_within, sample_indices
from ._objective import class_weights, point, pose, shaped
from ._problem import Iterate
from ._threads import serial_blas

__all__ = [
    "Certificate",
    "GradientCheck",
    "certificate",
    "check_estimator_gradient",
    "check_gradient",
    "objective",
    "objective_gradient",
]

SHARPNESS = 100.0  # of the smoothed hinge whose dual point stands for the hinge's

checked = validate_params(
    {
        "n_coordinates": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)


@dataclass(frozen=True)
class Certificate:
    """What is proved of a model on some data.

    Attributes
    ----------
    objective : float
        F(W, b).
    dual_gap : float
        At least F(W, b) - min F.
    """

    objective: float
    dual_gap: float

    @property
    def lower_bound(self):
        """No weights and intercept have an objective below this."""
        return self.objective - self.dual_gap


def objective(estimator, X, y, *, sample_weight=None, coef=None, intercept=None):
    """F(W, b), the mean loss plus the penalty, that a fit of the estimator minimises.

    Parameters
    ----------
    estimator : SoftmaxClassifier or SVMClassifier
        Fitted or not; its parameters say what the problem is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,)
        Labels. A fitted estimator knows its classes: y need not have all, and may have no others.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None. The estimator's `class_weight` counts too.
    coef : array-like of shape (n_classes, n_features), or (1, n_features), default=None
        Weights, laid out as `coef_`; `coef_` of a fitted estimator or else zeros if None.
    intercept : array-like of shape (n_classes,), or (1,), default=None
        The same for `intercept_`.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If the estimator is none of this package.
    ValueError
        If data, weights or a parameter can't be used; the message names the value and the remedy.

    See Also
    --------
    objective_gradient : Its derivatives.
    sklinear.losses : The losses alone, of scores.

    Notes
    -----
    The formula is in the documentation of the estimators. On the data of the fit it is the
    model's `objective_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SVMClassifier
    >>> from sklinear.inspection import objective
    >>> X, y = load_iris(return_X_y=True)
    >>> objective(SVMClassifier(), X, y)  # at zero weights C - 1
    2.0
    >>> model = SVMClassifier(alpha=1e-2).fit(X[::2], y[::2])
    >>> bool(objective(model, X[1::2], y[1::2]) > model.objective_)
    True
    """
    problem = pose(estimator, X, y, sample_weight)
    with serial_blas:
        return _objective.value(problem, *point(estimator, problem, coef, intercept))


def objective_gradient(estimator, X, y, *, sample_weight=None, coef=None, intercept=None):
    """Derivatives of the objective F(W, b) in the weights and the intercept.

    Parameters
    ----------
    estimator : SoftmaxClassifier or SVMClassifier
        Fitted or not; its parameters say what the problem is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,)
        Labels. A fitted estimator knows its classes: y need not have all, and may have no others.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None. The estimator's `class_weight` counts too.
    coef : array-like of shape (n_classes, n_features), or (1, n_features), default=None
        Weights, laid out as `coef_`; `coef_` of a fitted estimator or else zeros if None.
    intercept : array-like of shape (n_classes,), or (1,), default=None
        The same for `intercept_`.

    Returns
    -------
    coef_gradient : ndarray of shape (n_classes, n_features), or (1, n_features)
        In float64.
    intercept_gradient : ndarray of shape (n_classes,), or (1,)
        Zero if `fit_intercept` is False.

    Raises
    ------
    TypeError
        If the estimator is none of this package.
    ValueError
        If data, weights or a parameter can't be used; the message names the value and the remedy.

    See Also
    --------
    objective : The objective itself.
    check_estimator_gradient : This gradient beside difference quotients.

    Notes
    -----
    At a kink it is the natural subgradient: a hinge with 1 + z_k = z_y has slope 0, and so has
    ``|w|`` at w = 0. It need not vanish at a minimum there.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.inspection import objective_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1e-2, tol=1e-10).fit(X, y)
    >>> coef_gradient, intercept_gradient = objective_gradient(model, X, y)
    >>> coef_gradient.shape, intercept_gradient.shape
    ((3, 4), (3,))
    >>> bool(np.abs(coef_gradient).max() < 1e-6)
    True
    """
    problem = pose(estimator, X, y, sample_weight)
    with serial_blas:
        return _objective.gradient(problem, *point(estimator, problem, coef, intercept))


def certificate(estimator, X, y, *, sample_weight=None):
    """A duality gap for the weights and intercept of a model, computed afresh.

    It trusts nothing that the fit reported: any dual point proves a bound.

    Parameters
    ----------
    estimator : SoftmaxClassifier or SVMClassifier
        Fitted or not; its parameters say what the problem is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,)
        Labels. A fitted estimator knows its classes: y need not have all, and may have no others.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None. The estimator's `class_weight` counts too.

    Returns
    -------
    Certificate
        With `objective`, `dual_gap` and `lower_bound`. The gap is at least F(W, b) - min F for
        exactly the model's weights and intercept (zeros if it is not fitted).

    Raises
    ------
    TypeError
        If the estimator is none of this package.
    ValueError
        If data, weights or a parameter can't be used; the message names the value and the remedy.

    Notes
    -----
    The dual point is the gradient of the loss at the scores, with the intercept at its best for
    these weights, balanced and scaled (the intercept moves for the dual point only). How near
    this bound comes to `dual_gap_`, for which the fit kept better dual points, depends on loss
    and penalty:

    - With L2 alone, the softmax's and the squared hinge's is about `dual_gap_` or below it: it goes
      to zero as the squared distance to the optimum.
    - **With an L1 part it is looser**, the more so the smaller ``alpha * (1 - l1_ratio)``, by which
      a square is divided; with L1 alone it goes to zero as the distance itself. For iris and
      digits at tol=1e-4 or 1e-6 it is 1 to some hundred times `dual_gap_` for an elastic net, and
      for L1 mostly 10 to 1e5 times.
    - **For the hinge it stays loose, however good the model is** (1e-4 to 1e-2 of F(0) there): the
      weights do not tell the dual variables of the samples on the margin, and the dual point of
      a smoothed hinge stands in.

    A fit with ``warm_start=True`` keeps its own dual point. If the labels are the same, it is
    tried too, and the bound is about `dual_gap_` for every loss and penalty.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.inspection import certificate
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1e-2, tol=1e-8).fit(X, y)
    >>> found = certificate(model, X, y)
    >>> bool(abs(found.objective - model.objective_) < 1e-12), bool(found.dual_gap < 1e-7)
    (True, True)
    """
    problem = pose(estimator, X, y, sample_weight)
    coef, intercept = class_weights(*point(estimator, problem))
    with serial_blas:
        scores = problem.scores(coef, intercept)
        duals = [_natural_dual(problem, coef, intercept, scores)]
        kept_labels, kept = getattr(estimator, "_warm_dual", (None, None))
        if np.array_equal(kept_labels, problem.labels):
            duals.append(problem.balanced(problem.loss.clip(kept.copy(), problem.labels)))
        iterates = [
            Iterate(coef, intercept, scores, dual, problem.correlate(dual)) for dual in duals
        ]
        best = min((certify_at_best(problem, it) for it in iterates), key=lambda one: one.gap)
    return Certificate(best.objective, best.gap)


@checked
def check_gradient(fun, gradient, x, *, n_coordinates=50, step=1e-6, tol=1e-6, random_state=None):
    """Hold a gradient of your own against difference quotients of its function.

    ``check_gradient(estimator, X, y)`` is short for `check_estimator_gradient`, which has more
    parameters.

    Parameters
    ----------
    fun : callable, or SoftmaxClassifier or SVMClassifier
        ``fun(x)`` is the value at an array shaped as `x`, in float64; or an estimator.
    gradient : callable, or {array-like, sparse matrix} of shape (n_samples, n_features)
        ``gradient(x)`` has the derivatives, shaped as `x`; for an estimator X.
    x : array-like of any shape
        Where to check; for an estimator y.
    n_coordinates : int, default=50
        So many coordinates are drawn; all of them if there are fewer.
    step : float, default=1e-6
        Step of the quotients, times ``max(1, |x_j|)``.
    tol : float, default=1e-6
        Largest relative error of a gradient that passes.
    random_state : int, RandomState instance or None, default=None
        Seed of what is drawn.

    Returns
    -------
    GradientCheck
        Has `passed`, `max_relative_error`, arrays of all coordinates, and prints as a table.

    Raises
    ------
    TypeError
        If `fun` or `gradient` is not a function.
    ValueError
        If a shape, a value or a parameter can't be used; the message says which and the remedy.

    See Also
    --------
    check_estimator_gradient : The same for an estimator of this package.

    Notes
    -----
    - The quotients are centred, with steps h and h/2, combined to order h^4.
    - A kink within a step (of a hinge, of ``|w|`` at 0) is found by the slopes on both sides, which
      differ without getting nearer as the step shrinks. What the quotient says there means
      nothing, so such coordinates are flagged and don't count.
    - The relative error is ``|analytic - numeric|`` by the larger of both. A difference of at most
      ``256 eps |fun(x)| / h`` may come from rounding of the value: there it is taken as a part of
      that, and is below `tol`.
    - Check at random weights: a missing penalty does not show at zero weights, nor where alpha is
      so small that it is below `tol`.

    Examples
    --------
    A student's hinge whose gradient forgets the penalty:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SVMClassifier
    >>> from sklinear.inspection import check_gradient, objective, objective_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SVMClassifier(alpha=0.1)
    >>> W = np.random.default_rng(0).normal(size=(3, 4))
    >>> def fun(W):
    ...     return objective(model, X, y, coef=W)
    >>> def gradient(W):
    ...     return objective_gradient(model, X, y, coef=W)[0]
    >>> check_gradient(fun, gradient, W, random_state=0).passed
    True
    >>> check_gradient(fun, lambda W: gradient(W) - 0.1 * W, W, random_state=0).passed
    False
    """
    if isinstance(fun, BaseLinearClassifier):
        return check_estimator_gradient(
            fun,
            gradient,
            x,
            n_coordinates=n_coordinates,
            step=step,
            tol=tol,
            random_state=random_state,
        )
    if not (callable(fun) and callable(gradient)):
        raise TypeError(
            f"fun is a {type(fun).__name__} and gradient a {type(gradient).__name__}; both must be "
            "functions of x. For an estimator call check_estimator_gradient(estimator, X, y)."
        )
    x = np.array(x, dtype=np.float64)
    if not (x.size and np.isfinite(x).all()):
        raise ValueError(
            f"x has the shape {x.shape} and {np.count_nonzero(~np.isfinite(x))} entries that are "
            "not finite; pass at least one number, all finite."
        )
    indices = sample_indices(x.shape, n_coordinates, check_random_state(random_state))
    steps = step * np.maximum(1.0, np.abs(entries(x, indices)))
    names = [f"x[{', '.join(map(str, index))}]" for index in indices]

    def value(x):
        return _scalar(fun(x))

    def slopes(x):
        return shaped(gradient(x), x.shape, "gradient(x)")

    return compare(value, slopes, x, indices, steps, tol, names=names)


@checked
def check_estimator_gradient(
    estimator,
    X,
    y,
    *,
    sample_weight=None,
    coef=None,
    intercept=None,
    n_coordinates=50,
    step=1e-6,
    tol=1e-6,
    random_state=None,
):
    """Hold the gradient of an estimator's objective against difference quotients of it.

    Parameters
    ----------
    estimator : SoftmaxClassifier or SVMClassifier
        Fitted or not; its parameters say what the problem is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,)
        Labels. A fitted estimator knows its classes: y need not have all, and may have no others.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; all ones if None. The estimator's `class_weight` counts too.
    coef : array-like of shape (n_classes, n_features), or (1, n_features), default=None
        Where to check; random weights, with scores of about one, if None.
    intercept : array-like of shape (n_classes,), or (1,), default=None
        Random if None.
    n_coordinates : int, default=50
        So many coordinates are drawn; all of them if there are fewer.
    step : float, default=1e-6
        Step of the quotients, times the size of the weight or, if that is larger, by the root
        mean square of its feature; for the intercept times ``max(1, |b|)``.
    tol : float, default=1e-6
        Largest relative error of a gradient that passes.
    random_state : int, RandomState instance or None, default=None
        Seed of what is drawn.

    Returns
    -------
    GradientCheck
        Has `passed`, `max_relative_error`, arrays of all coordinates, and prints as a table.

    Raises
    ------
    TypeError
        If the estimator is none of this package.
    ValueError
        If a shape, a value or a parameter can't be used; the message says which and the remedy.

    See Also
    --------
    check_gradient : The same for a function and a gradient of your own.
    objective_gradient : The gradient.

    Notes
    -----
    The intercept is the last column of the array that `indices` refer to. Kinks are known
    exactly: a coordinate is near one if within a step a violation 1 + z_k - z_y of some sample
    changes its sign (for the hinge; the squared hinge's second derivative jumps there), or, with
    an L1 part, the weight its own. At a fitted hinge nearly all are, so the default is a random
    point.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SVMClassifier
    >>> from sklinear.inspection import check_estimator_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> check = check_estimator_gradient(SVMClassifier(l1_ratio=0.5), X, y, random_state=0)
    >>> check.passed, check.max_relative_error < 1e-6
    (True, True)
    """
    problem, rng = pose(estimator, X, y, sample_weight), check_random_state(random_state)
    scale = np.sqrt(problem.mean_squares)
    scale[scale == 0] = 1.0
    coef, intercept = _draw(estimator, problem, coef, intercept, scale, rng)
    parameters = np.column_stack([coef, intercept]) if problem.fit_intercept else coef

    def split(parameters):
        return parameters[:, : len(scale)], parameters[:, len(scale) :].sum(axis=1)

    indices = sample_indices(parameters.shape, n_coordinates, rng)
    unit = 1 / np.append(scale, 1.0)[indices[:, 1]]
    steps = step * np.maximum(unit, np.abs(entries(parameters, indices)))
    with serial_blas:
        scores = problem.scores(*class_weights(coef, intercept))
        return compare(
            lambda parameters: _objective.value(problem, *split(parameters)),
            lambda parameters: np.column_stack(_objective.gradient(problem, *split(parameters))),
            parameters,
            indices,
            steps,
            tol,
            names=[_name(k, j, len(scale)) for k, j in indices],
            near_kink=kinks_within(problem, scores, parameters, indices, steps),
        )


def _draw(estimator, problem, coef, intercept, scale, rng):
    """Random weights and intercept where none are given."""
    n_rows = 1 if problem.n_classes == 2 else problem.n_classes
    if coef is None:
        coef = rng.normal(size=(n_rows, len(scale))) / (scale * np.sqrt(len(scale)))
    if intercept is None:
        intercept = problem.fit_intercept * rng.normal(size=n_rows)
    return point(estimator, problem, coef, intercept)


def _scalar(value):
    """A number in double precision."""
    value = np.asarray(value)
    if value.size != 1 or value.dtype in (np.float32, np.float16):
        raise ValueError(
            f"fun(x) has the shape {value.shape} and dtype {value.dtype}; it must be one number "
            "in float64. Sum over the samples, and compute in float64: differences of float32 "
            "numbers have no digits left."
        )
    return float(value.reshape(()))


def _name(k, j, n_features):
    return f"coef_[{k}, {j}]" if j < n_features else f"intercept_[{k}]"


def _natural_dual(problem, coef, intercept, scores):
    """The balanced dual point that scores give, with the best intercept for the weights."""
    loss = problem.loss
    if not loss.smooth:
        loss = loss.smoothed(np.full_like(scores, 0.5), SHARPNESS)
    return problem.with_loss(loss).evaluate(coef, intercept, scores.copy()).dual
