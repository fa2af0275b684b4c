"""Samples with scores, and small problems, as the package holds them inside."""

import itertools

import numpy as np
from data import make_classes

from sklinear._certificate import certify
from sklinear._data import wrap
from sklinear._driver import Start, solve
from sklinear._losses import CrossEntropy, Hinge, SmoothedHinge, SquaredHinge
from sklinear._path import penalised
from sklinear._penalty import ElasticNet
from sklinear._problem import Problem
from sklinear.solvers._centring import Centred
from sklinear.solvers._hessian import Hessian
from sklinear.solvers._model import QuadraticModel


def smoothed_hinge(labels, n_classes, sigma=0.7):
    """A smoothed hinge around 0.3 u for each wrong class."""
    return SmoothedHinge(star(np.full((len(labels), n_classes), 0.3), labels), sigma)


LOSSES = {
    "cross-entropy": lambda labels, n_classes: CrossEntropy(),
    "hinge": lambda labels, n_classes: Hinge(),
    "squared hinge": lambda labels, n_classes: SquaredHinge(),
    "smoothed hinge": smoothed_hinge,
}
SMOOTH = [name for name in LOSSES if name != "hinge"]


def make_scores(n_classes=4, n_samples=12, seed=0):
    """Scores whose margins are a tenth or more away from all kinks, labels and weights."""
    rng = np.random.default_rng(seed)
    fraction = np.array([0.0, 0.1, 0.23, 0.37])[:n_classes]
    scores = rng.integers(-2, 3, size=(n_samples, n_classes)) + fraction
    labels = rng.permutation(np.arange(n_samples, dtype=np.int32) % n_classes)
    weights = rng.integers(1, 9, size=n_samples).astype(float)
    return scores, labels, weights / weights.sum()


def star(wrong, labels):
    """g with the given entries for the wrong classes and minus their sum for the true one."""
    dual = np.array(wrong, dtype=float)
    rows = np.arange(len(labels))
    dual[rows, labels] = 0.0
    dual[rows, labels] = -dual.sum(axis=1)
    return dual


def random_dual(name, labels, n_classes, seed=0):
    """A random point of the domain of the conjugate."""
    rng = np.random.default_rng(seed)
    size = len(labels), n_classes
    if name == "squared hinge":
        return star(rng.exponential(2.0, size=size), labels)
    if name != "cross-entropy":
        return star(rng.random(size), labels)
    return rng.dirichlet(np.full(n_classes, 0.5), size=len(labels)) - np.eye(n_classes)[labels]


def violations(scores, labels):
    """m_k = 1 + z_k - z_y, and -inf for the true class."""
    m = 1 + scores - np.take_along_axis(scores, labels[:, None], axis=1)
    m[np.arange(len(labels)), labels] = -np.inf
    return m


def make_problem(loss, l1_ratio, alpha=0.01, *, fit_intercept=True, n_classes=3, X=None, **size):
    """Classes in turn, with weights of 1 to 8 before they are scaled to sum to one."""
    made, y = make_classes(n_classes, **size)
    weights = np.random.default_rng(1).integers(1, 9, size=len(y)).astype(float)
    labels = y.astype(np.int32)
    return Problem(
        data=wrap(made if X is None else X(made)),
        labels=labels,
        weights=weights / weights.sum(),
        n_classes=n_classes,
        loss=LOSSES[loss](labels, n_classes),
        penalty=ElasticNet(alpha * l1_ratio, alpha * (1 - l1_ratio)),
        fit_intercept=fit_intercept,
    )


def random_point(problem, seed=0):
    """Weights with zeros, and an intercept if the problem has one."""
    rng = np.random.default_rng(seed)
    coef = rng.normal(size=problem.shape) * (rng.random(problem.shape) < 0.7)
    return coef, problem.fit_intercept * rng.normal(size=problem.n_classes)


def zero_point(problem):
    return np.zeros(problem.shape), np.zeros(problem.n_classes)


def zero_start(problem):
    return Start(*zero_point(problem))


def last(solver, problem, n_iterates, tol=0.0):
    """The iterate that meets tol, or the last one of so many."""
    for iterate in itertools.islice(solver(problem, zero_start(problem)), n_iterates):
        if certify(problem, iterate).gap <= tol * problem.value_at_zero:
            break
    return iterate


def make_model_around(problem, part=1.0, damping=0.0, max_rows=10_000, seed=0, size=0.3):
    """A model at a random point; `part` of the weights are free, and the intercept if any is."""
    coef, intercept = random_point(problem, seed)
    iterate = problem.evaluate(size * coef, size * intercept)
    shape = problem.shape[0] + 1, problem.n_classes
    free = np.random.default_rng(seed).random(shape) < part
    free[-1] = problem.fit_intercept
    return model_at(problem, iterate, free, damping, max_rows)


def model_at(problem, iterate, free, damping=0.0, max_rows=10_000):
    """The model with the Hessian at the iterate itself."""
    hessian = Hessian(problem, problem.curvature(iterate.scores), free, max_rows)
    return QuadraticModel(problem, iterate, hessian, damping)


def uncentred(solver):
    """The solver that one on centred data calls; features of few samples may be off zero."""
    return solver.inner if isinstance(solver, Centred) else solver


def least_subgradient(x, gradient, l1):
    """The subgradient of smallest norm of a smooth function plus sum l1 |x|."""
    inside = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0.0)
    return np.where(x == 0, inside, gradient + l1 * np.sign(x))


def cold(problem, alpha, l1_ratio, tol=1e-8):
    chosen = penalised(problem, alpha, l1_ratio)
    return solve(chosen, zero_start(chosen), tol=tol, max_iter=5000, dtype=np.float64)
