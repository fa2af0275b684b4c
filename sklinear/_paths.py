"""Optima along falling penalties, for users."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from ._base import BaseLinearClassifier, class_vectors
from ._interpolation import MANY
from ._messages import way_to_a_smaller_gap
from ._path import falling_alphas, solve_path
from ._softmax import SoftmaxClassifier
from ._svm import SVMClassifier
from ._threads import serial_blas

MOST_NAMED = 5  # alphas in a warning

CONSTRAINTS = {
    "X": ["array-like", "sparse matrix"],
    "y": ["array-like"],
    "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "eps": [Interval(Real, 0, 1, closed="neither")],
    "sample_weight": ["array-like", None],
} | {
    name: BaseLinearClassifier._parameter_constraints[name]
    for name in (
        "l1_ratio",
        "fit_intercept",
        "tol",
        "max_iter",
        "penalty_factor",
        "class_weight",
        "verbose",
    )
}


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def softmax_path(
    X,
    y,
    *,
    alphas=100,
    eps=1e-3,
    l1_ratio=0.0,
    fit_intercept=True,
    tol=1e-4,
    max_iter=1000,
    penalty_factor=None,
    class_weight=None,
    sample_weight=None,
    verbose=0,
):
    """Softmax classifiers for many alphas, each certified.

    The same optima as those of a `SoftmaxClassifier` for each alpha, for a few times the cost of
    one.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, float32 or float64, dense or CSR; others are converted once.
    y : array-like of shape (n_samples,)
        Class labels, of at least two classes.
    alphas : int or array-like of shape (n_alphas,), default=100
        Weights of the penalty, positive and all different; or how many, from the smallest
        alpha with all weights at zero to `eps` times that, in equal ratios.
    eps : float, default=1e-3
        Smallest alpha of that grid by its largest.
    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, in [0, 1]. At 0 no alpha has all weights at zero;
        the grid is then that of 1e-3.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    tol : float, default=1e-4
        Each duality gap is at most ``tol * F(0)``, with F(0) = log C.
    max_iter : int, default=1000
        Largest number of outer iterations for each alpha.
    penalty_factor : array-like of shape (n_features,), default=None
        Multiplies the penalty of each feature, all ones if None; a feature of factor 0 is not
        penalised at all. Positive ones lie between 1e-20 and 1e20, none below 1e-15 of the
        largest.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied into the sample weights.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights, some for every class in y; all ones if None.
    verbose : int, default=0
        If positive, print a table for each alpha at which iterations were needed.

    Returns
    -------
    path : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `alphas`, ndarray of shape (n_alphas,): falling.
        - `coefs`, ndarray of shape (n_alphas, C, n_features), or (n_alphas, 1, n_features) for
          two classes: weights, in the precision of X.
        - `intercepts`, ndarray of shape (n_alphas, C), or (n_alphas, 1) for two classes.
        - `classes`, ndarray of shape (C,): the class labels, sorted.
        - `objectives` and `dual_gaps`, ndarray of shape (n_alphas,): F(W, b), in single
          precision up to what rounding may cost, and a proved bound on F(W, b) - min F.
        - `n_iter`, ndarray of shape (n_alphas,): outer iterations; 0 where the optimum between
          two others was interpolated and its certificate was good enough. (`n_iter_` of the
          cross-validated estimators is 1 there, as scikit-learn asks of every `n_iter_`.)
        - `passes`, ndarray of shape (n_alphas,): over X, until the optimum for this alpha and
          all larger ones was known.

    Raises
    ------
    ValueError
        If the data or a parameter can't be used; the message names the value and the remedy.

    Warns
    -----
    ConvergenceWarning
        If duality gaps are above ``tol * F(0)``; it names the alphas.

    See Also
    --------
    svm_path : The same for the hinge and the squared hinge.
    SoftmaxClassifier : One alpha.

    Notes
    -----
    The smallest alpha with all weights at zero is ``max |A| / l1_ratio``, A the gradient of the
    mean loss in the weights at W = 0 with the best intercept. Solved is the problem for some
    alphas; between two of them weights W, scores Z, dual point G and its correlations A are
    interpolated, and whether that is good enough is seen from the duality gap at each alpha,
    for which X is not needed.

    References
    ----------
    Ndiaye, Le, Fercoq, Salmon and Takeuchi, Safe grid search with optimal complexity, ICML 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import softmax_path
    >>> X, y = load_iris(return_X_y=True)
    >>> path = softmax_path(X, y, alphas=20, l1_ratio=1.0)
    >>> path.coefs.shape
    (20, 3, 4)
    >>> [int((path.coefs[i] != 0).sum()) for i in (0, 5, 19)]
    [0, 2, 6]
    """
    model = SoftmaxClassifier(
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        tol=tol,
        max_iter=max_iter,
        penalty_factor=penalty_factor,
        class_weight=class_weight,
        verbose=verbose,
    )
    return _path(model, X, y, sample_weight, alphas, eps)


@validate_params(
    CONSTRAINTS | {"loss": SVMClassifier._parameter_constraints["loss"]},
    prefer_skip_nested_validation=True,
)
def svm_path(
    X,
    y,
    *,
    loss="hinge",
    alphas=100,
    eps=1e-3,
    l1_ratio=0.0,
    fit_intercept=True,
    tol=1e-4,
    max_iter=1000,
    penalty_factor=None,
    class_weight=None,
    sample_weight=None,
    verbose=0,
):
    """Support vector machines for many alphas, each certified.

    The same optima as those of an `SVMClassifier` for each alpha, for less than they cost.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, float32 or float64, dense or CSR; others are converted once.
    y : array-like of shape (n_samples,)
        Class labels, of at least two classes.
    loss : {"hinge", "squared_hinge"}, default="hinge"
        The hinge, or its square for each wrong class.
    alphas : int or array-like of shape (n_alphas,), default=100
        Weights of the penalty, positive and all different; or how many, from the smallest
        alpha with all weights at zero to `eps` times that, in equal ratios.
    eps : float, default=1e-3
        Smallest alpha of that grid by its largest.
    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, in [0, 1]. At 0 no alpha has all weights at zero;
        the grid is then that of 1e-3.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    tol : float, default=1e-4
        Each duality gap is at most ``tol * F(0)``, with F(0) = C - 1.
    max_iter : int, default=1000
        Largest number of outer iterations for each alpha.
    penalty_factor : array-like of shape (n_features,), default=None
        Multiplies the penalty of each feature, all ones if None; a feature of factor 0 is not
        penalised at all. Positive ones lie between 1e-20 and 1e20, none below 1e-15 of the
        largest.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied into the sample weights.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights, some for every class in y; all ones if None.
    verbose : int, default=0
        If positive, print a table for each alpha at which iterations were needed.

    Returns
    -------
    path : :class:`~sklearn.utils.Bunch`
        With the attributes alphas, coefs, intercepts, classes, objectives, dual_gaps, n_iter
        and passes, as `softmax_path` describes them.

    Raises
    ------
    ValueError
        If the data or a parameter can't be used; the message names the value and the remedy.

    Warns
    -----
    ConvergenceWarning
        If duality gaps are above ``tol * F(0)``; it names the alphas.

    See Also
    --------
    softmax_path : The same for the cross-entropy.
    SVMClassifier : One alpha.

    Notes
    -----
    The dual point of the hinge is free where a violation is exactly zero. Its smallest
    ``max |A|`` at W = 0 is found by a linear program, exactly where at most some thousand dual
    variables are free; else a few free ones of a class (and of the same values of all features
    with a `penalty_factor` of 0) are the same, and the grid begins at an upper bound of the
    smallest alpha with all weights at zero that have a penalty. That optimum need not be the
    only one there.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import svm_path
    >>> X, y = load_iris(return_X_y=True)
    >>> path = svm_path(X, y, alphas=[1.0, 0.01, 0.1], loss="squared_hinge")
    >>> path.alphas
    array([1.  , 0.1 , 0.01])
    >>> bool((path.dual_gaps <= 1e-4 * 2).all())
    True
    """
    model = SVMClassifier(
        loss=loss,
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        tol=tol,
        max_iter=max_iter,
        penalty_factor=penalty_factor,
        class_weight=class_weight,
        verbose=verbose,
    )
    return _path(model, X, y, sample_weight, alphas, eps)


def _path(model, X, y, sample_weight, alphas, eps):
    """The path of the problem that a model with another alpha poses."""
    problem, classes = model._prepare(X, y, sample_weight)
    dtype, rows = problem.data.dtype, []
    with serial_blas:
        grid = falling_alphas(alphas, problem, model.l1_ratio, eps)
        d, n_classes = problem.shape
        n_vectors = 1 if n_classes == 2 else n_classes
        coefs = np.zeros((len(grid), d, n_vectors), dtype)
        intercepts = np.empty((len(grid), n_vectors), dtype)
        solutions = solve_path(
            problem,
            grid,
            model.l1_ratio,
            tol=model.tol,
            max_iter=model.max_iter,
            dtype=dtype,
            verbose=model.verbose,
        )
        for i, solution in enumerate(solutions):
            intercepts[i] = put(coefs[i], solution.iterate)
            gaps, passes = solution.history["gap"], solution.history["passes"]
            reached = solution.objective, solution.gap, solution.converged
            rows.append((*reached, len(gaps) - 1, passes[-1]))
    objectives, gaps, converged, n_iter, passes = map(np.array, zip(*rows, strict=True))
    target = model.tol * problem.value_at_zero
    _warn_of_gaps(grid[~converged], target, gaps.max(), n_iter, model, coefs.dtype)
    return Bunch(
        alphas=grid,
        coefs=coefs.transpose(0, 2, 1),
        intercepts=intercepts,
        classes=classes,
        objectives=objectives,
        dual_gaps=gaps,
        n_iter=n_iter,
        passes=np.maximum.accumulate(passes),
    )


def put(place, iterate):
    """Write weights over zeros (d, n_vectors), and return the intercepts.

    Pages of memory without weights stay untouched.
    """
    used = iterate.used if len(iterate.used) < MANY * len(place) else slice(None)
    coef, intercept = class_vectors(iterate, used)
    place[used] = coef.T
    return intercept


def _warn_of_gaps(alphas, target, largest, n_iter, model, dtype):
    if len(alphas) == 0:
        return
    named = ", ".join(f"{alpha:.3g}" for alpha in alphas[:MOST_NAMED])
    named += ", ..." if len(alphas) > MOST_NAMED else ""
    remedy = way_to_a_smaller_gap(n_iter.max(), model.max_iter, dtype)
    warnings.warn(
        f"For {len(alphas)} alphas ({named}) duality gaps are above the target tol * F(0) = "
        f"{target:.3g} (tol={model.tol:g}); the largest is {largest:.3g}. To reach it, {remedy}; "
        "or accept these gaps by a larger tol, or leave out the smallest alphas.",
        ConvergenceWarning,
        stacklevel=5,
    )
