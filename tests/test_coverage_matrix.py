"""Every loss, penalty, intercept, container, weighting and number of classes, each certified."""

import warnings
from functools import cache

import numpy as np
import pytest
from data import CONTAINERS, WEIGHTS, make_classes
from models import make_model
from oracle import LOSSES, Problem, objective, optimum
from sklearn.exceptions import ConvergenceWarning

pytestmark = pytest.mark.usefixtures("either_steps")

ROUNDING = 1e-9


@cache
def reference(loss, alpha, l1_ratio, fit_intercept, weights, n_classes):
    """A problem and its F*, which the containers share."""
    X, y = make_classes(n_classes)
    problem = Problem(X, y, loss, alpha, l1_ratio, fit_intercept, WEIGHTS[weights](y))
    return problem, optimum(problem).value


def assert_honest(model, problem, best):
    """0 <= F - F* <= gap up to rounding, of the model and of every iterate before it."""
    rounding = ROUNDING * problem.at_zero
    excess = objective(problem, model.coef_, model.intercept_) - best
    assert model.dual_gap_ >= 0
    assert -rounding <= excess <= model.dual_gap_ + rounding
    history = model.history_
    assert np.all(history["gap"] >= 0)
    assert np.all(history["objective"] - best >= -rounding)
    assert np.all(history["objective"] - best <= history["gap"] + rounding)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("fit_intercept", [True, False], ids=["intercept", "no intercept"])
@pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_cell(loss, l1_ratio, fit_intercept, container, weights, n_classes):
    problem, best = reference(loss, 0.01, l1_ratio, fit_intercept, weights, n_classes)
    tol = 1e-4 if container == "dense float32" else 1e-6
    model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=tol)
    model.fit(CONTAINERS[container](problem.X), problem.y, problem.sample_weight)
    assert model.dual_gap_ <= tol * problem.at_zero
    assert_honest(model, problem, best)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("alpha", 10.0 ** np.arange(-10, 11, 2))
@pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_any_alpha(loss, l1_ratio, alpha, n_classes):
    """Within tol and silent, or short of it and warned; honest either way."""
    problem, best = reference(loss, alpha, l1_ratio, True, "weighted", n_classes)
    model = make_model(loss, alpha=alpha, l1_ratio=l1_ratio)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(problem.X, problem.y, problem.sample_weight)
    assert bool(caught) == (model.dual_gap_ > model.tol * problem.at_zero)
    assert_honest(model, problem, best)
