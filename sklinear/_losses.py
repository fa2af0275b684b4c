"""The losses: value, gradient (the dual vector), conjugate and curvature of each.

A loss acts on scores Z (n, C), labels y (n,) in 0..C-1 and weights p (n,).  Its dual point
G (n, C) holds a vector g_i per sample with entries that sum to zero; the *natural* one is
the gradient of the loss at the scores.  Violations are m_k = 1 + z_k - z_y.

References
----------
Weston and Watkins, Support vector machines for multi-class pattern recognition, 1999.
Fenchel-Young losses: Blondel, Martins and Niculae, JMLR 21, 2020.
"""

import numpy as np

from . import _core
from ._curvature import Curvature, SoftmaxCurvature, StarCurvature, second_moments
from ._feasibility import (
    MassMove,
    balance_flows,
    balance_simplex,
    class_sums,
    clip_simplex,
    clip_star,
)
from ._threads import over_rows

COARSE = 2.0  # of log frequencies; nearer to the optimum Newton's method is better


def _first_zero(values, move):
    """The smallest t > 0 at which an entry of values + t * move falls to zero."""
    falling = move < 0
    with np.errstate(over="ignore"):  # never, for a move of next to nothing
        steps = np.maximum(values[falling], 0.0) / -move[falling]
    return np.min(steps, initial=np.inf)


def _sums(rows):
    """Sums of the first numbers, of the second ones, and so on."""
    return tuple(map(sum, zip(*rows, strict=True)))


class Loss:
    """What the problem, the certificate and the solvers ask of a loss.

    Class attributes
    ----------------
    code : int
        The compiled kernel.
    smooth : bool
        Whether the gradient is continuous; if not, `smoothed` gives a loss whose is.
    bend : float
        Largest second derivative in one score, of a smooth loss.
    curvature_jumps : bool
        Whether the second derivative has jumps.
    rests : bool
        Whether some samples have no curvature, which ones depending on the scores.
    ascends : bool
        Whether dual ascent knows the maximiser of a block, the dual vector of one sample.
    curvature_type : type
        That of its second derivatives.
    block : tuple of float or None
        (s, h) if the conjugate is sum over wrong k of s u_k^2 / 2 - u_k on 0 <= u <= h.
    """

    code = -1
    smooth = True
    bend = 0.0
    curvature_jumps = False
    rests = False
    ascends = False
    curvature_type: type[Curvature] = Curvature
    block: tuple[float, float] | None = None
    _sigma = 1.0

    def _centre(self, dtype):
        return np.empty((0, 0), dtype=dtype)

    def value_at_zero(self, n_classes):
        """Loss of a sample whose scores are all zero."""
        raise NotImplementedError

    def value_and_dual(self, scores, labels, weights):
        """sum_i p_i loss(z_i, y_i), and the natural dual point."""
        dual, centre = np.empty_like(scores), self._centre(scores.dtype)

        def part(rows):
            state = scores[rows], labels[rows], weights[rows], dual[rows], centre[rows]
            return _core.value_and_dual(self.code, *state, self._sigma)

        return sum(over_rows(part, scores)), dual

    def value_along(self, scores, direction, step, labels, weights, out):
        """Value at `scores + step * direction` and its derivative in `step`.

        `out` is a pair of arrays (n, C) for the scores and the natural dual point there.
        """
        centre, (moved, dual) = self._centre(scores.dtype), out

        def part(rows):
            state = labels[rows], weights[rows], moved[rows], dual[rows], centre[rows]
            return _core.value_along(
                self.code, scores[rows], direction[rows], step, *state, self._sigma
            )

        return _sums(over_rows(part, scores))

    def value_at_shift(self, scores, shift, labels, weights):
        """Value and natural dual point at `scores + shift`, and sum_i p_i g_i, shape (C,)."""
        dual, centre = np.empty_like(scores), self._centre(scores.dtype)

        def part(rows):
            residual = np.empty(len(shift))
            state = labels[rows], weights[rows], dual[rows], residual, centre[rows]
            value = _core.value_at_shift(self.code, scores[rows], shift, *state, self._sigma)
            return value, residual

        values, residuals = zip(*over_rows(part, scores), strict=True)
        return sum(values), dual, sum(residuals)

    def value_and_gap(self, scores, labels, weights, dual, scale=1.0):
        """sum_i p_i loss(z_i, y_i), and `fenchel_young`."""
        centre = self._centre(scores.dtype)

        def part(rows):
            state = scores[rows], labels[rows], weights[rows], dual[rows]
            return _core.value_and_gap(self.code, *state, scale, centre[rows], self._sigma)

        return _sums(over_rows(part, scores))

    def values_and_gaps(self, scores, duals, factors, labels, weights, scales):
        """`value_and_gap` at m combinations of some scores and of some dual points, shape (2, m).

        Parameters
        ----------
        scores, duals : list of ndarray of shape (n, C)
        factors : pair of ndarray of shape (m, n_scores) and (m, n_duals)
        labels, weights : ndarray of shape (n,)
        scales : ndarray of shape (m,)
        """
        centre = self._centre(np.float64)

        def part(rows):
            out = np.zeros((len(scales), 2))
            known = [known[rows] for known in scores], [known[rows] for known in duals]
            state = labels[rows], weights[rows], centre[rows], self._sigma
            _core.values_and_gaps(self.code, *known, *factors, scales, *state, out)
            return out

        return sum(over_rows(part, scores[0], len(scales))).T

    def fenchel_young(self, scores, labels, weights, dual, scale=1.0):
        """sum_i p_i [loss(z_i) + conjugate(t g_i) - <z_i, t g_i>] at t = `scale`, term by term."""
        return self.value_and_gap(scores, labels, weights, dual, scale)[1]

    def conjugate(self, labels, weights, dual, scale=1.0):
        """sum_i p_i conjugate(t g_i) at t = `scale`, and its first two derivatives in t."""
        centre = self._centre(dual.dtype)

        def part(rows):
            state = labels[rows], weights[rows], dual[rows], scale, centre[rows]
            return _core.conjugate(self.code, *state, self._sigma)

        return _sums(over_rows(part, dual))

    def most_growth(self, value, move, n_classes):
        """The most by which `value` = sum_i p_i loss(z_i, y_i) grows where scores move.

        `move` is the root of sum_i p_i |z_i - z'_i|^2; the p_i have the sum 1.
        """
        raise NotImplementedError

    def largest_scale(self, dual):
        """The largest t for which t g stays in the domain of the conjugate."""
        raise NotImplementedError

    def clip(self, dual, labels):
        """A nearby dual point in the domain of the conjugate (works in place)."""
        raise NotImplementedError

    def balance(self, dual, labels, weights):
        """A nearby dual point, in the domain, with sum_i p_i g_i = 0 (works in place)."""
        raise NotImplementedError

    def room(self, dual, labels, weights):
        """A curvature made of the distances of dual variables from the edge of their domain."""
        raise NotImplementedError

    def longest(self, dual, move, labels):
        """The largest t for which g + t * move stays in the domain of the conjugate."""
        raise NotImplementedError

    def curvature(self, scores, labels, weights):
        """Second derivative in the scores."""
        _, dual = self.value_and_dual(scores, labels, weights)
        return self.curvature_at(dual, labels, weights)

    def curvature_at(self, dual, labels, weights):
        """Second derivative in the scores, from the natural dual point there."""
        raise NotImplementedError

    def mean_curvature(self, dual, labels, weights):
        """sum_i p_i M_i from the natural dual point, shape (C, C)."""
        return self.curvature_at(dual, labels, weights).mean()

    def mass_move(self, residual, frequency):
        """What `balance` does if that is a move of mass, which correlations can follow, else None.

        `residual` is sum_i p_i g_i, `frequency` the weight of the samples of each class.
        """
        return None

    def gain_of_shift(self, residual, frequency):
        """About what the best shift of all scores gains, or more if that is not known."""
        return np.inf

    def coarse_shift(self, residual, frequency):
        """A shift of all scores that surely lowers the loss, or None where Newton's is better."""
        return None


