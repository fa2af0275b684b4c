"""The elastic net: l1 ||W||_1 + l2/2 ||W||_F^2."""

from dataclasses import dataclass

import numpy as np


def soft_threshold(values, threshold):
    """sign(v) max(0, |v| - threshold), the prox of threshold * |.|."""
    return values - np.clip(values, -threshold, threshold)


@dataclass(frozen=True)
class ElasticNet:
    """The penalty with weights `l1` = alpha * l1_ratio and `l2` = alpha * (1 - l1_ratio)."""

    l1: float
    l2: float

    def value(self, coef):
        """The penalty of W."""
        value = 0.5 * self.l2 * np.vdot(coef, coef)
        return float(value + self.l1 * np.abs(coef).sum()) if self.l1 else float(value)

    def slope(self, coef, direction):
        """Derivative of the penalty at W along a direction, from the right."""
        slope = self.l2 * np.vdot(coef, direction)
        if self.l1:
            at_zero = np.abs(direction[coef == 0]).sum()
            slope += self.l1 * (np.vdot(np.sign(coef), direction) + at_zero)
        return float(slope)

    def prox(self, values, step):
        """argmin_W  step * penalty(W) + 1/2 ||W - values||^2."""
        return soft_threshold(values, step * self.l1) / (1.0 + step * self.l2)

    def recentre(self, coef):
        """Shift each row of W to the least penalty; the losses don't see such a shift.

        Minimises sum_k l1 |W_jk - t| + l2/2 (W_jk - t)^2 over t: with l2 = 0 a median, an
        entry of the row, which so becomes zero.  At a minimum between two entries t solves
        l2 (C t - sum W_j) = l1 (number above t - number below t).
        """
        if self.l1 == 0:
            return coef - coef.mean(axis=1, keepdims=True)
        ordered = np.sort(coef, axis=1)
        n_classes = coef.shape[1]
        if self.l2 == 0:
            low = ordered[:, (n_classes - 1) // 2]
            high = ordered[:, n_classes // 2]
            shift = np.where(np.abs(low) <= np.abs(high), low, high)
            shift = np.where((low <= 0) & (high >= 0), 0.0, shift)
        else:
            # The derivative in t just above and just below each entry; they interleave with
            # the roots of the pieces, so the minimiser is the median of both lists.
            above = n_classes - 2 * np.arange(n_classes + 1)
            roots = coef.mean(axis=1)[:, None] + self.l1 * above / (self.l2 * n_classes)
            shift = np.median(np.hstack([ordered, roots]), axis=1)
        return coef - shift[:, None]

    def dual_value(self, correlation):
        """sup_W <-A, W> - penalty(W) = sum (|A| - l1)_+^2 / (2 l2); infinite or 0 at l2 = 0."""
        excess = np.maximum(np.abs(correlation) - self.l1, 0.0)
        if self.l2 == 0:
            return np.inf if excess.any() else 0.0
        return float(np.vdot(excess, excess) / (2 * self.l2))

    def dual_slope(self, correlation, scale):
        """Derivative of dual_value(scale * A) in scale (l2 > 0)."""
        size = np.abs(correlation)
        return float(np.vdot(size, np.maximum(scale * size - self.l1, 0.0)) / self.l2)

    def fenchel_young(self, coef, correlation):
        """penalty(W) + dual_value(A) + <W, A> as a sum of non-negative terms."""
        if self.l2 == 0 and np.abs(correlation).max(initial=0.0) > self.l1:
            return np.inf
        inner = np.clip(correlation, -self.l1, self.l1)
        total = 0.0
        if self.l1:
            total += np.vdot(np.abs(coef), self.l1 + np.sign(coef) * inner)
        if self.l2:
            residual = self.l2 * coef + (correlation - inner)
            total += np.vdot(residual, residual) / (2 * self.l2)
        return float(total)
