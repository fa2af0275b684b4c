"""A slow and independent oracle: the objective, its minimum, and a bound from below.

Two classes have one weight vector w and scores (-w·x/2, w·x/2); more have one each. The L1
norm enters the interior-point method as λ1|w| = 2 λ1 w₊ - λ1 w, each margin of a hinge as t₊.
"""

from dataclasses import dataclass, replace

import numpy as np
from interior_point import Terms, interior_point
from scipy.linalg import helmert
from scipy.special import log_softmax, softmax, xlogy

LOSSES = ("softmax", "hinge", "squared_hinge")


@dataclass(frozen=True, eq=False)
class Problem:
    """Data and penalty; y holds the codes 0 … C-1."""

    X: np.ndarray
    y: np.ndarray
    loss: str
    alpha: float
    l1_ratio: float = 0.0
    fit_intercept: bool = True
    sample_weight: np.ndarray | None = None
    penalty_factor: np.ndarray | None = None

    @property
    def n_classes(self):
        return self.y.max() + 1

    @property
    def p(self):
        weight = np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight
        return weight / weight.sum()

    @property
    def at_zero(self):
        """F(0), the objective at W = 0, b = 0."""
        return np.log(self.n_classes) if self.loss == "softmax" else self.n_classes - 1.0

    @property
    def factor(self):
        d = self.X.shape[1]
        return np.ones(d) if self.penalty_factor is None else np.asarray(self.penalty_factor)

    @property
    def l1(self):
        return self.alpha * self.l1_ratio

    @property
    def l2(self):
        return self.alpha * (1 - self.l1_ratio)

    def without_zero_weights(self):
        kept = self.p > 0
        return replace(self, X=self.X[kept], y=self.y[kept], sample_weight=self.p[kept])


@dataclass(frozen=True)
class Optimum:
    coef: np.ndarray
    intercept: np.ndarray
    value: float
    lower_bound: float


def class_scores(X, coef, intercept):
    """Scores (n, C) of `coef_` and `intercept_`."""
    z = X @ coef.T + intercept
    return np.hstack([-z / 2, z / 2]) if len(coef) == 1 else z


def sample_losses(scores, y, loss):
    true = np.arange(scores.shape[1]) == y[:, None]
    if loss == "softmax":
        return -log_softmax(scores, axis=1)[true]
    violations = np.where(true, 0, 1 + scores - scores[true][:, None])
    return (np.maximum(violations, 0) ** (1 if loss == "hinge" else 2)).sum(axis=1)


def objective(problem, coef, intercept):
    """F(W, b) in float64, of weights laid out as `coef_` and `intercept_`."""
    coef, intercept = np.float64(coef), np.float64(intercept)
    losses = sample_losses(class_scores(problem.X, coef, intercept), problem.y, problem.loss)
    penalty = problem.l1 * np.abs(coef) + problem.l2 / 2 * coef**2
    return problem.p @ losses + (problem.factor * penalty).sum()


def optimum(problem):
    """The minimum, or an ArithmeticError if its own conditions are not met there."""
    kept = problem.without_zero_weights()
    reduced, original = with_independent_free_features(kept)
    program = Program(reduced)
    try:
        v, u = interior_point(program.derivatives, program.terms)
    except np.linalg.LinAlgError as error:
        raise ArithmeticError(f"the optimum is not unique up to rounding: {error}") from error
    coef, intercept = original(*program.weights(v))
    g = program.dual_vectors(v, u)
    best = Optimum(coef, intercept, objective(problem, coef, intercept), dual_objective(kept, g))
    check_conditions(kept, best, g)
    return best


def with_independent_free_features(problem):
    """The same problem with a basis of what free features add to the intercept; the way back.

    Features may depend on each other, and on the intercept. Without a penalty nothing would tell
    their weights; those that the way back gives are the smallest in units of their features.
    """
    free = problem.factor == 0
    X, n = problem.X[:, free], len(problem.X)
    mean = X.mean(axis=0) if problem.fit_intercept else np.zeros(X.shape[1])
    size = np.linalg.norm(X, axis=0)
    size[size == 0] = 1
    U, s, V = np.linalg.svd((X - mean) / size, full_matrices=False)
    rank = np.count_nonzero(s > 1e-12)
    back = np.sqrt(n) * V[:rank].T / s[:rank] / size[:, None]
    held = problem.factor[~free]

    def original(coef, intercept):
        whole = np.zeros((len(coef), len(free)))
        whole[:, ~free], whole[:, free] = coef[:, : len(held)], coef[:, len(held) :] @ back.T
        return whole, intercept - whole[:, free] @ mean

    basis = np.hstack([problem.X[:, ~free], np.sqrt(n) * U[:, :rank]])
    return replace(problem, X=basis, penalty_factor=np.append(held, np.zeros(rank))), original


def check_conditions(problem, best, g, tol=1e-9):
    """The value meets the bound, and the dual point is one: nothing unpenalised has a slope."""
    scale = tol * problem.at_zero
    # With L1 alone the residual of the interior-point method shrinks g by its ratio to λ1.
    shrunk = 1e-11 / problem.l1 * problem.at_zero if problem.l2 == 0 else 0.0
    if not abs(best.value - best.lower_bound) <= scale + shrunk:
        raise ArithmeticError(f"the value {best.value} is not its bound {best.lower_bound}")
    ones = np.ones((len(problem.X), int(problem.fit_intercept)))
    free = np.hstack([problem.X[:, problem.factor == 0], ones])
    slopes = np.abs(free.T @ (problem.p[:, None] * g))
    if not (slopes <= scale * np.abs(free).max(axis=0, initial=0)[:, None]).all():
        raise ArithmeticError(f"the slopes in what has no penalty are {slopes.max()}, not 0")


