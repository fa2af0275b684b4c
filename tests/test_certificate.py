"""The referee: balanced dual points, the best scale, and the gap against F - D."""

import numpy as np
import pytest
from problems import (
    LOSSES,
    SMOOTH,
    last,
    make_problem,
    make_scores,
    random_dual,
    random_point,
    star,
    violations,
)
from scipy.special import logsumexp, xlogy

from sklinear._certificate import _highest, best_scale, certify
from sklinear._feasibility import (
    FEW_CLASSES,
    _exchanging,
    balance_flows,
    balance_simplex,
    class_sums,
    clip_simplex,
    clip_star,
)
from sklinear._losses import CrossEntropy, Hinge, Loss
from sklinear._problem import Iterate
from sklinear.solvers._newton import newton

PENALISED = [0.0, 0.5, 0.99, 1.0]
over_intercepts = pytest.mark.parametrize("fit_intercept", [True, False])


def imbalance(dual, weights):
    return np.abs(weights @ dual).max()


def flow_dual(flows):
    """A sample for each class, alike in weight, whose u are the flows."""
    labels = np.arange(len(flows), dtype=np.int32)
    return star(flows, labels), labels, np.full(len(flows), 1 / len(flows))


def naive_objective(problem, name, coef, intercept):
    X = problem.data.X
    scores = (X.toarray() if problem.data.sparse else X).astype(float) @ coef + intercept
    m = np.maximum(violations(scores, problem.labels), 0)
    if name == "cross-entropy":
        losses = logsumexp(scores, axis=1) - scores[np.arange(len(scores)), problem.labels]
    elif name == "hinge":
        losses = m.sum(axis=1)
    else:
        losses = (m**2).sum(axis=1)
    return problem.weights @ losses + naive_penalty(problem.penalty, coef)


def naive_penalty(penalty, coef):
    return penalty.l1 * np.abs(coef).sum() + penalty.l2 / 2 * (coef**2).sum()


def naive_dual_objective(problem, name, dual):
    """D(G); minus infinity where |A| > l1 by more than rounding and l2 = 0."""
    true = np.eye(problem.n_classes)[problem.labels]
    u, q = np.where(true, 0, dual), dual + true
    terms = {"cross-entropy": xlogy(q, np.abs(q)), "hinge": -u}.get(name, u**2 / 4 - u)
    A = problem.data.X.T @ (problem.weights[:, None] * dual)
    excess = np.maximum(np.abs(A) - problem.penalty.l1, 0)
    value = -(problem.weights @ terms.sum(axis=1))
    if problem.penalty.l2 > 0:
        return value - (excess**2).sum() / (2 * problem.penalty.l2)
    return value if excess.max() <= 1e-14 else -np.inf


def random_iterate(problem, name, seed=0, size=1.0):
    """A random primal point with a random dual one, balanced when there is an intercept."""
    coef, intercept = random_point(problem, seed)
    scores = problem.data.X @ coef + intercept
    dual = size * random_dual(name, problem.labels, problem.n_classes, seed)
    return problem.certified(coef, intercept, scores, dual)


