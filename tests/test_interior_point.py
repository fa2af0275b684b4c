"""The interior-point method for the hinges: its equations, its steps, and when it is used."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from data import csr, make_classes, no_weights, some_zero_weights
from models import make_model, problem_of
from oracle import optimum
from problems import make_problem, zero_start

from sklinear import SVMClassifier
from sklinear._certificate import certify
from sklinear._driver import Start, solve
from sklinear._losses import SquaredHinge
from sklinear._pairs import star_products
from sklinear._penalty import ElasticNet
from sklinear.solvers import _interior_systems, _rescue
from sklinear.solvers._interior_box import KEPT, TO_BOUNDARY, Box, _longest
from sklinear.solvers._interior_point import InteriorPoint, interior_point
from sklinear.solvers._interior_systems import Entries, SampleSystem, WeightSystem
from sklinear.solvers._newton import newton
from sklinear.solvers._rescue import (
    CHEAP_WITH_FEW_WEIGHTS,
    FACTOR_NEAR,
    Rescued,
    _affordable,
    interior_cost,
    is_cheap,
    is_first,
    keeps_few_weights,
)

HINGES = ["hinge", "squared hinge"]
over_losses = pytest.mark.parametrize("name", HINGES)
over_penalties = pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
over_intercepts = pytest.mark.parametrize("fit_intercept", [False, True])


def pair_matrix(problem, entries):
    """S, a row for each pair; columns are the weights (d, C), then the intercept."""
    X = problem.data.columns(slice(None), np.arange(problem.shape[0]))
    width = problem.n_classes
    out = np.zeros((len(entries.sample), X.shape[1], width))
    for row, (i, k, y) in enumerate(zip(entries.sample, entries.klass, entries.true, strict=True)):
        out[row, :, k], out[row, :, y] = X[i], -X[i]
    return out.reshape(len(out), -1)


@pytest.mark.parametrize("kind", [WeightSystem, SampleSystem])
@pytest.mark.parametrize("n_classes", [2, 4])
@over_intercepts
def test_systems_solve_the_equations_of_a_step(kind, n_classes, fit_intercept):
    problem = make_problem("hinge", 0.5, n_classes=n_classes)
    weights = problem.weights.copy()
    weights[3:5] = 0.0
    problem = replace(problem, weights=weights, fit_intercept=fit_intercept)
    entries, rng = Entries(problem), np.random.default_rng(0)
    c, rho = rng.uniform(0.1, 2, size=(2, len(entries.sample)))
    bend, slope = rng.uniform(0.5, 1, problem.shape), rng.normal(size=problem.shape)
    imbalance = rng.normal(size=problem.n_classes)
    imbalance -= imbalance.mean()
    system = kind(problem, entries)
    system.factorise(c, bend)
    coef, intercept = system.solve(slope, fit_intercept * imbalance, rho)
    S = pair_matrix(problem, entries)
    move = np.append(coef.ravel(), intercept)
    gradient = S.T @ (c * (S @ move + rho))
    np.testing.assert_allclose(gradient[: coef.size], (slope - bend * coef).ravel(), atol=1e-11)
    if fit_intercept:
        np.testing.assert_allclose(gradient[coef.size :], imbalance, atol=1e-11)
    else:
        assert not intercept.any()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_products_of_pairs(n_classes):
    """I + R S D^-1 S^T R, of which the lower triangle is left alone."""
    problem = make_problem("hinge", 0.5, n_classes=n_classes)
    entries, rng = Entries(problem), np.random.default_rng(0)
    bend, root = rng.uniform(0.5, 1, problem.shape), rng.uniform(size=len(entries.sample))
    system = SampleSystem(problem, entries)
    out = np.zeros((len(root), len(root)))
    star_products(system._grams(1 / bend), *system.pairs, root, out)
    S = root[:, None] * pair_matrix(problem, entries)[:, : bend.size]
    np.testing.assert_allclose(out, np.triu(np.eye(len(root)) + S / bend.ravel() @ S.T))


def test_products_make_up_for_the_rounding_of_a_factor(monkeypatch):
    """Where curvatures and penalties are eight decades apart."""
    problem = make_problem("hinge", 1.0, n_samples=30, n_features=100)
    entries, errors = Entries(problem), []
    for refinements in (0, 1):
        monkeypatch.setattr(_interior_systems, "REFINEMENTS", refinements)
        system, rng, total = SampleSystem(problem, entries), np.random.default_rng(0), 0.0
        for _ in range(5):
            c = 10.0 ** rng.uniform(-4, 4, len(entries.sample))
            bend = 10.0 ** rng.uniform(-4, 4, problem.shape)
            slope, rho = rng.normal(size=problem.shape), rng.normal(size=len(c))
            system.factorise(c, bend)
            coef, intercept = system.solve(slope, np.zeros(3), rho)
            change = entries.difference(problem.scores(coef, intercept))
            spread = entries.spread(c * (change + rho))
            total += np.linalg.norm(slope - bend * coef - problem.data.correlate(spread))
        errors.append(total)
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("upper", [1.5, np.inf])
def test_a_box_solves_its_linearised_conditions(upper):
    rng = np.random.default_rng(0)
    x, low, high, s = rng.uniform(0.2, 1, size=(4, 6))
    high = high if np.isfinite(upper) else 0 * high
    box = Box(np.zeros(6), np.full(6, upper), x, low, high, s, 0.5)
    f, df = rng.normal(size=(2, 6))
    box.linearise(f)
    goal = rng.uniform(size=6), rng.uniform(size=6)
    dx, dlow, dhigh = box.move(df, goal)
    np.testing.assert_allclose(f + df - s * (x + dx) + low + dlow - high - dhigh, 0, atol=1e-13)
    np.testing.assert_allclose(x * low + x * dlow + low * dx, goal[0])
    if np.isfinite(upper):
        room = upper - x
        np.testing.assert_allclose(room * high + room * dhigh - high * dx, goal[1])
    step = box.ends((dx, dlow, dhigh), 1e9).min()
    moved = np.concatenate([x + step * dx, low + step * dlow, high + step * dhigh])
    nearest = np.concatenate([moved, upper - x - step * dx]).min()
    np.testing.assert_allclose(nearest, 0, atol=1e-12)


@pytest.mark.parametrize("upper", [1.5, np.inf])
def test_after_a_step_too_long_everything_keeps_its_share(upper):
    rng = np.random.default_rng(0)
    x, low, high = rng.uniform(0.2, 1, size=(3, 6))
    high = high if np.isfinite(upper) else 0 * high
    box = Box(np.zeros(6), np.full(6, upper), x, low, high, 1.0, 0.5)
    box.linearise(rng.normal(size=6))
    move = rng.normal(size=(3, 6)) * np.where(high > 0, 1.0, [[1], [1], [0]])
    box.advance(100.0, move, 0.3)
    pairs = [(box.x, x), (box.low, low), (box.high, high)]
    pairs += [(upper - box.x, upper - x)] if np.isfinite(upper) else []
    for value, before in pairs:
        assert np.all(value >= 0.3 * before - 1e-15)


@pytest.mark.parametrize("upper", [1.5, np.inf])
def test_a_box_is_centred_for_given_primal_variables(upper):
    rng = np.random.default_rng(0)
    x, low, high, share = rng.uniform(0.2, 1, size=(4, 6))
    s = 0.0 if np.isfinite(upper) else 0.7
    box = Box(np.zeros(6), np.full(6, upper), x, low, high * np.isfinite(upper), s, share)
    f = 10.0 ** np.array([-9, -1, 0, 1, 2, 3]) * [1, -1, 1, -1, 1, -1]
    box.centre(f, 1e-3)
    np.testing.assert_allclose(f - s * box.x + box.low - box.high, 0, atol=1e-12)
    np.testing.assert_allclose(box.x * box.low, 1e-3 * share)
    assert np.all(box.x > 0)
    if np.isfinite(upper):
        np.testing.assert_allclose((upper - box.x) * box.high, 1e-3 * share, rtol=1e-6)
    assert box.products() == pytest.approx(1e-3 * box.total)


@pytest.mark.parametrize("upper", [1.0, np.inf])
@pytest.mark.parametrize("f", [-1e6, 1e6])
def test_a_box_is_centred_far_from_its_kink(f, upper):
    """Where the slack is smaller than the rounding of the middle."""
    smooth = 0.0 if np.isfinite(upper) else 1.0
    zero, share = np.zeros(1), np.ones(1)
    box = Box(zero, zero + upper, share / 2, share, share, smooth, share)
    box.centre(np.array([f]), 1e-11)
    assert box.x > 0 or f > 0
    assert min(box.low, box.high) >= 0
    box.linearise(np.array([f]))
    if f < 0:
        assert box.x * box.low == pytest.approx(1e-11)
    assert np.isfinite(box.rho((0.0, 0.0))).all()


def test_few_outliers_do_not_shorten_a_step():
    """Of 2,000 pairs two may be at their end at once, three may not."""
    method = InteriorPoint(make_problem("hinge", 0.0, n_samples=1000))
    method._linearise()
    (box,) = method.boxes
    for outliers, step, kept in ((0, 1.0, 1 - TO_BOUNDARY), (2, 1.0, KEPT), (3, 0.00995, KEPT)):
        move = np.zeros((3, box.x.size))
        move[0, :outliers] = -100 * box.below[:outliers]
        assert _longest([box], [move]) == pytest.approx((step, kept))


@over_losses
@over_penalties
def test_the_products_sum_up_to_the_gap(name, l1_ratio):
    """Nearly so, once the linear conditions hold."""
    problem = make_problem(name, l1_ratio)
    method = InteriorPoint(problem)
    violation = np.inf
    while violation > 1e-5:
        method.step()
        method._linearise()
        violation = max(np.abs(method.slope).max(), np.abs(method.imbalance).max())
    assert method.products > 1e-9
    iterate = problem.certified(
        method.coef, method.intercept, method.scores.copy(), method.iterate().dual
    )
    gap = certify(problem, iterate).gap
    assert gap <= 1.5 * method.products + 1e-12


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@over_penalties
@over_intercepts
@pytest.mark.parametrize("weights", [no_weights, some_zero_weights])
@pytest.mark.parametrize("shape", [(40, 4), (12, 30)])
def test_it_ends_at_the_optimum(loss, l1_ratio, fit_intercept, weights, shape, monkeypatch):
    monkeypatch.setattr(_rescue, "is_first", lambda *_: True)
    X, y = make_classes(3, *shape)
    weights = weights(y)
    model = make_model(loss, alpha=0.01, l1_ratio=l1_ratio, fit_intercept=fit_intercept)
    model.set_params(tol=1e-7).fit(X, y, weights)
    assert model.dual_gap_ <= 1e-7 * 2
    assert model.n_iter_ <= 40
    best = optimum(problem_of(model, X, y, weights))
    best = getattr(best, "value", best)
    assert model.objective_ - model.dual_gap_ - 1e-9 <= best <= model.objective_ + 1e-9


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@over_penalties
def test_few_steps_whatever_the_scales(loss, l1_ratio, monkeypatch):
    monkeypatch.setattr(_rescue, "is_first", lambda *_: True)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 12)) * 10 ** rng.uniform(-3, 3, 12) + 100
    y, weights = np.arange(60) % 5, 10 ** rng.uniform(-4, 4, 60)
    model = SVMClassifier(1e-5, loss=loss, l1_ratio=l1_ratio).fit(X, y, weights)
    assert model.dual_gap_ <= model.tol * 4
    assert model.n_iter_ <= 50


@over_losses
def test_weights_go_to_exact_zeros(name):
    problem = make_problem(name, 1.0)
    method = InteriorPoint(problem)
    for _ in range(20):
        method.step()
    shown = method.iterate()
    assert method.coef.all()
    assert not shown.coef.all()
    assert problem.objective(shown) <= problem.objective(
        replace(shown, coef=method.coef, scores=method.scores)
    ) + max(method.products, 1e-12)


@over_losses
def test_two_samples_are_one_of_weight_two(name):
    problem = make_problem(name, 0.5)
    n = len(problem.labels)
    twice = replace(
        problem,
        data=problem.data.take(np.repeat(np.arange(n), 2), slice(None)),
        labels=np.repeat(problem.labels, 2),
        weights=np.repeat(problem.weights, 2) / 2,
    )
    one, two = InteriorPoint(problem), InteriorPoint(twice)
    for _ in range(5):
        one.step()
        two.step()
    np.testing.assert_allclose(one.coef, two.coef, atol=1e-9)


def test_other_losses_and_large_problems_are_left_alone():
    assert interior_cost(make_problem("cross-entropy", 0.5)) == np.inf
    problem = make_problem("hinge", 0.5)
    wide = np.ones((3000, 3000))
    large = replace(problem, data=type(problem.data)(wide, problem.data.passes, 0.0))
    large = replace(large, labels=np.zeros(3000, np.int32), weights=np.full(3000, 1 / 3000))
    assert interior_cost(large) == np.inf


@pytest.mark.parametrize("n_samples", [20, _rescue.WIDE.size // 2 + 1])
def test_the_hinge_with_an_l1_part_and_few_samples_is_solved_inside(n_samples):
    """Whatever that costs, up to systems that would not fit."""
    problem = make_problem("hinge", 0.5, n_classes=3)
    X = np.zeros((n_samples, n_samples + 1))
    data = type(problem.data)(X, problem.data.passes, 1.0)
    wide = replace(problem, data=data, labels=np.zeros(n_samples, np.int32))
    wide = replace(wide, weights=np.full(n_samples, 1 / n_samples))
    zero, cost = zero_start(wide), interior_cost(wide)
    if n_samples == 20:
        assert is_first(wide, zero)
        assert not is_first(replace(wide, loss=SquaredHinge()), zero)
    assert np.isfinite(cost) == (2 * n_samples <= _rescue.WIDE.size)


def test_a_start_with_weights_is_used_first():
    problem = make_problem("hinge", 0.5)
    zero = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
    assert is_first(problem, zero)
    warm = replace(zero, coef=np.ones(problem.shape))
    assert not is_first(problem, warm)


@over_losses
@pytest.mark.parametrize(("X", "share"), [(None, 1.0), (csr, 0.1)])
def test_not_where_the_l2_part_rules(X, share, name):
    """Proximal-point steps find next to no weights at once."""
    problem = make_problem(name, 0.0, n_features=1000, X=X)
    level = share * problem.mean_squares.sum()
    for factor, expected in ((0.9, True), (1.1, False)):
        ruled = problem.with_penalty(ElasticNet(0.0, factor * level))
        assert is_first(ruled, zero_start(ruled)) == expected


@pytest.mark.parametrize("factor", [0.5, 10.0])
def test_an_l2_part_that_rules_needs_no_point_inside(factor, monkeypatch):
    problem = make_problem("hinge", 0.0, n_samples=300, n_features=200, X=csr)
    problem = problem.with_penalty(ElasticNet(0.0, factor * problem.mean_squares.sum()))
    monkeypatch.setattr(_rescue, "interior_point", None)
    solution = solve(problem, zero_start(problem), tol=1e-5, max_iter=99, dtype=float)
    assert solution.converged


def test_a_point_worse_than_zero_is_no_start(monkeypatch):
    """Where the method breaks off far from the optimum."""
    problem = make_problem("squared hinge", 0.5)
    monkeypatch.setattr(_rescue, "is_first", lambda *_: True)
    start = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
    far = problem.evaluate(1e3 * np.ones(problem.shape), start.intercept)
    monkeypatch.setattr(_rescue, "interior_point", lambda *_: iter([far]))
    starts = []

    def solver(problem, start):
        starts.append(start.coef)
        yield problem.evaluate(start.coef, start.intercept)

    assert len(list(Rescued(solver)(problem, start))) == 2
    assert all(not coef.any() for coef in starts)


@over_losses
@over_penalties
def test_it_goes_on_from_a_point_near_the_optimum(name, l1_ratio):
    """Of the problem with a penalty a tenth larger."""
    problem = make_problem(name, l1_ratio)
    *_, other = interior_point(problem.with_penalty(problem.penalty.scaled(1.1)))
    point = problem.certified(other.coef, other.intercept, other.scores, other.dual)
    target = 1e-6 * problem.value_at_zero

    def steps(*begin):
        gaps = [certify(problem, found).gap for found in interior_point(problem, *begin)]
        return next(number for number, gap in enumerate(gaps) if gap <= target)

    assert certify(problem, point).gap > target
    assert next(interior_point(problem, point)) is point
    assert steps(point) < steps()


class TestAlongAPath:
    """A solver that gets nowhere, and starts that are near the optimum."""

    @pytest.fixture
    def setting(self, monkeypatch):
        problem = make_problem("hinge", 0.5)
        last = next(itertools.islice(interior_point(problem), 8, None))
        start = Start(last.coef, last.intercept, last.dual, last.scores)
        begun = []
        original = _rescue.interior_point
        monkeypatch.setattr(
            _rescue,
            "interior_point",
            lambda problem, point=None: (begun.append(point), original(problem, point))[1],
        )
        return problem, start, last, begun

    def test_what_it_has_found_is_where_the_interior_points_begin(self, setting):
        problem, start, last, begun = setting
        steps = Rescued(lambda problem, start: iter([last] * 100))(problem, start)
        assert all(next(steps) is last for _ in range(10))
        assert any(certify(problem, found).gap <= 1e-6 for found in itertools.islice(steps, 80))
        assert begun == [last]

    @pytest.mark.parametrize("near", [False, True])
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    def test_other_steps_count_at_what_they_cost(self, l1_ratio, near, monkeypatch):
        """Far away few samples give each a price, and a handful of cheap ones is all."""
        monkeypatch.setattr(_rescue, "NEWTON_STEP", (0, 0))
        monkeypatch.setattr(_rescue, "is_first", lambda *_: False)
        problem = make_problem("hinge", l1_ratio, n_features=5 if l1_ratio else 40)
        monkeypatch.setattr(_rescue, "_gap", lambda *_: problem.value_at_zero)
        last = next(interior_point(problem))
        start = Start(last.coef, last.intercept, last.dual, last.scores)
        start = start if near else zero_start(problem)
        rescued = Rescued(lambda problem, start: iter([last] * 100))
        steps = itertools.islice(rescued(problem, start), 100)
        taken = len(list(itertools.takewhile(lambda found: found is last, steps)))
        assert taken == 100 if near else taken <= _rescue.FEW_STEPS + 2

    def test_the_cheaper_one_takes_the_next_problem(self, setting, monkeypatch):
        monkeypatch.setattr(_rescue, "FORGET", 0.5)
        problem, start, last, begun = setting
        calls = []

        def solver(problem, start):
            calls.append(start)
            for _ in range(1 if len(calls) > 2 else 100):
                yield last

        rescued, first = Rescued(solver), []
        for _ in range(14):
            begun.clear()
            for found in rescued(problem, start):
                if certify(problem, found).gap <= 1e-6:
                    break
            # From a point of the start, and from one that the solver had found.
            first.append(bool(begun) and begun[0] is not last)
        assert first[:2] == [False, True]
        assert 0 < rescued.inside < 1
        # In the end it is tried again.
        assert not all(first[1:])

    def test_from_zero_where_the_point_led_nowhere(self, setting, monkeypatch):
        monkeypatch.setattr(_rescue, "MAX_NEAR_STEPS", 2)
        problem, start, last, begun = setting
        rescued = Rescued(lambda problem, start: iter([last] * 20))
        assert any(certify(problem, found).gap <= 1e-6 for found in rescued(problem, start))
        assert begun == [last, None]
        assert rescued.inside > 1

    def test_nothing_follows_where_the_point_led_to_the_last_digit(self, setting):
        problem, start, last, begun = setting
        rescued = Rescued(lambda problem, start: iter([last] * 20))
        rescued.spent = np.inf
        found = list(rescued(problem, start))[-21]  # the other solver's twenty steps follow
        assert certify(problem, found).gap <= 1e-13 * problem.value_at_zero
        assert begun[1:] == []
        assert rescued.inside < 1

    def test_a_price_that_was_too_high_falls(self, setting):
        problem, start, last, _ = setting
        rescued = Rescued(lambda problem, start: iter([last]))
        rescued.inside = 2.0
        for _ in range(10):
            next(rescued(problem, start))
        assert 0.8 < rescued.inside <= 1

    def test_other_solvers_are_not_priced_at_a_start_far_away(self, setting, monkeypatch):
        problem, _, last, begun = setting
        monkeypatch.setattr(_rescue, "is_first", lambda *_: False)
        zero = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
        next(iter(Rescued(lambda *_: iter([last]))(problem, zero)))
        assert begun == []


@pytest.mark.parametrize(
    ("l1_ratio", "n_features", "known"), [(0.0, 90, 1), (0.5, 90, 0), (0.5, 4, 1)]
)
def test_many_weights_at_their_bends_are_no_place_to_begin(l1_ratio, n_features, known):
    problem = make_problem("hinge", l1_ratio, n_samples=30, n_features=n_features)
    assert keeps_few_weights(problem) != bool(known)


@over_penalties
def test_it_takes_over_from_a_solver_that_gets_nowhere(l1_ratio):
    problem = make_problem("squared hinge", l1_ratio)
    start = Start(np.zeros(problem.shape), np.zeros(problem.n_classes))
    first = problem.evaluate(start.coef, start.intercept)
    calls = []

    def lame(problem, start):
        calls.append(start)
        for _ in range(100 if len(calls) == 1 else 0):
            yield first

    gaps = [certify(problem, iterate).gap for iterate in Rescued(lame)(problem, start)]
    assert len(calls) == 2
    assert 10 < len(gaps) < 100
    assert gaps[-1] <= 1e-9 * problem.value_at_zero
    finished = list(newton(problem, calls[1]))
    assert certify(problem, finished[0]).gap <= 1e-8 * problem.value_at_zero


@pytest.mark.parametrize(
    ("fall", "first", "cost"),
    [(1.0, 1.0, 1), (0.9, 1.0, 1), (0.5, 1.0, np.inf), (1.0, 1e-5, FACTOR_NEAR)],
    ids=["stalled", "slow", "fast", "near the end"],
)
def test_other_steps_go_on_while_they_bring_the_gap_down(fall, first, cost, monkeypatch):
    """Of a solver whose steps cost a tenth each; near the end there is more patience."""
    problem = make_problem("hinge", 0.5)
    monkeypatch.setattr(_rescue, "NEWTON_STEP", (0, 0.1))
    monkeypatch.setattr(_rescue, "_gap", lambda problem, iterate: iterate)
    gaps = [first * fall**k for k in range(100)]
    taken = len(list(_affordable(problem, iter(gaps), 1.0, 0.0)))
    assert min(10 * cost, 100) <= taken <= min(10 * cost + 6, 100)


def test_it_stops_where_nothing_is_left():
    problem = make_problem("hinge", 0.5)
    assert len(list(interior_point(problem))) < 60


@pytest.mark.parametrize(("n_samples", "n_features", "cheap"), [(100, 10000, 1), (210, 2400, 0)])
def test_cheap_beside_products_with_many_features(n_samples, n_features, cheap):
    size = {"n_samples": n_samples, "n_features": n_features, "n_classes": 10}
    problem = make_problem("hinge", 0.5, **size)
    assert keeps_few_weights(problem)
    assert interior_cost(problem) > CHEAP_WITH_FEW_WEIGHTS
    assert is_cheap(problem) == cheap


@over_penalties
@pytest.mark.parametrize("tiny", [1e-160, 1e-300])
def test_weights_of_next_to_nothing(tiny, l1_ratio):
    """What overflows is the resistance of a sample that does not count."""
    X, y = make_classes(3)
    model = make_model("hinge", alpha=0.01, l1_ratio=l1_ratio, tol=1e-8)
    weights = np.where(np.arange(len(y)) % 4 == 0, tiny, 1.0)
    found = model.fit(X, y, weights).objective_
    assert found == pytest.approx(model.fit(X, y, weights * (weights == 1)).objective_, abs=1e-7)
