"""The quadratic model of a smooth problem around an iterate, and how to minimise it.

    m(x) = <g, x - w> + 1/2 <x - w, H (x - w)> + l1 |x|_1,     H = X^T M X + ridge

over the free variables.  Arrays are stacked: shape (d + 1, C), the last row belongs to the
intercept, which no penalty touches.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .. import _core


class QuadraticModel:
    """The model around `iterate` in the free variables.

    Parameters
    ----------
    problem : Problem
        With a smooth loss.
    iterate : Iterate
    free : ndarray of bool, shape (d + 1, C)
        The variables that may move.
    damping : float
        Added to l2 in the model.
    """

    def __init__(self, problem, iterate, free, damping):
        self.free = free
        self.penalty = problem.penalty
        self.ridge = problem.penalty.l2 + damping
        self.l1 = problem.penalty.l1
        self.start = np.vstack([iterate.coef, np.zeros(problem.n_classes)])
        slope = iterate.correlation + problem.penalty.l2 * iterate.coef
        residual = problem.weights @ iterate.dual
        self.gradient = np.vstack([slope, residual if problem.fit_intercept else 0 * residual])
        self.curvature = problem.curvature(iterate.scores)
        self.data = problem.data
        rows = self.curvature.active_rows()
        if len(rows) <= 0.5 * len(problem.labels):
            self.data = problem.data.take(rows)
            self.curvature = self.curvature.take(rows)
        # Products of large float32 features would overflow or lose all digits.
        self.dtype = self.data.dtype if problem.mean_square < 1e8 else np.dtype(np.float64)
        self.narrow = self.curvature.astype(self.dtype)
        self.intercept_ridge = 1e-14 * problem.loss.bend + 1e-10 * self._mean_curvature()

    def _mean_curvature(self):
        return float(np.trace(self.curvature.mean())) / self.free.shape[1]

    def product(self, vector):
        """H @ vector, in the precision of X but for the ridge."""
        scores = self.data.scores(np.ascontiguousarray(vector[:-1], dtype=self.dtype))
        scores += vector[-1].astype(self.dtype)
        scores = self.narrow.product(scores)
        out = np.empty_like(vector)
        out[:-1] = self.data.correlate(scores)
        out[:-1] += self.ridge * vector[:-1]
        out[-1] = scores.sum(axis=0) + self.intercept_ridge * vector[-1]
        return out

    def dense_hessian(self):
        """H on the free variables, in the order of np.nonzero(free)."""
        feature, klass = np.nonzero(self.free)
        kept, place = np.unique(feature, return_inverse=True)
        d = self.free.shape[0] - 1
        has_intercept = len(kept) > 0 and kept[-1] == d
        features = kept[:-1] if has_intercept else kept
        hessian = np.zeros((len(feature), len(feature)))
        for rows in self.data.blocks((len(feature) + len(features)) // 4):
            columns = self.data.columns(rows, features)
            self.curvature.take(rows).add_gram(hessian, columns, place, klass)
        self.data.passes.add(2 * self.data.share)
        diagonal = np.where(feature == d, self.intercept_ridge, self.ridge)
        hessian[np.diag_indices_from(hessian)] += diagonal
        return hessian


def minimise_dense(model, accuracy, max_rounds=30):
    """Minimiser of the model through the explicit Hessian, as a stacked array.

    Without an L1 part this is one Cholesky solve; with it, sweeps of coordinate descent
    alternate with Newton steps on the support.
    """
    hessian = model.dense_hessian()
    x = model.start[model.free]
    gradient = model.gradient[model.free]
    feature = np.nonzero(model.free)[0]
    l1 = np.where(feature == len(model.free) - 1, 0.0, model.l1)
    first = np.linalg.norm(_violation(x, gradient, l1))
    for _ in range(max_rounds):
        if model.l1 > 0:
            _core.quadratic_descent(hessian, x, gradient, l1, 8)
            x, gradient = _recentre(model, x, gradient)
        x, gradient = _newton_on_support(hessian, x, gradient, l1)
        if np.linalg.norm(_violation(x, gradient, l1)) <= accuracy * first:
            break
    out = model.start.copy()
    out[model.free] = x
    return out


def _recentre(model, x, gradient):
    """Shift rows of the weights that are free in all classes; only the penalty notices."""
    whole = model.free[:-1].all(axis=1)
    if not whole.any():
        return x, gradient
    shift = np.zeros_like(model.start)
    full = np.zeros_like(model.start)
    full[model.free] = x
    rows = full[:-1][whole]
    shift[:-1][whole] = model.penalty.recentre(rows) - rows
    shift = shift[model.free]
    return x + shift, gradient + model.ridge * shift


def _violation(x, gradient, l1):
    """The subgradient of smallest norm of a smooth function plus sum l1 |x|."""
    inside = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0.0)
    return np.where(x == 0, inside, gradient + l1 * np.sign(x))


def _newton_on_support(hessian, x, gradient, l1, max_steps=12):
    """Newton steps on the support, variables that change sign set to zero; the model falls."""
    for _ in range(max_steps):
        support = np.flatnonzero((x != 0) | (l1 == 0))
        if len(support) == 0:
            break
        slope = (gradient + l1 * np.sign(x))[support]
        direction = np.zeros_like(x)
        direction[support] = -_solve(hessian[np.ix_(support, support)], slope)
        x, gradient, whole = _cut_step(hessian, x, gradient, l1, direction)
        if whole:
            break
    return x, gradient


def _cut_step(hessian, x, gradient, l1, direction):
    """The longest step tried that lowers the model; whether nothing cut it short or down."""
    for step in (1.0, 0.5, 0.25, 0.125, _first_crossing(x, l1, direction)):
        candidate = x + step * direction
        crossing = (l1 > 0) & (x != 0) & (candidate * x <= 1e-14 * x * x)
        candidate[crossing] = 0.0
        move = candidate - x
        change = hessian @ move
        decrease = gradient @ move + 0.5 * move @ change
        decrease += l1 @ (np.abs(candidate) - np.abs(x))
        if decrease < 0:
            return candidate, gradient + change, not crossing.any()
    return x, gradient, True


def _first_crossing(x, l1, direction):
    """The largest step up to 1 that changes no sign."""
    towards = (l1 > 0) & (x * direction < 0)
    return min(1.0, np.min(-x[towards] / direction[towards], initial=1.0))


def _solve(matrix, rhs):
    """Solve a positive semi-definite system, scaled to a unit diagonal, with a small ridge."""
    diagonal = np.diag(matrix)
    scale = 1.0 / np.sqrt(np.maximum(diagonal, 1e-20 * diagonal.max()))
    scaled = matrix * scale * scale[:, None]
    for ridge in (1e-15, 1e-13, 1e-11, 1e-9, 1e-7):
        try:
            factor = cho_factor(scaled + ridge * np.eye(len(rhs)), check_finite=False)
        except LinAlgError:
            continue
        return scale * cho_solve(factor, scale * rhs, check_finite=False)
    return scale**2 * rhs


def minimise_products(model, preconditioner, accuracy, max_rounds=20, max_products=100):
    """Minimiser of the model through Hessian products alone, as a stacked array.

    Conjugate gradients on the free variables that are not zero or want to move; after each
    run variables that changed sign are set to zero.  Without an L1 part one run is all.
    """
    l1 = np.full((len(model.free), 1), model.l1)
    l1[-1] = 0.0
    x, gradient = model.start.copy(), model.gradient.copy()
    first = None
    for _ in range(max_rounds):
        violation = np.where(model.free, _violation(x, gradient, l1), 0.0)
        size = np.linalg.norm(violation)
        first = size if first is None else first
        if size <= accuracy * first or size == 0:
            break
        support = (violation != 0) | ((x != 0) & model.free)
        sign = np.where(x != 0, np.sign(x), -np.sign(violation))
        direction, change = conjugate_gradients(
            model.product, -violation, preconditioner, support, accuracy, max_products
        )
        if model.l1 == 0:
            return x + direction
        moved = _projected_step(model, x, gradient, l1, sign, direction, change)
        if moved is None:
            break
        x, gradient = moved
    return x


def _projected_step(model, x, gradient, l1, sign, direction, change):
    """A step along `direction` with sign changes cut at zero; None if the model won't fall."""
    for step in (1.0, 0.5, 0.25, 0.1, 0.03, 0.01):
        candidate = x + step * direction
        crossing = (l1 > 0) & (candidate * sign < 0)
        candidate[crossing] = 0.0
        move = candidate - x
        product = model.product(move) if crossing.any() else step * change
        decrease = np.vdot(gradient, move) + 0.5 * np.vdot(move, product)
        decrease += (l1 * (np.abs(candidate) - np.abs(x))).sum()
        if decrease < 0:
            return candidate, gradient + product
    return None


def conjugate_gradients(product, rhs, preconditioner, support, accuracy, max_products):
    """Solve H v = rhs on `support`; returns v and H v."""
    solution, image = np.zeros_like(rhs), np.zeros_like(rhs)
    residual = np.where(support, rhs, 0.0)
    scaled = np.where(support, preconditioner.apply(residual), 0.0)
    direction, rho = scaled.copy(), np.vdot(residual, scaled)
    first = rho
    for _ in range(max_products):
        if not rho > 0:
            break
        mapped = product(direction)
        bend = np.vdot(direction, mapped)
        if not bend > 0:
            break
        step = rho / bend
        solution += step * direction
        image += step * mapped
        residual -= step * np.where(support, mapped, 0.0)
        scaled = np.where(support, preconditioner.apply(residual), 0.0)
        rho, previous = np.vdot(residual, scaled), rho
        if rho <= accuracy**2 * first:
            break
        direction = scaled + (rho / previous) * direction
    return solution, image
