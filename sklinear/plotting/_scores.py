"""One sample from scores to probabilities, and its hinge terms."""

from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import Interval, validate_params

from .._messages import plain
from ..losses import cross_entropy_loss, hinge_loss, softmax
from ._classes import column_of, names_of_columns, one_sample
from ._style import COLORS, number, panels

LARGEST = 600.0  # score whose exponential, and the sum of many such, is a finite number
TRUE, WRONG = COLORS[0], COLORS[4]


class ScoresDisplay:
    """One sample's scores, their exponentials, its probabilities and its hinge terms, as a table.

    A row is a class and a column a bar chart with the numbers on its bars. Below the
    probabilities stands the cross-entropy -log q_y, below the hinge terms their sum.

    Make it by `from_scores` or `from_estimator`; the parameters become attributes.

    Parameters
    ----------
    scores : ndarray of shape (n_classes,)
        Scores z of the sample.
    y : int
        Column of the true class.
    class_names : list of str
        Names of the columns.

    Attributes
    ----------
    shift : float
        What is subtracted from all scores where an exponential would overflow, or all would
        vanish: the largest score. Otherwise 0.
    exponentials : ndarray of shape (n_classes,)
        exp(z_k - shift).
    probabilities : ndarray of shape (n_classes,)
        The softmax of the scores.
    cross_entropy : float
        -log of the true class's probability.
    hinge_terms : ndarray of shape (n_classes,)
        max(0, 1 + z_k - z_y) of the wrong classes, 0 for the true one.
    hinge : float
        Their sum.
    axes_ : ndarray of shape (4,) of matplotlib Axes
        Scores, exponentials, probabilities, hinge terms.
    figure_ : matplotlib Figure
    bars_ : list of matplotlib BarContainer
        One an axes, a bar for each row.
    texts_ : list of list of matplotlib Text
        The numbers on them.

    See Also
    --------
    LossShapeDisplay : The losses while one score moves.
    sklinear.losses : The values.

    Examples
    --------
    The image of a cat:

    >>> import matplotlib.pyplot as plt
    >>> from sklinear.plotting import ScoresDisplay
    >>> display = ScoresDisplay.from_scores(
    ...     [3.2, 5.1, -1.7], "cat", class_names=["cat", "car", "frog"]
    ... )
    >>> [text.get_text() for text in display.texts_[2]]
    ['0.13', '0.87', '0.00']
    >>> round(display.cross_entropy, 2), round(display.hinge, 2)
    (2.04, 2.9)
    >>> plt.close(display.figure_)
    """

    def __init__(self, scores, y, class_names):
        self.scores = scores
        self.y = y
        self.class_names = class_names

    @classmethod
    def from_scores(cls, scores, y, *, class_names=None, ax=None, **plot_params):
        """Draw a sample that is known by its scores.

        Parameters
        ----------
        scores : array-like of shape (n_classes,) or (1, n_classes)
            Its scores.
        y : int or str
            The true class, by its column or by its name in `class_names`.
        class_names : array-like of shape (n_classes,), default=None
            Names of the columns.
        ax : matplotlib Axes or array of 4 Axes, default=None
            Where to draw; a single one is divided. A new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        ScoresDisplay

        Raises
        ------
        ValueError
            If the scores or the class can't be used.
        """
        scores = one_sample(scores)
        names = names_of_columns(class_names, len(scores))
        column = column_of(y, class_names, len(scores))
        return cls(scores, column, names).plot(ax, **plot_params)

    @classmethod
    def from_estimator(cls, estimator, x, y, *, class_names=None, ax=None, **plot_params):
        """Draw a sample that is scored by a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `decision_function`, such as `SoftmaxClassifier`,
            `SVMClassifier`, or a pipeline or search that ends with one. The single score s of two
            classes is shown as (-s/2, s/2).
        x : {array-like, sparse matrix} of shape (n_features,) or (1, n_features)
            The sample, for instance a row of a matrix, or of a DataFrame as a Series or a frame.
        y : label
            Its true class, as in `classes_`.
        class_names : array-like of shape (n_classes,), default=None
            Names in the order of `classes_`, which are shown if None.
        ax : matplotlib Axes or array of 4 Axes, default=None
            Where to draw; a single one is divided. A new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        ScoresDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If x is more than one sample, or y no class of the estimator.
        """
        scores = np.ravel(estimator.decision_function(_one_row(x)))
        scores = one_sample(np.array([-0.5, 0.5]) * scores if len(scores) == 1 else scores)
        classes = np.asarray(estimator.classes_).tolist()
        if np.ndim(y) or y not in classes:
            raise ValueError(
                f"y is {plain(y)}, which is none of the estimator's classes {plain(classes)}."
            )
        names = names_of_columns(classes if class_names is None else class_names, len(classes))
        return cls(scores, classes.index(y), names).plot(ax, **plot_params)

    @property
    def shift(self):
        top = float(self.scores.max())
        return top if abs(top) > LARGEST else 0.0

    @property
    def exponentials(self):
        return np.exp(self.scores - self.shift)

    @property
    def probabilities(self):
        return softmax(self.scores[None])[0]

    @property
    def cross_entropy(self):
        return cross_entropy_loss(self.scores[None], [self.y])

    @property
    def hinge_terms(self):
        terms = np.maximum(0.0, 1 + self.scores - self.scores[self.y])
        terms[self.y] = 0.0
        return terms

    @property
    def hinge(self):
        return hinge_loss(self.scores[None], [self.y])

    @validate_params(
        {"max_classes": [Interval(Integral, 2, None, closed="left")]},
        prefer_skip_nested_validation=True,
    )
    def plot(self, ax=None, *, max_classes=10):
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes or array of 4 Axes, default=None
            Where to draw; a single one is divided. A new figure if None.
        max_classes : int, default=10
            Where there are more classes, the true one and those with the largest scores are
            shown in falling order, and the sums over all others in one more row.

        Returns
        -------
        ScoresDisplay
            This object, with the attributes of what was drawn.
        """
        self.figure_, self.axes_ = panels(ax, f"{type(self).__name__}.plot", 4, 4)
        shown, left_out = self._split(max_classes)
        columns = [
            self._scores(shown, left_out),
            _sums(self.exponentials, shown, left_out, number),
            _sums(self.probabilities, shown, left_out, "{:.2f}".format),
            self._terms(shown, left_out),
        ]
        true = [column == self.y for column in shown] + [False] * (len(left_out) > 0)
        self.bars_, self.texts_ = [], []
        for panel, (values, texts) in zip(self.axes_, columns, strict=True):
            self.bars_.append(_draw_bars(panel, values, true))
            self.texts_.append(_drawnumbers(panel, texts, true))
        self._draw_names(shown, left_out)
        self._draw_titles()
        return self

    def _split(self, max_classes):
        """Columns to show, and the others."""
        if len(self.scores) <= max_classes:
            return np.arange(len(self.scores)), np.arange(0)
        falling = np.argsort(-self.scores, kind="stable")
        wrong = falling[falling != self.y][: max_classes - 1]
        is_shown = np.isin(falling, [self.y, *wrong])
        return falling[is_shown], falling[~is_shown]

    def _scores(self, shown, left_out):
        values, texts = self.scores[shown], [number(score) for score in self.scores[shown]]
        if not len(left_out):
            return values, texts
        return np.append(values, 0.0), [*texts, f"≤ {number(self.scores[left_out].max())}"]

    def _terms(self, shown, left_out):
        values, texts = _sums(self.hinge_terms, shown, left_out, number)
        texts[list(shown).index(self.y)] = "–"
        return values, texts

    def _draw_names(self, shown, left_out):
        names = [self.class_names[column] for column in shown]
        true = list(shown).index(self.y)
        names[true] += " (true)"
        names += [f"{len(left_out)} others"] * (len(left_out) > 0)
        self.axes_[0].set_yticks(range(len(names)), names, fontsize="small")
        self.axes_[0].get_yticklabels()[true].set_fontweight("bold")
        self.axes_[0].tick_params(axis="y", length=0)
        for panel in self.axes_[1:]:
            panel.set_yticks([])

    def _draw_titles(self):
        sign = "-" if self.shift > 0 else "+"
        shift = f" {sign} {number(abs(self.shift))}" if self.shift else ""
        titles = (
            ("scores", "$z_k$"),
            ("exponentials", f"$e^{{z_k{shift}}}$"),
            ("probabilities", r"$e^{z_k} / \Sigma$"),
            ("hinge terms", "$(1 + z_k - z_y)_+$"),
        )
        for panel, title in zip(self.axes_, titles, strict=True):
            panel.set_title("\n".join(title), fontsize="small")
        style = {"fontsize": "small"}
        self.axes_[2].set_xlabel(f"$-\\log q_y = ${number(self.cross_entropy)}", **style)
        self.axes_[3].set_xlabel(f"sum = {number(self.hinge)}", **style)


def _one_row(x):
    """One sample as a matrix of one row, which keeps the names of its features."""
    shape = np.shape(x)
    if len(shape) == 1:
        if hasattr(x, "to_frame") and hasattr(x, "index"):
            return x.to_frame().T.infer_objects()
        return x.reshape((1, -1)) if sp.issparse(x) else np.reshape(x, (1, -1))
    if len(shape) != 2 or shape[0] != 1:
        raise ValueError(f"x has the shape {shape}; pass one sample, for instance X[:1].")
    return x


def _sums(values, shown, left_out, text):
    """Values of the rows and their texts; the classes left out have no bar, but their sum."""
    rows, texts = values[shown], [text(value) for value in values[shown]]
    if not len(left_out):
        return rows, texts
    return np.append(rows, 0.0), [*texts, f"Σ {text(values[left_out].sum())}"]


def _draw_bars(panel, values, true):
    style = {"color": [TRUE if is_true else WRONG for is_true in true], "alpha": 0.5}
    bars = panel.barh(range(len(values)), values, height=0.8, **style)
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    panel.set(xlim=(low, high if high > low else low + 1), ylim=(len(values) - 0.4, -0.6))
    panel.axvline(0, color="0.3", linewidth=0.8)
    panel.set_xticks([])
    panel.spines[:].set_visible(False)
    return bars


def _drawnumbers(panel, texts, true):
    style = {"transform": panel.get_yaxis_transform(), "fontsize": "small"}
    style.update(horizontalalignment="right", verticalalignment="center")
    return [
        panel.text(1.0, row, text, fontweight="bold" if is_true else None, **style)
        for row, (text, is_true) in enumerate(zip(texts, true, strict=True))
    ]
