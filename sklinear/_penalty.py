"""The elastic net: l1 ||W||_1 + l2/2 ||W||_F^2."""

from dataclasses import dataclass

import numpy as np


def soft_threshold(values, threshold):
    """sign(v) max(0, |v| - threshold), the prox of threshold * |.|."""
    return values - np.clip(values, -threshold, threshold)


def best_shifts(coef, l1, l2, centre):
    """argmin over t_j of  sum_k l1 |W_jk - t_j| + C l2_j/2 (t_j - centre_j)^2, shape (d,).

    `l2` is a number or an array of shape (d,).  At l2 = 0 it is a median of the row; of all
    medians, the one nearest to zero.  Otherwise the minimiser solves
    C l2 (t - centre) = l1 (entries above t - entries below t).
    """
    if l1 == 0:
        return centre
    ordered = np.sort(coef, axis=1)
    n_classes = coef.shape[1]
    low, high = ordered[:, (n_classes - 1) // 2], ordered[:, n_classes // 2]
    median, l2 = np.clip(0.0, low, high), np.broadcast_to(l2, len(coef))[:, None]
    # Entries and the roots of the pieces between them interleave around the minimiser, so it
    # is the median of both lists together.
    above = n_classes - 2 * np.arange(n_classes + 1)
    positive = l2 > 0
    roots = centre[:, None] + l1 * above / (np.where(positive, l2, 1.0) * n_classes)
    return np.where(positive[:, 0], np.median(np.hstack([ordered, roots]), axis=1), median)


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
        """Shift each row of W to the least penalty; the losses don't see such a shift."""
        rows = np.flatnonzero(coef.any(axis=1))
        out, part = coef.copy(), coef[rows]
        out[rows] -= best_shifts(part, self.l1, self.l2, part.mean(axis=1))[:, None]
        return out

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
        if self.l1 == 0:
            residual = self.l2 * coef
            residual += correlation
            return float(np.vdot(residual, residual) / (2 * self.l2)) if self.l2 else 0.0
        # All terms are zero where w = 0 and |a| <= l1.
        alive = (coef != 0) | (np.abs(correlation) > self.l1)
        coef, correlation = coef[alive], correlation[alive]
        inner = np.clip(correlation, -self.l1, self.l1)
        total = np.vdot(np.abs(coef), self.l1 + np.sign(coef) * inner)
        if self.l2:
            residual = self.l2 * coef + (correlation - inner)
            total += np.vdot(residual, residual) / (2 * self.l2)
        return float(total)
