"""Minimise a quadratic model through products with its Hessian; for many variables."""

import numpy as np

from ._blas import add_to


def minimise_by_products(model, preconditioner, accuracy, max_products=100, gain=0.0):
    """Minimiser of a model without an L1 part, and the gradient there."""
    rhs = np.where(model.free, -model.gradient, 0.0)
    direction, change, model.n_products = conjugate_gradients(
        model.product, rhs, preconditioner, model.free, accuracy, max_products, gain
    )
    return model.start + direction, model.gradient + change


def minimise_by_columns(model, preconditioner, accuracy, max_rounds=20, max_products=30):
    """Minimiser of a model with an L1 part, and the gradient there.

    Sweeps of coordinate descent, class after class, find the support and the signs; runs of
    conjugate gradients on the support, cut where signs change, do the rest.  It ends with a
    round that gains less than the share `accuracy` of what was gained so far.
    """
    x, value = model.start, 0.0
    descent = ClassDescent(model)
    for _ in range(max_rounds):
        x = descent.sweep(x, 16)
        x += model.recentre(x)
        gradient = model.gradient + model.product(x - model.start)
        x, gradient = _polish(model, x, gradient, preconditioner, max_products)
        previous, value = value, model.value(x, gradient)
        if previous - value <= accuracy * -value:
            break
    return x, gradient


class ClassDescent:
    """Coordinate descent on a model through the columns of X, one class after the other."""

    def __init__(self, model):
        self.model = model
        hessian = model.hessian
        self.columns = hessian.data.by_columns(hessian.dtype)
        self.state = hessian.curvature.by_class(hessian.dtype)
        self.diagonal = np.asfortranarray(model.diagonal())
        self.ridge = model.ridges()
        self.slope = np.asfortranarray(model.gradient - self.ridge[:, None] * model.start)
        self.l1 = model.l1.ravel().copy()
        self.chosen = [np.flatnonzero(column).astype(np.int32) for column in model.free.T]

    def sweep(self, x, n_sweeps):
        """The weights after some sweeps over all classes."""
        x = np.asfortranarray(x)
        self.state.begin(self.model.hessian.scores(x - self.model.start))
        for _ in range(n_sweeps):
            for k, chosen in enumerate(self.chosen):
                residual = np.ascontiguousarray(self.state.residual(k))
                move = np.zeros_like(residual)
                self.columns.descend(
                    chosen,
                    residual,
                    self.state.curvature[k],
                    move,
                    x[:, k],
                    self.slope[:, k],
                    self.diagonal[:, k],
                    self.l1,
                    self.ridge,
                )
                self.state.advance(k, move)
        return np.ascontiguousarray(x)


def _polish(model, x, gradient, preconditioner, max_products, accuracy=0.1):
    """A run of conjugate gradients on the support, sign changes set to zero."""
    support = model.free & ((x != 0) | (model.l1 == 0))
    sign = np.sign(x)
    rhs = np.where(support, -(gradient + model.l1 * sign), 0.0)
    direction, change, _ = conjugate_gradients(
        model.product, rhs, preconditioner, support, accuracy, max_products
    )
    return projected_step(model, x, gradient, sign, direction, change)


def projected_step(model, x, gradient, sign, direction, change):
    """A step along `direction`, sign changes cut at zero; none if the model would not fall."""
    for step in (1.0, 0.5, 0.25, 0.1, 0.03, 0.01):
        candidate = x + step * direction
        crossing = (model.l1 > 0) & (candidate * sign < 0)
        candidate[crossing] = 0.0
        move = candidate - x
        product = model.product(move) if crossing.any() else step * change
        decrease = np.vdot(gradient, move) + 0.5 * np.vdot(move, product)
        decrease += (model.l1 * (np.abs(candidate) - np.abs(x))).sum()
        if decrease < 0:
            return candidate, gradient + product
    return x, gradient


def _within(vector, outside):
    """The vector, set to zero outside of the support."""
    if outside is not None:
        vector[outside] = 0.0
    return vector


def conjugate_gradients(product, rhs, preconditioner, support, accuracy, max_products, gain=0.0):
    """Solve H v = rhs on `support`; returns v, H v and the number of products.

    It ends with a residual of `accuracy` times the first, or with a step that won no more than
    the share `gain` of what the steps before it won on average (Nash and Nocedal, 1991).
    """
    outside = None if support.all() else ~support
    solution, image = np.zeros_like(rhs), np.zeros_like(rhs)
    residual = _within(rhs.copy(), outside)
    scaled = _within(preconditioner.apply(residual), outside)
    direction, rho = scaled.copy(), np.vdot(residual, scaled)
    first, count, won = rho, 0, 0.0
    while count < max_products and rho > 0:
        count += 1
        mapped = product(direction)
        bend = np.vdot(direction, mapped)
        if not bend > 0:
            break
        step = rho / bend
        add_to(solution, step, direction)
        add_to(image, step, mapped)
        add_to(residual, -step, _within(mapped, outside))
        scaled = _within(preconditioner.apply(residual), outside)
        rho, previous = np.vdot(residual, scaled), rho
        won += step * previous
        if rho <= accuracy**2 * first or count * step * previous <= gain * won:
            break
        direction *= rho / previous
        direction += scaled
    return solution, image, count
