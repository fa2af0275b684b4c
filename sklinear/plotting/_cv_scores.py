"""Scores of a cross-validation against alpha."""

import numpy as np
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from .._selection import best_index, one_standard_error_index
from ._alpha_axis import alpha_axis, features_axis, legend_below
from ._style import COLORS, axes

LINESTYLES = ("-", "--", "-.", ":")


class CVScoresDisplay:
    """Mean score of the folds with its standard error against alpha.

    Alpha falls from left to right, so models grow from simple to complex, and the number of
    features with a non-zero weight (the median over the folds) stands above. The best alpha and
    the one that the rule of one standard error takes are marked.

    Make it by `from_estimator`; the parameters become attributes.

    Parameters
    ----------
    alphas : ndarray of shape (n_l1_ratios, n_alphas)
        Falling along the rows.
    mean_scores, std_error : ndarray of shape (n_l1_ratios, n_alphas)
        Mean over the folds and its standard error.
    l1_ratios : ndarray of shape (n_l1_ratios,)
        The share of the L1 norm of each row.
    n_features : ndarray of shape (n_l1_ratios, n_alphas), default=None
        Number of features with a non-zero weight.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The scores.
    features_ax_ : matplotlib Axes or None
        The axis above, of the numbers of features.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The means, one line for each l1_ratio.
    std_error_ : matplotlib PolyCollection, ErrorbarContainer or None
        The standard error at the best l1_ratio.
    best_line_, one_standard_error_line_ : matplotlib Line2D
        The marks of the two alphas.

    See Also
    --------
    CoefficientPathDisplay : The weights against alpha.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984, section
    3.4.3 (the rule of one standard error).

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifierCV
    >>> from sklinear.plotting import CVScoresDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifierCV(alphas=20, l1_ratios=[1.0]).fit(X, y)
    >>> display = CVScoresDisplay.from_estimator(model)
    >>> display.ax_.get_ylabel()
    'neg_log_loss'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, alphas, mean_scores, std_error, l1_ratios, *, n_features=None, score_name="score"
    ):
        self.alphas = alphas
        self.mean_scores = mean_scores
        self.std_error = std_error
        self.l1_ratios = l1_ratios
        self.n_features = n_features
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, *, score_name=None, ax=None, **plot_params):
        """Draw the scores of a cross-validated estimator.

        Parameters
        ----------
        estimator : SoftmaxClassifierCV or SVMClassifierCV
            Fitted.
        score_name : str, default=None
            What the scores are; the name of the scoring if None.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        CVScoresDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not cross-validated.
        """
        if not hasattr(estimator, "_default_scoring"):
            raise TypeError(
                f"{type(estimator).__name__} has no scores of folds. Pass a fitted "
                "SoftmaxClassifierCV or SVMClassifierCV."
            )
        check_is_fitted(estimator, "mean_scores_")
        scoring = estimator.scoring or estimator._default_scoring
        display = cls(
            estimator.alphas_,
            estimator.mean_scores_,
            estimator.std_error_,
            estimator.l1_ratios_,
            n_features=np.median(estimator.n_nonzero_features_, axis=0),
            score_name=score_name or (scoring if isinstance(scoring, str) else "score"),
        )
        return display.plot(ax, **plot_params)

    @validate_params(
        {
            "std_display_style": [StrOptions({"errorbar", "fill_between"}), None],
            "show_n_features": ["boolean"],
        },
        prefer_skip_nested_validation=True,
    )
    def plot(
        self, ax=None, *, std_display_style="fill_between", show_n_features=True, **line_params
    ):
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        std_display_style : {"fill_between", "errorbar"} or None, default="fill_between"
            How the standard error is drawn.
        show_n_features : bool, default=True
            Whether to write the numbers of features above.
        **line_params : dict
            Passed to the calls of `Axes.plot`, for instance ``linewidth=1``.

        Returns
        -------
        CVScoresDisplay
            This object, with the attributes of what was drawn.
        """
        self.figure_, self.ax_ = axes(ax, f"{type(self).__name__}.plot")
        best = best_index(self.mean_scores)
        self.lines_ = [
            self._draw_means(number, number == best[0], line_params)
            for number in range(len(self.l1_ratios))
        ]
        self._draw_error(best[0], std_display_style)
        self._mark(best)
        alpha_axis(self.ax_, self.alphas)
        self.ax_.set_ylabel(self.score_name)
        self.features_ax_ = None
        if show_n_features and self.n_features is not None:
            self.features_ax_ = features_axis(
                self.ax_, self.alphas[best[0]], self.n_features[best[0]]
            )
        legend_below(self.ax_)
        return self

    def _draw_means(self, number, best, line_params):
        style = {
            "color": COLORS[number % len(COLORS)],
            "linestyle": LINESTYLES[number % len(LINESTYLES)],
            "linewidth": 2 if best else 1.2,
            "label": f"l1_ratio = {self.l1_ratios[number]:g}",
        }
        values = self.alphas[number], self.mean_scores[number]
        return self.ax_.plot(*values, **{**style, **line_params})[0]

    def _draw_error(self, row, how):
        alphas, mean, error = self.alphas[row], self.mean_scores[row], self.std_error[row]
        style = {"color": self.lines_[row].get_color(), "alpha": 0.25, "label": "± standard error"}
        self.std_error_ = None
        if how == "fill_between":
            style["linewidth"] = 0
            self.std_error_ = self.ax_.fill_between(alphas, mean - error, mean + error, **style)
        elif how == "errorbar":
            style["alpha"] = 0.6
            self.std_error_ = self.ax_.errorbar(alphas, mean, error, fmt="none", **style)

    def _mark(self, best):
        simple = one_standard_error_index(self.mean_scores, self.std_error)
        style = {"color": "black", "linewidth": 1}
        self.best_line_ = self.ax_.axvline(
            self.alphas[best], linestyle="-", label=f"best: {self.alphas[best]:.2g}", **style
        )
        self.one_standard_error_line_ = self.ax_.axvline(
            self.alphas[simple], linestyle=":", label=f"1 SE: {self.alphas[simple]:.2g}", **style
        )
