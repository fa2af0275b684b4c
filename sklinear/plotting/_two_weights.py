"""A problem with two weights: its loss on the plane, its solutions, and the balls of penalties."""

import numpy as np
from scipy.optimize import brentq
from sklearn.base import clone

from .._objective import class_weights, pose
from .._threads import serial_blas

ZERO = np.zeros(1)
PRECISE = 1e-7  # of the best intercept; the loss is as near to its minimum at least


def pose_two_weights(estimator, X, y, sample_weight):
    """The problem of an unfitted clone, if it has two features and two classes."""
    problem = pose(clone(estimator), X, y, sample_weight)
    n_features, n_classes = problem.shape
    if (n_features, n_classes) != (2, 2):
        raise ValueError(
            f"X has {n_features} features and y {n_classes} classes; two of both are needed, for "
            "the picture is of two weights. Select two columns of X, and the samples of two "
            "classes."
        )
    return problem


def profiled_loss(problem, v):
    """The loss, without the penalty, of one weight vector v (2,) with its best intercept."""
    scores = problem.scores(*class_weights(v[np.newaxis], ZERO))
    at = {}

    def slope(b):
        moved = scores + np.array([-b / 2, b / 2])
        at["value"], dual = problem.loss.value_and_dual(moved, problem.labels, problem.weights)
        return (problem.weights @ dual) @ (-0.5, 0.5)

    slope(0.0)
    if problem.fit_intercept:
        # Beyond these the slope has one sign, whatever the loss.
        odds = abs(np.log(problem.frequencies[1] / problem.frequencies[0]))
        far = 1.0 + 2 * np.abs(scores).max() + odds
        slope(brentq(slope, -far, far, xtol=PRECISE))
    return at["value"]


def loss_on_grid(problem, x, y):
    """The profiled loss at (x[j], y[i])."""
    with serial_blas:
        return np.array([[profiled_loss(problem, np.array([a, b])) for a in x] for b in y])


def steepest(problem):
    """The largest slope of the loss along a weight at zero; with more L1 both weights stay zero."""
    step = 1e-6 / np.sqrt(problem.mean_squares.max())
    start = profiled_loss(problem, np.zeros(2))
    ahead = [profiled_loss(problem, sign * step * np.eye(2)[j]) for j in (0, 1) for sign in (-1, 1)]
    return (start - min(ahead)) / step


def solutions(estimator, data, alphas, l1_ratio):
    """Weights (n_alphas, 2) that fits with each alpha find."""
    model = clone(estimator).set_params(l1_ratio=l1_ratio, warm_start=True)
    return np.array([model.set_params(alpha=alpha).fit(*data).coef_[0] for alpha in alphas])


def penalty_factor(problem):
    """The factors (2,) of both features; a ball has no end in the direction of one that is zero."""
    factor = np.broadcast_to(np.ravel(problem.penalty.factor), 2)
    if not factor.all():
        raise ValueError(
            f"penalty_factor is {factor.tolist()}; a weight without a penalty may be of any size, "
            "and there is no ball to draw. Use positive factors, or penalty_factor=None."
        )
    return factor


def ball(point, l1_ratio, factor, n_points=361):
    """The curve (n_points, 2) of the weights with the same penalty as a point.

    In a direction u of length one the radius r solves  ρ Σ f|u| r + (1 - ρ)/2 Σ f u² r² = penalty.
    """
    squares = (1 - l1_ratio) / 2 * factor
    penalty = l1_ratio * factor @ np.abs(point) + squares @ point**2
    if penalty == 0:
        return np.zeros((n_points, 2))
    angles = np.linspace(0, 2 * np.pi, n_points)
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    slopes, bends = l1_ratio * np.abs(directions) @ factor, directions**2 @ squares
    # The root of the quadratic that does not cancel, and does for ρ = 1.
    radii = 2 * penalty / (slopes + np.sqrt(slopes**2 + 4 * bends * penalty))
    return radii[:, np.newaxis] * directions
