"""Dual block coordinate ascent: the block step, the epochs, the certified iterates, the choice."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from data import csr
from problems import LOSSES, last, make_problem, random_dual, random_point, zero_start
from scipy.optimize import brentq, minimize
from scipy.special import softmax, wrightomega, xlogy

from sklinear._alpha_max import alpha_max
from sklinear._ascent import Ascent, csr_epoch, dense_epoch
from sklinear._centred_data import CentredData
from sklinear._certificate import certify
from sklinear._data import wrap
from sklinear._driver import Start, solve
from sklinear._path import penalised
from sklinear._penalty import soft_threshold
from sklinear.solvers import choose
from sklinear.solvers._ascends import (
    FEW_LARGE,
    MANY_SAMPLES,
    MANY_UNEVEN,
    MAX_SMALL,
    MAX_SPARSE,
    MOST_LARGE,
    STRONG_BESIDE,
    VAST,
    WEAK,
    WEAK_DENSE,
    WEAK_SOFTMAX,
    WEAK_WIDE,
    ascends,
)
from sklinear.solvers._dual_ascent import FEW_OF_ALL, FEW_WEIGHTS, FEW_WEIGHTS_HINGE, dual_ascent
from sklinear.solvers._epochs import RELAXATION, DualAscent, pulls
from sklinear.solvers._newton import newton
from sklinear.solvers._patience import MOST_BEFORE_CHEAP, limits, outdone, slow, to_a_tenth
from sklinear.solvers._proximal_point import proximal_point
from sklinear.solvers._rescue import is_cheap

KINDS = {
    "dense float64": np.asarray,
    "dense float32": lambda X: X.astype(np.float32),
    "dense Fortran": np.asfortranarray,
    "csr float64": csr,
    "csr float32": lambda X: csr(X.astype(np.float32)),
    "csr int64": lambda X: csr(X, np.int64),
}
over_kinds = pytest.mark.parametrize("kind", KINDS)
over_hinges = pytest.mark.parametrize("name", ["hinge", "squared hinge"])
over_losses = pytest.mark.parametrize("name", ["hinge", "squared hinge", "cross-entropy"])
over_l1_ratios = pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
over_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def alone(problem, start):
    """The ascent without a successor, however slow."""
    ascent = DualAscent(problem, start)
    while True:
        ascent.run()
        yield ascent.iterate()


def after_epochs(problem, number):
    """The iterate after so many epochs, however many passes these are."""
    ascent = DualAscent(problem, zero_start(problem))
    for _ in range(number):
        ascent.epoch()
    return ascent.iterate()


def assert_in_step(problem, number):
    """V follows the dual point and the centre for so many epochs; the ascent after them."""
    ascent = DualAscent(problem, zero_start(problem))
    for _ in range(number):
        ascent.epoch()
    expected = (ascent.pull * ascent.centre - problem.correlate(ascent.dual)) / ascent.l2
    np.testing.assert_allclose(ascent.V, expected, atol=1e-10)
    return ascent


def newton_solver(problem):
    """The solver by Newton steps."""
    return newton if problem.loss.smooth else proximal_point


def text_like(X):
    """One entry in twenty, in rows of norm one."""
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.05, X, 0.0)
    return csr(X / np.linalg.norm(X, axis=1, keepdims=True))


def make_text(name, l1_ratio=0.0, alpha=1e-3):
    """Sparse, with more variables than an explicit Hessian may have."""
    return make_problem(
        name, l1_ratio, alpha, n_classes=5, n_samples=300, n_features=700, X=text_like
    )


class TestBlockStep:
    def step(self, name, scores, label, q, dual):
        """The block step of one sample with the one feature 1 and V = its scores."""
        block = LOSSES[name](None, None).block
        V, moved = scores[None, :].copy(), np.zeros(1, np.uint8)
        labels, zeros = np.array([label], np.int32), np.zeros_like(scores)
        found = dual[None, :].copy()
        state = Ascent(block, labels, np.array([q]), np.array([q]), found, V, zeros, 0.0, 0.0)
        dense_epoch(np.ones((1, 1)), np.zeros(1), np.zeros(1, np.int32), state, moved)
        # A fused multiply-add does not round the product, which may be far larger than the sum.
        moved_by, rounded = found[0] - dual, scores - q * (found[0] - dual)
        fused = [
            float(Fraction(z) - Fraction(q) * Fraction(u))
            for z, u in zip(scores, moved_by, strict=True)
        ]
        apart = np.minimum(np.abs(V[0] - rounded), np.abs(V[0] - fused))
        assert np.all(apart <= 1e-12 + 1e-12 * np.abs(rounded))
        assert moved[0] == np.any(found[0] != dual)
        return found[0], block

    @over_hinges
    @pytest.mark.parametrize("seed", range(60))
    def test_no_better_point_is_found(self, name, seed):
        rng = np.random.default_rng(seed)
        size, q = rng.integers(2, 12), 10 ** rng.uniform(-4, 4)
        scores, label = rng.normal(size=size) * 10 ** rng.uniform(-1, 1), int(rng.integers(size))
        old = rng.random(size) * (rng.random(size) < 0.5)
        old[label] = 0
        old[label] = -old.sum()
        found, (strength, largest) = self.step(name, scores, label, q, old)
        wrong = np.arange(size) != label

        def loss_and_gradient(u):
            g = np.zeros(size)
            g[wrong] = u
            g[label] = -u.sum()
            pull = scores - q * (g - old)
            value = scores @ g + u.sum() - strength / 2 * u @ u - q / 2 * np.sum((g - old) ** 2)
            return -value, -(1 - strength * u + pull[wrong] - pull[label])

        bounds = [(0, largest)] * (size - 1)
        options = {"ftol": 1e-15, "gtol": 1e-12}
        best = minimize(loss_and_gradient, old[wrong], jac=True, bounds=bounds, options=options).fun
        assert found[wrong].min() >= 0
        assert found[wrong].max() <= largest
        assert found.sum() == pytest.approx(0, abs=1e-12)
        assert loss_and_gradient(found[wrong])[0] <= best + 1e-10 * max(1, abs(best))

    @over_hinges
    @pytest.mark.parametrize("q", [1e-300, 1e-12, 1.0, 1e12])
    def test_any_curvature(self, name, q):
        scores = np.array([0.3, -2.0, 0.1, 0.4])
        found, _ = self.step(name, scores, 0, q, np.zeros(4))
        assert np.isfinite(found).all()
        assert found[1] == 0
        assert found[2:].min() > 0

    @over_hinges
    def test_maximiser_stays(self, name):
        """A second step from the maximiser, from where V is now, moves by rounding at most."""
        scores = np.array([0.3, -2.0, 0.1, 0.4, 0.35])
        found, _ = self.step(name, scores, 0, 2.0, np.zeros(5))
        again, _ = self.step(name, scores - 2.0 * found, 0, 2.0, found)
        np.testing.assert_allclose(again, found, atol=1e-14)

    @pytest.mark.parametrize("seed", range(60))
    @pytest.mark.parametrize("size", [1.0, 300.0])
    def test_simplex_against_omega(self, seed, size):
        """log q + kappa (q - old) = z - t has the solution q = omega(log kappa + a - t) / kappa."""
        rng = np.random.default_rng(seed)
        n_classes, kappa = int(rng.integers(2, 60)), 10 ** rng.uniform(-6, 6)
        scores, label = size * rng.normal(size=n_classes), int(rng.integers(n_classes))
        old = rng.dirichlet(np.full(n_classes, 10 ** rng.uniform(-2, 1)))
        true = np.eye(n_classes)[label]

        def probabilities(t):
            return wrightomega(np.log(kappa) + scores + kappa * old - t).real / kappa

        top = (scores + kappa * old).max()
        low, high = top - kappa - 1, top + np.log(n_classes) + 1
        root = brentq(lambda t: probabilities(t).sum() - 1, low, high, xtol=1e-13, rtol=1e-15)
        found, _ = self.step("cross-entropy", scores, label, kappa, old - true)
        assert found.sum() == pytest.approx(0, abs=1e-14)
        assert (found + true).min() >= -1e-15
        np.testing.assert_allclose(found + true, probabilities(root), atol=2e-9)

    @pytest.mark.parametrize("kappa", [1e-300, 1e-12, 1.0, 1e12])
    def test_simplex_from_where_scores_disagree(self, kappa):
        scores, old = np.array([1e5, -1e5, 0.0]), np.array([0.0, 1.0, 0.0])
        found, _ = self.step("cross-entropy", scores, 0, kappa, old - [1.0, 0.0, 0.0])
        q = found + np.array([1.0, 0.0, 0.0])
        assert np.isfinite(q).all()
        assert q.sum() == pytest.approx(1)
        value = scores @ q - kappa / 2 * np.sum((q - old) ** 2) - xlogy(q, q).sum()
        for k in range(3):
            nearby = 0.999 * q + 0.001 * np.eye(3)[k]
            entropy = xlogy(nearby, nearby).sum()
            other = scores @ nearby - kappa / 2 * np.sum((nearby - old) ** 2) - entropy
            assert other <= value + 1e-10 * max(1.0, abs(value))

    def test_simplex_at_rest(self):
        """A second step moves nothing; small changes are left out where they shall be."""
        scores, dual = np.array([0.3, -2.0, 0.1]), np.array([[-0.5, 0.25, 0.25]])
        labels, one = np.zeros(1, np.int32), np.ones(1)
        V, moved = scores[None].copy(), np.ones(1, np.uint8)
        state = Ascent(None, labels, one, one, dual, V, np.zeros(3), 0.0, 0.0)
        state.least = 2.0
        dense_epoch(np.ones((1, 1)), np.zeros(1), labels, state, moved)
        assert moved[0] == 0
        np.testing.assert_array_equal(dual[0], [-0.5, 0.25, 0.25])
        state.least = 1e-9
        for expected in (1, 0):
            dense_epoch(np.ones((1, 1)), np.zeros(1), labels, state, moved)
            assert moved[0] == expected
        np.testing.assert_allclose(V[0], scores - dual[0] + [-0.5, 0.25, 0.25], rtol=1e-14)
        q = dual[0] + np.array([1.0, 0.0, 0.0])
        np.testing.assert_allclose(q, np.exp(V[0]) / np.exp(V[0]).sum(), rtol=1e-7)

    def test_small_changes_leave_the_simplex_whole(self):
        """Many small losses of the wrong classes make up for the one large gain."""
        n_classes = 40
        old = np.full(n_classes, 1 / (n_classes - 1))
        old[0] = 0.0
        dual = (old - np.eye(n_classes)[0])[None]
        scores = np.zeros(n_classes)
        scores[:2] = -50.0, 3.0
        labels, one = np.zeros(1, np.int32), np.ones(1)
        state = Ascent(None, labels, one, one, dual, scores[None], np.zeros(n_classes), 0.0, 0.0)
        state.least = 0.05
        dense_epoch(np.ones((1, 1)), np.zeros(1), labels, state, np.zeros(1, np.uint8))
        assert dual[0, 1] > 0.2
        assert dual[0, 0] >= -1 - 1e-14
        assert dual[0, 1:].min() >= 0


class TestEpochs:
    @over_losses
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.3])
    def test_dual_objective_never_falls(self, name, l1_ratio):
        """Without a centre; that of the hinges has more features than samples."""
        size = {"n_samples": 30, "n_features": 40}
        problem = make_problem(name, l1_ratio, 1e-3, fit_intercept=False, **size)
        assert not pulls(problem)
        ascent, values = DualAscent(problem, zero_start(problem)), []
        for _ in range(30):
            ascent.epoch()
            dual = ascent.dual.copy()
            correlation = problem.data.correlate(problem.weights[:, None] * dual)
            conjugate, *_ = problem.loss.conjugate(problem.labels, problem.weights, dual)
            values.append(-conjugate - problem.penalty.dual_value(correlation))
        assert np.all(np.diff(values) >= -1e-12)
        assert values[-1] > values[0]

    @over_losses
    @over_l1_ratios
    @over_kinds
    def test_every_kind_of_data_gives_the_same(self, name, l1_ratio, kind):
        expected, found = (
            after_epochs(make_problem(name, l1_ratio, X=kind), 12) for kind in (None, KINDS[kind])
        )
        np.testing.assert_allclose(found.coef, expected.coef, atol=1e-11)
        np.testing.assert_allclose(found.intercept, expected.intercept, atol=1e-11)
        np.testing.assert_allclose(found.dual, expected.dual, atol=1e-10)

    @over_losses
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    @pytest.mark.parametrize("kind", ["dense float64", "dense float32", "dense Fortran"])
    def test_centred_data_give_the_same_as_their_copy(self, name, l1_ratio, kind):
        problem = make_problem(name, l1_ratio, X=lambda X: KINDS[kind](X + 3.0))
        centred = CentredData(problem.data, problem.data.X.mean(axis=0, dtype=float))
        copy = wrap(problem.data.X - centred.centre)
        found, expected = (
            after_epochs(replace(problem, data=data), 12) for data in (centred, copy)
        )
        np.testing.assert_allclose(found.coef, expected.coef, atol=1e-11)
        np.testing.assert_allclose(found.dual, expected.dual, atol=1e-10)

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    @pytest.mark.parametrize("n_features", [1, 511, 512, 513, 1300])
    def test_long_rows(self, n_features, l1_ratio):
        """They are taken a chunk at a time, those of CSR as those of dense data."""
        size = {"n_samples": 40, "n_features": n_features}
        dense, sparse = (make_problem("hinge", l1_ratio, 0.01, X=X, **size) for X in (None, csr))
        found = after_epochs(dense, 5)
        np.testing.assert_allclose(found.coef, after_epochs(sparse, 5).coef, atol=1e-11)
        assert_in_step(dense, 5)

    @over_losses
    def test_larger_features_are_no_harder(self, name):
        """X times 16 with a penalty 256 times as large is the same problem."""
        expected = after_epochs(make_problem(name, 0.0), 12)
        larger = make_problem(name, 0.0, alpha=0.01 * 256, X=lambda X: 16 * X)
        found = after_epochs(larger, 12)
        np.testing.assert_allclose(found.dual, expected.dual, atol=1e-12)
        np.testing.assert_allclose(found.intercept, expected.intercept, atol=1e-12)
        np.testing.assert_allclose(16 * found.coef, expected.coef, atol=1e-12)

    @pytest.mark.parametrize("factor", [0.0, 1e-180, 1e70])
    def test_extreme_features_leave_the_constant_one_finite(self, factor):
        problem = make_problem("hinge", 0.0, X=lambda X: factor * X)
        with np.errstate(over="ignore", invalid="ignore"):
            assert 0 < DualAscent(problem, zero_start(problem)).shift < np.inf

    def test_an_outlier_hardly_changes_it(self):
        def with_outlier(X):
            X[0] *= 1e4
            return X

        problems = [make_problem("hinge", 0.0, X=X) for X in (None, with_outlier)]
        shifts = [DualAscent(problem, zero_start(problem)).shift for problem in problems]
        assert shifts[1] <= 2 * shifts[0]

    @pytest.mark.parametrize(("X", "order"), [(None, "F"), (csr, "C")])
    def test_weights_lie_as_rows_use_them(self, X, order):
        """Dense rows class by class, sparse ones feature by feature."""
        problem = make_problem("hinge", 0.5, X=X)
        ascent = DualAscent(problem, zero_start(problem))
        for array in (ascent.V, ascent.centre):
            assert array.flags[f"{order}_CONTIGUOUS"]
        assert ascent.iterate().coef.flags.c_contiguous

    def test_rows_of_an_epoch_must_lie_so(self):
        labels, ones, dual = np.zeros(4, np.int32), np.ones(4), np.zeros((4, 2))
        state = (0.0, 1.0), labels, ones, ones, dual
        moved, rows = np.zeros(4, np.uint8), np.arange(4, dtype=np.int32)
        for X, order in ((np.eye(4), "C"), (csr(np.eye(4)), "F")):
            ascent = Ascent(*state, np.zeros((4, 2), order=order), np.zeros(2), 0.0, 0.0)
            with pytest.raises(ValueError, match="wrong order"):
                wrap(X)._ascend(rows, ascent, moved)

    def test_rows_at_rest_pause(self):
        """Under a strong penalty all u are soon 1, and stay."""
        problem = make_text("hinge", alpha=10.0)
        ascent = DualAscent(problem, zero_start(problem))
        pauses = []
        for _ in range(16):
            ascent.epoch()
            pauses.append(set(ascent.pause.tolist()))
        assert pauses == [{0}] + 2 * [{1}] + 4 * [{3}] + 8 * [{7}] + [{8}]
        assert ascent.passes < 4

    @pytest.mark.parametrize("kind", ["dense float64", "csr float64"])
    def test_only_the_given_rows_move(self, kind):
        X, labels = KINDS[kind](np.eye(4)), np.zeros(4, np.int32)
        dual, ones, moved = np.zeros((4, 3)), np.ones(4), np.zeros(4, np.uint8)
        V, intercept = np.zeros((4, 3), order=wrap(X).order_of_weights), np.zeros(3)
        state = Ascent((0.0, 1.0), labels, ones, ones, dual, V, intercept, 0.0, 0.0)
        rows = np.array([2, 0], np.int32)
        if kind == "csr float64":
            csr_epoch(X.indptr, X.indices, X.data, rows, state, moved)
        else:
            dense_epoch(X, np.zeros(X.shape[1]), rows, state, moved)
        assert moved.tolist() == [1, 0, 1, 0]
        assert dual.any(axis=1).tolist() == [True, False, True, False]
        assert not intercept.any()


class TestCentre:
    """The pull to a centre, where the L2 part is small."""

    @pytest.mark.parametrize("l1_ratio", [0.95, 1.0])
    @over_losses
    @over_kinds
    def test_only_l1_has_an_optimum_too(self, name, l1_ratio, kind):
        problem = make_problem(name, l1_ratio, 0.02, X=KINDS[kind])
        found = last(alone, problem, 60, 1e-6)
        expected = last(newton_solver(problem), problem, 200, 1e-8)
        tol = 1e-6 * problem.value_at_zero
        assert certify(problem, found).gap <= tol
        assert abs(problem.objective(found) - problem.objective(expected)) <= tol

    def test_the_optimum_stays(self):
        problem = make_text("hinge", 1.0, alpha=0.02)
        end = last(proximal_point, problem, 200, 1e-11)
        ascent = DualAscent(problem, Start(end.coef, end.intercept, end.dual.copy()))
        assert ascent.pull > 0
        for _ in range(5):
            ascent.epoch()
        np.testing.assert_allclose(ascent.centre, end.coef, atol=1e-8)
        np.testing.assert_allclose(ascent.iterate().coef, end.coef, atol=1e-8)

    @over_losses
    @pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
    def test_an_epoch_raises_the_dual_of_the_problem_around_the_centre(self, name, l1_ratio):
        """Less sup_W <-A, W> - penalty(W) - pull/2 |W - C|^2, which the weights below attain."""
        problem = make_problem(name, l1_ratio, 1e-3, fit_intercept=False)
        ascent = DualAscent(problem, zero_start(problem))
        assert ascent.pull > 0 or (name, l1_ratio) == ("cross-entropy", 0.5)

        def value():
            conjugate, *_ = problem.loss.conjugate(problem.labels, problem.weights, ascent.dual)
            coef = soft_threshold(ascent.V, problem.penalty.l1 / ascent.l2)
            around = 0.5 * ascent.pull * np.sum((coef - ascent.centre) ** 2)
            product = np.vdot(problem.correlate(ascent.dual), coef)
            return product + problem.penalty.value(coef) + around - conjugate

        for _ in range(15):
            before = value()
            problem.data.ascend(ascent.rows, ascent.compiled, ascent.moved)
            assert value() >= before - 1e-12
            ascent.compiled.recentre(ascent.centre, ascent.pull / ascent.l2, RELAXATION)

    def test_another_pull_leaves_the_dual_point(self):
        problem = make_text("hinge", 1.0)
        ascent = DualAscent(problem, zero_start(problem))
        ascent.run()
        before, found = ascent.pull, ascent.iterate()
        scaled = replace(found, coef=100 * found.coef)
        ascent.adapt(scaled)
        assert ascent.pull < 0.1 * before
        again = ascent.iterate()
        np.testing.assert_array_equal(again.dual, found.dual)
        V = (ascent.pull * ascent.centre - again.correlation) / ascent.l2
        ascent.adapt(scaled)
        np.testing.assert_allclose(again.coef, soft_threshold(V, problem.penalty.l1 / ascent.l2))

    def test_ways_are_as_long(self):
        """X times 16 with an L1 part 16 times as large: the weights are a sixteenth."""
        pulled = []
        for size in (1.0, 16.0):
            problem = make_problem("hinge", 1.0, 0.01 * size, X=lambda X, size=size: size * X)
            ascent = DualAscent(problem, zero_start(problem))
            for _ in range(5):
                ascent.run()
                ascent.adapt(ascent.iterate())
            pulled.append(ascent.pull)
        assert pulled[1] == pytest.approx(256 * pulled[0], rel=1e-9)

    def test_features_without_a_weight_are_left_out(self):
        """With an L1 part; V of a feature that gets one is known at once."""
        problem = make_text("hinge", 1.0, alpha=0.02)
        ascent = assert_in_step(problem, 20)
        assert 0 < ascent.iterate().coef.any(axis=1).sum() < 0.5 * problem.shape[0]


class TestIterates:
    @over_losses
    @over_l1_ratios
    @over_intercept
    @pytest.mark.parametrize("n_classes", [2, 3, 26])
    @pytest.mark.parametrize("kind", ["dense float32", "csr float64"])
    def test_optimum_of_the_other_solver(self, name, l1_ratio, fit_intercept, n_classes, kind):
        problem = make_problem(
            name,
            l1_ratio,
            0.1,
            n_classes=n_classes,
            fit_intercept=fit_intercept,
            X=KINDS[kind],
        )
        tol = 1e-8 * problem.value_at_zero
        found = last(alone, problem, 60, 1e-8)
        expected = last(newton_solver(problem), problem, 200, 1e-9)
        assert certify(problem, found).gap <= tol
        assert abs(problem.objective(found) - problem.objective(expected)) <= tol

    @over_losses
    @over_l1_ratios
    def test_iterate_is_consistent(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio, X=csr)
        found = last(alone, problem, 4)
        X, weighted = problem.data.X, problem.weights[:, None] * found.dual
        np.testing.assert_allclose(found.scores, X @ found.coef + found.intercept, atol=1e-12)
        np.testing.assert_allclose(found.correlation, X.T @ weighted, atol=1e-14)
        assert np.abs(problem.weights @ found.dual).max() <= 1e-13

    @over_losses
    def test_weight_is_repetition(self, name):
        problem = make_problem(name, 0.5, 0.1, X=csr)
        counts = np.rint(problem.weights / problem.weights.min()).astype(int)
        rows = np.repeat(np.arange(len(counts)), counts)
        repeated = replace(
            problem,
            data=wrap(problem.data.X[rows]),
            labels=problem.labels[rows],
            weights=np.full(len(rows), 1 / len(rows)),
        )
        scale = problem.weights.min() * len(rows)
        assert scale == pytest.approx(1)
        values = [p.objective(last(alone, p, 60, 1e-9)) for p in (problem, repeated)]
        assert values[0] == pytest.approx(values[1], abs=1e-8)

    @over_losses
    @over_l1_ratios
    @over_intercept
    def test_weights_over_orders_of_magnitude(self, name, l1_ratio, fit_intercept):
        """Samples and a whole class without weight, samples without features."""
        problem = make_problem(
            name, l1_ratio, 0.05, n_classes=4, fit_intercept=fit_intercept, X=csr
        )
        X = problem.data.X.toarray()
        X[::7] = 0
        weights = 10.0 ** np.random.default_rng(0).uniform(-12, 0, size=len(X))
        weights[problem.labels == 2] = weights[1] = 0
        problem = replace(problem, data=wrap(csr(X)), weights=weights / weights.sum())
        found = last(dual_ascent(newton_solver(problem)), problem, 300, 1e-8)
        assert certify(problem, found).gap <= 1e-8 * problem.value_at_zero

    @over_losses
    def test_deterministic(self, name):
        first, second = (last(alone, make_text(name), 6) for _ in range(2))
        np.testing.assert_array_equal(first.coef, second.coef)

    @over_losses
    def test_begins_where_it_is_told(self, name):
        problem = make_text(name, 0.5)
        end = last(alone, problem, 60, 1e-9)
        start = Start(end.coef, end.intercept, end.dual.copy())
        gap = certify(problem, end).gap
        for iterate in itertools.islice(choose(problem)(problem, start), 2):
            assert certify(problem, iterate).gap == pytest.approx(gap, abs=1e-8)

    @over_l1_ratios
    def test_intercept_of_the_softmax_is_the_best_for_the_scores(self, l1_ratio):
        problem = make_text("cross-entropy", l1_ratio)
        ascent = DualAscent(problem, zero_start(problem))
        ascent.refine(0.0)
        ascent.run()
        found = ascent.iterate()
        q = softmax(found.scores, axis=1) - np.eye(problem.n_classes)[problem.labels]
        assert np.abs(problem.weights @ q).max() <= 1e-10
        np.testing.assert_array_equal(ascent.intercept, found.intercept)

    def test_mean_of_many_epochs_is_nearer_than_the_last(self, monkeypatch):
        problem, found = make_problem("hinge", 1.0, 1e-3, n_samples=300, n_features=60), []
        for least in (3, np.inf):
            monkeypatch.setattr("sklinear.solvers._epochs.MANY_EPOCHS", least)
            ascent = DualAscent(problem, zero_start(problem))
            ascent.run(20)
            ascent.adapt(ascent.iterate())
            ascent.run(100)
            ascent.run()
            found.append(certify(problem, ascent.iterate(), search=False).gap)
        assert found[0] < 0.5 * found[1]

    def test_last_epoch_counts_where_the_gap_falls_fast(self):
        problem = make_problem("hinge", 0.0, 0.1, n_samples=90)
        ascent = DualAscent(problem, zero_start(problem))
        for gap, expected in ((1.0, False), (0.5, True), (0.01, False)):
            ascent.run(ascent.passes + 10)
            ascent.refine(gap)
            assert ascent.slow == expected
            last = problem.balanced(ascent.dual.copy())
            assert np.array_equal(ascent.iterate().dual, last) != expected

    @pytest.mark.parametrize("name", ["hinge", "squared hinge"])
    def test_first_look_from_nearby(self, name):
        """Of the hinge that is pulled to a centre it comes late, and takes the last epoch."""
        problem = make_problem(name, 0.5, 1e-3, n_samples=90)
        near = replace(zero_start(problem), dual=np.zeros((90, problem.n_classes)))
        late = name == "hinge"
        for start, least, lingers in ((zero_start(problem), 1.0, True), (near, 2.3, not late)):
            ascent = DualAscent(problem, start)
            ascent.run()
            first = ascent.passes
            assert (first >= least) == (late or start is not near)
            assert ascent.slow == lingers
            ascent.run()
            assert ascent.passes - first >= (0.7 if late else 1.0)

    def test_smaller_gaps_let_smaller_changes_in(self):
        problem, moved = make_text("cross-entropy"), []
        for gap in (10.0, 2.0, 0.0):
            ascent = DualAscent(problem, zero_start(problem))
            ascent.epoch()
            ascent.refine(gap * problem.value_at_zero)
            ascent.epoch()
            moved.append(ascent.moved.mean())
        assert 0 == moved[0] < moved[1] < moved[2] == 1

    def test_start_is_left_as_it_is(self):
        problem = make_text("hinge")
        start = Start(*random_point(problem), last(alone, problem, 3).dual)
        before = [array.copy() for array in (start.coef, start.intercept, start.dual)]
        list(itertools.islice(choose(problem)(problem, start), 3))
        for array, copy in zip((start.coef, start.intercept, start.dual), before, strict=True):
            np.testing.assert_array_equal(array, copy)


class TestChoice:
    def passes(self, problem, tol, solver, monkeypatch):
        monkeypatch.setattr("sklinear._driver.choose", lambda problem: solver)
        before = problem.data.passes.total
        solution = solve(problem, zero_start(problem), tol=tol, max_iter=3000, dtype=float)
        assert solution.converged
        return problem.data.passes.total - before

    @over_losses
    def test_fewer_passes_than_newton_steps_need(self, name, monkeypatch):
        problem = make_text(name)
        assert ascends(problem)
        solvers = choose(problem), newton_solver(problem)
        spent = [self.passes(problem, 1e-4, solver, monkeypatch) for solver in solvers]
        assert spent[0] < spent[1]

    def wide(self, name, n_samples=600):
        """Dense; features without a negative value, whose mean the intercept has to undo."""
        return make_problem(name, 0.0, 0.1, n_samples=n_samples, n_features=700, X=np.abs)

    @over_hinges
    def test_on_wide_dense_data_too(self, name, monkeypatch):
        assert not ascends(self.wide(name, n_samples=100))
        problem = self.wide(name)
        assert ascends(problem)
        assert ascends(problem, on_path=True) == (name == "hinge")
        solvers = dual_ascent(newton_solver(problem)), newton_solver(problem)
        spent = [self.passes(problem, 1e-4, solver, monkeypatch) for solver in solvers]
        assert spent[0] < spent[1]

    @pytest.mark.parametrize(
        ("n_features", "l1_ratio", "expected"),
        [(100, 0.0, False), (400, 0.0, True), (400, 0.5, True)],
    )
    def test_on_paths_of_tall_data(self, n_features, l1_ratio, expected):
        """Without an L1 part where samples are not many for each feature."""
        problem = make_problem("hinge", l1_ratio, n_samples=3000, n_features=n_features)
        assert ascends(problem, on_path=True) == expected
        assert ascends(problem)

    @pytest.mark.parametrize(("l1_ratio", "expected"), [(0.0, False), (0.5, True)])
    def test_on_paths_of_the_squared_hinge_beside_an_l1_part(self, l1_ratio, expected):
        size = {"n_samples": 600, "n_features": 150, "n_classes": 5}
        problem = make_problem("squared hinge", l1_ratio, **size)
        assert ascends(problem, on_path=True) == expected
        assert ascends(problem)

    def test_there_few_epochs_show_that_it_is_slow(self):
        """Newton's method wins where many features are nearly the same, and is dear elsewhere."""
        dense, sparse = self.wide("hinge"), make_text("hinge")
        few = make_problem("hinge", 0.0, n_samples=60, n_features=1500, X=csr)
        alike, fast = {0.0: np.inf, 2.0: 0.56, 9.0: 0.30}, {0.0: np.inf, 2.0: 0.35, 9.0: 0.01}
        assert slow(alike, *limits(dense))
        assert not slow(fast, *limits(dense))
        assert slow(alike, *limits(few))
        assert not slow(alike, *limits(sparse))

    @pytest.mark.parametrize("n_features", [MAX_SPARSE // 3 - 1, MAX_SPARSE // 3 + 1])
    def test_many_show_it_on_sparse_data_of_many_variables(self, n_features):
        """However many the samples: models of smoothed hinges are dear."""
        problem = self.sparse("hinge", 1.0, 20_000, n_features=n_features, alpha=1e-5)
        alike = {0.0: np.inf, 2.0: 0.56, 9.0: 0.30}
        assert slow(alike, *limits(problem)) == (3 * n_features < MAX_SPARSE)

    @over_hinges
    @pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
    def test_there_only_many_show_it_with_an_l1_part(self, name, l1_ratio):
        """Unless there are few variables."""
        gaps = {0.0: np.inf, 2.0: 0.56, 9.0: 0.30, 30.0: 0.20}
        many, few = (make_problem(name, l1_ratio, n_samples=700, n_features=d) for d in (400, 110))
        assert not slow(gaps, *limits(many))
        assert slow(gaps, *limits(few))

    def test_squared_hinges_with_a_large_support_have_long(self):
        """Where Newton's steps would change their active set again and again."""
        gaps = {0.0: np.inf, 20.0: 0.6, 100.0: 0.4}
        size = {"n_samples": 700, "n_features": 400}
        squared, other = (make_problem(name, 1.0, **size) for name in ("squared hinge", "hinge"))
        assert slow(gaps, *limits(other))
        assert not slow(gaps, *limits(squared))
        assert not slow({0.0: np.inf, 60.0: 0.4, 300.0: 0.3}, *limits(squared))
        assert slow({0.0: np.inf, 60.0: 0.3, 300.0: 0.29}, *limits(squared))

    def test_one_small_gap_does_not_end_a_long_ascent(self, monkeypatch):
        """There the trend is that of medians of three."""
        seen = {"squared hinge": [], "hinge": []}
        for name, trends in seen.items():
            problem = make_problem(name, 1.0, n_samples=700, n_features=400)
            found = iter([3.0, 2.0, 0.1, 1.0, 0.9])
            monkeypatch.setattr(
                "sklinear.solvers._dual_ascent.gap", lambda *_, found=found: next(found)
            )

            def stop(gaps, *_, trends=trends):
                trends[:] = gaps.values()
                return len(gaps) == 6

            monkeypatch.setattr("sklinear.solvers._patience.slow", stop)
            list(dual_ascent(lambda *_: iter(()))(problem, zero_start(problem)))
        assert seen["squared hinge"] == [np.inf, 3.0, 2.5, 2.0, 1.0, 0.9]
        assert seen["hinge"] == [np.inf, 3.0, 2.0, 0.1, 0.1, 0.1]

    @pytest.mark.parametrize(
        ("name", "l1_ratio", "settings"),
        [
            ("smoothed hinge", 0.0, {"X": csr, "n_features": 1500}),
            ("cross-entropy", 0.0, {"n_features": 1500}),
            ("squared hinge", 1.0, {"X": csr, "n_features": 1500, "alpha": 1.0}),
            ("squared hinge", 0.99, {"X": csr, "n_features": 1500, "alpha": 1.0}),
            ("cross-entropy", 1.0, {"X": csr, "n_features": 1500, "alpha": 0.02}),
            ("hinge", 1.0, {"n_features": 1500}),
            ("hinge", 0.0, {"X": csr, "n_features": 20}),
            ("hinge", 0.0, {"n_features": 20}),
            ("squared hinge", 0.0, {"n_samples": 1000, "n_features": 90}),
            ("squared hinge", 0.0, {"n_samples": 20000, "n_features": 200}),
            ("squared hinge", 0.0, {"n_samples": 1000, "n_features": 400, "n_classes": 2}),
            ("hinge", 1.0, {"n_samples": 7000, "n_features": 110}),
            ("hinge", 1.0, {"n_samples": 1900, "n_features": 10}),
            ("hinge", 0.0, {"n_samples": 20000, "n_features": 40}),
            ("hinge", 0.0, {"n_samples": 1200, "n_features": 40}),
            ("hinge", 0.5, {"n_samples": 1200, "n_features": 40}),
        ],
        ids=[
            "another conjugate",
            "dense softmax",
            "few weights",
            "next to no L2",
            "few weights of the softmax",
            "few weights of many",
            "few variables",
            "few dense variables",
            "a cheap Hessian",
            "a cheap Hessian beside many samples",
            "a cheap Hessian of two classes",
            "a cheap Hessian of smoothed hinges",
            "cheap interior points with an L1 part",
            "a tiny Hessian",
            "cheap interior points",
            "cheap interior points beside an L1 part",
        ],
    )
    def test_not_for(self, name, l1_ratio, settings):
        assert not ascends(make_problem(name, l1_ratio, **{"n_samples": 60} | settings))

    @pytest.mark.parametrize(
        ("name", "l1_ratio", "settings"),
        [
            ("hinge", 1.0, {"X": csr, "n_features": 1500}),
            ("squared hinge", 1.0, {"X": csr, "n_features": 1500, "alpha": 1e-4}),
            ("cross-entropy", 1.0, {"X": csr, "n_features": 1500, "alpha": 1e-4}),
            ("hinge", 1.0, {"n_samples": 3000, "n_features": 400}),
            ("hinge", 1.0, {"n_samples": 3000, "n_features": 110}),
            ("hinge", 1.0, {"n_samples": 2000, "n_features": 10}),
            ("hinge", 0.0, {"n_samples": 1300, "n_features": 40}),
            ("hinge", 0.5, {"n_samples": 1300, "n_features": 4}),
            ("hinge", 1.0, {"n_samples": 4000, "n_features": 5000}),
            ("squared hinge", 0.5, {"n_samples": 1000, "n_features": 200}),
            ("squared hinge", 0.0, {"n_samples": 700, "n_features": 400, "n_classes": 2}),
        ],
    )
    def test_for(self, name, l1_ratio, settings):
        problem = make_problem(name, l1_ratio, **{"n_samples": 60} | settings)
        assert ascends(problem)
        assert pulls(problem)

    def one_hot(self, name, alpha):
        """A level of each of six factors, 110 levels in all; 333 variables."""
        levels = np.random.default_rng(0).integers(0, [10, 10, 20, 20, 20, 30], (2000, 6))
        columns = levels + np.cumsum([0, 10, 10, 20, 20, 20])
        ones = np.zeros((2000, 110))
        np.put_along_axis(ones, columns, 1.0, axis=1)
        return make_problem(name, 0.0, alpha, n_samples=2000, X=lambda X: csr(ones))

    def sparse(self, name, l1_ratio, n_samples=700, n_features=300, **settings):
        size = {"n_samples": n_samples, "n_features": n_features}
        return make_problem(name, l1_ratio, X=csr, **size | settings)

    @pytest.mark.parametrize(
        ("name", "most"), [("squared hinge", MAX_SMALL), ("cross-entropy", MAX_SPARSE)]
    )
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_for_many_variables_of_sparse_data(self, name, most, l1_ratio):
        few, many = most // 3 - 1, most // 3 + 1
        for n_features, expected in ((few, False), (many, True)):
            problem = self.sparse(name, l1_ratio, n_features=n_features, alpha=1e-4)
            assert ascends(problem) == expected

    def uneven(self, name, n_large, n_samples, l1_ratio=0.0, alpha=1e-4):
        """Sparse data of 300 features, some of which are larger by far."""
        sizes = np.where(np.arange(300) < n_large, 1e3, 1.0)
        size = {"n_samples": n_samples, "n_features": 300}
        return make_problem(name, l1_ratio, alpha, X=lambda X: csr(X * sizes), **size)

    @pytest.mark.parametrize("more", [-1, 3])
    def test_not_where_few_features_are_as_large_as_all_others(self, more):
        """Those hold epochs up; with the squared hinge unless features are many."""
        most, n_large, expected = MANY_UNEVEN * 300, FEW_LARGE + more, more > 0
        for on_path in (False, True):
            assert ascends(self.uneven("cross-entropy", n_large, 500), on_path) == expected
            assert ascends(self.uneven("squared hinge", n_large, most), on_path) == expected
        assert ascends(self.uneven("squared hinge", n_large, most - 1))

    @pytest.mark.parametrize(("n_samples", "always"), [(301, False), (300, True)])
    def test_then_not_beside_an_l1_part_that_leaves_few_of_them(self, n_samples, always):
        problem = self.uneven("squared hinge", 3, n_samples, l1_ratio=1.0)
        zero = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        sizes = np.abs(zero.correlation).max(axis=1)
        for share, expected in ((MOST_LARGE + 0.02, True), (MOST_LARGE - 0.02, False)):
            chosen = penalised(problem, np.quantile(sizes, 1 - share), 1.0)
            assert ascends(chosen) == (expected or always)

    def test_not_for_the_softmax_of_many_samples(self):
        """Or of more than features, where an L2 part is strong: few of Newton's steps do then."""
        weak, strong = 1e-4, 1e2
        assert not ascends(self.sparse("cross-entropy", 0.0, 300 * MANY_SAMPLES, alpha=weak))
        assert ascends(self.sparse("cross-entropy", 0.0, alpha=weak))
        assert not ascends(self.sparse("cross-entropy", 0.0, alpha=strong))
        assert ascends(self.sparse("cross-entropy", 0.0, alpha=strong), on_path=True)
        assert ascends(self.sparse("cross-entropy", 0.0, 300, alpha=strong))
        assert ascends(self.sparse("squared hinge", 0.0, 300 * MANY_SAMPLES, alpha=weak))

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize(
        ("name", "l1_ratio", "n_samples", "least"),
        [
            ("cross-entropy", 1.0, 700, WEAK),
            ("squared hinge", 1.0, 700, WEAK),
            ("squared hinge", 1.0, 200, WEAK_WIDE),
            ("cross-entropy", 0.5, 700, WEAK_SOFTMAX),
        ],
    )
    def test_not_for_few_weights(self, name, l1_ratio, n_samples, least, n_classes):
        """Those that an L1 part leaves near the largest alpha with any."""
        size = {"n_classes": n_classes, "n_features": 700 if n_samples == 700 else 300}
        problem = self.sparse(name, l1_ratio, n_samples, **size)
        largest = alpha_max(problem, l1_ratio)
        for share, expected in ((0.99, True), (1.01, False)):
            chosen = penalised(problem, share * largest / least, l1_ratio)
            assert ascends(chosen) == expected
            assert ascends(chosen, on_path=True) == (expected or l1_ratio < 1)

    @pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
    def test_for_the_softmax_of_very_many_dense_variables(self, l1_ratio):
        """Where an L1 part leaves many weights; not on a path, of two classes, or without it."""

        def problem(n_samples=VAST // 3 + 1, n_features=VAST // 3 + 1, n_classes=3):
            size = {"n_samples": n_samples, "n_features": n_features, "n_classes": n_classes}
            return make_problem("cross-entropy", l1_ratio, **size)

        square = problem()
        largest = alpha_max(square, l1_ratio)
        for share, expected in ((0.99, True), (1.01, False)):
            chosen = penalised(square, share * largest / WEAK_DENSE, l1_ratio)
            assert ascends(chosen) == expected
        weak = 1e-3 * largest / WEAK_DENSE
        assert not ascends(penalised(square, weak, l1_ratio), on_path=True)
        assert not ascends(penalised(square, weak, 0.0))
        few, wide = problem(n_features=VAST // 3 - 1), problem(n_samples=300)
        for other in (few, wide, problem(50, 6000, n_classes=2)):
            assert not ascends(penalised(other, weak, l1_ratio))

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_not_for_the_squared_hinge_where_an_l2_part_rules_beside_an_l1_part(self, n_classes):
        problem = self.sparse("squared hinge", 0.5, n_classes=n_classes, n_features=700)
        length = problem.mean_squares.sum()
        for share, expected in ((0.99, True), (1.01, False)):
            alpha = 2 * share * STRONG_BESIDE * length / 700
            assert ascends(penalised(problem, alpha, 0.5)) == expected

    def test_for_many_with_the_hinge(self, monkeypatch):
        problem = self.one_hot("hinge", 1e-4)
        spent = [
            self.passes(problem, 1e-4, solver, monkeypatch)
            for solver in (dual_ascent(proximal_point), proximal_point)
        ]
        assert spent[0] < 0.5 * spent[1]

    def test_there_newton_steps_need_fewer_passes(self, monkeypatch):
        problem = self.one_hot("cross-entropy", 1e-4)
        solvers = choose(problem), dual_ascent(newton_solver(problem))
        spent = [self.passes(problem, 1e-4, solver, monkeypatch) for solver in solvers]
        assert spent[0] < 0.5 * spent[1]

    def test_slow_ascent_hands_its_point_over(self, monkeypatch):
        problem = make_text("hinge")
        monkeypatch.setattr("sklinear.solvers._patience.slow", lambda gaps, *_: len(gaps) > 20)
        starts = []

        def successor(problem, start):
            starts.append(start)
            yield from ()

        *_, end = dual_ascent(successor)(problem, zero_start(problem))
        assert certify(problem, end).gap <= 0.01 * problem.value_at_zero
        assert starts[0].dual is end.dual
        assert starts[0].coef is end.coef

    def test_poor_point_is_not_handed_over(self, monkeypatch):
        problem, starts = make_text("hinge"), []
        monkeypatch.setattr("sklinear.solvers._patience.slow", lambda gaps, *_: len(gaps) > 1)
        monkeypatch.setattr("sklinear.solvers._dual_ascent.NEAR", 0.0)

        def successor(problem, start):
            starts.append(start)
            yield from ()

        start = zero_start(problem)
        list(dual_ascent(successor)(problem, start))
        assert starts == [start]

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_cheap_interior_points_are_not_kept_waiting(self, l1_ratio):
        """After half of the time that they take from zero, they begin there."""
        problem, starts = make_problem("hinge", l1_ratio, 1e-4, n_samples=2100, n_features=9), []
        start = zero_start(problem)
        assert ascends(problem)
        assert is_cheap(problem)

        def successor(problem, start):
            starts.append(start)
            yield from ()

        list(dual_ascent(successor)(problem, start))
        assert starts == [start]
        assert problem.data.passes.total < 3 * MOST_BEFORE_CHEAP  # an iterate takes two

    @pytest.mark.parametrize(("rate", "expected"), [(0.99, False), (0.999, True)])
    def test_slow(self, rate, expected):
        """A gap that falls by a factor of e in a hundred passes, or in a thousand."""
        gaps = {0.0: np.inf} | {float(k): rate**k for k in range(1, 201)}
        assert slow(gaps) == expected
        assert not slow({k: gap for k, gap in gaps.items() if k <= 40})

    @pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
    def test_passes_to_a_tenth_of_the_gap(self, power):
        gaps = {0.0: np.inf} | {float(k): k**-power for k in range(1, 41)}
        assert (40 * (1 + to_a_tenth(gaps))) ** -power == pytest.approx(0.1 * 40**-power)

    @pytest.mark.parametrize("gaps", [{20.0: 0.1}, {4.0: 0.1, 16.0: 0.0}])
    def test_no_passes_where_nothing_tells_or_is_left(self, gaps):
        assert to_a_tenth({0.0: np.inf} | gaps) == 0

    def test_where_the_gap_stands_still_no_pass_brings_it(self):
        assert to_a_tenth({0.0: np.inf, 4.0: 0.1, 16.0: 0.1}) == np.inf


class TestOutdone:
    """By Newton steps on a support that few weights are in."""

    GAPS = {0.0: np.inf, 4.0: 0.1, 16.0: 0.05}
    DEAR = 1e12  # epochs

    def judged(self, name="squared hinge", l1_ratio=1.0, n_active=90, spent=DEAR, gaps=GAPS):
        problem = make_problem(name, l1_ratio, n_samples=90)
        coef, intercept = random_point(problem)
        dual = random_dual("hinge", problem.labels, problem.n_classes)
        dual[n_active:] = 0.0
        iterate = replace(problem.certified(coef, intercept, dual, dual), dual=dual)
        assert 0 < np.count_nonzero(iterate.coef) < 30
        return outdone(problem, iterate, gaps, spent)

    def test_dear_epochs(self):
        assert self.judged()
        assert not self.judged(spent=1e3)

    def test_not_where_few_samples_hold_the_support(self):
        assert not self.judged(n_active=10)

    def test_not_with_another_successor_or_an_unknown_support(self):
        assert not self.judged("hinge")
        assert not self.judged(l1_ratio=0.0)

    def test_not_before_a_trend_shows(self):
        assert not self.judged(gaps={0.0: np.inf, 2.0: 0.1, 8.0: 0.05})

    def test_not_where_the_gap_falls_fast(self):
        fast = {0.0: np.inf, 4.0: 0.1, 16.0: 1e-9}
        assert self.judged(spent=5e4)
        assert not self.judged(spent=5e4, gaps=fast)

    def test_the_ascent_hands_over(self, monkeypatch):
        problem = make_problem("squared hinge", 1.0, 0.05, n_samples=400, n_features=150)
        monkeypatch.setattr("sklinear.solvers._patience.STEPS", 0)
        starts = []

        def successor(problem, start):
            starts.append(start)
            yield from ()

        *_, end = dual_ascent(successor)(problem, zero_start(problem))
        assert starts[0].coef is end.coef
        assert certify(problem, end).gap > 1e-12


@over_hinges
def test_a_ruling_penalty_is_left_to_newton(name):
    """There the ascent would move the intercept in tiny steps."""
    problem = make_problem(name, 0.0, X=csr)
    length = problem.mean_squares.sum()

    def successor(problem, start):
        yield "newton"

    for share, free, expected in ((0.11, False, True), (0.09, False, False), (0.11, True, False)):
        penalty = replace(problem.penalty, l1=0.0, l2=share * length)
        chosen = replace(problem, penalty=penalty, fit_intercept=not free)
        first = next(dual_ascent(successor)(chosen, zero_start(chosen)))
        assert (first == "newton") is expected


@pytest.mark.parametrize("n_features", [10, 200])
@pytest.mark.parametrize("container", [None, csr], ids=["dense", "sparse"])
@over_losses
def test_few_weights_near_the_optimum_are_left_to_newton(name, container, n_features):
    """Epochs move every sample, Newton's steps the weights."""
    problem = make_problem(name, 0.5, n_features=n_features, n_samples=120, X=container)
    zero, n = zero_start(problem), len(problem.labels)

    def successor(problem, start):
        yield "newton"

    def first(problem, count, dual):
        coef = np.zeros(problem.shape)
        coef.flat[:count] = 0.1
        start = replace(zero, coef=coef, dual=dual)
        return next(dual_ascent(successor)(problem, start)) == "newton"

    dual = random_dual(name, problem.labels, problem.n_classes)
    hinge = min(FEW_WEIGHTS_HINGE * n, FEW_OF_ALL * zero.coef.size)
    few = int(FEW_WEIGHTS * n if problem.loss.smooth else hinge)
    assert first(problem, few, dual)
    assert not first(problem, few + 1, dual)
    assert not first(problem, few, None)
    assert not first(problem.with_penalty(replace(problem.penalty, l1=0.0)), few, dual)


@over_losses
def test_no_product_with_a_dual_point_of_zero(name):
    problem = make_problem(name, 0.5, X=csr)
    DualAscent(problem, zero_start(problem))  # the lengths of the samples stay known
    before = problem.data.passes.total
    DualAscent(problem, zero_start(problem))
    assert problem.data.passes.total == before
