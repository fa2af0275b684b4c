"""Second derivatives of a loss in the scores: per sample a (C, C) matrix M_i, never formed.

A curvature is stored as one number per score (`factor`); it multiplies, averages and builds
blocks of the Hessian X^T M X on a few variables.
"""

from dataclasses import dataclass, replace

import numpy as np

from . import _core
from ._feasibility import class_sums
from ._gram import moments
from ._gram_forms import cost_of_moment, form_of_softmax, form_of_star
from ._threads import over_rows, run

ALIKE = 1e-14  # what rounding leaves between probabilities


def second_moments(rows, weights):
    """sum_i p_i r_i r_i^T, shape (C, C)."""
    first = weights[0]
    # One product of a matrix with itself, and no copy, where all weights are the same.
    if (weights == first).all():
        return first * (rows.T @ rows)
    return (weights[:, None] * rows).T @ rows


@dataclass(frozen=True)
class Curvature:
    """M_i of every sample, with the weights p_i.

    Attributes
    ----------
    factor : ndarray of shape (n, C)
    labels : ndarray of shape (n,), int32
    weights : ndarray of shape (n,)
    caution : float
        By how much more than M it is (see `cautious`).
    """

    factor: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    caution: float = 0.0

    kind = -1

    @staticmethod
    def form(n_classes, width, size):
        """The way to sum a Hessian of so many features in so many variables (see `_gram_forms`)."""
        raise NotImplementedError

    def product(self, vectors):
        """Rows p_i M_i v_i, in the precision of `vectors`."""
        out = np.empty_like(vectors)
        factor = np.asarray(self.factor, dtype=vectors.dtype)

        def part(rows):
            state = factor[rows], self.labels[rows], self.weights[rows], vectors[rows], out[rows]
            _core.curvature_product(self.kind, *state)

        over_rows(part, vectors)
        return out

    def change(self, vectors):
        """Rows M_i v_i: how the gradient in the scores changes with these, to first order."""
        return replace(self, weights=np.ones(len(self.labels))).product(vectors)

    def state(self, rows):
        """Factor, labels and weights of a slice of rows, and whether they make a star."""
        factor = np.asarray(self.factor[rows], dtype=float)
        return factor, self.labels[rows], self.weights[rows], self.kind == _core.STAR_CURVATURE

    def by_class(self, dtype):
        """The curvature of one class at a time, for coordinate descent (see `ClassState`)."""
        raise NotImplementedError

    def gram(self, slices, columns, feature, klass):
        """sum_i p_i (M_i)_kl x_ij x_ij', for variables (j, k) and (j', l).

        Parameters
        ----------
        slices : list of slice
            Of the samples, a block each.
        columns : callable
            columns(rows) are the features of some samples, shape (rows, f), in the precision
            of the sums.
        feature, klass : ndarray of shape (m,)
            j and k of each variable.
        """
        if not slices:
            return np.zeros((len(feature), len(feature)))

        def partial(chosen):
            blocks = ((rows, columns(rows)) for rows in chosen)
            return form(blocks, feature, klass)

        form = self._form_of_gram(feature, klass)

        half = len(slices) // 2
        halves = [slices[:half], slices[half:]] if half else [slices]
        total, *others = run(partial, halves, len(self.labels) * len(feature))
        for other in others:
            total += other
        return total

    @classmethod
    def gram_cost(cls, n_classes, width, size):
        """About the operations of that for a sample, with so many features in so many variables."""
        if n_classes == 2:
            return cost_of_moment(width)
        return cls.form(n_classes, width, size).cost(n_classes, width, size)

    @classmethod
    def gram_entries(cls, n_classes, width, size):
        """How many numbers are formed of a sample on the way."""
        if n_classes == 2:
            return width
        return cls.form(n_classes, width, size).entries(width, size)

    def _form_of_gram(self, feature, klass):
        return self._gram_of_two_classes if self.factor.shape[1] == 2 else self._gram

    def _gram_of_two_classes(self, blocks, feature, klass):
        """M_i = m_i [[1, -1], [-1, 1]]: one block, with signs."""
        block = moments(blocks, self.weights * self.bend_of_two())
        if len(feature) < len(block) or not (klass == klass[0]).all():
            signs = np.where(klass[:, None] == klass, 1.0, -1.0)
            block = block[np.ix_(feature, feature)] * signs
        return block

    def trace(self):
        """p_i tr M_i, shape (n,)."""
        return self.diagonal().sum(axis=1)

    def cautious(self, share):
        """One that is larger where next to none is left, as it may be again after a step.

        The same where curvature does not fade but jumps: which samples it will be is not known.
        """
        return self

    def bend_of_two(self):
        """m_i, shape (n,), where there are two classes."""
        raise NotImplementedError

    def _gram(self, blocks, feature, klass):
        """The same for pairs of rows and their features."""
        total, n_classes = None, self.factor.shape[1]
        for rows, features in blocks:
            if total is None:
                form = self.form(n_classes, features.shape[1], len(feature))
                total = form(feature, klass, n_classes)
            total.add(features, *self._state_of(rows, features.dtype))
        return total.matrix()

    def _state_of(self, rows, dtype):
        """What the ways to sum explicit Hessians want to know of some samples."""
        raise NotImplementedError

    def take(self, rows, factor=1.0):
        """The same for some of the samples, their weights multiplied by a factor."""
        return replace(
            self,
            factor=np.ascontiguousarray(self.factor[rows]),
            labels=np.ascontiguousarray(self.labels[rows]),
            weights=factor * self.weights[rows],
        )

    def astype(self, dtype):
        """The same with its factor in another precision."""
        return replace(self, factor=np.asarray(self.factor, dtype=dtype))


