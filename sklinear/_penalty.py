"""The elastic net: sum_j f_j (l1 ||W_j||_1 + l2/2 ||W_j||^2) over the features j."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from . import _quadratic

NONE = np.empty(0, dtype=np.intp)


def soft_threshold(values, threshold):
    """sign(v) max(0, |v| - threshold), the prox of threshold * |.|."""
    return values - np.clip(values, -threshold, threshold)


def best_shifts(coef, l1, l2, centre):
    """argmin over t_j of  sum_k l1 |W_jk - t_j| + C l2_j/2 (t_j - centre_j)^2, shape (d,).

    `l1` and `l2` are numbers or arrays of shape (d,).  At l2 = 0 it is a median of the row; of
    all medians, the one nearest to zero.  Otherwise the minimiser solves
    C l2 (t - centre) = l1 (entries above t - entries below t).  Where both are zero nothing
    depends on t, and it is the centre.
    """
    if not np.any(l1):
        return centre
    parts = np.empty((4, len(coef)))
    parts[0], parts[1], parts[2] = l1, l2, centre
    _quadratic.best_shifts(np.sort(coef.astype(np.float64, copy=False), axis=1), *parts)
    return parts[3]


@dataclass(frozen=True)
class ElasticNet:
    """The penalty with weights `l1` = alpha * l1_ratio and `l2` = alpha * (1 - l1_ratio).

    `factor`, of shape (d, 1), multiplies both for each feature; it is 1 where all are alike.  A
    feature of factor 0 is free, as the intercept is: its row of A must be zero.  `shared` is a
    factor that all features have in common; l1 and l2 contain it already.
    """

    l1: float
    l2: float
    factor: np.ndarray | float = 1.0
    shared: float = 1.0

    @cached_property
    def l1s(self):
        """l1 of each feature, a number where all are alike."""
        return self.l1 * self.factor

    @cached_property
    def l2s(self):
        """l2 of each feature."""
        return self.l2 * self.factor

    @cached_property
    def free(self):
        """Indices of the features without a penalty."""
        return NONE if self.is_even else np.flatnonzero(np.ravel(self.factor) == 0)

    @property
    def is_even(self):
        """Whether it is the same for all features."""
        return not isinstance(self.factor, np.ndarray)

    def take(self, features):
        """The penalty of some features."""
        return self if self.is_even else replace(self, factor=self.factor[features])

    def scaled(self, number):
        """The penalty times a number."""
        return replace(self, l1=number * self.l1, l2=number * self.l2)

    def value(self, coef):
        """The penalty of W."""
        weighted = self._with_factor(coef)
        value = 0.5 * self.l2 * np.vdot(weighted, coef)
        return float(value + self.l1 * np.abs(weighted).sum()) if self.l1 else float(value)

    def gradient(self, coef):
        """Of the L2 part."""
        return self.l2s * coef

    def slope(self, coef, direction):
        """Derivative of the penalty at W along a direction, from the right."""
        return self._slopes(coef, direction)[0]

    def _slopes(self, coef, direction):
        """From the right and from the left."""
        direction = self._with_factor(direction)
        slope = self.l2 * float(np.vdot(coef, direction))
        if not self.l1:
            return slope, slope
        slope += self.l1 * float(np.vdot(np.sign(coef), direction))
        at_zero = self.l1 * float(np.abs(direction[coef == 0]).sum())
        return slope + at_zero, slope - at_zero

    def along(self, coef, move):
        """A function of t: the penalty at W + t V, its slopes there to the right and the left."""

        def at(t):
            moved = coef + t * move
            return self.value(moved), *self._slopes(moved, move)

        return at if self.l1 else self._quadratic(coef, move)

    def _quadratic(self, coef, move):
        start, slope, bend = self.value(coef), self.slope(coef, move), self.slope(move, move)

        def at(t):
            return start + t * (slope + 0.5 * t * bend), slope + t * bend, slope + t * bend

        return at

    def prox(self, values, step):
        """argmin_W  step * penalty(W) + 1/2 ||W - values||^2."""
        return soft_threshold(values, step * self.l1s) / (1.0 + step * self.l2s)

    def recentre(self, coef):
        """Shift each row of W to the least penalty; the losses don't see such a shift."""
        rows = np.flatnonzero(coef.any(axis=1))
        out, part = coef.copy(), coef[rows]
        l1, l2 = self.l1s, self.l2s
        if not self.is_even:
            l1, l2 = l1[rows, 0], l2[rows, 0]
        out[rows] -= best_shifts(part, l1, l2, part.mean(axis=1))[:, None]
        return out

    def dual_value(self, correlation):
        """sup_W <-A, W> - penalty(W) = sum (|A| - l1)_+^2 / (2 l2); infinite or 0 at l2 = 0."""
        excess = np.maximum(np.abs(self._held(correlation)) - self.l1s, 0.0)
        if self.l2 == 0:
            return np.inf if excess.any() else 0.0
        return _half_square(excess, self._bends)

    def dual_slope(self, correlation):
        """First two derivatives of dual_value(t * A) in t, as a function of t (l2 > 0)."""
        size = np.abs(self._held(correlation))
        every = size, self.l1s, self._bends
        # The others don't count at t <= 1.
        large = size > self.l1s
        few = [pick(values, large) for values in every]

        def slope(t):
            size, l1, l2 = every if t > 1 else few
            excess, bends = np.maximum(t * size - l1, 0.0), size / l2
            return float(np.vdot(bends, excess)), float(np.vdot(bends, size * (excess > 0)))

        return slope

    def factors(self, shape):
        """The whole factor of the penalty of each weight."""
        return np.broadcast_to(self.shared * self.factor, shape)

    def relative_size(self, correlation):
        """|A| by the whole factor of each feature, 0 where it is free."""
        factor, size = self.factors(correlation.shape), np.zeros_like(correlation)
        return np.divide(np.abs(correlation), factor, out=size, where=factor > 0)

    def largest_scale(self, correlation):
        """The largest t with |t A| <= l1."""
        size = np.abs(self._held(correlation))
        if self.is_even:
            size = size.max(initial=0.0)
            return self.l1 / size if size > 0 else np.inf
        share = np.divide(size, self.l1s, out=np.zeros_like(size), where=self.l1s > 0)
        return 1.0 / max(share.max(initial=0.0), np.finfo(float).tiny)

    def fenchel_young(self, coef, correlation):
        """penalty(W) + dual_value(A) + <W, A> as a sum of non-negative terms."""
        correlation = self._held(correlation)
        if self.l2 == 0 and (np.abs(correlation) > self.l1s).any():
            return np.inf
        if self.l1 == 0:
            residual = self.l2s * coef
            residual += correlation
            return _half_square(residual, self._bends) if self.l2 else 0.0
        # All terms are zero where w = 0 and |a| <= l1.
        alive = (coef != 0) | (np.abs(correlation) > self.l1s)
        l1, bends = pick(self.l1s, alive), pick(self._bends, alive)
        coef, correlation, l2 = coef[alive], correlation[alive], pick(self.l2s, alive)
        inner = np.clip(correlation, -l1, l1)
        total = np.vdot(np.abs(coef), l1 + np.sign(coef) * inner)
        if self.l2:
            residual = l2 * coef + (correlation - inner)
            total += _half_square(residual, bends)
        return float(total)

    def _with_factor(self, coef):
        return coef if self.is_even else self.factor * coef

    def _held(self, correlation):
        """A, exactly zero for the features that are free."""
        if len(self.free) == 0:
            return correlation
        correlation = correlation.copy()
        correlation[self.free] = 0.0
        return correlation

    @cached_property
    def _bends(self):
        """l2 to divide by, whose value does not matter where a feature is free."""
        return self.l2s if len(self.free) == 0 else np.where(self.l2s > 0, self.l2s, 1.0)


def _half_square(values, divisor):
    """Sum of v^2 / (2 divisor)."""
    if np.ndim(divisor):
        return float(np.vdot(values, values / (2 * divisor)))
    return float(np.vdot(values, values) / (2 * divisor))


def pick(values, chosen):
    """Entries of an array of shape (d, 1), spread over the classes; a number is for all."""
    return np.broadcast_to(values, chosen.shape)[chosen] if np.ndim(values) else values
