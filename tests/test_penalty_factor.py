"""Penalties of their own for single features, and features without one."""

import re
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp
from data import CONTAINERS, WEIGHTS, csr, make_classes
from models import make_model, problem_of
from oracle import LOSSES, Problem, objective, optimum
from problems import LOSSES as INNER
from problems import SMOOTH, random_dual
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier, inspection
from sklinear._base import BaseLinearClassifier
from sklinear._data import wrap
from sklinear._losses import CrossEntropy
from sklinear._penalty import ElasticNet
from sklinear._problem import Problem as InnerProblem
from sklinear.conversion import logistic_regression_from_softmax
from sklinear.solvers import choose
from sklinear.solvers._newton import newton

FACTOR = np.array([0.0, 2.5, 1.0, 0.0, 0.3])
UNEVEN = np.array([0.7, 2.5, 1.0, 4.0, 0.3])
FACTORS = {"uneven": UNEVEN, "free": FACTOR}
over_losses = pytest.mark.parametrize("loss", LOSSES)
over_ratios = pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
over_sizes = pytest.mark.parametrize("n_classes", [2, 3])


class TestElasticNet:
    """Each row for itself is the penalty with its own weights."""

    PENALTIES = [ElasticNet(0.3, 0.7), ElasticNet(0.3, 0.0), ElasticNet(0.0, 0.7)]
    over_penalties = pytest.mark.parametrize("plain", PENALTIES, ids=["both", "l1", "l2"])

    def split(self, plain, factor=UNEVEN, seed=0):
        rng = np.random.default_rng(seed)
        coef, other = rng.normal(size=(2, len(factor), 4)) * (rng.random((2, len(factor), 4)) < 0.7)
        whole = ElasticNet(plain.l1, plain.l2, factor[:, None])
        parts = [ElasticNet(plain.l1 * f, plain.l2 * f) for f in factor]
        return whole, parts, coef, other

    @over_penalties
    @pytest.mark.parametrize("factor", [UNEVEN, FACTOR], ids=["uneven", "free"])
    def test_of_weights(self, plain, factor):
        whole, parts, coef, other = self.split(plain, factor)
        rows = list(zip(parts, coef[:, None], other[:, None], strict=True))
        assert whole.value(coef) == pytest.approx(sum(p.value(w) for p, w, _ in rows))
        assert whole.slope(coef, other) == pytest.approx(sum(p.slope(w, v) for p, w, v in rows))
        gradient, prox = whole.gradient(coef), whole.prox(coef, 0.9)
        for j, (part, w, _) in enumerate(rows):
            np.testing.assert_allclose(gradient[j], part.l2 * w[0], rtol=1e-15)
            np.testing.assert_allclose(prox[j], part.prox(w, 0.9)[0], rtol=1e-15)

    @over_penalties
    def test_recentre(self, plain):
        whole, parts, coef, _ = self.split(plain)
        shifted = whole.recentre(coef)
        for part, before, after in zip(parts, coef[:, None], shifted, strict=True):
            np.testing.assert_allclose(after, part.recentre(before)[0], atol=1e-15)

    @over_penalties
    def test_of_dual_points(self, plain):
        whole, parts, coef, correlation = self.split(plain)
        correlation *= 1.0 if plain.l2 else 0.05
        rows = list(zip(parts, coef[:, None], correlation[:, None], strict=True))
        value = sum(p.dual_value(a) for p, _, a in rows)
        assert whole.dual_value(correlation) == pytest.approx(value)
        gap = sum(p.fenchel_young(w, a) for p, w, a in rows)
        assert whole.fenchel_young(coef, correlation) == pytest.approx(gap)
        if plain.l2:
            for t in (0.8, 1.7):
                slopes = np.sum([p.dual_slope(a)(t) for p, _, a in rows], axis=0)
                np.testing.assert_allclose(whole.dual_slope(correlation)(t), slopes)
        if plain.l1:
            scales = [p.largest_scale(a) for p, _, a in rows]
            assert whole.largest_scale(correlation) == pytest.approx(min(scales))

    @over_penalties
    def test_rounding_in_free_rows_is_not_seen(self, plain):
        whole, _, coef, correlation = self.split(plain, FACTOR)
        correlation *= 0.05
        exact = np.where(FACTOR[:, None] > 0, correlation, 0.0)
        assert whole.fenchel_young(coef, correlation) == whole.fenchel_young(coef, exact) < np.inf
        assert whole.dual_value(correlation) == whole.dual_value(exact) < np.inf
        assert whole.largest_scale(correlation) == whole.largest_scale(exact)


