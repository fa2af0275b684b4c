"""Paths: alpha_max, the grid, every point certified and near the optimum, and what it costs."""

import gc
import itertools
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from data import csr, make_classes
from models import both
from problems import cold, make_problem
from scipy import sparse
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier, _path, softmax_path, svm_path
from sklinear._alpha_max import alpha_max
from sklinear._certificate import certify
from sklinear._dense_data import DenseData
from sklinear._path import LEAST_STRIDE_HINGE, STRETCH, Path, alpha_grid, penalised, solve_path
from sklinear._problem import Iterate
from sklinear.solvers import _newton, choose, uses_dual

LOSSES = ("cross-entropy", "squared hinge", "hinge")
RATIOS = (0.0, 0.5, 1.0)


def gap_at(problem, iterate, scale):
    """The gap with the dual point times a scale."""
    labels, weights = problem.labels, problem.weights
    loss_gap = problem.loss.fenchel_young(iterate.scores, labels, weights, iterate.dual, scale)
    return loss_gap + problem.penalty.fenchel_young(iterate.coef, scale * iterate.correlation)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_paths_keep_penalty_factors(l1_ratio):
    problem = make_problem("cross-entropy", l1_ratio)
    factor = np.array([[0.5], [1.0], [0.0], [2.0], [1.0]])
    problem = problem.with_penalty(replace(problem.penalty, factor=factor))
    grid = alpha_grid(problem, l1_ratio, 20)
    path = list(solve_path(problem, grid, l1_ratio, tol=1e-4, max_iter=500, dtype=np.float64))
    for index in (0, 3, 11, 19):
        best = cold(problem, grid[index], l1_ratio)
        assert best.converged
        assert path[index].gap <= 1e-4 * problem.value_at_zero
        assert best.objective - best.gap <= path[index].objective + 1e-15
        assert path[index].objective - best.objective <= path[index].gap + 1e-12


@pytest.mark.parametrize("loss", LOSSES)
def test_the_grid_falls_in_equal_ratios_from_alpha_max(loss):
    problem = make_problem(loss, 0.5)
    grid = alpha_grid(problem, 0.5, 10, 1e-2)
    assert grid[0] == alpha_max(problem, 0.5)
    np.testing.assert_allclose(grid[1:] / grid[:-1], 1e-2 ** (1 / 9))
    np.testing.assert_array_equal(alpha_grid(problem, 0.0, 5), alpha_grid(problem, 1e-3, 5))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_every_point_is_certified_and_within_tol(loss, l1_ratio, n_classes, fit_intercept):
    problem = make_problem(loss, l1_ratio, n_classes=n_classes, fit_intercept=fit_intercept)
    grid = alpha_grid(problem, l1_ratio, 25)
    path = list(solve_path(problem, grid, l1_ratio, tol=1e-4, max_iter=1000, dtype=np.float64))
    assert len(path) == 25
    for alpha, solution in zip(grid, path, strict=True):
        chosen, iterate = penalised(problem, alpha, l1_ratio), solution.iterate
        scores = chosen.scores(iterate.coef, iterate.intercept)
        np.testing.assert_allclose(iterate.scores, scores, atol=1e-12)
        np.testing.assert_allclose(iterate.correlation, chosen.correlate(iterate.dual), atol=1e-13)
        if fit_intercept:
            np.testing.assert_allclose(chosen.weights @ iterate.dual, 0, atol=1e-13)
        correlation = chosen.correlate(iterate.dual)
        afresh = Iterate(iterate.coef, iterate.intercept, scores, iterate.dual, correlation)
        assert chosen.objective(afresh) == pytest.approx(solution.objective, rel=1e-12)
        assert certify(chosen, afresh).gap <= solution.gap * (1 + 1e-6) + 1e-12
        assert gap_at(chosen, afresh, 0.999 * solution.scale) == pytest.approx(
            gap_at(chosen, iterate, 0.999 * solution.scale), rel=1e-6, abs=1e-12
        )
        assert solution.converged
        assert solution.gap <= 1e-4 * problem.value_at_zero
    for index in (0, 7, 12, 24):
        best = cold(problem, grid[index], l1_ratio).objective
        assert path[index].objective - best + 1e-8 * problem.value_at_zero >= -1e-12
        assert path[index].objective - best <= path[index].gap + 1e-12


