"""What the displays have in common: where they draw, and colours.

The colours are those of Okabe and Ito, which people with any colour vision can tell apart;
lines differ in markers or dashes too, so that greyscale does.
"""

from sklearn.utils._optional_dependencies import check_matplotlib_support

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def axes(ax, name, **subplot_params):
    """The figure and the axes to draw on: those given, or new ones.

    `name` is who asks, for the error where matplotlib is missing.
    """
    try:
        check_matplotlib_support(name)
    except ImportError as error:
        raise ImportError(f'{error}, or by `pip install "sklinear[plot]"`.') from error
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained", subplot_kw=subplot_params)
    return ax.figure, ax


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