def inner_problem(name, fit_intercept, wrapped=np.asarray):
    X, y = make_classes(4, n_samples=60)
    labels = y.astype(np.int32)
    weights = np.random.default_rng(0).integers(0, 4, size=len(y)).astype(float)
    return InnerProblem(
        data=wrap(wrapped(X)),
        labels=labels,
        weights=weights / weights.sum(),
        n_classes=4,
        loss=INNER[name](labels, 4),
        penalty=ElasticNet(0.1, 0.1, FACTOR[:, None]),
        fit_intercept=fit_intercept,
    )


@pytest.mark.parametrize("wrapped", [np.asarray, sp.csr_array], ids=["dense", "csr"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", SMOOTH)
def test_an_iterate_has_the_best_weights_of_free_features(name, fit_intercept, wrapped):
    """Their gradient is zero and the others stay; scores and loss are those of the weights."""
    problem = inner_problem(name, fit_intercept, wrapped)
    free, rng = FACTOR == 0, np.random.default_rng(0)
    coef, intercept = rng.normal(size=(5, 4)), rng.normal(size=4) * fit_intercept
    found = problem.evaluate(coef, intercept)
    np.testing.assert_array_equal(found.coef[~free], coef[~free])
    assert np.abs(found.coef - coef)[free].max() > 0.01
    np.testing.assert_allclose(problem.gradient(found)[:-1][free], 0, atol=1e-8)
    np.testing.assert_allclose(problem.gradient(found)[-1], 0, atol=1e-8)
    scores = problem.scores(found.coef, found.intercept)
    difference = found.scores - scores
    np.testing.assert_allclose(difference, difference[:, :1] + 0 * difference, atol=1e-12)
    assert problem.loss_at(found) == pytest.approx(problem.loss_value(scores), rel=1e-12)
    assert problem.loss_at(found) < problem.loss_value(problem.scores(coef, intercept))


class TestRepair:
    """X_f^T diag(p) G = 0 and sum_i p_i g_i = 0, inside the domain."""

    @pytest.mark.parametrize("wrapped", [np.asarray, sp.csr_array], ids=["dense", "csr"])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("name", INNER)
    def test_of_a_random_point(self, name, fit_intercept, wrapped):
        problem = inner_problem(name, fit_intercept, wrapped)
        dual = random_dual(name, problem.labels, 4)
        held = problem.balanced(dual.copy())
        free = problem.correlate(held)[FACTOR == 0]
        assert np.abs(held).max() > 0.1
        assert np.abs(problem.correlate(dual)[FACTOR == 0]).max() > 1e-3
        np.testing.assert_allclose(free, 0, atol=1e-11)
        if fit_intercept:
            np.testing.assert_allclose(problem.weights @ held, 0, atol=1e-12)
        np.testing.assert_allclose(held, problem.loss.clip(held.copy(), problem.labels), atol=1e-15)

    @pytest.mark.parametrize("name", INNER)
    def test_a_point_that_fulfils_them_stays(self, name):
        problem = inner_problem(name, True)
        held = problem.balanced(random_dual(name, problem.labels, 4))
        heavy = problem.weights > 0
        again = problem.balanced(held.copy())
        np.testing.assert_allclose(again[heavy], held[heavy], atol=1e-10)

    @pytest.mark.parametrize("name", INNER)
    def test_zero_where_nothing_else_is_feasible(self, name):
        """Free features that name the class: the dual variables of each must sum up to zero."""
        problem, factor = inner_problem(name, False), np.zeros((4, 1))
        X = np.eye(4)[problem.labels]
        problem = replace(problem, data=wrap(X), penalty=ElasticNet(0.1, 0.1, factor))
        held = problem.balanced(random_dual(name, problem.labels, 4))
        assert not held.any()


@cache
def reference(loss, l1_ratio, fit_intercept, factor, n_classes):
    """A problem and its F*, which the containers share."""
    X, y = make_classes(n_classes)
    weights = WEIGHTS["some zero"](y)
    problem = Problem(X, y, loss, 0.01, l1_ratio, fit_intercept, weights, FACTORS[factor])
    return problem, optimum(problem).value


@over_sizes
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("fit_intercept", [True, False], ids=["intercept", "no intercept"])
@over_ratios
@over_losses
def test_certified_and_optimal(loss, l1_ratio, fit_intercept, factor, container, n_classes):
    """0 <= F - F* <= gap, and the gap as asked for."""
    problem, best = reference(loss, l1_ratio, fit_intercept, factor, n_classes)
    tol = 1e-4 if container == "dense float32" else 1e-6
    params = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "tol": tol}
    model = make_model(loss, alpha=0.01, penalty_factor=FACTORS[factor], **params)
    model.fit(CONTAINERS[container](problem.X), problem.y, problem.sample_weight)
    excess = objective(problem, model.coef_, model.intercept_) - best
    assert model.dual_gap_ <= tol * problem.at_zero
    assert -1e-9 <= excess <= model.dual_gap_ + 1e-9
    history = model.history_
    assert np.all(history["objective"] - best <= history["gap"] + 1e-9)


def test_the_oracle_without_a_penalty_on_a_feature():
    """Its own check: the bound it proves is the value it reaches."""
    X, y = make_classes(3)
    for loss in LOSSES:
        model = make_model(loss, alpha=0.01, l1_ratio=0.5, penalty_factor=FACTOR)
        found = optimum(problem_of(model, X, y))
        assert found.value == pytest.approx(found.lower_bound, abs=1e-7)


def test_without_any_effective_penalty_on_some_features():
    """A huge alpha leaves those of factor 0 alone: scikit-learn without a penalty on them."""
    X, y = make_classes(3, n_samples=200)
    free = FACTOR == 0
    model = SoftmaxClassifier(alpha=1e6, l1_ratio=1, tol=1e-10, penalty_factor=1.0 * ~free)
    model.fit(X, y)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X[:, free], y)
    assert not model.coef_[:, ~free].any()
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X[:, free]), atol=1e-6
    )


