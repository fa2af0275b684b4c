"""Objective and certified gap of fits, iteration by iteration."""

from collections import Counter

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions, validate_params

from ._models import final_model
from ._score_log import scores_of_fit
from ._style import COLORS, axes, legend_above

X_LABELS = {"iteration": "iteration", "passes": "passes over X", "seconds": "seconds"}
LINESTYLES = {"objective": "-", "gap": "--", "score": "-."}
MARKERS = "osD^vPX"
N_MARKERS = 8  # on a line, about


class LossCurveDisplay:
    """Objective and certified gap of fits against iterations, passes over X or seconds.

    Both fall on one logarithmic axis, in the units of the objective. The first point of a line
    is W = 0, b = 0. The gap bounds how far the objective is above its minimum.

    Make it by `from_estimator` or `from_estimators`; the parameters become attributes.

    Parameters
    ----------
    histories : dict of str to dict
        For each name the `history_` of a fit: arrays "seconds", "passes", "objective", "gap".
    targets : dict of str to float, default=None
        For each name ``tol * F(0)``, to which the gap was to fall.
    scores : dict of str to array-like of shape (n_iter,), default=None
        For each name, or some, a score after each iteration.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Objective and gap.
    score_ax_ : matplotlib Axes or None
        The scores, on the right.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Objective and gap (or the one asked for) of the first fit, then of the second, ….
    score_lines_ : list of matplotlib Line2D
    target_lines_ : list of matplotlib Line2D

    See Also
    --------
    LossLandscapeDisplay : The objective around the optimum.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.callback import ScoringMonitor
    >>> from sklearn.model_selection import train_test_split
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.plotting import LossCurveDisplay
    >>> X, X_val, y, y_val = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> def validation(model, X, y):
    ...     return {"validation accuracy": model.score(X_val, y_val)}
    >>> monitor = ScoringMonitor(scoring=validation)
    >>> model = SoftmaxClassifier(alpha=1e-3).set_callbacks(monitor).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(
    ...     model, x="passes", validation=monitor.get_logs()
    ... )
    >>> [line.get_label() for line in display.lines_]
    ['objective', 'gap']
    >>> plt.close(display.figure_)
    """

    def __init__(self, histories, *, targets=None, scores=None, score_name="score"):
        self.histories = histories
        self.targets = targets
        self.scores = scores
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls, estimator, *, name=None, validation=None, score_name=None, ax=None, **plot_params
    ):
        """Draw the curves of one fit.

        Parameters
        ----------
        estimator : estimator
            A fitted `SoftmaxClassifier` or `SVMClassifier`, or a pipeline or search that ends
            with one.
        name : str, default=None
            Its name in the display; the name of its class if None.
        validation : ScoringMonitorLog, DataFrame or list of dict, default=None
            The log of a `sklearn.callback.ScoringMonitor` that was set for the fit, or its
            `data`. Of a grid search it is the final fit that is drawn.
        score_name : str, default=None
            Which score of the log; needed where there are several.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it keeps no `history_`.
        ValueError
            If the log is that of another fit, or holds none or several.
        """
        name = type(final_model(estimator)).__name__ if name is None else name
        logs = None if validation is None else {name: validation}
        return cls.from_estimators(
            {name: estimator}, validation=logs, score_name=score_name, ax=ax, **plot_params
        )

    @classmethod
    def from_estimators(
        cls, estimators, *, validation=None, score_name=None, ax=None, **plot_params
    ):
        """Draw the curves of several fits in one display.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimator
            Fitted estimators by name (see `from_estimator`); in a list they are called after
            their classes.
        validation : dict of str to ScoringMonitorLog, default=None
            Logs for all estimators or some, by the same names.
        score_name : str, default=None
            Which score of the logs; needed where there are several.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            As `from_estimator` does; also ValueError if there is no estimator, or a log for a
            name that no estimator has.
        """
        estimators = estimators if isinstance(estimators, dict) else _named(estimators)
        if not estimators:
            raise ValueError("estimators is empty. Pass at least one fitted estimator.")
        models = {name: final_model(estimator) for name, estimator in estimators.items()}
        histories = {name: _history(model) for name, model in models.items()}
        scores = {}
        for name, log in _known(validation or {}, histories).items():
            n_iter = len(histories[name]["gap"]) - 1
            scores[name], score_name = scores_of_fit(log, n_iter, score_name)
        display = cls(
            histories,
            targets={
                name: model.tol * histories[name]["objective"][0] for name, model in models.items()
            },
            scores=scores,
            score_name=score_name or "score",
        )
        return display.plot(ax, **plot_params)

    @validate_params(
        {
            "x": [StrOptions(set(X_LABELS))],
            "y": [StrOptions({"both", "objective", "gap"})],
            "yscale": [StrOptions({"log", "linear"})],
            "show_target": ["boolean"],
        },
        prefer_skip_nested_validation=True,
    )
    def plot(
        self, ax=None, *, x="iteration", y="both", yscale="log", show_target=True, **line_params
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        x : {"iteration", "passes", "seconds"}, default="iteration"
            What the fits are held against.
        y : {"both", "objective", "gap"}, default="both"
            What is drawn of them.
        yscale : {"log", "linear"}, default="log"
            Scale of the objective and the gap.
        show_target : bool, default=True
            Whether to draw a line where the gap ends a fit; only beside gaps.
        **line_params : dict
            Passed to all calls of `Axes.plot`, for instance ``linewidth=1``.

        Returns
        -------
        LossCurveDisplay
            This object, with the attributes of what was drawn.
        """
        self.figure_, self.ax_ = axes(ax, f"{type(self).__name__}.plot")
        quantities = ["objective", "gap"] if y == "both" else [y]
        self.lines_ = [
            self._line(self.ax_, number, quantity, self._x(name, x), history[quantity], line_params)
            for number, (name, history) in enumerate(self.histories.items())
            for quantity in quantities
        ]
        self.target_lines_ = self._draw_targets() if show_target and "gap" in quantities else []
        self._draw_scores(x, line_params)
        self.ax_.set(xlabel=X_LABELS[x], ylabel=" and ".join(quantities), yscale=yscale)
        if x == "iteration":
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self._draw_legend(quantities)
        return self

    def _x(self, name, x):
        history = self.histories[name]
        return np.arange(len(history["gap"])) if x == "iteration" else history[x]

    def _line(self, ax, number, quantity, x, y, line_params):
        """One line; the colour tells the fits apart or, of a single one, the quantities."""
        several = len(self.histories) > 1
        label = self._label(quantity)
        style = {
            **_look(number if several else list(LINESTYLES).index(quantity)),
            "linestyle": LINESTYLES[quantity],
            "markevery": max(1, len(x) // N_MARKERS),
            "label": f"{list(self.histories)[number]}: {label}" if several else label,
        }
        return ax.plot(x, y, **{**style, **line_params})[0]

    def _label(self, quantity):
        return self.score_name if quantity == "score" else quantity

    def _draw_targets(self):
        values = sorted(set((self.targets or {}).values()))
        style = {"color": "0.4", "linestyle": ":", "linewidth": 1, "zorder": 1}
        return [self.ax_.axhline(value, label="tol · F(0)", **style) for value in values]

    def _draw_scores(self, x, line_params):
        self.score_ax_, self.score_lines_ = None, []
        if not self.scores:
            return
        self.score_ax_ = self.ax_.twinx()
        self.score_ax_.set_ylabel(self.score_name)
        for number, name in enumerate(self.histories):
            if name in self.scores:
                state = self._x(name, x)[1:], np.asarray(self.scores[name])
                line = self._line(self.score_ax_, number, "score", *state, line_params)
                self.score_lines_.append(line)

    def _draw_legend(self, quantities):
        """One entry a line or, of several fits, one a fit and one a kind of line."""
        lines = self.lines_ + self.score_lines_
        handles = self._key(quantities) if len(self.histories) > 1 else lines
        legend_above(self.ax_, [*handles, *self.target_lines_[:1]])

    def _key(self, quantities):
        from matplotlib.lines import Line2D

        fits = [
            Line2D([], [], label=name, **_look(number))
            for number, name in enumerate(self.histories)
        ]
        kinds = [
            Line2D([], [], label=self._label(kind), color="black", linestyle=LINESTYLES[kind])
            for kind in [*quantities, *(["score"] if self.score_lines_ else [])]
        ]
        return fits + kinds


def _look(number):
    return {
        "color": COLORS[number % len(COLORS)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 4,
    }


def _named(estimators):
    """By the names of their classes, numbered where several have the same."""
    if isinstance(estimators, BaseEstimator):
        raise TypeError(
            f"estimators is a {type(estimators).__name__}; several in a dict or a list are needed. "
            "Draw one by from_estimator."
        )
    names = [type(final_model(estimator)).__name__ for estimator in estimators]
    total, seen, named = Counter(names), Counter(), {}
    for name, estimator in zip(names, estimators, strict=True):
        seen[name] += 1
        named[f"{name} {seen[name]}" if total[name] > 1 else name] = estimator
    return named


def _history(model):
    if not hasattr(model, "history_"):
        raise TypeError(
            f"{type(model).__name__} keeps no history_ of its fit. Pass a SoftmaxClassifier, an "
            "SVMClassifier, or a pipeline or search that ends with one."
        )
    return model.history_


def _known(logs, histories):
    unknown = set(logs) - set(histories)
    if unknown:
        raise ValueError(
            f"validation has logs for {sorted(unknown)}; the estimators are {list(histories)}."
        )
    return logs