class TestBalance:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("name", LOSSES)
    def test_sums_to_zero(self, name, seed):
        _, labels, weights = make_scores(n_samples=40, seed=seed)
        dual = random_dual(name, labels, 4, seed)
        assert imbalance(dual, weights) > 1e-3
        balanced = LOSSES[name](labels, 4).balance(dual, labels, weights)
        assert imbalance(balanced, weights) <= 1e-14
        np.testing.assert_allclose(balanced.sum(axis=1), 0, atol=1e-14)

    @pytest.mark.parametrize("seed", range(5))
    def test_simplex_keeps_the_domain(self, seed):
        _, labels, weights = make_scores(n_samples=40, seed=seed)
        dual = balance_simplex(random_dual("cross-entropy", labels, 4, seed), labels, weights)
        assert (dual + np.eye(4)[labels]).min() >= -1e-15

    @pytest.mark.parametrize("largest", [1.0, np.inf])
    @pytest.mark.parametrize("seed", range(5))
    def test_flows_keep_the_domain(self, seed, largest):
        _, labels, weights = make_scores(n_samples=40, seed=seed)
        dual = random_dual("hinge", labels, 4, seed)
        dual = balance_flows(dual, labels, weights, largest=largest)
        wrong = dual[~np.eye(4, dtype=bool)[labels]]
        assert wrong.min() >= 0
        assert wrong.max() <= largest

    @pytest.mark.parametrize("name", LOSSES)
    def test_leaves_a_balanced_point_alone(self, name):
        _, labels, weights = make_scores(n_samples=40)
        balance = LOSSES[name](labels, 4).balance
        once = balance(random_dual(name, labels, 4), labels, weights)
        twice = balance(once.copy(), labels, weights)
        np.testing.assert_allclose(twice, once, atol=1e-14)

    @pytest.mark.parametrize("name", LOSSES)
    def test_leaves_zero_alone(self, name):
        _, labels, weights = make_scores()
        dual = LOSSES[name](labels, 4).balance(np.zeros((len(labels), 4)), labels, weights)
        np.testing.assert_array_equal(dual, 0)

    @pytest.mark.parametrize("name", LOSSES)
    def test_rare_class(self, name):
        """One sample of 400, with a thousandth of the weight of the others."""
        labels = np.append(np.arange(399) % 3, 3).astype(np.int32)
        weights = np.append(np.full(399, 1.0), 1e-3)
        weights /= weights.sum()
        dual = LOSSES[name](labels, 4).balance(random_dual(name, labels, 4), labels, weights)
        assert imbalance(dual, weights) <= 1e-14
        assert np.abs(dual).max() > 1e-3

    def test_class_that_no_one_is_confused_with(self):
        """Class 3 is a source only: its own flows must vanish, the others stay."""
        flows = np.array([[0, 0.5, 0.2, 0], [0.3, 0, 0.4, 0], [0.1, 0.6, 0, 0], [0.5, 0.5, 0.5, 0]])
        dual, labels, weights = flow_dual(flows)
        dual = balance_flows(dual, labels, weights, largest=1.0)
        assert imbalance(dual, weights) <= 1e-14
        np.testing.assert_array_equal(dual[3], 0)
        assert dual[:3, :3][~np.eye(3, dtype=bool)].min() > 0.05

    def test_flows_between_components(self):
        """Classes 0, 1 and 2, 3 exchange within; between the pairs all goes one way."""
        flows = np.array([[0, 0.5, 0.2, 0], [0.3, 0, 0, 0.4], [0, 0, 0, 0.6], [0, 0, 0.9, 0]])
        dual, labels, weights = flow_dual(flows)
        dual = balance_flows(dual, labels, weights, largest=1.0)
        assert imbalance(dual, weights) <= 1e-14
        np.testing.assert_array_equal(dual[:2, 2:], 0)
        assert min(dual[0, 1], dual[1, 0], dual[2, 3], dual[3, 2]) > 0.1

    def test_flows_that_nothing_returns(self):
        flows = np.array([[0, 0.5, 0.2], [0, 0, 0.4], [0, 0, 0]])
        dual, labels, weights = flow_dual(flows)
        np.testing.assert_array_equal(balance_flows(dual, labels, weights), 0)

    @pytest.mark.parametrize("coupling", [1e-2, 1e-4, 1e-6])
    def test_weakly_coupled_pairs(self, coupling):
        """Pairs of classes confused with each other, and ever so little with the other pair."""
        flows = np.full((4, 4), coupling)
        flows[:2, :2] = flows[2:, 2:] = 1
        flows[:2, 2:] *= 9
        dual, labels, weights = flow_dual(flows)
        dual = balance_flows(dual, labels, weights, largest=1.0)
        assert imbalance(dual, weights) <= 1e-14

    @pytest.mark.parametrize("balance", [balance_simplex, balance_flows])
    def test_samples_without_weight_have_no_say(self, balance):
        _, labels, weights = make_scores(n_samples=40)
        weights[::3] = 0
        kept = weights > 0
        name = "cross-entropy" if balance is balance_simplex else "hinge"
        dual = random_dual(name, labels, 4)
        alone = balance(dual[kept].copy(), labels[kept], weights[kept])
        np.testing.assert_allclose(balance(dual, labels, weights)[kept], alone, atol=1e-14)

    @pytest.mark.parametrize("seed", range(3))
    def test_correlations_follow_the_move_of_mass(self, seed):
        """X^T diag(p) G afterwards, from the one before and without another product with X."""
        _, labels, weights = make_scores(n_samples=40)
        dual, true = random_dual("cross-entropy", labels, 4, seed), np.eye(4)[labels]
        X = np.random.default_rng(seed).standard_normal((40, 3))
        weighted = X.T * weights
        frequency = np.bincount(labels, weights, minlength=4)
        move = CrossEntropy().mass_move(weights @ dual, frequency)
        found = move.mapped(weighted @ dual, weighted @ true)
        balanced = balance_simplex(dual.copy(), labels, weights)
        assert np.abs(balanced - dual).max() > 1e-3
        np.testing.assert_allclose(found, weighted @ balanced, atol=1e-15)
        np.testing.assert_array_equal(move.balanced(dual, labels), balanced)

    @pytest.mark.parametrize("size", [3, FEW_CLASSES, FEW_CLASSES + 1])
    @pytest.mark.parametrize("density", [0.02, 0.1, 0.5])
    def test_exchanging_pairs_reach_each_other(self, size, density):
        flows = (np.random.default_rng(size).random((size, size)) < density) * 0.5
        reached = np.linalg.matrix_power(np.minimum(flows + np.eye(size), 1) > 0, size)
        np.testing.assert_array_equal(_exchanging(flows), reached & reached.T)

    def test_class_sums(self):
        scores, labels, weights = make_scores()
        expected = np.eye(4)[labels].T @ (weights[:, None] * scores)
        np.testing.assert_allclose(class_sums(scores, labels, weights), expected, atol=1e-15)