@over_sizes
@pytest.mark.parametrize("l1_ratio", [0, 1])
@over_losses
def test_a_scaled_column_with_its_factor_changes_nothing(loss, l1_ratio, n_classes):
    """A column times c: factor |c| with L1, c^2 with L2."""
    X, y = make_classes(n_classes)
    c = np.array([1.0, -3.0, 0.5, 10.0, 1.0])
    params = {"alpha": 0.01, "l1_ratio": l1_ratio, "tol": 1e-10}
    plain = make_model(loss, **params).fit(X, y)
    factor = np.abs(c) if l1_ratio else c**2
    scaled = make_model(loss, penalty_factor=factor, **params).fit(X * c, y)
    assert scaled.objective_ == pytest.approx(plain.objective_, rel=1e-8)
    np.testing.assert_array_equal(scaled.predict(X * c), plain.predict(X))


@over_ratios
@over_losses
def test_a_common_factor_is_a_factor_of_alpha(loss, l1_ratio):
    X, y = make_classes(3)
    first = make_model(loss, alpha=0.02, l1_ratio=l1_ratio).fit(X, y)
    second = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, penalty_factor=[2] * 5).fit(X, y)
    np.testing.assert_array_equal(first.coef_, second.coef_)


def test_classes_that_free_features_separate():
    """No weights are optimal, but the gap falls all the same and stays a bound."""
    X, y = make_classes(3, n_samples=60)
    X[:, 0] = np.where(y == 0, 5.0, -5.0) + 0.1 * X[:, 0]
    model = SoftmaxClassifier(alpha=0.01, l1_ratio=0.5, tol=1e-6, penalty_factor=FACTOR).fit(X, y)
    assert model.dual_gap_ <= 1e-6 * np.log(3)


