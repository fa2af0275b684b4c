"""Optima along falling penalties, for users."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from ._base import stored_weights
from ._path import alpha_grid, solve_path
from ._softmax import SoftmaxClassifier
from ._svm import SVMClassifier
from ._threads import serial_blas


def softmax_path(
    X,
    y,
    *,
    alphas=100,
    eps=1e-3,
    l1_ratio=0.0,
    fit_intercept=True,
    tol=1e-4,
    max_iter=1000,
    class_weight=None,
    sample_weight=None,
    verbose=0,
):
    """Softmax classifiers along falling penalties."""
    model = SoftmaxClassifier(
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        tol=tol,
        max_iter=max_iter,
        class_weight=class_weight,
        verbose=verbose,
    )
    return _path(model, X, y, sample_weight, alphas, eps)


def svm_path(
    X,
    y,
    *,
    loss="hinge",
    alphas=100,
    eps=1e-3,
    l1_ratio=0.0,
    fit_intercept=True,
    tol=1e-4,
    max_iter=1000,
    class_weight=None,
    sample_weight=None,
    verbose=0,
):
    """Support vector machines along falling penalties."""
    model = SVMClassifier(
        loss=loss,
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        tol=tol,
        max_iter=max_iter,
        class_weight=class_weight,
        verbose=verbose,
    )
    return _path(model, X, y, sample_weight, alphas, eps)


def _path(model, X, y, sample_weight, alphas, eps):
    model._validate_params()
    problem, classes = model._prepare(X, y, sample_weight)
    dtype = problem.data.dtype
    with serial_blas:
        grid = falling_alphas(alphas, problem, model.l1_ratio, eps)
        solutions = list(
            solve_path(
                problem,
                grid,
                model.l1_ratio,
                tol=model.tol,
                max_iter=model.max_iter,
                dtype=dtype,
                verbose=model.verbose,
            )
        )
    points = [stored_weights(solution, dtype) for solution in solutions]
    _report(grid, solutions, problem, model)
    return Bunch(
        alphas=grid,
        coefs=np.stack([coef for coef, _ in points]),
        intercepts=np.stack([intercept for _, intercept in points]),
        classes=classes,
        objectives=np.array([solution.objective for solution in solutions]),
        dual_gaps=np.array([solution.gap for solution in solutions]),
        n_iter=np.array([len(solution.history["gap"]) - 1 for solution in solutions]),
        passes=np.array([solution.history["passes"][-1] for solution in solutions]),
    )


def falling_alphas(alphas, problem, l1_ratio, eps):
    """The alphas given, in falling order, or a grid of so many."""
    if isinstance(alphas, Integral):
        return alpha_grid(problem, l1_ratio, alphas, eps)
    return np.sort(np.asarray(alphas, dtype=float))[::-1]


def _report(alphas, solutions, problem, model):
    missed = [a for a, solution in zip(alphas, solutions) if not solution.converged]
    if missed:
        warnings.warn(f"{missed}", ConvergenceWarning, stacklevel=4)
