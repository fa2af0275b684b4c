"""Which rows stand for all of them in a model or a preconditioner."""

import numpy as np


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
