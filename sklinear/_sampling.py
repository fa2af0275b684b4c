"""Which rows stand for all of them in a model or a preconditioner."""

import numpy as np

FEW = 10
EVEN, MAX_CUTS = 0.1, 10
LEAST_SIZE = 0.2  # of a row, by the mean


def draw_rows(n_rows, size):
    """Sorted indices of `size` rows (all if there are fewer), one at random from each part.

    Regular strides would meet only one class where the classes take turns. The seed is fixed,
    so that a fit is deterministic.
    """
    if size >= n_rows:
        return np.arange(n_rows)
    edges = np.arange(size + 1) * n_rows // size
    place = np.random.default_rng(0).random(size)
    return edges[:-1] + (place * np.diff(edges)).astype(np.intp)


def draw_weighty(weights, size):
    """The same of the rows with a weight."""
    kept = np.flatnonzero(weights)
    return kept[draw_rows(len(kept), size)]


def draw_by_size(sizes, n_rows):
    """Sorted indices of about so many rows, drawn in proportion to their sizes, and 1 / chances.

    A tenth of the chances is the same for all.  One number at random places a regular comb on the
    cumulated chances; the seed is fixed.
    """
    if n_rows >= len(sizes):
        return np.arange(len(sizes)), np.ones(len(sizes))
    total = sizes.sum()
    shares = sizes / total if total > 0 else np.full(len(sizes), 1 / len(sizes))
    chances = n_rows * ((1 - EVEN) * shares + EVEN / len(sizes))
    for _ in range(MAX_CUTS):
        sure = chances >= 1
        left = chances[~sure].sum()
        if not 0 < left < n_rows - np.count_nonzero(sure) - 1e-9 * n_rows:
            break
        chances = np.where(sure, 1.0, chances * (n_rows - np.count_nonzero(sure)) / left)
    chances = np.minimum(chances, 1.0)
    teeth = np.floor(np.cumsum(chances) + np.random.default_rng(0).random())
    chosen = np.flatnonzero(np.diff(teeth, prepend=0.0))
    return chosen, 1 / chances[chosen]


def draw_from_classes(labels, sizes, n_rows):
    """Indices of about so many rows, by size in each class, and 1 / chances.

    Each class has its share of the rows; of rare classes at least a few are taken, if there are.
    Rows of no size are not.
    """
    share = n_rows / len(labels)
    chosen, factors = [], []
    for k in range(labels.max() + 1):
        members = np.flatnonzero((labels == k) & (sizes > 0))
        wanted = max(int(np.ceil(share * len(members))), FEW)
        places, factor = draw_by_size(sizes[members], wanted)
        chosen.append(members[places])
        factors.append(factor)
    chosen, factors = np.concatenate(chosen), np.concatenate(factors)
    order = np.argsort(chosen)
    return chosen[order], factors[order]
