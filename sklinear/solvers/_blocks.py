"""Minimise a quadratic model one class at a time through the Hessian blocks of the classes.

Features are often nearly collinear and classes seldom are: with the block of a class solved
almost exactly, few sweeps over the classes suffice where coordinate descent needs hundreds.
"""

import numpy as np

from ._explicit import improve


def minimise_by_blocks(model, accuracy, max_rounds=30):
    """Minimiser of a model, and the gradient there.

    It ends with a round that gains less than the share `accuracy` of what was gained so far.
    """
    x, value = model.start, 0.0
    blocks = ClassBlocks(model)
    for _ in range(max_rounds):
        x = blocks.sweep(x)
        x += model.recentre(x)
        gradient = model.gradient + model.product(x - model.start)
        previous, value = value, model.value(x, gradient)
        if previous - value <= accuracy * -value:
            break
    return x, gradient


class ClassBlocks:
    """The Hessian block of each class, and sweeps of block coordinate descent."""

    def __init__(self, model):
        self.model = model
        self.state = model.curvature.by_class(model.dtype)
        self.chosen = [np.flatnonzero(column) for column in model.free.T]
        self.ridge = model.ridges()
        self.hessians = [np.diag(self.ridge[chosen]) for chosen in self.chosen]
        self._add_curvature()

    def _add_curvature(self):
        data, everything = self.model.data, np.arange(len(self.model.start) - 1)
        for rows in data.blocks(len(self.model.start)):
            columns = data.columns(rows, everything, self.model.dtype)
            for k, chosen in enumerate(self.chosen):
                part = columns if len(chosen) == len(self.ridge) else columns[:, chosen]
                weight = self.state.curvature[k, rows, None]
                self.hessians[k] += part.T @ (weight * part)
        data.passes.add(data.share * len(self.chosen))

    def sweep(self, x):
        """The weights after one block step for each class."""
        x = x.copy()
        model = self.model
        self.state.begin(model.scores(x - model.start))
        for k, chosen in enumerate(self.chosen):
            residual = np.ascontiguousarray(self.state.residual(k))
            slope = np.append(model.data.correlate(residual[:, None]).ravel(), residual.sum())
            gradient = slope + model.gradient[:, k] + self.ridge * (x[:, k] - model.start[:, k])
            moved, _ = improve(
                self.hessians[k], x[chosen, k], gradient[chosen], model.l1[chosen, 0].copy()
            )
            move = np.zeros((len(x), 1))
            move[chosen, 0] = moved - x[chosen, k]
            x[chosen, k] = moved
            self.state.advance(k, model.scores(move).ravel())
        return x
