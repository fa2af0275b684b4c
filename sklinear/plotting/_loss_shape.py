"""The losses as functions of one score."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils._param_validation import validate_params

from .._messages import plain
from ..losses import cross_entropy_loss, hinge_loss, squared_hinge_loss
from ._classes import column_of, names_of_columns, one_sample
from ._style import COLORS, LINESTYLES, axes, legend_above

LOSSES = {
    "hinge": hinge_loss,
    "squared_hinge": squared_hinge_loss,
    "cross_entropy": cross_entropy_loss,
}
LABELS = {"hinge": "hinge", "squared_hinge": "squared hinge", "cross_entropy": "cross-entropy"}
AROUND = 4.0  # what is shown on both sides of where the losses bend
N_POINTS = 401
STEEPER = 1.5  # how far a steep loss is followed above the lowest one


class LossShapeDisplay:
    """Hinge, squared hinge and cross-entropy while one score moves and the others stay.

    The margin is where the score that moves no longer costs a hinge: the true class is ahead of
    every other by one. The cross-entropy has no such place; it nears its asymptotes.

    Make it by `from_scores`; the parameters become attributes.

    Parameters
    ----------
    score : ndarray of shape (n_points,)
        The score that moves.
    losses : dict of str to ndarray of shape (n_points,)
        For "hinge", "squared_hinge", "cross_entropy" or some of them the loss there.
    margin : float
        Where the margin is reached.
    asymptotes : list of ndarray of shape (2, 2), default=()
        Ends ``[[x0, x1], [y0, y1]]`` of the lines that the cross-entropy nears.
    given : tuple of float and dict of str to float, default=None
        A score, and the losses there, to be marked.
    margin_name : str, default="margin"
        What the line at the margin is called.
    score_name : str, default="score"
        What moves.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One a loss.
    margin_ : matplotlib Line2D or None
    asymptotes_ : list of matplotlib Line2D
    given_ : matplotlib Line2D or None

    See Also
    --------
    ScoresDisplay : All scores of one sample and what they cost.
    sklinear.losses : The values.

    Notes
    -----
    With the score of the true class moving and r = log sum over the others of exp z_k, the
    cross-entropy is log(1 + exp(r - z_y)): near r - z_y on the left and near 0 on the right.
    With the score of a wrong class j moving it is near r - z_y on the left, r now of all but j,
    and near z_j - z_y on the right.

    Examples
    --------
    The image of a cat, whose own score is to rise:

    >>> import matplotlib.pyplot as plt
    >>> from sklinear.plotting import LossShapeDisplay
    >>> display = LossShapeDisplay.from_scores(
    ...     [3.2, 5.1, -1.7], "cat", class_names=["cat", "car", "frog"]
    ... )
    >>> round(display.margin, 1)
    6.1
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        score,
        losses,
        *,
        margin,
        asymptotes=(),
        given=None,
        margin_name="margin",
        score_name="score",
    ):
        self.score = score
        self.losses = losses
        self.margin = margin
        self.asymptotes = asymptotes
        self.given = given
        self.margin_name = margin_name
        self.score_name = score_name

    @classmethod
    def from_scores(
        cls,
        scores=(0.0, 0.0),
        y=0,
        *,
        moving=None,
        class_names=None,
        losses=tuple(LOSSES),
        extent=None,
        ax=None,
        **plot_params,
    ):
        """Draw the losses of one sample while the score of one class moves.

        Parameters
        ----------
        scores : array-like of shape (n_classes,) or (1, n_classes), default=(0.0, 0.0)
            Scores of the sample; all but the one that moves stay. At the one given for the class
            that moves, the losses are marked.
        y : int or str, default=0
            The true class, by its column or by its name in `class_names`.
        moving : int or str, default=None
            The class whose score moves; the true one if None.
        class_names : array-like of shape (n_classes,), default=None
            Names of the columns.
        losses : str or sequence of str, default=("hinge", "squared_hinge", "cross_entropy")
            Which losses.
        extent : tuple of float, default=None
            Lowest and highest score. If None, what holds the bends of all losses.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        LossShapeDisplay

        Raises
        ------
        ValueError
            If scores, classes, losses or the extent can't be used; the message says how.
        """
        scores, names = one_sample(scores), _known(losses)
        labels = names_of_columns(class_names, len(scores))
        true = column_of(y, class_names, len(scores))
        column = true if moving is None else column_of(moving, class_names, len(scores))
        margin, rest = _bends(scores, true, column)
        low, high = _extent(extent, (margin, rest, scores[column]))
        moved = np.linspace(low, high, N_POINTS)
        at_given = _values(names, scores, true, column, scores[[column]])
        display = cls(
            moved,
            _values(names, scores, true, column, moved),
            margin=margin,
            asymptotes=_asymptotes(rest, scores[true], (low, high), column == true)
            if "cross_entropy" in names
            else (),
            given=(scores[column], {name: value[0] for name, value in at_given.items()}),
            margin_name=_margin_name(column == true, len(scores)),
            score_name=_score_name(labels, true, column, class_names is not None),
        )
        return display.plot(ax, **plot_params)

    @validate_params(
        {"show_margin": ["boolean"], "show_asymptotes": ["boolean"], "show_given": ["boolean"]},
        prefer_skip_nested_validation=True,
    )
    def plot(
        self, ax=None, *, show_margin=True, show_asymptotes=True, show_given=True, **line_params
    ):
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        show_margin, show_asymptotes, show_given : bool, default=True
            Whether to draw the margin, the asymptotes of the cross-entropy, and the losses at
            the score given.
        **line_params : dict
            Passed to the calls of `Axes.plot` for the losses, for instance ``linewidth=1``.

        Returns
        -------
        LossShapeDisplay
            This object, with the attributes of what was drawn.
        """
        self.figure_, self.ax_ = axes(ax, f"{type(self).__name__}.plot")
        self.lines_ = [self._draw_loss(name, line_params) for name in self.losses]
        self.asymptotes_ = self._draw_asymptotes() if show_asymptotes else []
        self.margin_ = self._draw_margin() if show_margin else None
        self.given_ = self._draw_given() if show_given and self.given is not None else None
        self.ax_.set(xlabel=self.score_name, ylabel="loss", xlim=self.score[[0, -1]])
        tops = [values.max() for values in self.losses.values() if values.any()]
        top = STEEPER * min(tops, default=1.0)
        self.ax_.set_ylim(-0.05 * top, top)
        others = [*self.asymptotes_[:1], self.margin_, self.given_]
        legend_above(self.ax_, [*self.lines_, *(line for line in others if line is not None)])
        return self

    def _draw_loss(self, name, line_params):
        number = list(LABELS).index(name)
        style = {"color": COLORS[number], "linestyle": LINESTYLES[number], "linewidth": 2}
        style["label"] = LABELS[name]
        return self.ax_.plot(self.score, self.losses[name], **{**style, **line_params})[0]

    def _draw_asymptotes(self):
        color = COLORS[list(LABELS).index("cross_entropy")]
        style = {"color": color, "linewidth": 1, "linestyle": ":", "label": "its asymptotes"}
        return [self.ax_.plot(*ends, **style)[0] for ends in self.asymptotes]

    def _draw_margin(self):
        style = {"color": "0.35", "linewidth": 1, "zorder": 1, "label": self.margin_name}
        return self.ax_.axvline(self.margin, **style)

    def _draw_given(self):
        score, losses = self.given
        style = {"color": "black", "marker": "o", "linestyle": "none", "markersize": 5}
        style.update(markerfacecolor="white", zorder=4, label="given scores")
        return self.ax_.plot([score] * len(losses), list(losses.values()), **style)[0]


def _known(losses):
    losses = [losses] if isinstance(losses, str) else list(losses)
    unknown = [name for name in losses if name not in LOSSES]
    if unknown or not losses:
        raise ValueError(f"losses is {losses}; it must name one or more of {', '.join(LOSSES)}.")
    return losses


def _bends(scores, true, column):
    """Where the margin is reached, and where the asymptotes of the cross-entropy meet."""
    others = np.delete(scores, column)
    if column == true:
        return float(others.max() + 1), float(logsumexp(others))
    return float(scores[true] - 1), float(logsumexp(others))


def _extent(extent, places):
    if extent is None:
        return min(places) - AROUND, max(places) + AROUND
    ends = np.array(extent, dtype=np.float64)
    if ends.shape != (2,) or not (np.isfinite(ends).all() and ends[0] < ends[1]):
        raise ValueError(
            f"extent is {plain(extent)}; it must be two finite numbers, lowest < highest."
        )
    return extent


def _values(names, scores, true, column, moved):
    rows = np.tile(scores, (len(moved), 1))
    rows[:, column] = moved
    y = np.full(len(moved), true)
    return {name: LOSSES[name](rows, y, reduction="none") for name in names}


def _asymptotes(rest, true_score, ends, true_moves):
    """The two lines where they lie above each other's, from end to end."""
    low, high = ends
    meet = np.clip(rest, low, high)

    def line(start, stop, falls):
        x = np.array([start, stop])
        if true_moves:
            return np.array([x, rest - x if falls else 0 * x])
        return np.array([x, (rest + 0 * x if falls else x) - true_score])

    sides = (low, meet, True), (meet, high, False)
    return [line(*side) for side in sides if side[0] < side[1]]


def _margin_name(true_moves, n_classes):
    if not true_moves:
        return "margin: $z_k = z_y - 1$"
    return "margin: $z_y = z_k + 1$" if n_classes == 2 else r"margin: $z_y = \max\,z_k + 1$"


def _score_name(labels, true, column, named):
    if not named:
        return (
            "score of the true class, $z_y$" if column == true else "score of a wrong class, $z_k$"
        )
    if column == true:
        return f"score of {labels[true]}, the true class"
    return f"score of {labels[column]}; the true class is {labels[true]}"