@pytest.mark.parametrize("container", [np.float32, csr], ids=["float32", "sparse"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_paths_equal_fits(loss, l1_ratio, container):
    X, y = make_classes(3, n_samples=60)
    path_of, classifier, options = both(loss)
    weight = np.random.default_rng(0).integers(1, 5, size=len(y)).astype(float)
    path = path_of(
        container(X),
        y,
        alphas=15,
        l1_ratio=l1_ratio,
        sample_weight=weight,
        class_weight="balanced",
        **options,
    )
    assert path.coefs.shape == (15, 3, X.shape[1])
    assert path.intercepts.shape == (15, 3)
    if container is np.float32:
        assert path.coefs.dtype == np.float32
    target = 1e-4 * (np.log(3) if loss == "cross-entropy" else 2)
    assert (path.dual_gaps <= target).all()
    assert (path.dual_gaps >= 0).all()
    assert (np.diff(path.passes) >= 0).all()
    for index in (3, 14):
        fit = classifier(
            path.alphas[index], l1_ratio=l1_ratio, tol=1e-8, class_weight="balanced", **options
        )
        if container is np.float32:
            fit.set_params(tol=1e-4)
        fit.fit(container(X), y, weight)
        assert abs(fit.objective_ - path.objectives[index]) <= target


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("tol", "reads_X"), [(1e-4, False), (1e-7, True)])
def test_single_precision_between_knots(monkeypatch, tol, reads_X):
    """What rounding costs is bounded without X; only where the bound is too high is X read."""
    calls, plain = [], _path.as_stored
    monkeypatch.setattr(_path, "as_stored", lambda *a: calls.append(a) or plain(*a))
    X, y = make_classes(3, n_samples=200)
    X = X.astype(np.float32)
    path = softmax_path(X, y, l1_ratio=0.5, tol=tol)
    between = (path.n_iter == 0).sum()
    assert between > 20
    assert len(calls) > 0.5 * between if reads_X else len(calls) < 0.1 * between
    for i in range(0, 100, 7):
        scores = X.astype(float) @ path.coefs[i].T.astype(float) + path.intercepts[i].astype(float)
        loss = (logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]).mean()
        size = 0.5 * np.abs(path.coefs[i]).sum() + 0.25 * np.square(path.coefs[i]).sum()
        objective = loss + path.alphas[i] * size
        rounding = 1e-8  # of the figures at the knots
        assert objective <= path.objectives[i] + rounding
        assert objective >= path.objectives[i] - path.dual_gaps[i] - rounding


@pytest.mark.parametrize("loss", LOSSES)
def test_two_classes_have_one_vector(loss):
    X, y = make_classes(2)
    path_of, classifier, options = both(loss)
    path = path_of(X, y, alphas=[0.01, 0.1], l1_ratio=0.3, tol=1e-7, **options)
    assert path.coefs.shape == (2, 1, X.shape[1])
    assert path.intercepts.shape == (2, 1)
    fit = classifier(0.01, l1_ratio=0.3, tol=1e-7, **options).fit(X, y)
    np.testing.assert_allclose(path.objectives[1], fit.objective_, atol=2e-7)
    np.testing.assert_allclose(path.coefs[1], fit.coef_, atol=5e-3)


def test_alphas_in_any_order_are_returned_falling():
    X, y = make_classes(3)
    falling = softmax_path(X, y, alphas=[1.0, 0.1, 0.05, 0.01], l1_ratio=0.5)
    mixed = softmax_path(X, y, alphas=[0.05, 1.0, 0.01, 0.1], l1_ratio=0.5)
    np.testing.assert_array_equal(mixed.alphas, [1.0, 0.1, 0.05, 0.01])
    np.testing.assert_array_equal(mixed.coefs, falling.coefs)
    one = softmax_path(X, y, alphas=1, l1_ratio=1.0)
    assert one.alphas.shape == (1,)
    assert not one.coefs.any()


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_alphas_far_apart_and_tight_tolerances(l1_ratio):
    problem = make_problem("squared hinge", l1_ratio)
    grid = np.array([1.0, 1e-2, 1e-6])
    path = list(solve_path(problem, grid, l1_ratio, tol=1e-9, max_iter=1000, dtype=np.float64))
    for alpha, solution in zip(grid, path, strict=True):
        assert solution.gap <= 1e-9 * problem.value_at_zero
        best = cold(problem, alpha, l1_ratio, tol=1e-9).objective
        np.testing.assert_allclose(solution.objective, best, atol=2e-9 * problem.value_at_zero)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize(("l1_ratio", "passes"), [(0.0, 5), (0.5, 12), (1.0, 15)])
