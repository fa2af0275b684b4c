"""The weights of each class as an image."""

from math import isqrt, prod
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.utils._param_validation import Interval, validate_params

from .._messages import plain
from ._classes import names_of_columns
from ._models import final_model
from ._style import CMAP, number, panels

SMALLEST = 1.1, 1.3  # inches a panel
FEW = 5  # images that go into one row
CHANNELS = 3


class TemplatesDisplay:
    """The weights of each class as an image, the intercept in its title.

    A score is the inner product of a sample with such a template, plus the intercept. All
    images share one scale, symmetric about zero.

    Make it by `from_estimator`; the parameters become attributes.

    Parameters
    ----------
    coef : ndarray of shape (n_templates, n_features)
        Weights.
    intercept : ndarray of shape (n_templates,)
        Intercepts.
    names : list of str
        What the templates are called.
    image_shape : tuple of int
        (height, width), or (height, width, 3) or (3, height, width) for colour.

    Attributes
    ----------
    axes_ : ndarray of shape (n_templates,) of matplotlib Axes
    figure_ : matplotlib Figure
    images_ : list of matplotlib AxesImage
    colorbar_ : matplotlib Colorbar or None
        Of grey images; a colour image has none, in it a weight of zero is mid-grey.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.plotting import TemplatesDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1.0).fit(X, y)
    >>> display = TemplatesDisplay.from_estimator(model)
    >>> display.image_shape, len(display.images_)
    ((8, 8), 10)
    >>> plt.close(display.figure_)
    """

    def __init__(self, coef, intercept, names, image_shape):
        self.coef = coef
        self.intercept = intercept
        self.names = names
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls, estimator, *, image_shape=None, class_names=None, ax=None, **plot_params
    ):
        """Draw the templates of a fitted linear classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted linear classifier, such as `SoftmaxClassifier` or `SVMClassifier`, or a
            pipeline or search that ends with one. Its `coef_` is drawn as it is: after a step
            that scales the features, in units of the scaled ones. Two classes have one template,
            which speaks for the second class and against the first.
        image_shape : tuple of int, default=None
            (height, width), or (height, width, 3) or (3, height, width) for colour, of the
            images that were flattened into the features. If None, a square.
        class_names : array-like of shape (n_classes,), default=None
            Names in the order of `classes_`, which are shown if None.
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: one axes a template, or a single one to be divided. A new figure if
            None.
        **plot_params : dict
            Passed to `plot`.

        Returns
        -------
        TemplatesDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no linear classifier.
        ValueError
            If `image_shape` does not hold the weights of a class, or is needed.
        """
        model = final_model(estimator)
        if not isinstance(model, LinearClassifierMixin):
            raise TypeError(
                f"{type(model).__name__} is no linear classifier with weights for each class. "
                "Pass a SoftmaxClassifier, an SVMClassifier, or a pipeline that ends with one."
            )
        coef = model.coef_.toarray() if sp.issparse(model.coef_) else np.atleast_2d(model.coef_)
        intercept = np.broadcast_to(model.intercept_, len(coef))
        names = model.classes_ if class_names is None else class_names
        names = names_of_columns(names, len(model.classes_))
        if len(coef) == 1:
            names = [f"{names[1]} against {names[0]}"]
        shape = _checked(image_shape, coef.shape[1])
        return cls(coef, intercept, names, shape).plot(ax, **plot_params)

    @validate_params(
        {
            "n_columns": [Interval(Integral, 1, None, closed="left"), None],
            "colorbar": ["boolean"],
            "show_intercept": ["boolean"],
        },
        prefer_skip_nested_validation=True,
    )
    def plot(self, ax=None, *, n_columns=None, colorbar=True, show_intercept=True, **image_params):
        """Draw the templates.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Where to draw: one axes a template, or a single one to be divided. A new figure if
            None.
        n_columns : int, default=None
            Images in a row; if None, up to five, and more where there are many. Without effect
            if an array of axes is given.
        colorbar : bool, default=True
            Whether to draw a scale beside grey images.
        show_intercept : bool, default=True
            Whether to write the intercepts into the titles.
        **image_params : dict
            Passed to `Axes.imshow`, for instance ``cmap="RdBu_r"``.

        Returns
        -------
        TemplatesDisplay
            This object, with the attributes of what was drawn.
        """
        n_columns = n_columns or _columns(len(self.coef))
        name = f"{type(self).__name__}.plot"
        self.figure_, self.axes_ = panels(ax, name, len(self.coef), n_columns, SMALLEST)
        limit = float(np.abs(self.coef).max()) or 1.0
        self.images_ = [
            self._draw(panel, weights, limit, image_params)
            for panel, weights in zip(self.axes_, self.coef, strict=True)
        ]
        for panel, name, intercept in zip(self.axes_, self.names, self.intercept, strict=True):
            title = f"{name}\nb = {number(intercept, digits=2)}" if show_intercept else name
            panel.set_title(title, fontsize="small")
        self.colorbar_ = None
        if colorbar and len(self.image_shape) == 2:
            self.colorbar_ = self.figure_.colorbar(
                self.images_[0], ax=list(self.axes_), label="weight", shrink=0.8
            )
        return self

    def _draw(self, panel, weights, limit, image_params):
        panel.set_xticks([])
        panel.set_yticks([])
        image = weights.reshape(self.image_shape)
        style = {"interpolation": "nearest", "cmap": CMAP, "vmin": -limit, "vmax": limit}
        if image.ndim == 3:
            channels_last = image if _is_last(self.image_shape) else np.moveaxis(image, 0, -1)
            image, style = 0.5 + channels_last / (2 * limit), {"interpolation": "nearest"}
        return panel.imshow(image, **{**style, **image_params})


def _is_last(shape):
    return shape[-1] == CHANNELS


def _columns(n_templates):
    """Twice as wide as high where there are many."""
    return min(n_templates, max(FEW, 1 + isqrt(2 * n_templates - 1)))


def _checked(shape, n_features):
    """The shape if it holds the weights of a class, or a square one."""
    if shape is None:
        side = isqrt(n_features)
        if side**2 == n_features:
            return side, side
        raise ValueError(
            f"Each class has {n_features} weights, which make no square image. Pass "
            "image_shape=(height, width), or (height, width, 3) for colour."
        )
    shape = tuple(shape)
    is_colour = len(shape) == 3 and CHANNELS in (shape[0], shape[-1])
    if not (len(shape) == 2 or is_colour):
        raise ValueError(
            f"image_shape is {plain(shape)}; it must be (height, width), or (height, width, 3) or "
            "(3, height, width) for colour."
        )
    if prod(shape) != n_features:
        raise ValueError(
            f"image_shape={plain(shape)} holds {prod(shape)} weights, and each class has "
            f"{n_features}. Pass the shape of the images that were flattened into the features."
        )
    return shape