class SoftmaxCurvature(Curvature):
    """M = diag(q) - q q^T with factor q."""

    kind = _core.SOFTMAX_CURVATURE
    form = staticmethod(form_of_softmax)

    def by_class(self, dtype):
        """q_k (dz_k - sum_l q_l dz_l), class by class."""
        return SoftmaxState(self, dtype)

    def diagonal(self):
        """p_i (M_i)_kk, shape (n, C)."""
        return self.weights[:, None] * self.factor * (1.0 - self.factor)

    def cautious(self, share):
        """At probabilities drawn towards even ones.

        M is concave in q, so this is at least (1 - share) M + share M at zero.
        """
        even = share / self.factor.shape[1]
        return replace(self, factor=(1.0 - share) * self.factor + even, caution=share)

    def bend_of_two(self):
        """q_0 q_1."""
        return self.factor[:, 0] * self.factor[:, 1]

    def mean(self):
        """sum_i p_i M_i, shape (C, C)."""
        return np.diag(self.weights @ self.factor) - second_moments(self.factor, self.weights)

    def active_rows(self):
        """Samples whose M is not zero."""
        return np.flatnonzero(self.weights)

    def _form_of_gram(self, feature, klass):
        if self._is_alike():
            return self._gram_of_like_samples
        return super()._form_of_gram(feature, klass)

    def _is_alike(self):
        """Whether all samples have the same M, but for the rounding of vectorised exponentials."""
        first, last = self.factor[0], self.factor[-1]
        near = np.abs(last - first).max() <= ALIKE
        return near and bool(np.ptp(self.factor, axis=0).max() <= ALIKE)

    def _gram_of_like_samples(self, blocks, feature, klass):
        """A Kronecker product where M is the same for all samples, as it is at W = 0."""
        share = self.factor[0].astype(float)
        one_block = moments(blocks, self.weights)
        one = np.diag(share) - np.outer(share, share)
        return one_block[np.ix_(feature, feature)] * one[np.ix_(klass, klass)]

    def _state_of(self, rows, dtype):
        root = np.sqrt(self.weights[rows])[:, None].astype(dtype)
        return root, self.factor[rows].astype(dtype)


class StarCurvature(Curvature):
    """M = sum over wrong k of a_k (e_k - e_y)(e_k - e_y)^T with factor a, a_y = 0."""

    kind = _core.STAR_CURVATURE
    form = staticmethod(form_of_star)

    def by_class(self, dtype):
        """a_k (dz_k - dz_y), and minus their sum for the true class, class by class."""
        return StarState(self, dtype)

    def bend_of_two(self):
        """The a_k of the wrong class."""
        return self.factor.sum(axis=1)

    def diagonal(self):
        """p_i (M_i)_kk, shape (n, C)."""
        out = self.weights[:, None] * self.factor
        out[np.arange(len(out)), self.labels] = out.sum(axis=1)
        return out

    def mean(self):
        """sum_i p_i M_i, shape (C, C)."""
        flows = class_sums(self.factor, self.labels, self.weights)
        return np.diag(flows.sum(axis=0) + flows.sum(axis=1)) - flows - flows.T

    def active_rows(self):
        """Samples whose M is not zero."""
        return np.flatnonzero(self.factor.any(axis=1) & (self.weights > 0))

    def _state_of(self, rows, dtype):
        return self.weights[rows, None] * self.factor[rows], self.labels[rows]


class ClassState:
    """The product p_i M_i dz_i one class at a time, while the scores move by dz.

    Attributes
    ----------
    curvature : ndarray of shape (C, n)
        p_i (M_i)_kk.
    """

    def __init__(self, curvature, dtype):
        self.factor = np.ascontiguousarray(curvature.factor.T, dtype=dtype)
        self.weights = curvature.weights.astype(dtype)
        self.labels = curvature.labels
        self.curvature = np.ascontiguousarray(curvature.diagonal().T, dtype=dtype)

    def begin(self, moves):
        """Start from score moves dz, shape (n, C)."""
        self.moves = np.ascontiguousarray(moves.T, dtype=self.factor.dtype)
        self.mean = np.einsum("kn,kn->n", self.factor, self.moves)


class SoftmaxState(ClassState):
    """M dz = q * (dz - q . dz)."""

    def residual(self, k):
        """p_i (M_i dz_i)_k of all samples."""
        return self.weights * self.factor[k] * (self.moves[k] - self.mean)

    def advance(self, k, move):
        """Move the scores of class k."""
        self.moves[k] += move
        self.mean += self.factor[k] * move


class StarState(ClassState):
    """(M dz)_k = a_k (dz_k - dz_y) for a wrong class, minus their sum for the true one."""

    def begin(self, moves):
        """Start from score moves dz, shape (n, C)."""
        super().begin(moves)
        self.total = self.factor.sum(axis=0)
        self.true = self.moves[self.labels, np.arange(len(self.labels))]

    def residual(self, k):
        """p_i (M_i dz_i)_k of all samples."""
        wrong = self.factor[k] * (self.moves[k] - self.true)
        return self.weights * np.where(self.labels == k, self.total * self.true - self.mean, wrong)

    def advance(self, k, move):
        """Move the scores of class k."""
        self.moves[k] += move
        self.mean += self.factor[k] * move
        self.true += np.where(self.labels == k, move, 0)