class CrossEntropy(Loss):
    """log sum_k exp z_k - z_y; conjugate sum_k q_k log q_k at g = q - e_y, q in the simplex."""

    code = _core.CROSS_ENTROPY
    bend = 0.25
    ascends = True
    curvature_type = SoftmaxCurvature

    def value_at_zero(self, n_classes):
        """log C."""
        return float(np.log(n_classes))

    def most_growth(self, value, move, n_classes):
        """By gradients q - e_y, which are not longer than the root of 2."""
        return np.sqrt(2.0) * move

    def largest_scale(self, dual):
        """1: beyond it the weight on the true class may turn negative."""
        return 1.0

    def clip(self, dual, labels):
        """Cut negative probabilities off."""
        return clip_simplex(dual, labels)

    def balance(self, dual, labels, weights):
        """Move mass between classes (see `balance_simplex`)."""
        return balance_simplex(dual, labels, weights)

    def room(self, dual, labels, weights):
        """That of the probabilities q, which are their distances from zero."""
        return self.curvature_at(dual, labels, weights)

    def longest(self, dual, move, labels):
        """Until the first probability is zero."""
        probabilities, rows = dual.copy(), np.arange(len(labels))
        probabilities[rows, labels] += 1.0
        return _first_zero(probabilities, move)

    def mass_move(self, residual, frequency):
        """That between the probabilities."""
        return MassMove(residual, frequency)

    def gain_of_shift(self, residual, frequency):
        """By the largest curvature there can be, sum of r_k^2 / (2 max of the frequencies)."""
        expected = np.maximum(frequency + residual, np.finfo(float).tiny)
        return 0.5 * (residual**2 / np.maximum(frequency, expected)).sum()

    def curvature_at(self, dual, labels, weights):
        """diag(q) - q q^T."""
        factor, rows = dual.copy(), np.arange(len(labels))
        # 1 - (the sum of the other probabilities) may fall below zero by rounding.
        factor[rows, labels] = np.maximum(factor[rows, labels] + 1.0, 0.0)
        return SoftmaxCurvature(factor, labels, weights)

    def mean_curvature(self, dual, labels, weights):
        """In terms of g = q - e_y: with the flows B_lk = sum of p_i g_ik over the samples of
        class l, it is diag(sum_l B_l) - B - B^T - sum_i p_i g_i g_i^T.
        """
        flows = class_sums(dual, labels, weights)
        out = np.diag(flows.sum(axis=0)) - flows - flows.T
        return np.subtract(out, second_moments(dual, weights), out=out)

    def coarse_shift(self, residual, frequency):
        """log of observed by expected class frequencies, while they differ much.

        A step of generalised iterative scaling (Darroch and Ratcliff, 1972), which never
        raises the loss; for a rare class it is close to exact where Newton's would be far off.
        """
        expected = frequency + residual
        if not (frequency.min() > 0 and expected.min() > 0):
            return None
        shift = np.log(frequency / expected)
        return shift if np.abs(shift).max() > COARSE else None