class TestClip:
    """Into the domain of the conjugate."""

    @pytest.mark.parametrize("seed", range(3))
    def test_simplex(self, seed):
        rng = np.random.default_rng(seed)
        labels = np.arange(20, dtype=np.int32) % 4
        true = np.eye(4)[labels]
        q = rng.dirichlet(np.full(4, 0.5), size=20) + 0.2 * rng.normal(size=(20, 4))
        clipped = clip_simplex(q - true, labels) + true
        assert clipped.min() >= -1e-16
        np.testing.assert_allclose(clipped.sum(axis=1), 1)
        np.testing.assert_allclose(clipped, np.maximum(q, 0) / np.maximum(q, 0).sum(1)[:, None])

    @pytest.mark.parametrize("largest", [1.0, np.inf])
    def test_star(self, largest):
        labels = np.arange(20, dtype=np.int32) % 4
        wrong = np.random.default_rng(0).normal(size=(20, 4), scale=2)
        clipped = clip_star(wrong.copy(), labels, largest=largest)
        np.testing.assert_allclose(clipped, star(np.clip(wrong, 0, largest), labels))

    @pytest.mark.parametrize("name", LOSSES)
    def test_points_of_the_domain_stay(self, name):
        _, labels, _ = make_scores()
        dual = random_dual(name, labels, 4)
        clipped = LOSSES[name](labels, 4).clip(dual.copy(), labels)
        np.testing.assert_allclose(clipped, dual, atol=1e-15)


