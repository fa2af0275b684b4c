"""The objective around an optimum."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from .._messages import plain
from .._objective import point, pose, shaped
from ..callbacks import CoefRecorder
from ._models import final_input, final_model
from ._plane import (
    Plane,
    are_independent,
    path_directions,
    random_directions,
    row_of,
)
from ._style import CMAP, COLORS, axes, legend_above

MARGIN = 0.25  # around the path
THINNEST = 0.2  # a side of the plane by the other
N_LEVELS = 17
NAMES = ("direction 1", "direction 2")
LABEL_HEIGHT = 0.8  # inches, around a box
SMALL = 3.0  # inches


class LossLandscapeDisplay:
    """The objective on a plane through the optimum, and the path of the fit over it.

    Make it by `from_estimator`; the parameters become attributes.

    Parameters
    ----------
    x, y : ndarray of shape (resolution,)
        Coordinates along the first and the second direction; the optimum is at (0, 0).
    objective : ndarray of shape (resolution, resolution)
        F at ``(x[j], y[i])``.
    minimum : float
        F at the optimum.
    path : ndarray of shape (n_points, 3), default=None
        Coordinates of the path's points, projected onto the plane, and F there.
    names : tuple of str, default=("direction 1", "direction 2")
        Labels of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With three dimensions for ``kind="surface"``.
    figure_ : matplotlib Figure
    contour_ : matplotlib ContourSet or None
    colorbar_ : matplotlib Colorbar or None
        Of contours.
    surface_ : matplotlib Poly3DCollection or None
    path_ : matplotlib Line2D or None
    start_ : matplotlib Line2D or None
        The first point of the path.
    optimum_ : matplotlib Line2D

    See Also
    --------
    LossCurveDisplay : Objective and gap of the path, iteration by iteration.
    sklinear.callbacks.CoefRecorder : Records the path.

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein, Visualizing the loss landscape of neural nets, 2018.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.callbacks import CoefRecorder
    >>> from sklinear.plotting import LossLandscapeDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> recorder = CoefRecorder()
    >>> model = SoftmaxClassifier(alpha=1e-2).set_callbacks(recorder).fit(X, y)
    >>> display = LossLandscapeDisplay.from_estimator(
    ...     model, X, y, path=recorder, directions="path"
    ... )
    >>> bool(display.objective.min() >= model.objective_ - model.dual_gap_)
    True
    >>> plt.close(display.figure_)
    """

    def __init__(self, x, y, objective, *, minimum, path=None, names=NAMES):
        self.x = x
        self.y = y
        self.objective = objective
        self.minimum = minimum
        self.path = path
        self.names = names

    @classmethod
    @validate_params(
        {
            "directions": [StrOptions({"random", "path"}), tuple, list],
            "path": [CoefRecorder, tuple, list, None],
            "extent": [Interval(Real, 0, None, closed="neither"), tuple, list, None],
            "resolution": [Interval(Integral, 2, None, closed="left")],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=False,  # `plot` checks its own
    )
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        directions="random",
        path=None,
        extent=None,
        resolution=41,
        random_state=None,
        ax=None,
        **plot_params,
    ):
        """Draw the objective around the weights of a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted `SoftmaxClassifier` or `SVMClassifier`, or a pipeline or search that ends
            with one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The data of the fit; of a pipeline, before its first step.
        y : array-like of shape (n_samples,)
            Its labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Its weights.
        directions : {"random", "path"} or pair, default="random"
            What spans the plane. "random": two orthonormal random directions. "path": the two
            orthonormal directions that hold most of the path, its principal directions about
            the optimum; the labels say how much of it each holds. Of a pair each is an array
            shaped as `coef_`, or a tuple of that and one shaped as `intercept_`; they are taken
            as they are.
        path : CoefRecorder or tuple of ndarray, default=None
            Weights ``(n_points, *coef_.shape)`` and intercepts ``(n_points, *intercept_.shape)``
            to draw, projected onto the plane; a recorder that was set for the fit has them.
        extent : float or tuple of float, default=None
            Left, right, lower and upper end of the plane, or one number r for (-r, r, -r, r).
            If None, the path with a margin for ``directions="path"``, the norm of weights and
            intercept for random directions, and 1 for given ones.
        resolution : int, default=41
            Points along each direction.
        random_state : int, RandomState instance or None, default=None
            Seed of the random directions.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        LossLandscapeDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If shapes do not fit, directions are parallel, or there is no path to lie in.

        Notes
        -----
        Scores are linear in the weights: S0 + a S1 + b S2 at a point (a, b) of the plane, with
        three products of X for all points, so a point costs the losses of n samples.
        """
        model = final_model(estimator)
        problem = pose(model, final_input(estimator, X), y, sample_weight)
        origin = point(model, problem)
        rows = _path_rows(path, origin)
        rng = check_random_state(random_state)
        plane, names = _span(origin, directions, rows, problem.fit_intercept, rng)
        coordinates = None if rows is None else plane.project(rows)
        ends = _extent(extent, directions, plane, coordinates)
        x, y = np.linspace(*ends[:2], resolution), np.linspace(*ends[2:], resolution)
        if coordinates is not None:
            heights = plane.objective(problem, *coordinates.T)
            coordinates = np.column_stack([coordinates, heights])
        display = cls(
            x,
            y,
            plane.objective(problem, x, y[:, None]),
            minimum=float(plane.objective(problem, 0.0, 0.0)),
            path=coordinates,
            names=names,
        )
        return display.plot(ax, **plot_params)

    @validate_params(
        {"kind": [StrOptions({"contour", "surface"})]}, prefer_skip_nested_validation=True
    )
    def plot(self, ax=None, *, kind="contour"):
        """Draw the landscape.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, for a surface with ``projection="3d"``; a new figure if None.
        kind : {"contour", "surface"}, default="contour"
            Contours in the plane, or a surface over it.

        Returns
        -------
        LossLandscapeDisplay
            This object, with the attributes of what was drawn.

        Raises
        ------
        ValueError
            If a surface is to be drawn on axes of two dimensions, or contours on three.
        """
        projection = {"projection": "3d"} if kind == "surface" else {}
        self.figure_, self.ax_ = axes(ax, f"{type(self).__name__}.plot", **projection)
        if (self.ax_.name == "3d") != (kind == "surface"):
            raise ValueError(
                f"kind={kind!r} needs axes with {'three' if projection else 'two'} dimensions; "
                f"the ones given are {self.ax_.name!r}. For a surface make them by "
                'plt.subplots(subplot_kw={"projection": "3d"}), or leave ax out.'
            )
        self.contour_ = self.colorbar_ = self.surface_ = self.path_ = self.start_ = None
        self._draw_surface() if projection else self._draw_contours()
        self._draw_path()
        size = "small" if projection else None
        self.ax_.set_xlabel(self.names[0], size=size)
        self.ax_.set_ylabel(self.names[1], size=size)
        return self

    def _levels(self):
        """Evenly spaced rings of a quadratic bowl, from the lowest point up."""
        low = min(self.minimum, self.objective.min())
        return low + (self.objective.max() - low) * np.linspace(0, 1, N_LEVELS) ** 2

    def _color_norm(self):
        from matplotlib.colors import PowerNorm

        levels = self._levels()
        return PowerNorm(0.5, vmin=levels[0], vmax=levels[-1])

    def _draw_contours(self):
        levels, data = self._levels(), (self.x, self.y, self.objective)
        style = {"cmap": CMAP, "norm": self._color_norm()}
        self.contour_ = self.ax_.contourf(*data, levels=levels, **style)
        self.ax_.contour(*data, levels=levels[1:-1], colors="white", linewidths=0.4, alpha=0.5)
        self.colorbar_ = self.figure_.colorbar(
            self.contour_, ax=self.ax_, label="objective", ticks=levels[::4], format="%.3g"
        )
        self.ax_.set(xlim=self.x[[0, -1]], ylim=self.y[[0, -1]])

    def _draw_surface(self):
        self.ax_.computed_zorder = False
        self.surface_ = self.ax_.plot_surface(
            *np.meshgrid(self.x, self.y),
            self.objective,
            cmap=CMAP,
            norm=self._color_norm(),
            rcount=len(self.y),
            ccount=len(self.x),
            linewidth=0,
            antialiased=False,
            zorder=1,
        )
        self.ax_.set_zlabel("objective", size="small")
        # Labels have one size, so a small box leaves them a larger part.
        height = self.ax_.get_window_extent().height / self.figure_.dpi
        self.ax_.set_box_aspect(None, zoom=max(0.5, 1 - LABEL_HEIGHT / height))
        self.ax_.tick_params(labelsize="small", pad=0)
        self.ax_.locator_params(nbins=3 if height < SMALL else 5)

    def _draw_path(self):
        """White with a black edge: it stands out from every colour below it."""
        from matplotlib.patheffects import withStroke

        edge = {"markeredgecolor": "black", "zorder": 4, "linestyle": "none"}
        if self.path is not None:
            self.path_ = self._line(
                self.path,
                color="white",
                marker=".",
                label="path",
                zorder=3,
                path_effects=[withStroke(linewidth=3, foreground="black")],
            )
            self.start_ = self._line(
                self.path[:1], color=COLORS[4], marker="s", label="start", **edge
            )
        optimum = np.array([[0.0, 0.0, self.minimum]])
        self.optimum_ = self._line(
            optimum, color=COLORS[1], marker="*", markersize=12, label="optimum", **edge
        )
        drawn = [self.path_, self.start_, self.optimum_]
        legend_above(self.ax_, [line for line in drawn if line is not None])

    def _line(self, points, **style):
        dimensions = 3 if self.surface_ is not None else 2
        return self.ax_.plot(*points.T[:dimensions], **style)[0]


def _path_rows(path, origin):
    """The points of the path as rows, or None."""
    if path is None:
        return None
    coefs, intercepts = (path.coef, path.intercept) if hasattr(path, "coef") else path
    if coefs is None:
        raise ValueError(
            "The recorder has recorded nothing yet. Set it by set_callbacks on the estimator (of "
            "a pipeline, on its last step) and fit that."
        )
    for name, array, like in zip(("coef", "intercept"), (coefs, intercepts), origin, strict=True):
        if np.shape(array)[1:] != like.shape:
            raise ValueError(
                f"path has {name} of the shape {np.shape(array)}; for this estimator it should be "
                f"{('n_points', *like.shape)}. Pass the path of the same fit."
            )
    return row_of(np.asarray(coefs, dtype=float), np.asarray(intercepts, dtype=float))


def _span(origin, directions, rows, fit_intercept, rng):
    """The plane, and names of its directions."""
    center = row_of(*origin)
    if not isinstance(directions, str):
        first, second = _given(directions, origin)
        return Plane(center, first, second), NAMES
    basis = random_directions(center.size, origin[0].size, fit_intercept, rng)
    if directions == "random":
        return Plane(center, *basis), NAMES
    if rows is None:
        raise ValueError(
            'directions="path" needs a path. Pass path=recorder, a sklinear.callbacks.CoefRecorder '
            "that was set on the estimator by set_callbacks before the fit."
        )
    basis, shares = path_directions(rows - center, basis)
    names = (f"{name} ({share:.0%})" for name, share in zip(NAMES, shares, strict=True))
    return Plane(center, *basis), tuple(names)


def _given(directions, origin):
    if len(directions) != 2:
        raise ValueError(f"directions has {len(directions)} entries; a plane needs two.")
    rows = []
    for number, direction in enumerate(directions, start=1):
        pair = direction if isinstance(direction, tuple) else (direction, np.zeros_like(origin[1]))
        names = f"direction {number}", f"the intercept of direction {number}"
        parts = zip(pair, origin, names, strict=True)
        rows.append(row_of(*(shaped(part, like.shape, name) for part, like, name in parts)))
    if not are_independent(*rows):
        raise ValueError(
            "The two directions are parallel, or one is zero, so they span no plane. Pass two "
            'that are not multiples of each other, or directions="random".'
        )
    return rows


def _extent(extent, directions, plane, coordinates):
    """Left, right, lower and upper end."""
    if extent is None and directions == "path":
        return _around(coordinates)
    if extent is None:
        size = np.linalg.norm(plane.origin) if directions == "random" else 1.0
        extent = size or 1.0
    if isinstance(extent, Real):
        return -extent, extent, -extent, extent
    if len(extent) != 4 or not (extent[0] < extent[1] and extent[2] < extent[3]):
        raise ValueError(
            f"extent is {plain(extent)}; it must be a positive number, or four: left < right and "
            "lower < upper."
        )
    return tuple(extent)


def _around(coordinates):
    """The box around the path and the optimum, with a margin and not too thin."""
    points = np.vstack([coordinates, np.zeros(2)])
    low, high = points.min(axis=0), points.max(axis=0)
    widest = (high - low).max() or 1.0
    width = (1 + 2 * MARGIN) * np.maximum(high - low, THINNEST * widest)
    low, high = (low + high - width) / 2, (low + high + width) / 2
    return low[0], high[0], low[1], high[1]
