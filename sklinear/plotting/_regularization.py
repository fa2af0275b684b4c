"""Penalty balls and the contours of a loss in the plane of two weights."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _get_feature_names

from .._messages import plain
from .._objective import single
from ._style import COLORS, legend_outside, number, panels
from ._two_weights import (
    ball,
    loss_on_grid,
    penalty_factor,
    pose_two_weights,
    profiled_loss,
    solutions,
    steepest,
)

N_ALPHAS = 41
LARGEST, SMALLEST = 10.0, 1e-3  # alphas, of the steepest slope of the loss at zero weights
MARGIN = 0.15
N_LEVELS = 10
PANEL = 1.2, 0.0  # inches
NAMES = {0.0: "L2", 1.0: "L1"}


class RegularizationDisplay:
    """Penalty balls of L2, elastic net and L1, the contours of a loss, and where they touch.

    Two features and two classes make a problem of two weights. Each panel has one `l1_ratio`:
    the contours of the loss alone, the ball of all weights with no more penalty than the
    solution has, and the solutions for many alphas. Ball and contour touch at the solution: in
    the ball no weights have less loss. At a corner of the ball a weight is zero.

    Make it by `from_estimator`; the parameters become attributes.

    Parameters
    ----------
    x, y : ndarray of shape (resolution,)
        The first and the second weight.
    loss : ndarray of shape (resolution, resolution)
        The loss without penalty at ``(x[j], y[i])``, with the best intercept for these weights.
    alpha : float
        Where the balls are drawn.
    solutions : ndarray of shape (n_panels, 2)
        Weights at `alpha`.
    losses : ndarray of shape (n_panels,)
        The loss there.
    l1_ratios : ndarray of shape (n_panels,)
        Share of the L1 norm in each panel.
    alphas : ndarray of shape (n_alphas,)
        Of the paths.
    paths : ndarray of shape (n_panels, n_alphas, 2)
        Weights at these alphas.
    penalty_factor : array-like of shape (2,), default=(1.0, 1.0)
        Multiplies the penalty of each weight; positive.
    feature_names : tuple of str, default=("x0", "x1")
        What the weights belong to.

    Attributes
    ----------
    axes_ : ndarray of shape (n_panels,) of matplotlib Axes
    figure_ : matplotlib Figure
    contours_ : list of matplotlib ContourSet
        The loss.
    touching_contours_ : list of matplotlib ContourSet
        The contour of the loss that the solution lies on.
    balls_ : list of matplotlib Polygon
    paths_ : list of matplotlib Line2D
    zeros_ : list of matplotlib Line2D
        The points of the paths with a weight that is zero.
    solutions_ : list of matplotlib Line2D

    See Also
    --------
    LossLandscapeDisplay : The objective of any model on a plane.

    References
    ----------
    Hastie, Tibshirani and Friedman, The elements of statistical learning, 2009, figure 3.11.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.plotting import RegularizationDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = RegularizationDisplay.from_estimator(
    ...     SoftmaxClassifier(alpha=0.3), X[50:, 1:3], y[50:], l1_ratios=[1.0], resolution=11
    ... )
    >>> display.solutions[0].round(2) + 0.0  # L1 keeps one weight only
    array([0.  , 0.14])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        x,
        y,
        loss,
        *,
        alpha,
        solutions,
        losses,
        l1_ratios,
        alphas,
        paths,
        penalty_factor=(1.0, 1.0),
        feature_names=("x0", "x1"),
    ):
        self.x = x
        self.y = y
        self.loss = loss
        self.alpha = alpha
        self.solutions = solutions
        self.losses = losses
        self.l1_ratios = l1_ratios
        self.alphas = alphas
        self.paths = paths
        self.penalty_factor = penalty_factor
        self.feature_names = feature_names

    @classmethod
    @validate_params(
        {
            "l1_ratios": ["array-like"],
            "alphas": ["array-like", None],
            "resolution": [Interval(Integral, 2, None, closed="left")],
        },
        prefer_skip_nested_validation=False,  # `fit` checks its own
    )
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        l1_ratios=(0.0, 0.5, 1.0),
        alphas=None,
        resolution=41,
        ax=None,
    ):
        """Draw the problem that an estimator poses on data with two features and two classes.

        Parameters
        ----------
        estimator : SoftmaxClassifier or SVMClassifier
            Its loss is drawn, its `alpha` is that of the balls. It need not be fitted and stays
            as it is. Of a fitted cross-validated one, the model that it chose.
        X : {array-like, sparse matrix} of shape (n_samples, 2)
            Data; on a common scale, or the penalty treats the features unequally.
        y : array-like of shape (n_samples,)
            Labels of two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; all ones if None.
        l1_ratios : array-like of float, default=(0.0, 0.5, 1.0)
            A panel for each, in place of the estimator's own.
        alphas : array-like of float, default=None
            Of the solutions that are drawn; if None, 41 from where L1 keeps both weights zero
            to where the penalty hardly counts.
        resolution : int, default=41
            Points along each weight at which the loss is computed.
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: an axes for each l1_ratio, or a single one to be divided. A new figure
            if None.

        Returns
        -------
        RegularizationDisplay

        Raises
        ------
        TypeError
            If the estimator is none of this package.
        ValueError
            If there are not two features and two classes, or other input can't be used.

        Notes
        -----
        Contours are of L(v) = min over b of sum_i p_i loss(x_i v + b, y_i), one search for b
        per point: the time grows with ``n_samples * resolution**2``. Each alpha and l1_ratio
        costs a fit.
        """
        estimator = single(estimator)
        problem, l1_ratios = pose_two_weights(estimator, X, y, sample_weight), _ratios(l1_ratios)
        factor = penalty_factor(problem)
        if alphas is None:
            alphas = steepest(problem) * np.geomspace(LARGEST, SMALLEST, N_ALPHAS)
        alphas, data = np.sort(np.asarray(alphas, dtype=float))[::-1], (X, y, sample_weight)
        paths = np.array([solutions(estimator, data, alphas, ratio) for ratio in l1_ratios])
        at_alpha = [solutions(estimator, data, [estimator.alpha], ratio)[0] for ratio in l1_ratios]
        grid = _around(paths, at_alpha, l1_ratios, factor, resolution)
        display = cls(
            *grid,
            loss_on_grid(problem, *grid),
            alpha=estimator.alpha,
            solutions=np.array(at_alpha),
            losses=np.array([profiled_loss(problem, v) for v in at_alpha]),
            l1_ratios=l1_ratios,
            alphas=alphas,
            paths=paths,
            penalty_factor=factor,
            feature_names=_feature_names(X),
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: an axes for each l1_ratio, or a single one to be divided. A new figure
            if None.

        Returns
        -------
        RegularizationDisplay
            This object, with the attributes of what was drawn.
        """
        n_panels = len(self.l1_ratios)
        name = f"{type(self).__name__}.plot"
        self.figure_, self.axes_ = panels(ax, name, n_panels, n_panels, PANEL)
        self.contours_ = [self._draw_loss(panel) for panel in self.axes_]
        numbered = list(enumerate(self.axes_))
        self.touching_contours_ = [self._draw_touching(panel, row) for row, panel in numbered]
        self.balls_ = [self._draw_ball(panel, row) for row, panel in numbered]
        self.paths_ = [self._draw_path(panel, row) for row, panel in numbered]
        self.zeros_ = [self._draw_zeros(panel, row) for row, panel in numbered]
        self.solutions_ = [self._draw_solution(panel, row) for row, panel in numbered]
        for row, panel in numbered:
            self._finish(panel, row)
        legend_outside(self.figure_, self._handles())
        return self

    def _draw_loss(self, panel):
        """Evenly spaced rings of a quadratic bowl."""
        low, high = self.loss.min(), self.loss.max()
        levels = low + (high - low) * np.linspace(0, 1, N_LEVELS + 1)[1:-1] ** 2
        style = {"colors": "0.6", "linewidths": 0.7, "zorder": 1}
        return panel.contour(self.x, self.y, self.loss, levels=levels, **style)

    def _draw_touching(self, panel, row):
        style = {"colors": COLORS[1], "linewidths": 1.5, "linestyles": "--", "zorder": 2}
        return panel.contour(self.x, self.y, self.loss, levels=[self.losses[row]], **style)

    def _draw_ball(self, panel, row):
        factor = np.asarray(self.penalty_factor)
        points = ball(self.solutions[row], self.l1_ratios[row], factor)
        style = {"facecolor": COLORS[5] + "60", "edgecolor": COLORS[0], "linewidth": 1.5}
        return panel.fill(*points.T, zorder=1.5, label="penalty ball", **style)[0]

    def _draw_path(self, panel, row):
        style = {"color": "black", "marker": ".", "markersize": 3, "linewidth": 1, "zorder": 3}
        ends = f"{number(self.alphas[0], 2)} to {number(self.alphas[-1], 2)}"
        return panel.plot(*self.paths[row].T, label=f"alpha {ends}", **style)[0]

    def _draw_zeros(self, panel, row):
        path = self.paths[row]
        style = {"color": "black", "marker": "s", "linestyle": "none", "markersize": 4}
        style.update(markerfacecolor="white", zorder=3.5, label="a weight is zero")
        return panel.plot(*path[(path == 0).any(axis=1)].T, **style)[0]

    def _draw_solution(self, panel, row):
        style = {"marker": "*", "linestyle": "none", "color": COLORS[4], "markersize": 11}
        style.update(
            markeredgecolor="black", zorder=4, label=f"solution, alpha = {number(self.alpha)}"
        )
        return panel.plot(*self.solutions[row], **style)[0]

    def _finish(self, panel, row):
        ratio = self.l1_ratios[row]
        name = NAMES.get(ratio, "elastic net")
        panel.set_title(f"{name}\nl1_ratio = {number(ratio)}", fontsize="small")
        panel.set(xlim=self.x[[0, -1]], ylim=self.y[[0, -1]], aspect="equal")
        panel.axhline(0, color="0.75", linewidth=0.7, zorder=0.5)
        panel.axvline(0, color="0.75", linewidth=0.7, zorder=0.5)
        panel.tick_params(labelsize="small", labelleft=row == 0)
        if row == (len(self.l1_ratios) - 1) // 2:
            panel.set_xlabel(f"weight of {self.feature_names[0]}", fontsize="small")
        if row == 0:
            panel.set_ylabel(f"weight of\n{self.feature_names[1]}", fontsize="small")

    def _handles(self):
        from matplotlib.lines import Line2D

        return [
            Line2D([], [], color="0.6", linewidth=0.7, label="loss"),
            Line2D([], [], color=COLORS[1], linestyle="--", label="loss at the solution"),
            self.balls_[0],
            self.solutions_[0],
            self.paths_[0],
            self.zeros_[0],
        ]


def _feature_names(X):
    names = _get_feature_names(X)
    return ("x0", "x1") if names is None else tuple(names)


def _ratios(l1_ratios):
    ratios = np.asarray(l1_ratios, dtype=float)
    if ratios.ndim != 1 or not len(ratios) or not ((ratios >= 0) & (ratios <= 1)).all():
        raise ValueError(
            f"l1_ratios is {plain(l1_ratios)}; it must hold one or more numbers from 0 (L2) to "
            "1 (L1)."
        )
    return ratios


def _around(paths, at_alpha, l1_ratios, factor, resolution):
    """Coordinates (x, y) of a square that holds all paths and balls, with a margin."""
    balls = [ball(point, ratio, factor) for point, ratio in zip(at_alpha, l1_ratios, strict=True)]
    points = np.vstack([*paths, *balls])
    low, high = points.min(axis=0), points.max(axis=0)
    reach = (0.5 + MARGIN) * ((high - low).max() or 1.0)
    return [np.linspace(c - reach, c + reach, resolution) for c in (low + high) / 2]
