"""Weights of features against alpha."""

import inspect
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from .._base import BaseLinearClassifier
from .._base_cv import CrossValidated
from .._messages import plain
from .._paths import softmax_path, svm_path
from .._svm import SVMClassifier
from ._alpha_axis import alpha_axis, features_axis, legend_below
from ._models import final_input, final_model
from ._style import COLORS, axes

LINESTYLES = ("-", "--", "-.", ":")


class CoefficientPathDisplay:
    """Weights of the features against alpha, which falls from left to right.

    The features that weigh most at the smallest alpha have colours and names, the others are
    grey. The number of features with a non-zero weight for any class stands above.

    Make it by `from_estimator` or `from_path`; the parameters become attributes.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Falling.
    coefs : ndarray of shape (n_alphas, C, n_features), or (n_alphas, 1, n_features)
        The weights at each alpha.
    classes : ndarray of shape (C,)
        The class labels.
    feature_names : array-like of shape (n_features,), default=None
        Names of the features; "feature 0" and so on if None.
    alpha : float, default=None
        An alpha to mark, for instance the one that cross-validation chose.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The weights.
    features_ax_ : matplotlib Axes
        The axis above, of the numbers of features.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Those with names, the largest final weight first.
    other_lines_ : matplotlib LineCollection
        Those of the other features with a non-zero weight somewhere.
    alpha_line_ : matplotlib Line2D or None
        The mark of `alpha`.

    See Also
    --------
    CVScoresDisplay : The scores of a cross-validation against alpha.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import softmax_path
    >>> from sklinear.plotting import CoefficientPathDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> path = softmax_path(X, y, alphas=20, l1_ratio=1.0)
    >>> names = ["sepal length", "sepal width", "petal length", "petal width"]
    >>> display = CoefficientPathDisplay.from_path(path, feature_names=names, label=2)
    >>> display.lines_[0].get_label()
    'petal width'
    >>> plt.close(display.figure_)
    """

    def __init__(self, alphas, coefs, classes, *, feature_names=None, alpha=None):
        self.alphas = alphas
        self.coefs = coefs
        self.classes = classes
        self.feature_names = feature_names
        self.alpha = alpha

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        alphas=100,
        eps=1e-3,
        feature_names=None,
        ax=None,
        **plot_params,
    ):
        """Compute the path of an estimator and draw it.

        Parameters
        ----------
        estimator : SoftmaxClassifier, SVMClassifier or a cross-validated one
            Gives l1_ratio, loss, tol and so on, and need not be fitted unless cross-validated;
            that one gives the l1_ratio and the alphas of its choice, and has its alpha marked.
            Or a fitted pipeline or search that ends with one: X then is what its steps make of
            the X given.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; all ones if None.
        alphas : int or array-like of shape (n_alphas,), default=100
            As in `softmax_path`; not used for a cross-validated estimator.
        eps : float, default=1e-3
            As in `softmax_path`.
        feature_names : array-like of shape (n_features,), default=None
            Names of the features; those of the columns of X if it is a DataFrame.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        CoefficientPathDisplay

        Raises
        ------
        NotFittedError
            If a pipeline, a search or a cross-validated estimator is not fitted.
        TypeError
            If the estimator is none of this package.
        """
        if not isinstance(estimator, BaseLinearClassifier):
            estimator, X = final_model(estimator), final_input(estimator, X)
        if not isinstance(estimator, BaseLinearClassifier):
            raise TypeError(
                f"{type(estimator).__name__} is no estimator of sklinear. Pass a "
                "SoftmaxClassifier, an SVMClassifier, a cross-validated one, or a fitted pipeline "
                "that ends with one."
            )
        if isinstance(estimator, CrossValidated):
            check_is_fitted(estimator, "alpha_")
        compute = svm_path if isinstance(estimator, SVMClassifier) else softmax_path
        names = inspect.signature(compute).parameters
        params = {k: v for k, v in estimator.get_params(deep=False).items() if k in names}
        chosen = getattr(estimator, "alpha_", None)
        if chosen is not None:
            alphas = estimator.alphas_[estimator.best_index_[0]]
            params["l1_ratio"] = estimator.l1_ratio_
        params.update(alphas=alphas, eps=eps, sample_weight=sample_weight)
        path = compute(X, y, **params)
        if feature_names is None:
            feature_names = getattr(X, "columns", None)
        return cls.from_path(path, feature_names=feature_names, alpha=chosen, ax=ax, **plot_params)

    @classmethod
    def from_path(cls, path, *, feature_names=None, alpha=None, ax=None, **plot_params):
        """Draw a path that was computed.

        Parameters
        ----------
        path : Bunch
            What `softmax_path` or `svm_path` returned.
        feature_names : array-like of shape (n_features,), default=None
            Names of the features.
        alpha : float, default=None
            An alpha to mark.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        CoefficientPathDisplay

        Raises
        ------
        TypeError
            If `path` is something else, a fitted estimator for instance.
        """
        missing = [name for name in ("alphas", "coefs", "classes") if not hasattr(path, name)]
        if missing:
            raise TypeError(
                f"path is a {type(path).__name__} without {', '.join(missing)}; give what "
                "softmax_path or svm_path returned, or use from_estimator with an estimator."
            )
        display = cls(
            path.alphas, path.coefs, path.classes, feature_names=feature_names, alpha=alpha
        )
        return display.plot(ax, **plot_params)

    @validate_params(
        {"n_named": [Interval(Integral, 0, None, closed="left")]},
        prefer_skip_nested_validation=True,
    )
    def plot(self, ax=None, *, label=None, n_named=6, **line_params):
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        label : object, default=None
            The class whose weights are drawn, one of `classes`. If None, the norms of the
            features' weights over the classes or, for two classes, the one weight of each.
        n_named : int, default=6
            How many features have a colour and a name.
        **line_params : dict
            Passed to the calls of `Axes.plot` for the named features.

        Returns
        -------
        CoefficientPathDisplay
            This object, with the attributes of what was drawn.

        Raises
        ------
        ValueError
            If there is no such class.
        """
        values, meaning = self._values(label)
        self.figure_, self.ax_ = axes(ax, f"{type(self).__name__}.plot")
        order = np.argsort(-np.abs(values[-1]), kind="stable")
        order = order[values[:, order].any(axis=0)]
        self.ax_.axhline(0, color="0.6", linewidth=0.8, zorder=1)
        self._draw_others(values[:, order[n_named:]])
        self.lines_ = [
            self._draw_named(number, feature, values[:, feature], line_params)
            for number, feature in enumerate(order[:n_named])
        ]
        self.alpha_line_ = None
        if self.alpha is not None:
            style = {"color": "black", "linewidth": 1, "linestyle": ":"}
            self.alpha_line_ = self.ax_.axvline(
                self.alpha, label=f"alpha = {self.alpha:.2g}", **style
            )
        alpha_axis(self.ax_, self.alphas)
        self.ax_.set_ylabel(meaning)
        counts = np.count_nonzero(self.coefs.any(axis=1), axis=1)
        self.features_ax_ = features_axis(self.ax_, self.alphas, counts)
        if self.lines_ or self.alpha_line_:
            legend_below(self.ax_)
        return self

    def _values(self, label):
        """What is drawn, (n_alphas, n_features), and what it is."""
        two = self.coefs.shape[1] == 1
        if label is None:
            if two:
                return self.coefs[:, 0], f"weight for class {self.classes[1]}"
            return np.linalg.norm(self.coefs, axis=1), "norm of the weights"
        place = np.flatnonzero(np.asarray(self.classes) == label)
        if not len(place):
            raise ValueError(
                f"label={plain(label)} is none of the classes {plain(list(self.classes))}."
            )
        meaning = f"weight for class {label}"
        if two:
            return self.coefs[:, 0] * (1 if place[0] else -1), meaning
        return self.coefs[:, place[0]], meaning

    def _draw_others(self, values):
        from matplotlib.collections import LineCollection

        lines = [np.column_stack([self.alphas, value]) for value in values.T]
        self.other_lines_ = LineCollection(lines, colors="0.75", linewidths=0.8, zorder=1.5)
        self.ax_.add_collection(self.other_lines_)

    def _draw_named(self, number, feature, values, line_params):
        names = self.feature_names
        style = {
            "color": COLORS[number % len(COLORS)],
            "linestyle": LINESTYLES[number % len(LINESTYLES)],
            "label": f"feature {feature}" if names is None else str(names[feature]),
        }
        return self.ax_.plot(self.alphas, values, **{**style, **line_params})[0]
