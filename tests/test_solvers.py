"""That the mechanisms inside the solvers act, each on its own."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from data import csr
from problems import (
    last,
    make_problem,
    random_point,
    uncentred,
    zero_start,
)

from sklinear import SoftmaxClassifier
from sklinear._certificate import certify
from sklinear._driver import Start
from sklinear._losses import Hinge
from sklinear.solvers import choose
from sklinear.solvers._model import QuadraticModel
from sklinear.solvers._newton import newton, stages
from sklinear.solvers._proximal_newton import ProximalNewton
from sklinear.solvers._proximal_point import proximal_point
from sklinear.solvers._representer import applies
from sklinear.solvers._working_set import (
    MAX_DENSE_VARIABLES,
    MAX_DENSE_VARIABLES_CHEAP,
    ROOM_WIDE,
    all_variables,
    dense_limit,
    free_variables,
)

pytestmark = pytest.mark.usefixtures("without_small_steps")

CONTAINERS = {"dense": np.asarray, "csr": csr}
over_losses = pytest.mark.parametrize("name", ["cross-entropy", "hinge", "squared hinge"])


class TestRepresenter:
    @over_losses
    def test_wide_dense_data_without_l1_are_reduced(self, name):
        problem = make_problem(name, 0.0, n_samples=20, n_features=250)
        assert applies(problem)
        assert getattr(uncentred(choose(problem)), "func", None) not in (newton, proximal_point)

    @pytest.mark.parametrize(
        ("l1_ratio", "size", "container"),
        [(0.5, (20, 250), "dense"), (0.0, (250, 20), "dense"), (0.0, (20, 190), "csr")],
        ids=["with L1", "tall", "sparse"],
    )
    def test_others_are_not(self, l1_ratio, size, container):
        n, d = size
        problem = make_problem(
            "cross-entropy", l1_ratio, n_samples=n, n_features=d, X=CONTAINERS[container]
        )
        assert uncentred(choose(problem)).func is newton

    @pytest.mark.parametrize(
        ("n_samples", "name", "for_a_fit", "for_a_path"),
        [
            (100, "cross-entropy", True, True),
            (400, "cross-entropy", False, True),
            (400, "squared hinge", True, True),
            (900, "squared hinge", False, True),
        ],
    )
    def test_only_where_eigenvectors_pay(self, n_samples, name, for_a_fit, for_a_path):
        """They cost about 10 n^3, and save what the passes of a fit, or of many, cost less."""
        problem = make_problem(name, 0.0, n_classes=2, n_samples=n_samples, n_features=1200)
        assert applies(problem) == for_a_fit
        assert applies(problem, on_path=True) == for_a_path

    @pytest.mark.parametrize("fit_intercept", [True, False])
    @over_losses
    def test_same_objective_as_without(self, name, fit_intercept):
        problem = make_problem(name, 0.0, n_samples=12, n_features=200, fit_intercept=fit_intercept)
        solver = newton if problem.loss.smooth else proximal_point
        found, expected = (last(s, problem, 100, 1e-12) for s in (choose(problem), solver))
        value = problem.objective(expected)
        assert problem.objective(found) == pytest.approx(value, rel=1e-6)
        assert certify(problem, found).gap <= 1e-12 * problem.value_at_zero

    def test_lifted_iterate_is_consistent(self):
        problem = make_problem("cross-entropy", 0.0, n_samples=20, n_features=250)
        found = last(choose(problem), problem, 3)
        X, weighted = problem.data.X, problem.weights[:, None] * found.dual
        np.testing.assert_allclose(found.scores, X @ found.coef + found.intercept, atol=1e-10)
        np.testing.assert_allclose(found.correlation, X.T @ weighted, atol=1e-13)

    def test_linearly_dependent_samples(self):
        """Repeated rows leave a Gram matrix of half the rank."""
        problem = make_problem(
            "cross-entropy",
            0.0,
            n_samples=20,
            n_features=200,
            X=lambda X: np.repeat(X[:10], 2, axis=0),
        )
        assert certify(problem, last(choose(problem), problem, 20, 1e-10)).gap <= 1e-9

    def test_starts_where_it_is_told(self):
        """At the part of the weights that the samples see, but for what the intercept can do."""
        problem = make_problem("cross-entropy", 0.0, n_samples=20, n_features=250)
        coef, intercept = random_point(problem)
        iterate = next(choose(problem)(problem, Start(coef, intercept)))
        moved = problem.data.X @ (iterate.coef - coef)
        np.testing.assert_allclose(moved, np.tile(moved[:1], (20, 1)), atol=1e-10)


class TestProximalNewton:
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize("name", ["cross-entropy", "squared hinge", "smoothed hinge"])
    def test_every_step_lowers_the_objective(self, name, l1_ratio):
        problem = make_problem(name, l1_ratio, 0.05)
        steps, iterate = ProximalNewton(), problem.evaluate(*random_point(problem))
        values = [problem.objective(iterate)]
        while len(values) < 15 and (iterate := steps.step(problem, iterate)) is not None:
            values.append(problem.objective(iterate))
        assert np.all(np.diff(values) <= 1e-14)
        assert values[-1] < 0.9 * values[0]

    def test_trials_at_one_iterate_share_an_exact_hessian(self, monkeypatch):
        """More damping is all that can make a model better then."""
        models = []
        problem = make_problem("cross-entropy", 0.5)
        steps = ProximalNewton()
        monkeypatch.setattr(
            steps, "_search", lambda problem, iterate, model, *_: models.append(model)
        )
        assert steps.step(problem, problem.evaluate(*random_point(problem))) is None
        assert len(models) > 1
        assert models[0].hessian.is_exact
        assert all(model.hessian is models[0].hessian for model in models)
        assert models[-1].damping.max() > models[0].damping.max()

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    def test_hessian_products_and_explicit_hessian_agree(self, l1_ratio, monkeypatch):
        problem = make_problem("cross-entropy", l1_ratio, n_samples=60)
        explicit = last(newton, problem, 15)
        monkeypatch.setattr("sklinear.solvers._proximal_newton.dense_limit", lambda problem: 0)
        products = last(newton, problem, 30)
        value = problem.objective(explicit)
        assert problem.objective(products) == pytest.approx(value, rel=1e-10)

    @pytest.mark.parametrize(
        ("l1_ratio", "alpha", "n_features", "explicit"),
        [(0.0, 0.01, 5, True), (0.0, 0.01, 400, False), (1.0, 0.1, 400, True)],
        ids=["few variables", "many", "few free ones of many"],
    )
    def test_hessian_is_formed_for_few_variables(
        self, l1_ratio, alpha, n_features, explicit, monkeypatch
    ):
        formed = []
        original = QuadraticModel.dense_hessian

        def record(model):
            formed.append(np.count_nonzero(model.free))
            return original(model)

        monkeypatch.setattr(QuadraticModel, "dense_hessian", record)
        problem = make_problem(
            "cross-entropy", l1_ratio, alpha, n_samples=450, n_features=n_features
        )
        last(newton, problem, 4)
        assert bool(formed) == explicit
        assert max(formed, default=0) <= MAX_DENSE_VARIABLES

    def test_more_variables_where_a_hessian_is_cheap(self):
        def limit(l1_ratio, n_samples, n_features, X=np.asarray):
            size = {"n_samples": n_samples, "n_features": n_features}
            return dense_limit(make_problem("cross-entropy", l1_ratio, 0.1, X=X, **size))

        def sparse(X):
            return sp.csr_matrix(X * (np.random.default_rng(0).random(X.shape) < 0.03))

        assert limit(0.0, 300, 20) < limit(1.0, 300, 20) == MAX_DENSE_VARIABLES
        assert limit(1.0, 20, 300) == limit(1.0, 200_000, 20, sparse) == MAX_DENSE_VARIABLES_CHEAP
        assert MAX_DENSE_VARIABLES < limit(0.5, 200_000, 20, sparse) < MAX_DENSE_VARIABLES_CHEAP
        assert MAX_DENSE_VARIABLES < limit(1.0, 40_000, 20, sparse) < MAX_DENSE_VARIABLES_CHEAP
        # Changes along columns go through few scores.
        assert limit(1.0, 300, 20, sparse) == MAX_DENSE_VARIABLES
        assert limit(1.0, 300, 20, sp.csr_matrix) == MAX_DENSE_VARIABLES

    def test_more_variables_where_moving_all_is_dear(self):
        def limit(n_samples, n_features, X=np.asarray):
            size = {"n_samples": n_samples, "n_features": n_features}
            return dense_limit(make_problem("cross-entropy", 1.0, 0.1, X=X, **size))

        assert limit(1100, 300) == MAX_DENSE_VARIABLES
        assert MAX_DENSE_VARIABLES < limit(1100, 1000) < limit(2000, 1500)
        assert limit(1100, 1000, sp.csr_matrix) == limit(1100, 1200) == MAX_DENSE_VARIABLES

    def test_free_variables_hold_support_and_worst_violations(self):
        problem = make_problem("cross-entropy", 1.0, 1e-4, n_samples=40, n_features=500)
        coef = np.zeros(problem.shape)
        coef[:3] = 0.1
        iterate = problem.evaluate(coef, np.zeros(3))
        free = free_variables(problem, iterate)
        size = np.abs(iterate.correlation)
        assert free[:3].all()
        assert free[-1].all()
        assert np.count_nonzero(free[3:-1]) == ROOM_WIDE
        assert size[3:][free[3:-1]].min() >= size[3:][~free[3:-1]].max()

    def test_all_variables_are_free_without_l1(self):
        problem = make_problem("cross-entropy", 0.0, n_samples=40, n_features=500)
        iterate = problem.evaluate(*random_point(problem))
        assert free_variables(problem, iterate).all()

    def test_intercept_is_free_only_if_there_is_one(self):
        problem = make_problem("cross-entropy", 0.5, fit_intercept=False)
        free = free_variables(problem, problem.evaluate(*random_point(problem)))
        assert not free[-1].any()
        assert not last(newton, problem, 5).intercept.any()

    def test_hessians_are_larger_where_conjugate_gradients_were_not_enough(self):
        """Columns six decades apart and a weak penalty: 1,044 variables."""
        rng = np.random.RandomState(275)
        n_classes, n, d = rng.choice([2, 3, 5, 12]), rng.randint(60, 900), rng.randint(40, 260)
        X = rng.randn(n, d)
        rng.randint(5)
        X *= 10.0 ** rng.uniform(-3, 3, d)
        rng.rand(2)
        scores = X @ rng.randn(d, n_classes)
        scores = (scores - scores.mean(axis=0)) / scores.std(axis=0) * rng.choice([0.3, 3, 30])
        labels = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        assert (n, d, n_classes) == (630, 86, 12)
        model = SoftmaxClassifier(alpha=1.3e-6, l1_ratio=0.0, tol=1e-6, max_iter=150)
        model.fit(X, labels)
        assert model.dual_gap_ <= 1e-6 * np.log(n_classes)

    @pytest.mark.parametrize(
        ("n_features", "n_samples", "share", "expected"),
        [
            (90, 6000, 0.05, True),
            (180, 12_000, 0.01, False),
            (90, 6000, 1, False),
            (90, 60, 0.01, 0),
        ],
    )
    def test_larger_hessians_where_products_were_dear(
        self, n_features, n_samples, share, expected, monkeypatch
    ):
        """The first model takes a few products, and its Hessian is worth 22 or 43."""
        monkeypatch.setattr("sklinear.solvers._proximal_newton.DEAR", share)
        size = {"n_samples": n_samples, "n_features": n_features, "n_classes": 4}
        problem = make_problem("cross-entropy", 0.0, **size)
        steps, free = ProximalNewton(), all_variables(problem)
        assert not steps._is_explicit(problem, free)
        steps.step(problem, problem.evaluate(np.zeros(problem.shape), np.zeros(4)))
        assert steps._is_explicit(problem, free) == expected

    @pytest.mark.parametrize(("n_features", "expected"), [(115, True), (130, False)])
    def test_such_hessians_have_at_most_so_many_variables(self, n_features, expected):
        problem = make_problem("cross-entropy", 0.0, n_features=n_features, n_classes=12)
        steps, free = ProximalNewton(), all_variables(problem)
        assert not steps._is_explicit(problem, free)
        steps.exhausted = 2
        assert steps._is_explicit(problem, free) == expected

    def test_sampled_hessian_grows_until_it_is_good_enough(self, monkeypatch):
        """A model of ten samples predicts too much."""
        problem = make_problem("cross-entropy", 0.0, 1e-4, n_samples=600, n_features=8)
        steps, iterate = ProximalNewton(), problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        monkeypatch.setattr("sklinear.solvers._renewal.FEWEST_ROWS", 10)
        monkeypatch.setattr("sklinear.solvers._renewal.FIRST_PASSES", 0)
        for _ in range(30):
            iterate = steps.step(problem, iterate) or iterate
        assert steps.renewal.effort > 1
        assert certify(problem, iterate).gap <= 1e-6


class TestStages:
    def start(self, name, alpha, l1_ratio, **size):
        problem = make_problem(name, l1_ratio, alpha, **size)
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(3))
        return problem, list(stages(problem, iterate))

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_penalty_falls_to_the_last_but_one(self, l1_ratio):
        problem, found = self.start("squared hinge", 1e-6, l1_ratio)
        total = [stage.penalty.l1 + stage.penalty.l2 for stage in found]
        assert len(found) >= 3
        np.testing.assert_allclose(np.divide(total[:-1], total[1:]), 4)
        assert total[-1] == pytest.approx(4 * (problem.penalty.l1 + problem.penalty.l2))

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_none_where_the_penalty_rules(self, l1_ratio):
        assert self.start("squared hinge", 10.0, l1_ratio)[1] == []

    @pytest.mark.parametrize("name", ["cross-entropy", "smoothed hinge"])
    def test_none_where_the_curvature_has_no_jumps(self, name):
        assert self.start(name, 1e-6, 0.0)[1] == []

    def test_l1_with_more_features_than_samples(self):
        wide = {"n_samples": 20, "n_features": 300}
        _, found = self.start("cross-entropy", 1e-6, 1.0, **wide)
        assert len(found) >= 3
        assert self.start("cross-entropy", 1e-6, 1.0, n_samples=300, n_features=20)[1] == []

    def test_l1_with_a_few_samples_for_each_feature(self):
        few = {"n_samples": 900, "n_features": 300}
        assert len(self.start("cross-entropy", 1e-6, 1.0, **few)[1]) >= 3
        assert self.start("cross-entropy", 1e-6, 1.0, X=sp.csr_matrix, **few)[1] == []

    def test_support_grows_by_a_quarter_there(self):
        problem = make_problem("cross-entropy", 1.0, 1e-6, n_samples=900, n_features=900)
        coef = np.zeros(problem.shape)
        coef[:600] = 0.1
        free = free_variables(problem, problem.evaluate(coef, np.zeros(3)))
        assert np.count_nonzero(free[:-1]) == 1800 + 450

    def test_support_stays_small_on_the_way(self):
        """Without stages the first steps, on models of all that is to come, fill it."""
        problem = make_problem("cross-entropy", 1.0, 1e-6, n_samples=20, n_features=300)
        found = itertools.islice(newton(problem, zero_start(problem)), 40)
        sizes = [np.count_nonzero(iterate.coef) for iterate in found]
        assert max(sizes) <= 1.5 * sizes[-1]

    def test_none_close_to_the_optimum(self):
        problem = make_problem("squared hinge", 0.0, 1e-6)
        assert list(stages(problem, last(newton, problem, 40))) == []


class TestProximalPoint:
    def run(self, monkeypatch, l1_ratio=0.0, n_iterates=40):
        """The iterates, and the sigmas and centres of the smoothed problems."""
        problem = make_problem("hinge", l1_ratio)
        sigmas, centres = [], []
        original = Hinge.smoothed

        def record(loss, centre, sigma):
            sigmas.append(sigma)
            centres.append(centre)
            return original(loss, centre, sigma)

        monkeypatch.setattr(Hinge, "smoothed", record)
        start = zero_start(problem)
        iterates = list(itertools.islice(proximal_point(problem, start), n_iterates))
        return problem, iterates, sigmas[1:], centres[1:]

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_sigma_grows(self, monkeypatch, l1_ratio):
        _, _, sigmas, _ = self.run(monkeypatch, l1_ratio)
        assert len(sigmas) >= 3
        assert sigmas[1] > sigmas[0]
        assert sigmas[-1] >= 10 * sigmas[0]

    def test_centres_are_dual_points_of_iterates(self, monkeypatch):
        _, iterates, _, centres = self.run(monkeypatch)
        np.testing.assert_array_equal(centres[0], 0)
        duals = [iterate.dual for iterate in iterates]
        for centre in centres[1:]:
            assert any(centre is dual for dual in duals)

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_gap_of_the_hinge_falls(self, monkeypatch, l1_ratio):
        problem, iterates, _, _ = self.run(monkeypatch, l1_ratio, 60)
        gaps = [certify(problem, iterate).gap for iterate in iterates]
        assert min(gaps) >= 0
        assert min(gaps) <= 1e-6 * gaps[0]

    def test_begins_with_the_dual_point_it_is_given(self):
        problem = make_problem("hinge", 0.0)
        end = last(proximal_point, problem, 60)
        start = Start(end.coef, end.intercept, end.dual.copy())
        first = next(proximal_point(problem, start))
        gap = certify(problem, end).gap
        assert certify(problem, first).gap == pytest.approx(gap, rel=1e-6, abs=1e-12)