def test_no_optimum_no_false_claim():
    """All classes separated: the infimum is the penalty of zero, far out; the gap says how far."""
    X, y = np.array([[-2.0, 0.1], [-1.0, 0.3], [1.0, 0.2], [2.0, 0.4]]), np.array([0, 0, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SoftmaxClassifier(alpha=1.0, penalty_factor=[0, 1], max_iter=100).fit(X, y)
    assert 0 <= model.objective_ <= model.dual_gap_ + 1e-12


def test_many_free_features_on_sparse_data():
    rng = np.random.default_rng(0)
    X = sp.random_array((400, 60), density=0.2, rng=rng, format="csr")
    y = (X @ rng.normal(size=(60, 4)) + rng.gumbel(size=(400, 4))).argmax(axis=1)
    factor = np.where(np.arange(60) < 20, 0.0, 1.0)
    for loss in LOSSES:
        model = make_model(loss, alpha=0.01, l1_ratio=0.5, tol=1e-5, penalty_factor=factor)
        model.fit(X, y)
        assert model.dual_gap_ <= 1e-5 * model.history_["objective"][0]
        dense = make_model(loss, alpha=0.01, l1_ratio=0.5, tol=1e-5, penalty_factor=factor)
        dense.fit(X.toarray(), y)
        bound = model.dual_gap_ + dense.dual_gap_
        assert model.objective_ == pytest.approx(dense.objective_, abs=bound)


@pytest.mark.parametrize(
    "shape", [(20, 300), (3000, 300)], ids=["wide, no reduction", "smoothed norm and products"]
)
@over_ratios
def test_larger_problems(shape, l1_ratio):
    """Solvers for many weights, against the independent value of a fit on scaled columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape)
    y = (X[:, :3] + rng.gumbel(size=(shape[0], 3))).argmax(axis=1)
    factor = rng.uniform(0.5, 2.0, size=shape[1])
    params = {"alpha": 1e-2, "l1_ratio": l1_ratio, "tol": 1e-6}
    model = SoftmaxClassifier(penalty_factor=factor, **params).fit(X, y)
    assert model.dual_gap_ <= 1e-6 * np.log(3)
    if l1_ratio != 0.5:
        scale = factor if l1_ratio else np.sqrt(factor)
        other = SoftmaxClassifier(**params).fit(X / scale, y)
        bound = max(model.dual_gap_, other.dual_gap_)
        assert model.objective_ == pytest.approx(other.objective_, abs=bound)


def test_solvers_that_need_an_even_penalty_are_not_chosen():
    X, y = make_classes(3)
    wide = np.hstack([X] * 60)
    model = SoftmaxClassifier(penalty_factor=np.tile(UNEVEN, 60))
    weights = np.full(len(y), 1 / len(y))
    problem = BaseLinearClassifier._problem(model, wrap(wide), y.astype(np.int32), weights, 3)
    assert choose(problem).func is newton


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        ([1, 2, 3], r"shape \(3,\), but X has 5 features"),
        ([[1, 1, 1, 1, 1]], r"shape \(1, 5\)"),
        ([1, 1, -0.5, 1, 1], r"penalty_factor\[2\] is -0.5; .* Use 0"),
        ([1, 1, 1e-30, 1, 1], "penalty_factor holds 1e-30; .* between 1e-20 and 1e"),
        ([1, 1, 1e30, 1, 1], "penalty_factor holds 1e.30; .* or leave a feature out"),
        ([1, 1, 1e-16, 1, 0], "penalty_factor holds 1e-16 beside 1; .* no less than 1e-15"),
        ([0, 0, 0, 0, 0], "All penalty_factor values are zero"),
        ([1, 1, np.nan, 1, 1], "penalty_factor contains NaN"),
        ([1, 1, np.inf, 1, 1], "penalty_factor contains infinity"),
        (2.0, "penalty_factor"),
        ("balanced", "penalty_factor"),
    ],
)
def test_bad_factors(factor, message):
    X, y = make_classes(3)
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier(penalty_factor=factor).fit(X, y)


def test_the_factors_of_the_caller_stay_as_they_are():
    X, y = make_classes(3)
    factor = FACTOR.copy()
    SoftmaxClassifier(penalty_factor=factor).fit(X, y)
    np.testing.assert_array_equal(factor, FACTOR)


@over_sizes
@over_ratios
@over_losses
def test_objective_gradient_and_certificate(loss, l1_ratio, n_classes):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.3, l1_ratio=l1_ratio, penalty_factor=FACTOR)
    rows = 1 if n_classes == 2 else n_classes
    coef = np.random.default_rng(0).normal(size=(rows, 5))
    expected = objective(problem_of(model, X, y), coef, np.zeros(rows))
    assert inspection.objective(model, X, y, coef=coef) == pytest.approx(expected, rel=1e-13)
    assert inspection.check_estimator_gradient(model, X, y, random_state=0).passed
    model.set_params(tol=1e-8, warm_start=True).fit(X, y)
    found = inspection.certificate(model, X, y)
    best = optimum(problem_of(model, X, y)).value
    assert -1e-9 <= found.objective - best <= found.dual_gap + 1e-9 <= 1e-3


def test_zero_weights_of_a_free_feature_are_no_kink():
    X, y = make_classes(3)
    model = SoftmaxClassifier(alpha=0.3, l1_ratio=1, penalty_factor=FACTOR)
    check = inspection.check_estimator_gradient(model, X, y, coef=np.zeros((3, 5)))
    held = check.indices[:, 1] < 5
    near = check.near_kink[held]
    np.testing.assert_array_equal(near, FACTOR[check.indices[held, 1]] > 0)


def test_no_logistic_regression_has_factors():
    X, y = make_classes(3)
    model = SoftmaxClassifier(penalty_factor=FACTOR).fit(X, y)
    with pytest.raises(ValueError, match=r"penalty_factor, and LogisticRegression .* scale"):
        logistic_regression_from_softmax(model, total_weight=len(y))


def test_a_refit_without_any_penalised_feature():
    """The last penalised weight ends as zero, and the others are fitted anew without it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(18, 3)) + 1e3
    y = np.arange(18) % 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for seed in range(5):
            factor = np.roll([1.0, 0.0, 0.0], seed)
            model = make_model("hinge", alpha=0.05, l1_ratio=1, penalty_factor=factor)
            model.fit(X, rng.permutation(y))
            assert np.isfinite(model.dual_gap_)


def test_moves_of_next_to_nothing_do_not_overflow():
    loss = CrossEntropy()
    dual = np.array([[0.5, -0.5]])
    assert loss.longest(dual, np.array([[-1e-320, 1e-320]]), np.array([1])) == np.inf


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_free_feature_that_one_sample_has_gets_a_weight_of_usual_size(loss, n_classes, seed):
    """The hinge is flat where it is zero: a step as long as it likes would cost nothing."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 4)), rng.integers(0, n_classes, 30)
    X[:, 0] = np.arange(30) == 0
    model = make_model(loss, alpha=1e-2, penalty_factor=[0.0, 1.0, 1.0, 1.0])
    with warnings.catch_warnings():
        # With the cross-entropy there is no optimum: the weight of the feature would grow for ever.
        warnings.simplefilter("error" if loss != "softmax" else "ignore")
        model.fit(X, y)
    assert np.abs(model.coef_).max() <= 1000.0


@pytest.mark.parametrize("loss", ["squared_hinge", "hinge"])
@pytest.mark.parametrize("seed", [1530, 1532, 1552])
def test_free_features_that_tell_some_classes_apart(loss, seed):
    """Newton's steps took for ever; interior points do not."""
    rng = np.random.default_rng(seed)
    size = rng.integers(15, 60), rng.integers(2, 5), rng.integers(1, 4)
    n, n_classes, n_free = map(int, size)
    free = rng.normal(size=(n, n_free)) * (rng.random((n, n_free)) < 0.25)
    y = np.minimum(rng.geometric(0.5, n) - 1, n_classes - 1)
    y[:n_classes] = range(n_classes)
    X, factor = np.c_[free, rng.normal(size=(n, 2))], np.r_[np.zeros(n_free), 1, 1]
    params = {"alpha": 1e-2, "l1_ratio": 1.0, "tol": 1e-5}
    model = make_model(loss, penalty_factor=factor, **params).fit(X, y)
    light = make_model(loss, penalty_factor=np.maximum(factor, 1e-7), **params).fit(X, y)
    assert model.dual_gap_ <= 1e-5 * (n_classes - 1)
    assert model.n_iter_ <= 100
    assert model.objective_ - model.dual_gap_ <= light.objective_ + 1e-12


@pytest.mark.parametrize("seed", [12, 17])
def test_free_features_of_very_different_units(seed):
    """Dual variables are all small, and known to the rounding of numbers near one."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 43)
    X = rng.normal(size=(43, 16)) * 10.0 ** rng.integers(-5, 6, 16)
    factor = 1.0 * (np.arange(16) < 7)
    model = make_model("softmax", alpha=1e-5, l1_ratio=1.0, tol=1e-6, penalty_factor=factor)
    assert model.fit(X, y).dual_gap_ <= 1e-6 * np.log(4)


@pytest.mark.parametrize("container", [np.array, csr], ids=["dense", "sparse"])
@pytest.mark.parametrize("unit", [1e-150, 1e-20])
@over_losses
def test_the_unit_of_a_free_feature_does_not_matter(loss, unit, container):
    """Those with a penalty get no weights, so small are they."""
    rng = np.random.default_rng(0)
    X, y, factor = rng.normal(size=(60, 4)), np.arange(60) % 3, np.array([0, 1, 0, 1])
    model = make_model(loss, alpha=0.01, l1_ratio=0.5, tol=1e-6, penalty_factor=factor, max_iter=50)
    expected = model.fit(container(X * (factor == 0)), y).objective_
    model.fit(container(unit * X), y)
    at_zero = model.history_["objective"][0]
    assert model.dual_gap_ <= 1e-6 * at_zero
    assert model.objective_ == pytest.approx(expected, abs=1e-6 * at_zero)


class TestNearDependence:
    """Of features without a penalty, where rounding hides what their difference could gain."""

    @staticmethod
    def columns(difference):
        rng = np.random.default_rng(0)
        a, b, c = rng.normal(size=(3, 200))
        return np.column_stack([a, a + difference * b, c]), np.arange(200) % 3

    @pytest.mark.parametrize("container", [np.array, csr], ids=["dense", "sparse"])
    @pytest.mark.parametrize("difference", [1e-10, 1e-12])
    @over_losses
    def test_it_is_said(self, loss, difference, container):
        X, y = self.columns(difference)
        model = make_model(loss, alpha=1e-3, penalty_factor=[0, 0, 1], max_iter=50)
        with pytest.warns(ConvergenceWarning) as caught:
            model.fit(container(X), y)
        said = re.compile(r"Feature [01], .* but for \de-1[02] of its")
        assert said.search(str(caught[0].message))

    @pytest.mark.parametrize("difference", [0.0, 1e-16, 1e-7, 1.0])
    def test_what_rounding_does_not_hide(self, difference):
        """Features that are the same to rounding, and those that are not."""
        X, y = self.columns(difference)
        model = make_model("softmax", alpha=1e-3, penalty_factor=[0, 0, 1])
        assert not self.warnings_of(model, X, y)

    @staticmethod
    def warnings_of(model, X, y):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, y)
        return [str(each.message) for each in caught]

    def test_the_levels_of_a_factor(self):
        levels = np.eye(4)[np.arange(200) % 4]
        X = np.column_stack([StandardScaler().fit_transform(levels), levels, np.arange(200) % 7])
        model = make_model("softmax", alpha=1e-3, penalty_factor=np.r_[np.zeros(8), 1])
        assert not self.warnings_of(model, X, np.arange(200) % 3)

    @pytest.mark.parametrize(("offset", "hides"), [(1e12, True), (1e6, False)])
    def test_a_feature_that_hardly_varies(self, offset, hides):
        X, y = self.columns(1.0)
        X[:, 0] += offset
        model = make_model("softmax", alpha=1e-3, penalty_factor=[0, 1, 1])
        said = [text for text in self.warnings_of(model, X, y) if "is a combination" in text]
        assert bool(said) == hides