def test_a_path_costs_few_cold_fits(digits, l1_ratio, passes):
    path = softmax_path(*digits, l1_ratio=l1_ratio)
    fit = SoftmaxClassifier(path.alphas[-1], l1_ratio=l1_ratio).fit(*digits)
    assert len(path.alphas) == 100
    assert path.alphas[-1] == pytest.approx(1e-3 * path.alphas[0])
    assert path.passes[-1] <= passes * fit.history_["passes"][-1]
    assert np.count_nonzero(path.n_iter) <= 50


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_dual_ascent_goes_on_from_the_dual_point_before(loss, l1_ratio):
    rng = np.random.default_rng(0)
    X = sparse.random_array((500, 400), density=0.03, format="csr", rng=rng)
    y = (X @ rng.normal(size=(400, 5)) + 0.3 * rng.gumbel(size=(500, 5))).argmax(axis=1)
    path_of, classifier, options = both(loss)
    # Not at the largest: what a bound lacks of the optimum there is less than it is rounded by.
    largest = path_of(X, y, alphas=1, l1_ratio=l1_ratio, **options).alphas[0]
    alphas = np.geomspace(0.9, 1e-3, 30) * largest
    path = path_of(X, y, alphas=alphas, l1_ratio=l1_ratio, **options)
    fits = [classifier(a, l1_ratio=l1_ratio, **options).fit(X, y) for a in path.alphas]
    assert path.passes.max() < 0.6 * sum(fit.history_["passes"][-1] for fit in fits)
    for fit, value, gap in zip(fits, path.objectives, path.dual_gaps, strict=True):
        assert fit.objective_ - fit.dual_gap_ <= value
        assert value - gap <= fit.objective_


