"""Small weights become zero where the dual point says so, within what the target allows."""

from dataclasses import replace

import numpy as np
import pytest
from data import csr, make_classes
from models import make_model, problem_of
from oracle import LOSSES, objective
from problems import make_problem, zero_start

from sklinear import SoftmaxClassifier
from sklinear._certificate import Certificate, certify
from sklinear._data import wrap
from sklinear._driver import (
    OF_AN_ITERATION,
    REFIT_EFFORT,
    EffortLimit,
    Progress,
    Start,
    solve,
)
from sklinear._effort import Effort
from sklinear._losses import CrossEntropy, Hinge
from sklinear._penalty import ElasticNet
from sklinear._problem import Iterate, Problem
from sklinear._zeros import FAST, MARGINS, fitted_anew, with_zeros
from sklinear.solvers._epochs import DualAscent


def wide_classes(n_samples=40, n_features=300, n_classes=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    y = np.arange(n_samples) % n_classes
    X[:, :n_classes] += 1.5 * np.eye(n_classes)[y]
    return X, y


@pytest.mark.parametrize("l1_ratio", [0.5, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_wide_fits_are_sparse(loss, l1_ratio):
    """No crumbs are left, and no more weights than a tight fit has, but for a few."""
    X, y = wide_classes()
    params = {"alpha": 0.03, "l1_ratio": l1_ratio}
    model = make_model(loss, **params).fit(X, y)
    tight = make_model(loss, tol=1e-7, **params).fit(X, y)
    size = np.abs(model.coef_[model.coef_ != 0])
    assert size.min() > 1e-9 * size.max()
    assert np.count_nonzero(model.coef_) <= 1.3 * np.count_nonzero(tight.coef_) + 5
    assert np.count_nonzero(model.coef_) < 0.3 * model.coef_.size
    problem = problem_of(model, X, y)
    assert objective(problem, model.coef_, model.intercept_) == pytest.approx(model.objective_)
    assert model.dual_gap_ <= model.tol * problem.at_zero


def inner(loss, l1, factor=1.0):
    X, y = make_classes(3)
    return Problem(
        data=wrap(X),
        labels=y.astype(np.int32),
        weights=np.full(len(y), 1 / len(y)),
        n_classes=3,
        loss=loss,
        penalty=ElasticNet(l1, 0.01, factor),
        fit_intercept=True,
    )


def with_crumbs(problem, size=1e-7):
    """An iterate near the optimum, crumbs where its weights are zero, and its certificate."""
    solved = SoftmaxClassifier(alpha=0.1, l1_ratio=0.9, tol=1e-10)
    solved.fit(problem.data.X, problem.labels)
    coef = np.where(solved.coef_.T == 0, size, solved.coef_.T)
    found = problem.evaluate(coef, solved.intercept_)
    return found, certify(problem, found)


def test_crumbs_go_and_the_rest_stays():
    problem = inner(CrossEntropy(), 0.09)
    found, certificate = with_crumbs(problem)
    assert (found.coef == 1e-7).any()
    swept, after, margin = with_zeros(problem, found, certificate, 1e-6)
    assert margin == MARGINS[0]
    np.testing.assert_array_equal(swept.coef, np.where(found.coef == 1e-7, 0.0, found.coef))
    assert after.objective < certificate.objective
    assert after == certify(problem, swept)


def test_crumbs_of_features_far_from_zero_go():
    """The intercept takes over what they add to the scores of all samples."""
    near = inner(CrossEntropy(), 0.09)
    problem = replace(near, data=wrap(near.data.X + 1e5))
    found, certificate = with_crumbs(problem)
    swept, after, margin = with_zeros(problem, found, certificate, 1e-6)
    assert margin == MARGINS[0]
    np.testing.assert_array_equal(swept.coef, np.where(found.coef == 1e-7, 0.0, found.coef))
    assert after.objective < certificate.objective


def test_not_without_an_l1_part():
    problem = inner(CrossEntropy(), 0.0)
    found, certificate = with_crumbs(problem)
    assert with_zeros(problem, found, certificate, 1e-6) == (found, certificate, MARGINS[0])


def test_not_where_it_costs_too_much():
    """Weights that are small beside a large one, with slack, but that the loss needs."""
    problem = inner(CrossEntropy(), 0.09)
    found, certificate = with_crumbs(problem, size=-0.02)
    _, after, _ = with_zeros(problem, found, certificate, 1e-12)
    assert after.objective <= certificate.objective + 1e-13
    assert after.gap <= certificate.gap


def test_free_features_keep_their_weights():
    factor = np.array([0.0, 1.0, 1.0, 1.0, 1.0])[:, None]
    problem = inner(CrossEntropy(), 0.09, factor)
    found, certificate = with_crumbs(problem)
    coef = found.coef.copy()
    coef[0] = [1e-9, -1e-9, 0.0]
    small = Iterate(coef, found.intercept, found.scores, found.dual, found.correlation)
    swept = with_zeros(problem, small, certificate, 1.0)[0]
    np.testing.assert_array_equal(swept.coef[0], coef[0])


def of_the_hinge():
    """A problem, a point with small weights that its loss needs, and a certificate of it."""
    problem = inner(Hinge(), 0.09)
    coef = np.array([[1.0, -1.0, 0.0]] * 2 + [[0.02, -0.02, 0.0]] * 3)
    scores, dual = problem.scores(coef, np.zeros(3)), np.zeros((len(problem.labels), 3))
    found = Iterate(coef, np.zeros(3), scores, dual, np.zeros((5, 3)))
    return problem, found, Certificate(problem.objective(found), 1e3, 1.0)


def test_none_go_where_each_costs_too_much(monkeypatch):
    monkeypatch.setattr("sklinear._zeros.COST", 0.0)
    problem, found, certificate = of_the_hinge()
    assert with_zeros(problem, found, certificate, 1e3) == (found, certificate, np.inf)


def test_the_hinge_is_fitted_anew_on_fewer_features():
    """The weights of the features left are those of `refit`."""
    problem, found, certificate = of_the_hinge()
    coef, asked = found.coef, []

    def refit(small, coef, intercept, dual):
        assert dual is found.dual
        asked.append((small.shape, coef))
        return 2 * coef, intercept + 1

    swept, _ = fitted_anew(problem, found, certificate, 1e3, refit)
    (shape, started), *others = asked
    assert not others
    assert shape == (2, 3)
    np.testing.assert_array_equal(started, coef[:2])
    np.testing.assert_array_equal(swept.coef[:2], 2 * coef[:2])
    np.testing.assert_array_equal(swept.intercept, np.ones(3))
    assert not swept.coef[2:].any()
    assert fitted_anew(problem, found, certificate, 1e-3, refit) is None


class TestAwaitingZeros:
    """A fit that met its target goes on while the gap falls."""

    @pytest.fixture
    def progress(self, monkeypatch):
        problem, found, _ = of_the_hinge()
        start = Start(0 * found.coef, found.intercept)
        progress = Progress(problem, start, tol=1.0, dtype=float, verbose=0)
        progress.add(found)
        monkeypatch.setattr("sklinear._zeros.COST", 0.0)
        fits = []
        monkeypatch.setattr(
            "sklinear._driver.fitted_anew", lambda *arguments: fits.append(arguments)
        )
        return progress, fits

    def test_until_it_falls_no_longer(self, progress):
        """Then a refit is tried, and not before."""
        progress, fits = progress
        progress.target = 2 * progress.best_gap
        assert not progress.is_done()
        for fall in (0.9 * FAST, 1.0, 0.9 * FAST, 1.0):
            progress.best_gap *= fall
            assert not progress.is_done()
        assert not fits
        assert progress.is_done()
        assert len(fits) == 1

    def test_for_half_as_long_as_the_fit(self, progress):
        progress, _ = progress
        progress.target = 2 * progress.best_gap
        passes = progress.problem.data.passes
        passes.operations += 1e12
        assert not progress.is_done()
        for further, done in ((0.4e12, False), (0.2e12, True)):
            passes.operations += further
            progress.best_gap *= 0.5 * FAST
            assert progress.is_done() == done

    def test_not_where_the_target_is_missed(self, progress):
        progress, fits = progress
        progress.target = 0.5 * progress.best_gap
        assert not progress.is_done()
        assert progress.waiting is None
        progress.solution()
        assert not fits

    def test_not_where_all_small_weights_may_go(self, progress, monkeypatch):
        progress, fits = progress
        progress.target = 2 * progress.best_gap
        monkeypatch.setattr("sklinear._zeros.COST", 1.0)
        assert progress.is_done()
        assert not fits


def test_the_new_fit_ends_when_it_cost_a_few_times_as_much_as_the_first(monkeypatch):
    """Counted are operations of this fit alone, whatever was done on the same data before."""
    problem, found, _ = of_the_hinge()
    start = Start(0 * found.coef, found.intercept)
    passes, spent = problem.data.passes, []
    original, limits = EffortLimit.end, []

    def end(self, solution):
        limits.append(self)
        return original(self, solution)

    monkeypatch.setattr(EffortLimit, "end", end)
    monkeypatch.setattr("sklinear._driver.FREE_EFFORT", 0.0)
    for cost in (1e9, 1e12):
        passes.operations = 1e15
        progress = Progress(problem, start, tol=1e-13, dtype=float, verbose=0)
        passes.operations += cost
        effort = Effort(passes, OF_AN_ITERATION)
        limits.clear()
        progress._refit(problem, start.coef, start.intercept, found.dual)
        spent.append(effort.spent(len(limits)))
        assert limits[0].most == REFIT_EFFORT * cost
    assert spent[0] < 1.2 * REFIT_EFFORT * 1e9
    assert spent[1] > 2 * spent[0]


def test_the_ascent_fits_anew_from_the_dual_point(monkeypatch):
    """Where it is the faster solver, on sparse data for instance."""
    problem = make_problem("hinge", 1.0, 0.01, n_samples=60, n_features=1500, X=csr)
    first, starts = solve(problem, zero_start(problem), tol=1e-3, max_iter=99, dtype=float), []
    original = DualAscent.__init__

    def begun(self, problem, start, *others):
        starts.append(start.dual)
        original(self, problem, start, *others)

    monkeypatch.setattr(DualAscent, "__init__", begun)
    progress = Progress(problem, zero_start(problem), tol=1e-5, dtype=float, verbose=0)
    found = first.iterate
    coef, _ = progress._refit(problem, found.coef, found.intercept, found.dual)
    assert starts[0] is not None
    assert (coef == 0).mean() > 0.5