class TestBestScale:
    @pytest.mark.parametrize("size", [1.0, 0.02])
    @pytest.mark.parametrize("alpha", [1e-1, 1e-3])
    @pytest.mark.parametrize("l1_ratio", [0.5, 0.99, 1.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_no_scale_on_a_grid_is_better(self, name, l1_ratio, alpha, size):
        problem = make_problem(name, l1_ratio, alpha)
        iterate = random_iterate(problem, name, size=size)
        scale = best_scale(problem, iterate)
        best = naive_dual_objective(problem, name, scale * iterate.dual)
        top = min(problem.loss.largest_scale(iterate.dual), 1000.0)
        grid = np.unique(np.append(np.geomspace(1e-4, top, 1001), np.linspace(0, top, 1001)))
        values = [naive_dual_objective(problem, name, t * iterate.dual) for t in grid]
        assert 0 < scale <= top
        assert best >= max(values) - 1e-13

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_it_takes_few_looks_at_the_samples(self, name, monkeypatch):
        problem = make_problem(name, 0.5)
        iterate = last(newton, problem, 6)
        seen, original = [], Loss.conjugate
        monkeypatch.setattr(
            Loss, "conjugate", lambda *state: (seen.append(state[-1]), original(*state))[1]
        )
        assert 0.2 < best_scale(problem, iterate) <= 1
        assert seen[0] == 1
        assert len(seen) <= 4

    def test_a_root_of_the_slope_is_not_searched_for_again(self):
        """A slope of next to nothing moves no further, and the bracket begins there."""
        seen = []

        def derivatives(t):
            seen.append(t)
            return (1e-18 if t == 0.9 else 0.9 - t), -1.0

        assert _highest(derivatives, 2.0) == 0.9
        assert len(seen) <= 2

    @pytest.mark.parametrize("l1_ratio", [0.5, 0.99, 1.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_large_dual_points_shrink(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio, 1e-3)
        assert best_scale(problem, random_iterate(problem, name)) < 0.9

    @pytest.mark.parametrize("l1_ratio", [0.5, 0.99, 1.0])
    @pytest.mark.parametrize("name", ["hinge", "squared hinge"])
    def test_small_dual_points_grow(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio, 1.0)
        assert best_scale(problem, random_iterate(problem, name, size=0.02)) > 2

    @pytest.mark.parametrize("seed", range(20))
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_scaled_correlation_is_feasible_without_l2(self, name, seed):
        problem = make_problem(name, 1.0, 1e-3, n_samples=40)
        iterate = random_iterate(problem, name, seed)
        scaled = best_scale(problem, iterate) * iterate.correlation
        assert np.abs(scaled).max() <= problem.penalty.l1

    @pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_dual_point_of_zeros(self, name, l1_ratio):
        """Whatever the scale, the gap is F itself: D(0) = 0."""
        problem = make_problem(name, l1_ratio)
        iterate = random_iterate(problem, name, size=0.0)
        objective = naive_objective(problem, name, iterate.coef, iterate.intercept)
        assert certify(problem, iterate).gap == pytest.approx(objective, rel=1e-13)


class TestGap:
    @pytest.mark.parametrize("seed", range(3))
    @over_intercepts
    @pytest.mark.parametrize("l1_ratio", PENALISED)
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_gap_is_primal_less_dual(self, name, l1_ratio, fit_intercept, seed):
        problem = make_problem(name, l1_ratio, fit_intercept=fit_intercept)
        iterate = random_iterate(problem, name, seed)
        certificate = certify(problem, iterate)
        objective = naive_objective(problem, name, iterate.coef, iterate.intercept)
        dual = naive_dual_objective(problem, name, certificate.scale * iterate.dual)
        assert certificate.objective == pytest.approx(objective, rel=1e-13)
        assert certificate.gap == pytest.approx(objective - dual, rel=1e-12)

    @over_intercepts
    @pytest.mark.parametrize("l1_ratio", PENALISED)
    @pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])
    def test_no_other_point_lies_below(self, name, l1_ratio, fit_intercept):
        """F at any point is at least F - gap at any other."""
        problem = make_problem(name, l1_ratio, fit_intercept=fit_intercept)
        bounds, objectives = [], []
        for seed in range(20):
            iterate = random_iterate(problem, name, seed)
            certificate = certify(problem, iterate)
            bounds.append(certificate.objective - certificate.gap)
            for size in (0.0, 0.01, 0.1, 1.0):
                intercept = size * iterate.intercept if fit_intercept else 0.0
                coef = size * iterate.coef
                objectives.append(naive_objective(problem, name, coef, intercept))
        assert min(objectives) >= max(bounds) - 1e-12

    @pytest.mark.parametrize("l1_ratio", PENALISED)
    @pytest.mark.parametrize("name", SMOOTH)
    def test_never_negative_with_the_natural_dual(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio)
        for seed in range(20):
            coef, intercept = random_point(problem, seed)
            iterate = problem.evaluate(10.0 ** (seed - 15) * coef, intercept)
            assert certify(problem, iterate).gap >= 0

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_smooth_gap_without_l1_is_the_squared_gradient(self, name):
        """|grad_W F|^2 / (2 l2) with the natural dual point and the best intercept."""
        problem = make_problem(name, 0.0)
        iterate = problem.evaluate(*random_point(problem))
        gradient = iterate.correlation + problem.penalty.l2 * iterate.coef
        expected = (gradient**2).sum() / (2 * problem.penalty.l2)
        assert certify(problem, iterate).gap == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
    def test_gap_of_an_exact_optimum_stays_below_rounding_of_the_objective(self, name):
        """Of a problem whose penalty makes zero weights optimal."""
        problem = make_problem(name, 1.0, alpha=100.0)
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        assert 0 <= certify(problem, iterate).gap <= 1e-28

    @over_intercepts
    @pytest.mark.parametrize("name", LOSSES)
    def test_certified_balances_only_for_an_intercept(self, name, fit_intercept):
        problem = make_problem(name, 0.5, fit_intercept=fit_intercept)
        iterate = random_iterate(problem, name)
        if fit_intercept:
            assert imbalance(iterate.dual, problem.weights) <= 1e-14
        else:
            raw = random_dual(name, problem.labels, 3)
            np.testing.assert_array_equal(iterate.dual, raw)

    @pytest.mark.parametrize("name", LOSSES)
    def test_iterate_knows_its_scores_and_correlation(self, name):
        problem = make_problem(name, 0.5)
        coef, intercept = random_point(problem)
        iterate = random_iterate(problem, name)
        X, weighted = problem.data.X, problem.weights[:, None] * iterate.dual
        np.testing.assert_allclose(iterate.scores, X @ coef + intercept, atol=1e-13)
        np.testing.assert_allclose(iterate.correlation, X.T @ weighted, atol=1e-13)

    def test_single_precision_dual(self):
        """Rounding the dual point of the hinge keeps the gap finite and not negative."""
        problem = make_problem("hinge", 1.0)
        iterate = random_iterate(problem, "hinge")
        rounded = Iterate(
            iterate.coef,
            iterate.intercept,
            iterate.scores.astype(np.float32),
            iterate.dual.astype(np.float32),
            iterate.correlation,
        )
        gap = certify(problem.with_loss(Hinge()), rounded).gap
        assert gap == pytest.approx(certify(problem, iterate).gap, rel=1e-5)


def test_best_intercept_of_zero_weights_is_the_log_frequency():
    problem = make_problem("cross-entropy", 0.0)
    iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
    frequency = np.bincount(problem.labels, problem.weights)
    expected = np.log(frequency) - np.log(frequency).mean()
    assert isinstance(problem.loss, CrossEntropy)
    np.testing.assert_allclose(iterate.intercept, expected, atol=1e-12)