class _HingeFamily(Loss):
    rests = True
    ascends = True
    curvature_type = StarCurvature

    def value_at_zero(self, n_classes):
        """C - 1: each wrong class violates the margin by one."""
        return float(n_classes - 1)

    def room(self, dual, labels, weights):
        """The distances of the u from 0 or, where that is nearer, from their upper bound."""
        _, largest = self.block
        factor = np.maximum(np.minimum(dual, largest - dual), 0.0)
        return StarCurvature(self._wrong(factor, labels), labels, weights)

    def longest(self, dual, move, labels):
        """Until the first u is at a bound."""
        _, largest = self.block
        wrong = np.arange(dual.shape[1]) != labels[:, None]
        dual, move = dual[wrong], move[wrong]
        upper = _first_zero(largest - dual, -move) if np.isfinite(largest) else np.inf
        return min(_first_zero(dual, move), upper)

    def _wrong(self, factor, labels):
        factor[np.arange(len(labels)), labels] = 0.0
        return factor


class Hinge(_HingeFamily):
    """Sum over wrong k of max(0, m_k); conjugate -sum u on 0 <= u <= 1."""

    code = _core.HINGE
    smooth = False
    block = 0.0, 1.0

    def most_growth(self, value, move, n_classes):
        """By gradients that are the longest where all wrong classes violate the margin."""
        return np.sqrt(n_classes * (n_classes - 1.0)) * move

    def largest_scale(self, dual):
        """1 / max u."""
        return 1.0 / max(dual.max(initial=0.0), np.finfo(float).tiny)

    def clip(self, dual, labels):
        """Cut u at 0 and 1."""
        return clip_star(dual, labels, largest=1.0)

    def balance(self, dual, labels, weights):
        """Scale the flows between classes (see `balance_flows`)."""
        return balance_flows(dual, labels, weights, largest=1.0)

    def smoothed(self, centre, sigma):
        """The hinge with a proximal term around the dual point `centre`."""
        return SmoothedHinge(centre, sigma)


class SquaredHinge(_HingeFamily):
    """Sum over wrong k of max(0, m_k)^2; conjugate sum (u^2/4 - u) on u >= 0."""

    code = _core.SQUARED_HINGE
    bend = 2.0
    curvature_jumps = True
    block = 0.5, np.inf

    def most_growth(self, value, move, n_classes):
        """By Minkowski's inequality: the m_k of a sample move by C^(1/2) |z - z'| at most."""
        move = np.sqrt(n_classes) * move
        return move * (2.0 * np.sqrt(value) + move)

    def largest_scale(self, dual):
        """Unbounded."""
        return np.inf

    def clip(self, dual, labels):
        """Cut u at 0."""
        return clip_star(dual, labels)

    def balance(self, dual, labels, weights):
        """Scale the flows between classes (see `balance_flows`)."""
        return balance_flows(dual, labels, weights)

    def curvature_at(self, dual, labels, weights):
        """a_k = 2 where m_k > 0 (a generalised second derivative)."""
        factor = self._wrong(2.0 * (dual > 0), labels)
        return StarCurvature(factor, labels, weights)


class SmoothedHinge(Hinge):
    """Sum over wrong k of max over 0 <= u <= 1 of u m_k - (u - c_k)^2 / (2 sigma).

    The proximal-point subproblem of the hinge around the dual point `centre`; within
    1 / (2 sigma) per term of the hinge, and equal to it where the maximiser is c_k.

    Parameters
    ----------
    centre : ndarray of shape (n, C)
        Dual point with entries c_k for the wrong classes.
    sigma : float
        Curvature; larger means closer to the hinge.
    """

    code = _core.SMOOTHED_HINGE
    smooth = True
    ascends = False

    def __init__(self, centre, sigma):
        self.centre = centre
        self._sigma = self.bend = float(sigma)

    def _centre(self, dtype):
        return np.asarray(self.centre, dtype=dtype)

    def curvature_at(self, dual, labels, weights):
        """a_k = sigma where the maximiser lies strictly inside (0, 1)."""
        free = (dual > 0) & (dual < 1)
        factor = self._wrong(self._sigma * free, labels)
        return StarCurvature(factor, labels, weights)
