"""What pictures against alpha share: its axis, numbers of features above, a legend below."""

import numpy as np

N_COUNTS = 5
ROOM = 1.5  # beside a single alpha
NEAR = 1e-9  # of the ends of the axis
BELOW = 36  # points, for the numbers and the name of the axis


def alpha_axis(ax, alphas):
    """Make x a logarithmic axis of alpha that falls from left to right."""
    from matplotlib.ticker import LogLocator, NullFormatter

    largest, smallest = np.max(alphas), np.min(alphas)
    if largest == smallest:
        largest, smallest = ROOM * largest, smallest / ROOM
    ax.set(xscale="log", xlabel="alpha", xlim=(largest, smallest))
    ax.xaxis.set_minor_formatter(NullFormatter())
    if largest < 100 * smallest:  # too few powers of ten
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")


def features_axis(ax, alphas, counts):
    """An axis above that says how many features have non-zero weights at some of the alphas."""
    above = ax.secondary_xaxis("top")
    wanted = np.geomspace(*ax.get_xlim(), N_COUNTS)
    wanted = wanted[(wanted >= alphas.min() * (1 - NEAR)) & (wanted <= alphas.max() * (1 + NEAR))]
    nearest = np.abs(np.log(alphas[:, None] / wanted)).argmin(axis=0)
    places = list(dict.fromkeys(nearest.tolist()))
    above.set_xticks(alphas[places], [f"{counts[place]:.0f}" for place in places])
    above.set_xticks([], minor=True)
    above.set_xlabel("features with non-zero weights", fontsize="small")
    return above


def legend_below(ax):
    """A legend below the axes, where it hides nothing and takes none of their width."""
    from matplotlib.transforms import offset_copy

    below = offset_copy(ax.transAxes, ax.figure, y=-BELOW, units="points")
    style = {"fontsize": "small", "frameon": False, "handlelength": 2.5, "borderaxespad": 0}
    return ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=2, **style
    )
