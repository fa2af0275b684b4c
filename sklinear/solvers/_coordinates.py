"""The free variables of a model as a vector.

Stacked arrays have the shape (f + 1, C), a row for each feature and one for the intercept.
"""

from functools import cached_property

import numpy as np


class Free:
    """Each free variable on its own, in the order of np.nonzero(free).

    Attributes
    ----------
    feature, klass : ndarray of shape (m,)
        The variables whose block of the Hessian of the loss, times `multiple`, is that in the
        coordinates.
    """

    multiple = 1.0

    def __init__(self, free):
        self.free = free

    def __len__(self):
        return np.count_nonzero(self.free)

    @cached_property
    def _places(self):
        return np.nonzero(self.free)

    @property
    def feature(self):
        """Rows of the variables."""
        return self._places[0]

    @property
    def klass(self):
        """Their columns."""
        return self._places[1]

    def point(self, stacked):
        """Coordinates of weights or of a move."""
        return stacked[self.free]

    def slope(self, stacked):
        """Derivatives in the coordinates."""
        return stacked[self.free]

    def sums(self, stacked):
        """A diagonal, or the weights of an L1 norm, in the coordinates."""
        return stacked[self.free]

    def lift(self, point, stacked=None):
        """A stacked array (zero, or a copy of one) with weights that have these coordinates."""
        out = np.zeros(self.free.shape) if stacked is None else stacked.copy()
        out[self.free] = point
        return out

    def lift_slope(self, slope, stacked=None):
        """The same for derivatives."""
        return self.lift(slope, stacked)


class Opposite:
    """Weights (-u, u) of two classes, which lose nothing: one u for each free row.

    The losses see u alone and no penalty wants a shift of both: (v, w) is taken for the opposite
    weights with its scores, whose penalty is no larger.  Half the variables make a quarter of a
    Hessian and an eighth of the work on its factors.  Attributes are those of `Free`.
    """

    multiple = 4.0  # M = m [[1, -1], [-1, 1]] along (-1, 1)

    def __init__(self, free):
        self.free = free
        self.feature = np.flatnonzero(free[:, 1])
        self.klass = np.ones_like(self.feature)

    def __len__(self):
        return len(self.feature)

    def point(self, stacked):
        """Half the difference of both classes."""
        rows = stacked[self.feature]
        return 0.5 * (rows[:, 1] - rows[:, 0])

    def slope(self, stacked):
        """Derivatives in u."""
        rows = stacked[self.feature]
        return rows[:, 1] - rows[:, 0]

    def sums(self, stacked):
        """Of both classes."""
        return stacked[self.feature].sum(axis=1)

    def lift(self, point, stacked=None):
        """A stacked array (zero, or a copy of one) with (-u, u) in the free rows."""
        out = np.zeros(self.free.shape) if stacked is None else stacked.copy()
        out[self.feature, 0], out[self.feature, 1] = -point, point
        return out

    def lift_slope(self, slope, stacked=None):
        """The same for derivatives, half of which belong to each class."""
        return self.lift(0.5 * slope, stacked)


def coordinates(free):
    """Those of two classes where both are free alike."""
    alike = free.shape[1] == 2 and np.array_equal(free[:, 0], free[:, 1])
    return Opposite(free) if alike else Free(free)
