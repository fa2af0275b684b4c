"""What the displays have in common: where they draw, and colours.

The colours are those of Okabe and Ito, which people with any colour vision can tell apart;
lines differ in markers or dashes too, so that greyscale does.
"""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINESTYLES = ("-", "--", "-.", ":")
CMAP = "cividis"  # from dark to light


def check_matplotlib(name):
    """An error where matplotlib is missing; `name` is who asks."""
    try:
        check_matplotlib_support(name)
    except ImportError as error:
        raise ImportError(f'{error}, or by `pip install "sklinear[plot]"`.') from error


def axes(ax, name, **subplot_params):
    """The figure and the axes to draw on: those given, or new ones.

    `name` is who asks, for the error where matplotlib is missing.
    """
    check_matplotlib(name)
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained", subplot_kw=subplot_params)
    return ax.figure, ax


def panels(ax, name, n_panels, n_columns, smallest=(0.0, 0.0)):
    """The figure and `n_panels` axes, row by row: those given, parts of a single one, or new ones.

    `name` is who asks; a new figure has at least `smallest` inches for each panel.
    """
    check_matplotlib(name)
    import matplotlib.pyplot as plt

    shape = -(-n_panels // n_columns), n_columns
    if ax is None:
        room = np.multiply(shape[::-1], smallest)
        size = np.maximum(plt.rcParams["figure.figsize"], room)
        grid = plt.figure(layout="compressed", figsize=size).add_gridspec(*shape)
    elif isinstance(ax, plt.Axes):
        grid = _subdivided(ax, shape)
    else:
        return _given(np.ravel(ax), n_panels)
    cells = [grid[divmod(number, n_columns)] for number in range(n_panels)]
    return grid.figure, np.array([grid.figure.add_subplot(cell) for cell in cells])


def _given(axes, n_panels):
    if len(axes) != n_panels:
        raise ValueError(
            f"ax holds {len(axes)} axes and {n_panels} are needed. Pass as many, a single one to "
            "be divided, or none."
        )
    return axes[0].figure, axes


def _subdivided(ax, shape):
    """A grid in the place of the axes, which stay without a frame."""
    ax.set_axis_off()
    if ax.get_subplotspec() is not None:
        return ax.get_subplotspec().subgridspec(*shape)
    box = ax.get_position()
    ends = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
    return ax.figure.add_gridspec(*shape, **ends)


def legend_above(ax, handles):
    """A legend over the axes, where it hides nothing, in as many columns as there is room for."""
    room = 1.15 * ax.get_window_extent().width  # with the labels of the axes
    style = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False}
    style.update(fontsize="small", handlelength=2.5, columnspacing=1.0)
    for columns in range(len(handles), 0, -1):
        legend = ax.legend(handles=handles, ncols=columns, **style)
        if legend.get_window_extent().width <= room:
            break
    return legend


def legend_outside(figure, handles):
    """A legend under all the axes of a figure, in as many columns as there is room for."""
    style = {"loc": "outside lower center", "frameon": False, "fontsize": "small"}
    style.update(handlelength=2.5, columnspacing=1.0)
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles=handles, ncols=columns, **style)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return legend
        legend.remove()


def number(value, digits=3):
    """A number with few digits, whole ones up to a million, and a true minus sign."""
    is_long = 10**digits - 0.5 <= abs(value) < 1e6
    return (f"{value:.0f}" if is_long else f"{value:.{digits}g}").replace("-", "−")
