"""Which rows stand for all of them in a model or a preconditioner."""

import numpy as np

FEW = 10


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


def draw_from_classes(labels, weights, n_rows):
    """Indices of about so many rows with a positive weight, an equal share of each class.

    Of rare classes at least a few rows are taken, if there are.
    """
    share = n_rows / len(labels)
    chosen = []
    for k in range(labels.max() + 1):
        members = np.flatnonzero((labels == k) & (weights > 0))
        wanted = max(int(np.ceil(share * len(members))), FEW)
        chosen.append(members[draw_rows(len(members), wanted)])
    return np.sort(np.concatenate(chosen))
