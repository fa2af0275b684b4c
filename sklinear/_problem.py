"""The problem a solver is given: data, labels, weights, loss, penalty, intercept.

F(W, b) = sum_i p_i loss(x_i W + b, y_i) + penalty(W)
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ._base_data import Data
from ._core import add_to_rows
from ._free_features import FreeFeatures
from ._losses import Loss
from ._penalty import ElasticNet
from ._shift import best_shift


@dataclass(frozen=True)
class Iterate:
    """A primal point, a dual point, and what is known of both without another pass over X.

    Attributes
    ----------
    coef : ndarray of shape (d, C)
    intercept : ndarray of shape (C,)
    scores : ndarray of shape (n, C)
        X @ coef + intercept.
    dual : ndarray of shape (n, C)
        A balanced dual point G.
    correlation : ndarray of shape (d, C)
        A = X^T diag(p) G.
    loss_value : tuple of Loss and float, or None
        A loss and its weighted sum at the scores, where that is known.
    gradient : ndarray of shape (d + 1, C), or None
        Of that loss in W and, in the last row, in the intercept (zero where none is fitted).
    """

    coef: np.ndarray
    intercept: np.ndarray
    scores: np.ndarray
    dual: np.ndarray
    correlation: np.ndarray
    loss_value: tuple | None = None
    gradient: np.ndarray | None = None

    @cached_property
    def used(self):
        """Indices of the features with a weight that is not zero."""
        return np.flatnonzero(self.coef.any(axis=1))

    def coef_of(self, features):
        """Weights of some features."""
        return self.coef[features]

    def scores_of(self, rows):
        """Those of some samples (a copy)."""
        return self.scores[rows]


@dataclass(frozen=True)
class Problem:
    """Data, loss and penalty, frozen.

    Attributes
    ----------
    data : Data
        X (n, d).
    labels : ndarray of shape (n,), int32
        True classes, 0..C-1.
    weights : ndarray of shape (n,)
        p_i, non-negative with sum 1.
    n_classes : int
    loss : Loss
    penalty : ElasticNet
    fit_intercept : bool
    """

    data: Data
    labels: np.ndarray
    weights: np.ndarray
    n_classes: int
    loss: Loss
    penalty: ElasticNet
    fit_intercept: bool

    @property
    def shape(self):
        """Shape (d, C) of the weights."""
        return self.data.shape[1], self.n_classes

    @property
    def value_at_zero(self):
        """F(0, 0): log C or C - 1."""
        return self.loss.value_at_zero(self.n_classes)

    @cached_property
    def mean_squares(self):
        """sum_i p_i x_ij^2 of each feature, shape (d,)."""
        return self.data.correlate_squares(self.weights[:, None]).ravel()

    @cached_property
    def row_squares(self):
        """|x_i|^2 of each sample, shape (n,)."""
        return self.data.row_squares()

    @cached_property
    def row_sizes(self):
        """Mean over the features of x_ij^2 by its mean over the samples, shape (n,)."""
        squares = self.mean_squares
        large = squares > np.finfo(float).tiny
        shares = np.divide(1.0, squares, out=np.zeros_like(squares), where=large)
        return self.data.row_squares(shares) / max(1, len(squares))

    @cached_property
    def mean_square(self):
        """Their mean, the mean squared entry of X."""
        return float(self.mean_squares.mean())

    @cached_property
    def frequencies(self):
        """Weight of the samples of each class, shape (C,)."""
        return np.bincount(self.labels, self.weights, minlength=self.n_classes)

    @cached_property
    def class_totals(self):
        """sum of p_i x_i over the samples of each class, shape (d, C)."""
        members = np.zeros((len(self.labels), self.n_classes))
        members[np.arange(len(self.labels)), self.labels] = 1.0
        return self.correlate(members)

    @cached_property
    def weightless(self):
        """Indices of the samples that do not count."""
        return np.flatnonzero(self.weights == 0)

    @cached_property
    def even_weight(self):
        """The weight of each sample if all have the same, else None."""
        first = float(self.weights[0])
        return first if (self.weights == first).all() else None

    @cached_property
    def free_features(self):
        """The features without a penalty, or None where there are none."""
        return FreeFeatures(self) if len(self.penalty.free) else None

    def with_loss(self, loss):
        """The same problem with another loss."""
        return replace(self, loss=loss)

    def with_penalty(self, penalty):
        """The same problem with another penalty; what is known of the data stays known."""
        other = replace(self, penalty=penalty)
        for name, value in vars(self).items():
            vars(other).setdefault(name, value)
        return other

    def loss_value(self, scores):
        """sum_i p_i loss(z_i, y_i)."""
        return self.loss.value_and_dual(scores, self.labels, self.weights)[0]

    def loss_at(self, iterate):
        """sum_i p_i loss(z_i, y_i) at an iterate."""
        loss, value = iterate.loss_value or (None, 0.0)
        return value if loss is self.loss else self.loss_value(iterate.scores)

    def objective(self, iterate):
        """F at the primal point of an iterate."""
        return self.loss_at(iterate) + self.penalty.value(iterate.coef)

    def curvature(self, scores):
        """Second derivative of the loss in the scores."""
        return self.loss.curvature(scores, self.labels, self.weights)

    def scores(self, coef, intercept):
        """X @ coef + intercept."""
        return self.data.scores(coef, intercept)

    def correlate(self, dual):
        """A = X^T diag(p) G, shape (d, C)."""
        if self.even_weight is not None:
            return self.even_weight * self.data.correlate(dual)
        return self.data.correlate(self.weights[:, None] * dual)

    def gradient(self, iterate):
        """Of the loss at an iterate with the natural dual point, shape (d + 1, C)."""
        if iterate.gradient is not None:
            return iterate.gradient
        return self._gradient_of(iterate.dual, iterate.correlation)

    def smooth_gradient(self, iterate):
        """The same with that of the L2 part added."""
        gradient = self.gradient(iterate).copy()
        gradient[:-1] += self.penalty.gradient(iterate.coef)
        return gradient

    def _gradient_of(self, dual, correlation=None):
        correlation = self.correlate(dual) if correlation is None else correlation
        residual = self.weights @ dual if self.fit_intercept else np.zeros(self.n_classes)
        return np.vstack([correlation, residual])

    def balanced(self, dual):
        """A nearby dual point as the intercept and free features demand it (works in place)."""
        dual = self._held_by_weights(dual)
        if self.fit_intercept:
            dual = self.loss.balance(dual, self.labels, self.weights)
        return dual if self.free_features is None else self.free_features.held(dual)

    def _held_by_weights(self, dual):
        """Zero for samples without weight (works in place)."""
        if len(self.weightless):
            dual[self.weightless] = 0.0
        return dual

    def certified(self, coef, intercept, scores, dual):
        """The iterate with a given dual point, balanced first when there is an intercept."""
        dual = self.balanced(dual)
        return Iterate(coef, intercept, scores, dual, self.correlate(dual))

    def evaluate(self, coef, intercept, scores=None, slack=0.0, known=None):
        """The iterate at W with a good intercept for W, and the natural dual point made feasible.

        The weights of features without a penalty become the best ones too.

        Parameters
        ----------
        coef : ndarray of shape (d, C)
        intercept : ndarray of shape (C,)
            Where the search for the best one begins.
        scores : ndarray of shape (n, C), optional
            Saves a product with X; is overwritten.
        slack : float
            The intercept may cost so much more than the best one.
        known : tuple of float and ndarray, optional
            The loss and the natural dual point at the scores.
        """
        if scores is None:
            scores = self.scores(coef, intercept)
        value, dual = known or self.loss.value_and_dual(scores, self.labels, self.weights)
        residual = np.zeros(self.n_classes)
        if self.fit_intercept:
            shift, value, dual, residual = best_shift(self, scores, (value, dual), slack)
            if shift.any():
                intercept = intercept + shift
                add_to_rows(scores, shift)
        if self.free_features is not None:
            move, value, dual = self.free_features.settle(scores, (value, dual))
            coef, intercept = coef.copy(), intercept + move[-1]
            coef[self.penalty.free] += move[:-1]
        return self._natural(coef, intercept, scores, (value, dual, residual))

    def unbalanced(self, coef, intercept, scores, known):
        """The iterate with the natural dual point as it is, which proves nothing.

        `known` are the loss and that point.
        """
        value, dual = known
        gradient = self._gradient_of(dual)
        known = self.loss, value
        return Iterate(coef, intercept, scores, dual, gradient[:-1], known, gradient)

    def repaired(self, iterate):
        """The iterate with a natural dual point made feasible (works in place)."""
        value = self.loss_at(iterate)
        found = value, iterate.dual, iterate.gradient[-1]
        point = iterate.coef, iterate.intercept, iterate.scores
        return self._natural(*point, found, iterate.gradient[:-1])

    def _natural(self, coef, intercept, scores, found, correlation=None):
        """The iterate with the natural dual point, made feasible.

        `found` are the loss, that point and, where an intercept is fitted, sum_i p_i g_i.
        """
        value, dual, residual = found
        known, move = (self.loss, value), None
        if self.free_features is not None:
            gradient = self._gradient_of(dual, correlation)
            dual = self.balanced(dual)
            correlation = self.correlate(dual)
            return Iterate(coef, intercept, scores, dual, correlation, known, gradient)
        if self.fit_intercept:
            move = self.loss.mass_move(residual, self.frequencies)
            if move is None:
                dual, residual = self.balanced(dual), np.zeros(self.n_classes)
                correlation = None
        correlation = self.correlate(dual) if correlation is None else correlation
        gradient = np.concatenate([correlation, residual[None]])
        if move is not None:
            dual = move.balanced(self._held_by_weights(dual), self.labels)
            correlation = move.mapped(correlation, self.class_totals)
        return Iterate(coef, intercept, scores, dual, correlation, known, gradient)
