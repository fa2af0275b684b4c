"""Inverse Hessians from the last steps (L-BFGS), through inner products of all steps at once.

References
----------
Liu and Nocedal, On the limited memory BFGS method, Mathematical Programming 45, 1989.
Chen, Wang and Zhou, Large-scale L-BFGS using MapReduce, NIPS 2014 (inner products).
"""

import numpy as np
from scipy.linalg.blas import dtrsv

LEAST_CURVATURE = 1e-12  # cosine of a move and of the change of the gradient


class LimitedMemory:
    """Corrects an approximate inverse by the last moves and changes of the gradient.

    Parameters
    ----------
    size : int
        How many pairs are kept.
    """

    def __init__(self, size):
        self.size, self.count = size, 0

    def clear(self):
        """Forget all pairs."""
        self.count = 0

    def add(self, move, change):
        """Learn that the gradient changes so much along a move, if that curves upwards."""
        self.shape = move.shape
        move, change = move.ravel(), change.ravel()
        product = move @ change
        if not product > LEAST_CURVATURE * np.linalg.norm(move) * np.linalg.norm(change):
            return
        if self.count == 0:
            self.moves, self.changes = np.zeros((2, self.size, len(move)))
            self.products = np.zeros((self.size, self.size))
        newest = self.count % self.size
        self.moves[newest], self.changes[newest] = move, change
        self.count += 1
        self.products[: self._kept, newest] = self.moves[: self._kept] @ change

    @property
    def _kept(self):
        return min(self.count, self.size)

    def scale_of(self, apply):
        """By what factor an inverse would map the last change to its move, as near as it can."""
        if not self.count:
            return 1.0
        newest = (self.count - 1) % self.size
        change = self.changes[newest].reshape(self.shape)
        return self.products[newest, newest] / np.vdot(change, apply(change))

    def solve(self, gradient, apply):
        """The corrected inverse times a gradient, `apply` being the inverse to correct."""
        kept = self._kept
        if not kept:
            return apply(gradient)
        moves, changes = self.moves[:kept], self.changes[:kept]
        # Of a move with later changes; what is below the diagonal is out of date.
        order = np.arange(self.count - kept, self.count) % self.size
        products = self.products[np.ix_(order, order)]
        shares, steps = np.empty((2, kept))
        shares[order] = dtrsv(products, (moves @ gradient.ravel())[order])
        inner = (gradient.ravel() - shares @ changes).reshape(gradient.shape)
        out = apply(inner).ravel()
        rest = self.products.diagonal()[:kept] * shares - changes @ out
        steps[order] = dtrsv(products, rest[order], trans=1)
        out += steps @ moves
        return out.reshape(gradient.shape)