def dual_objective(problem, g):
    """D(g) = -Σ p ℓ*(g) - Σ (|A| - λ1)₊² / (2 λ2), g first shrunk to |A| <= λ1 if λ2 = 0.

    λ1 and λ2 are multiplied by the factor of the feature; where that is 0, A is taken for the 0
    that it is up to rounding.
    """
    held = problem.factor > 0
    factor = problem.factor[held, None]
    A = np.abs(problem.X[:, held].T @ (problem.p[:, None] * g)) / factor
    if problem.l2 == 0:
        g = g * min(1, problem.l1 / A.max())
    true = np.arange(problem.n_classes) == problem.y[:, None]
    u, q = np.where(true, 0, g), g + true
    conjugate = {"softmax": xlogy(q, q), "hinge": -u, "squared_hinge": u**2 / 4 - u}[problem.loss]
    excess = np.maximum(A - problem.l1, 0) if problem.l2 > 0 else np.zeros_like(A)
    shared = 2 if problem.n_classes == 2 else 1  # both columns of A are the one of w, but for sign
    penalty = (factor * excess**2).sum() / shared / (2 * problem.l2 or 1)
    return -problem.p @ conjugate.sum(axis=1) - penalty


class Program:
    """The problem over v: weights, in units that keep λ1 <= 1, and intercept.

    Both are written in an orthonormal basis of the classes whose first member is constant.
    The losses do not see that member, so the intercept goes without it.
    """

    def __init__(self, problem):
        self.problem = problem
        C = problem.n_classes
        self.unit = 1 / max(1, problem.l1)
        self.true = np.arange(C) == problem.y[:, None]
        self.basis = np.eye(1) if C == 2 else helmert(C, full=True)
        self.to_scores = np.array([[-0.5, 0.5]]) if C == 2 else self.basis
        self.n_coef = problem.X.shape[1] * len(self.basis)
        self.intercepts = slice(0 if C == 2 else 1, len(self.basis) if problem.fit_intercept else 0)
        self.design = self.relative_scores()
        coef = np.kron(np.eye(problem.X.shape[1]), self.basis.T)
        self.factor_of = np.repeat(problem.factor, len(self.basis))
        # Nothing but this holds the constant member of a feature without a penalty: it is zero.
        constant = np.arange(self.n_coef) % len(self.basis) == 0
        self.pinned = 1.0 * (constant & (self.factor_of == 0) & (C > 2))
        self.coef_of = np.pad(coef, [(0, 0), (0, self.design.shape[2] - self.n_coef)])
        pairs = zip(self.l1_terms(), self.margin_terms(), strict=True)
        self.terms = Terms(*map(np.concatenate, pairs))

    def relative_scores(self):
        """The linear map (n, C, size of v) from v to the scores less those of the true class."""
        relative = self.to_scores.T - self.to_scores.T[self.problem.y][:, None]
        coef = np.einsum("ij,ick->icjk", self.unit * self.problem.X, relative)
        intercept = relative[:, :, self.intercepts]
        return np.concatenate([coef.reshape(*self.true.shape, -1), intercept], axis=2)

    def l1_terms(self):
        held = np.flatnonzero(self.factor_of if self.problem.l1 > 0 else 0 * self.factor_of)
        zero, factor = np.zeros(len(held)), self.factor_of[held]
        return self.coef_of[held], zero, 2 * self.unit * self.problem.l1 * factor, zero

    def margin_terms(self):
        p = np.repeat(self.problem.p, self.problem.n_classes - 1)
        B, one = self.design[~self.true], np.ones(len(p))
        if self.problem.loss == "hinge":
            return B, one, p, 0 * p
        if self.problem.loss == "squared_hinge":
            return B, one, np.inf * one, 1 / (2 * p)
        return B[:0], p[:0], p[:0], p[:0]

    def derivatives(self, v):
        """Gradient and Hessian of the smooth part: λ2/2 ‖w‖² - λ1 Σ w, and the softmax loss."""
        diagonal = self.factor_of * self.unit**2 * self.problem.l2 + self.pinned
        hessian = np.diag(np.pad(diagonal, (0, len(v) - self.n_coef)))
        gradient = hessian @ v - self.unit * self.problem.l1 * (self.factor_of @ self.coef_of)
        if self.problem.loss == "softmax":
            q = softmax(self.design @ v, axis=1)
            mean = np.einsum("ic,icv->iv", q, self.design)
            centred = np.sqrt(self.problem.p[:, None] * q)[:, :, None] * (
                self.design - mean[:, None]
            )
            gradient = gradient + self.problem.p @ mean
            hessian = hessian + np.tensordot(centred, centred, axes=([0, 1], [0, 1]))
        return gradient, hessian

    def weights(self, v):
        """`coef_` and `intercept_`."""
        coef = self.unit * (self.coef_of @ v).reshape(-1, len(self.basis)).T
        return coef, v[self.n_coef :] @ self.basis[self.intercepts]

    def dual_vectors(self, v, u):
        """The dual's g (n, C): q - e_y, or u off the true class and -Σu on it."""
        if self.problem.loss == "softmax":
            return softmax(self.design @ v, axis=1) - self.true
        g = np.zeros(self.true.shape)
        g[~self.true] = u[-np.count_nonzero(~self.true) :]
        g /= self.problem.p[:, None]
        g[self.true] = -g.sum(axis=1)
        return g