@pytest.mark.parametrize("loss", ["squared hinge", "cross-entropy"])
def test_a_path_of_dual_ascent_begins_at_the_dual_point_of_zero(loss):
    """Where zero is near the optimum; elsewhere epochs find a better one."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((300, 2000), density=0.01, format="csr", rng=rng)
    _, classifier, options = both(loss)
    problem, _ = classifier(**options)._prepare(X, rng.integers(5, size=300), None)
    largest = alpha_max(problem, 0.5)
    near, far = (penalised(problem, alpha, 0.5) for alpha in (largest, 0.01 * largest))
    assert uses_dual(near)
    zero = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
    np.testing.assert_array_equal(_path.zero_start(near).dual, zero.dual)
    assert _path.zero_start(far).dual is None


def test_interpolated_optima_need_no_pass_over_X(digits):
    path = softmax_path(*digits)
    interpolated = path.n_iter == 0
    assert np.count_nonzero(interpolated) >= 70
    knots = np.flatnonzero(~interpolated)
    for left, right in itertools.pairwise(knots):
        assert len(np.unique(path.passes[left + 1 : right])) <= 1


def test_one_stepper_and_its_hessian_serve_all_knots(monkeypatch, digits):
    built, steppers = [], []
    first = _newton.Newton.__init__
    monkeypatch.setattr(
        _newton.Newton, "__init__", lambda self: (steppers.append(self), first(self))[1]
    )
    renewal = _newton.ProximalNewton().renewal.__class__
    original = renewal.hessian_for

    def hessian_for(self, *arguments):
        before = self.hessian
        found = original(self, *arguments)
        built.append(found is not before)
        return found

    monkeypatch.setattr(renewal, "hessian_for", hessian_for)
    monkeypatch.setattr(_newton.QuasiNewton, "serves", lambda self, problem: False)
    path = softmax_path(*digits)
    assert len(steppers) == 1
    knots = np.count_nonzero(path.n_iter)
    assert sum(built) < knots
    assert not all(built)


def test_what_is_known_of_the_data_serves_all_knots(monkeypatch):
    seen, original = [], DenseData.correlate_squares

    def correlate_squares(self, rows):
        seen.append(self.share)
        return original(self, rows)

    monkeypatch.setattr(DenseData, "correlate_squares", correlate_squares)
    path = softmax_path(*make_classes(3), alphas=30, l1_ratio=0.5)
    assert np.count_nonzero(path.n_iter) > 5
    assert seen == [1.0]


def test_knots_behind_keep_their_weights_only():
    """Of the memory of a path they are most."""
    problem = make_problem("cross-entropy", 0.0)
    settings = {"tol": 1e-6, "max_iter": 100, "dtype": np.float64}
    path, seen = Path(problem, alpha_grid(problem, 0.0, 60), 0.0, settings), []
    original = path._solve
    path._solve = lambda index, knots: (seen.append((index, *knots)), original(index, knots))[1]
    list(path.solutions())
    assert max(map(len, seen)) == 4
    for index, *behind, last in seen[1:]:
        if last.index > index:  # a knot between two needs both
            continue
        assert last.iterate.dual is not None
        assert all(knot.iterate.dual is None for knot in behind if knot.index < last.index)


@pytest.mark.parametrize("stride", [0.5, 1.0, 3.4, 8.0, 30.0])
def test_the_last_knot_is_no_closer_than_the_others(stride):
    """Where it nearly is the next one, the way there is gone at once; no step is much too long."""
    problem = make_problem("cross-entropy", 0.0)
    alphas = np.geomspace(1.0, np.exp(-99 * 0.07), 100)
    path = Path(problem, alphas, 0.0, {"tol": 1e-4, "max_iter": 100, "dtype": np.float64})
    path.stride = 0.07 * stride
    indices = [0]
    while indices[-1] < 99:
        indices.append(path._following(indices[-1]))
    steps, allowed = np.diff(indices), max(1, int(stride))
    assert indices[-1] == 99
    assert steps.max() <= np.ceil(STRETCH * allowed)
    assert steps.min() >= steps.max() - 1
    assert len(steps) <= np.ceil(99 / allowed)
    assert path._following(99) == 100


def test_knots_of_the_hinge_are_solved_from_both_sides():
    """Beyond a knot its dual point is foreseen badly: few knots are reached that way."""
    problem = make_problem("hinge", 0.0, n_samples=200)
    grid = np.geomspace(0.1, 1e-3, 60)
    path = Path(problem, grid, 0.0, {"tol": 1e-5, "max_iter": 500, "dtype": np.float64})
    seen, original = [], path._solve
    path._solve = lambda index, knots: (seen.append((index, *knots)), original(index, knots))[1]
    path.solver = choose(penalised(problem, grid[0], 0.0))
    list(path.solutions())
    beyond = [index for index, *knots in seen if knots and knots[-1].index < index]
    between = [index for index, *knots in seen if knots and knots[-1].index > index]
    assert len(beyond) <= np.ceil(np.log(100) / LEAST_STRIDE_HINGE) + 1
    assert len(between) > len(beyond)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_start_knows_its_loss(l1_ratio):
    problem = make_problem("cross-entropy", l1_ratio)
    grid = alpha_grid(problem, l1_ratio, 40)
    path = Path(problem, grid, l1_ratio, {"tol": 1e-6, "max_iter": 500, "dtype": np.float64})
    knots = []
    for index in (10, 12, 14):
        solution, knot = path._solve(index, knots)
        knots.append(knot)
        assert knot.loss == pytest.approx(problem.loss_value(knot.iterate.scores), rel=1e-12)
    there = penalised(problem, grid[16], l1_ratio)
    start = path._start(there, 16, knots)
    value, dual = problem.loss.value_and_dual(start.scores, problem.labels, problem.weights)
    assert start.known[0] == value
    np.testing.assert_array_equal(start.known[1], dual)
    elsewhere = start.at(solution.iterate)
    assert elsewhere.known is None
    np.testing.assert_array_equal(elsewhere.scores, solution.iterate.scores)
    assert elsewhere.scores is not solution.iterate.scores


def test_starts_are_extrapolated():
    problem = make_problem("cross-entropy", 0.0)
    grid = alpha_grid(problem, 0.0, 60)
    settings = {"tol": 1e-6, "max_iter": 100, "dtype": np.float64}
    path = Path(problem, grid, 0.0, settings)
    knots = []
    for index in (10, 14, 18):
        knots.append(path._solve(index, knots)[1])
    chosen = penalised(problem, grid[22], 0.0)
    start = path._start(chosen, 22, knots)
    best = cold(problem, grid[22], 0.0, tol=1e-10).objective

    def excess(coef, intercept):
        scores = chosen.scores(coef, intercept)
        return chosen.objective(Iterate(coef, intercept, scores, None, None)) - best

    last = knots[-1].iterate
    assert excess(start.coef, start.intercept) < 0.05 * excess(last.coef, last.intercept)
    np.testing.assert_allclose(start.scores, chosen.scores(start.coef, start.intercept))


@pytest.mark.parametrize("path_of", [softmax_path, partial(svm_path, loss="squared_hinge")])
def test_too_few_iterations_warn_and_name_the_alphas(path_of):
    X, y = make_classes(3)
    alphas = [0.1, 0.0123, 1e-4]
    with pytest.warns(ConvergenceWarning, match=r"1e-08.*raise max_iter \(now 1\)") as caught:
        path = path_of(X, y, alphas=alphas, max_iter=1, tol=1e-8)
    missed = path.dual_gaps > 1e-8 * (np.log(3) if path_of is softmax_path else 2)
    assert missed.any()
    assert (path.n_iter <= 1).all()
    for alpha in path.alphas[missed]:
        assert f"{alpha:.3g}" in str(caught[0].message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alphas": [0.1, 1e-200]}, "alpha=1e-200 is so small .* Use 1e-100 or more"),
        ({"alphas": [0.1, 0.0]}, "alphas holds 0; all have to be positive"),
        ({"alphas": [0.1, -1.0]}, "alphas holds -1; all have to be positive"),
        ({"alphas": [0.1, np.nan]}, "alphas holds nan"),
        ({"alphas": [0.1, np.inf]}, "alphas holds inf"),
        ({"alphas": [0.1, 0.2, 0.1]}, r"alphas holds 0\.1 more than once"),
        ({"alphas": []}, r"alphas has the shape \(0,\)"),
        ({"alphas": [[0.1, 0.2]]}, r"alphas has the shape \(1, 2\)"),
        ({"alphas": ["a"]}, r"alphas=\['a'\] holds something that is no number"),
        ({"alphas": [0.1, None]}, r"alphas=\[0.1, None\] holds|alphas holds nan"),
        ({"alphas": 0}, "'alphas' parameter of softmax_path"),
        ({"eps": 1.0}, "'eps' parameter of softmax_path"),
        ({"l1_ratio": 2}, "'l1_ratio' parameter of softmax_path"),
        ({"tol": 0.0}, "'tol' parameter of softmax_path"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    X, y = make_classes(3)
    with pytest.raises(ValueError, match=message):
        softmax_path(X, y, **arguments)


def test_features_that_say_nothing_have_no_grid():
    with pytest.raises(ValueError, match="says anything more of y"):
        softmax_path(np.zeros((6, 2)), [0, 1, 2, 0, 1, 2])


def test_interrupts_end_a_path(monkeypatch):
    problem = make_problem("cross-entropy", 0.5)
    seen = []

    def interrupted(stepper, chosen, iterate):
        seen.append(chosen)
        raise KeyboardInterrupt

    monkeypatch.setattr(_newton.Newton, "step", interrupted)
    grid = alpha_grid(problem, 0.5, 5)[1:]
    with pytest.raises(KeyboardInterrupt):
        list(solve_path(problem, grid, 0.5, tol=1e-6, max_iter=9, dtype=np.float64))
    assert len(seen) == 1


@pytest.mark.parametrize("factor", [[0.0, 2.5, 1.0, 0.0, 0.3], [2.0] * 5])
@pytest.mark.parametrize("loss", LOSSES)
def test_paths_with_penalty_factors_equal_fits(loss, factor):
    X, y = make_classes(3)
    path_of, model_of, own = both(loss)
    path = path_of(X, y, alphas=[0.1, 0.01], l1_ratio=0.5, penalty_factor=factor, tol=1e-7, **own)
    for alpha, value, gap in zip(path.alphas, path.objectives, path.dual_gaps, strict=True):
        params = {"alpha": alpha, "l1_ratio": 0.5, "penalty_factor": factor, "tol": 1e-7}
        model = model_of(**params, **own).fit(X, y)
        assert value == pytest.approx(model.objective_, abs=gap + model.dual_gap_ + 1e-12)


def test_alphas_that_are_the_same_but_for_rounding_are_refused():
    X, y = make_classes(3)
    with pytest.raises(ValueError, match=r"eps=0.9999999999999999 is so near to 1"):
        softmax_path(X, y, l1_ratio=0.5, eps=1 - 1e-16)
    with pytest.raises(ValueError, match="more than once"):
        softmax_path(X, y, alphas=[1e-3, np.nextafter(1e-3, 1)])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_nothing_of_a_path_waits_for_the_garbage_collector(loss, l1_ratio):
    """A cycle of references would keep the scores of each fold of a cross-validation."""
    problem = make_problem(loss, l1_ratio, n_features=20)
    alphas = alpha_grid(problem, l1_ratio, 20)
    settings = {"tol": 1e-4, "max_iter": 100, "dtype": np.float64}
    gc.collect()
    gc.disable()
    try:
        data = weakref.ref(problem.data)
        assert len(list(solve_path(problem, alphas, l1_ratio, **settings))) == 20
        del problem
        assert data() is None
    finally:
        gc.enable()
