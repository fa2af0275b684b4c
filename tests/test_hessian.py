"""The Hessian that is kept over steps: corrections, precision, and when it is built anew."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from problems import make_problem, random_point

from sklinear import SoftmaxClassifier
from sklinear._centred_data import CentredData
from sklinear._curvature import SoftmaxCurvature, StarCurvature
from sklinear._data import wrap
from sklinear._penalty import ElasticNet
from sklinear.solvers._hessian import Hessian
from sklinear.solvers._model import QuadraticModel
from sklinear.solvers._preconditioner import ClassModes, Diagonal, Kronecker, Preconditioners
from sklinear.solvers._proximal_newton import ProximalNewton
from sklinear.solvers._renewal import Outcome, Renewal, dense_cost, first_rows

pytestmark = pytest.mark.usefixtures("without_small_steps")


def make(name="cross-entropy", max_rows=10_000, precise=True, part=1.0, **options):
    problem = make_problem(name, 0.0, n_samples=300, n_features=6, **options)
    coef, intercept = random_point(problem)
    iterate = problem.evaluate(0.3 * coef, 0.3 * intercept)
    free = np.random.default_rng(0).random((7, problem.n_classes)) < part
    free[-1] = True
    curvature = problem.curvature(iterate.scores)
    return problem, iterate, Hessian(problem, curvature, free, max_rows, precise)


def random_step(hessian, seed=1):
    """A move of the free variables, and a change of the gradient with positive curvature."""
    rng = np.random.default_rng(seed)
    move = rng.normal(size=hessian.all_free.shape) * hessian.all_free
    return move, 0.7 * hessian.product(move) + 0.1 * move


def explicit(hessian, vector):
    out = np.zeros_like(vector)
    out[hessian.free] = hessian.dense() @ vector[hessian.free]
    return out


class TestCorrections:
    @pytest.mark.parametrize("formed", [True, False])
    def test_it_maps_the_last_step_to_the_change_of_the_gradient(self, formed):
        _, _, hessian = make()
        if formed:
            hessian.dense()
        for seed in range(3):
            move, change = random_step(hessian, seed)
            hessian.correct(move, change)
            np.testing.assert_allclose(hessian.product(move), change, atol=1e-12)
            np.testing.assert_allclose(explicit(hessian, move), change, atol=1e-12)
        assert hessian.age == 3

    def test_it_stays_positive_semi_definite(self):
        _, _, hessian = make(max_rows=20)
        for seed in range(5):
            hessian.correct(*random_step(hessian, seed))
        assert np.linalg.eigvalsh(hessian.dense()).min() >= -1e-14

    def test_nothing_is_learnt_from_a_step_without_curvature(self):
        _, _, hessian = make()
        move, change = random_step(hessian)
        before = hessian.product(move)
        hessian.correct(move, -change)
        np.testing.assert_array_equal(hessian.product(move), before)

    def test_only_free_variables_count(self):
        _, _, hessian = make(part=0.5)
        move = np.ones(hessian.free.shape)
        hessian.correct(move, 2.0 * move)
        inside = np.where(hessian.free, 1.0, 0.0)
        np.testing.assert_allclose(explicit(hessian, inside), 2.0 * inside, atol=1e-12)


class TestSparse:
    """The Hessian of sparse data row by row, against the dense product."""

    def both(self, kind, intercept=True, n_classes=3, density=0.05, duplicates=False):
        rng = np.random.default_rng(0)
        n, d = 60, 40
        X = sp.random(n, d, density, "csr", random_state=0)
        if duplicates:
            twice = np.repeat(X.data, 2), np.repeat(X.indices, 2), 2 * X.indptr
            X = sp.csr_matrix(twice, shape=X.shape)
        labels = rng.integers(0, n_classes, n).astype(np.int32)
        factor = rng.dirichlet(np.ones(n_classes), n)
        if kind is StarCurvature:
            factor[np.arange(n), labels] = 0.0
        curvature = kind(factor, labels, rng.uniform(size=n))
        free = rng.random((d + 1, n_classes)) < 0.5
        free[-1] = np.arange(n_classes) > 0 if intercept == "some" else intercept
        feature, klass = np.nonzero(free)
        data = wrap(X)
        dense = curvature.gram(
            [slice(0, n)], lambda rows: data.columns(rows, np.arange(d)), feature, klass
        )
        return data.hessian(curvature, feature, klass), dense

    @pytest.mark.parametrize("n_classes", [2, 3, 6])
    @pytest.mark.parametrize("intercept", [True, False, "some"])
    @pytest.mark.parametrize("kind", [SoftmaxCurvature, StarCurvature])
    def test_as_the_dense_product(self, kind, intercept, n_classes):
        found, dense = self.both(kind, intercept, n_classes)
        np.testing.assert_allclose(found, dense, atol=1e-13)
        np.testing.assert_array_equal(found, found.T)

    def test_entries_may_come_twice(self):
        found, dense = self.both(SoftmaxCurvature, duplicates=True)
        np.testing.assert_allclose(found, dense, atol=1e-13)

    def test_not_where_a_dense_product_is_faster(self):
        assert self.both(SoftmaxCurvature, density=0.9)[0] is None


class TestPrecision:
    def test_single_precision_is_close(self):
        double, single = (make(precise=precise)[2].dense() for precise in (True, False))
        np.testing.assert_allclose(single, double, atol=1e-6 * np.abs(double).max())
        assert not np.array_equal(single, double)

    def test_blocks_of_a_class_do_not_cancel(self):
        """Where all probabilities are next to 0 or 1, q - q^2 would be rounding only."""
        rng = np.random.default_rng(0)
        n, d, C = 400, 3, 4
        labels = rng.integers(0, C, n).astype(np.int32)
        factor = rng.uniform(0, 1e-7, size=(n, C))
        rows = np.arange(n)
        factor[rows, labels] = 0.0
        factor[rows, labels] = 1.0 - factor.sum(axis=1)
        curvature = SoftmaxCurvature(factor, labels, np.full(n, 1 / n))
        X = rng.normal(size=(n, d))
        feature, klass = np.nonzero(np.ones((d, C)))
        double, single = (
            curvature.gram([slice(0, n)], made.__getitem__, feature, klass)
            for made in (X, X.astype(np.float32))
        )
        np.testing.assert_allclose(single, double, atol=1e-5 * np.abs(double).max())

    @pytest.mark.parametrize("star", [False, True], ids=["softmax", "star"])
    def test_two_classes_share_a_block(self, star):
        rng = np.random.default_rng(0)
        n, d = 50, 4
        labels = rng.integers(0, 2, n).astype(np.int32)
        first, weights = rng.uniform(size=n), rng.uniform(size=n)
        factor, bend = np.column_stack([first, 1 - first]), first * (1 - first)
        if star:
            factor, bend = np.zeros((n, 2)), first
            factor[np.arange(n), 1 - labels] = first
        X = rng.normal(size=(n, d))
        feature, klass = np.nonzero(rng.random((d, 2)) < 0.7)
        full = np.einsum("i,kl,ij,iJ->jkJl", weights * bend, [[1, -1], [-1, 1]], X, X)
        kind = StarCurvature if star else SoftmaxCurvature
        found = kind(factor, labels, weights).gram(
            [slice(0, 20), slice(20, n)], X.__getitem__, feature, klass
        )
        expected = full[feature[:, None], klass[:, None], feature, klass]
        np.testing.assert_allclose(found, expected, atol=1e-13)

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("kind", [SoftmaxCurvature, StarCurvature])
    def test_no_samples(self, kind, n_classes):
        """As where no sample violates a margin."""
        nothing = kind(np.zeros((0, n_classes)), np.zeros(0, np.int32), np.zeros(0))
        feature, klass = np.nonzero(np.ones((4, n_classes)))
        found = nothing.gram([], np.zeros((0, 4)).__getitem__, feature, klass)
        np.testing.assert_array_equal(found, np.zeros((4 * n_classes, 4 * n_classes)))

    @pytest.mark.parametrize(("offset", "expected"), [(10.0, np.float32), (2e4, np.float64)])
    def test_products_with_features_far_from_zero_keep_their_digits(self, offset, expected):
        """A centre much larger than the spread takes them from sums in single precision."""
        problem = make_problem(
            "cross-entropy", 0.0, n_samples=300, X=lambda X: (X + offset).astype(np.float32)
        )
        centre = problem.data.X.mean(axis=0, dtype=float)
        centred = replace(problem, data=CentredData(problem.data, centre))
        whole = replace(problem, data=wrap(problem.data.X - centre))
        iterate = whole.evaluate(*random_point(whole))
        free = np.ones((problem.shape[0] + 1, 3), dtype=bool)
        curvature = whole.curvature(iterate.scores)
        hessian, exact = (Hessian(p, curvature, free, 300) for p in (centred, whole))
        assert hessian.dtype == expected
        vector = np.random.default_rng(0).normal(size=free.shape)
        image = exact.product(vector)
        np.testing.assert_allclose(hessian.product(vector), image, atol=1e-5 * np.abs(image).max())

    def test_samples_are_copied_in_single_precision_unless_precise(self):
        assert make(max_rows=50, precise=False)[2].data.dtype == np.float32
        assert make(max_rows=50, precise=True)[2].data.dtype == np.float64


class TestReuse:
    def test_several_steps_share_a_hessian(self):
        """On a problem so large that building one costs more than a step."""
        problem = make_problem("cross-entropy", 0.5, 1e-3, n_samples=20_000, n_features=120)
        built, steps = [], ProximalNewton()
        iterate = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        for _ in range(6):
            iterate = steps.step(problem, iterate) or iterate
            built.append(steps.renewal.hessian)
        kept = [hessian for hessian in built if hessian is not None]
        assert max(hessian.age for hessian in kept) >= 2
        assert len({id(hessian) for hessian in kept}) < 6

    def test_the_first_hessian_has_few_rows_where_building_it_is_dear(self):
        problem = make_problem("cross-entropy", 0.5, n_samples=20_000, n_features=100)
        assert first_rows(problem, dense_cost(problem, 101, 303)) < 20_000
        assert first_rows(problem, dense_cost(problem, 5, 12)) >= 20_000

    def test_a_grid_of_numpy_numbers(self):
        """alpha and l1_ratio as they come out of np.logspace, with a sampled Hessian."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(20_000, 60))
        y = (X[:, :4] + rng.normal(size=(20_000, 4))).argmax(axis=1)
        alpha, l1_ratio = np.logspace(-3, -2, 2)[0], np.linspace(0.5, 1, 2)[0]
        model = SoftmaxClassifier(alpha=alpha, l1_ratio=l1_ratio).fit(X, y)
        assert model.dual_gap_ <= 1e-4 * np.log(4)


class TestPreconditioners:
    @pytest.mark.parametrize(
        ("container", "first", "later"),
        [(np.asarray, Kronecker, ClassModes), (sp.csr_matrix, Kronecker, Kronecker)],
        ids=["dense", "csr"],
    )
    def test_blocks_of_classes_come_once_products_have_cost_as_much(self, container, first, later):
        problem, iterate, hessian = make(X=container)
        model = QuadraticModel(problem, iterate, hessian, 0.0)
        chooser = Preconditioners()
        assert isinstance(chooser.of(problem, model), first)
        model.n_products = 100_000
        chooser.charge(model)
        assert isinstance(chooser.of(problem, model), later)

    def test_eigenvectors_of_many_features_come_once_products_have_cost_as_much(self):
        """Those of few are cheap."""
        model, problem = self.with_many_features(450, 450)
        chooser, found = Preconditioners(), []
        model.n_products = 20
        for _ in range(4):
            found.append(chooser.of(problem, model).features)
            chooser.charge(model)
        assert found[0] is None
        assert found[-1] is not None

    def test_on_sparse_data_with_an_l1_part_the_diagonal_is_exact(self):
        problem, iterate, hessian = make(X=sp.csr_matrix)
        problem = problem.with_penalty(ElasticNet(0.1, 0.1))
        model = QuadraticModel(problem, iterate, hessian, 0.0)
        assert isinstance(Preconditioners().of(problem, model), Diagonal)

    def with_many_features(self, n_samples, n_rows):
        """A model by so many rows, and its problem."""
        size = {"n_samples": n_samples, "n_features": 420, "n_classes": 2}
        problem = make_problem("cross-entropy", 0.0, **size)
        iterate = problem.evaluate(np.zeros((420, 2)), np.zeros(2))
        free = np.ones((421, 2), dtype=bool)
        hessian = Hessian(problem, problem.curvature(iterate.scores), free, n_rows, True)
        return QuadraticModel(problem, iterate, hessian, 0.0), problem

    @pytest.mark.parametrize("n_rows", [1000, 500])
    def test_at_once_where_products_with_all_samples_are_dear(self, n_rows):
        model, problem = self.with_many_features(1000, n_rows)
        assert isinstance(Preconditioners().of(problem, model), Kronecker)

    def test_at_once_on_a_part_of_the_samples(self):
        model, problem = self.with_many_features(450, 450)
        problem.data.is_part = True
        assert isinstance(Preconditioners().of(problem, model), Kronecker)

    def test_blocks_are_built_once_for_a_hessian(self):
        problem, iterate, hessian = make()
        model = QuadraticModel(problem, iterate, hessian, 0.0)
        model.n_products = 100_000
        chooser = Preconditioners()
        chooser.charge(model)
        blocks = chooser.of(problem, model)
        factors = blocks.factors
        assert chooser.of(problem, model) is blocks
        assert blocks.factors is factors


class TestSample:
    def test_holds_a_direction_that_few_samples_resist(self):
        """Ten of 5,000 samples have all of a feature; an even draw of 100 would miss them."""
        X = np.random.default_rng(0).normal(size=(5000, 4))
        X[:, 0] = 0.0
        X[7::500, 0] = 30.0
        problem = make_problem("cross-entropy", 0.0, n_samples=5000, X=lambda _: X)
        iterate = problem.evaluate(np.zeros((4, 3)), np.zeros(3))
        free = np.ones((5, 3), dtype=bool)
        curvature = problem.curvature(iterate.scores)
        whole = Hessian(problem, curvature, free, 5000)
        part = Hessian(problem, curvature, free, 100)
        assert part.sampled
        assert len(part.curvature.labels) <= 101
        move = np.zeros((5, 3))
        move[0] = [1.0, -1.0, 0.0]
        assert part.bend(move) == pytest.approx(whole.bend(move), rel=0.1)

    @pytest.mark.parametrize("sparse", [False, True])
    def test_sizes_of_rows(self, sparse):
        X = np.random.default_rng(0).normal(size=(30, 4)) * [1.0, 1e3, 1e-3, 0.0]
        data = sp.csr_matrix(X) if sparse else X
        problem = make_problem("cross-entropy", 0.0, n_samples=30, X=lambda _: data)
        squares = X[:, :3] ** 2
        expected = (squares / (problem.weights @ squares)).sum(axis=1) / 4
        np.testing.assert_allclose(problem.row_sizes, expected)


class TestRenewal:
    """What is blamed where a model through products has misled."""

    def renewal(self, outcome, name="cross-entropy", **options):
        problem, _, hessian = make(name, max_rows=50)
        renewal = Renewal()
        renewal.hessian, renewal.effort = hessian, 1.0
        hessian.age = 1
        for option, value in options.items():
            setattr(renewal, option, value)
        renewal.judge(problem, outcome, explicit=False, refined=False)
        return renewal

    def test_a_sample_that_did_not_hold_the_curvature(self):
        renewal = self.renewal(Outcome(-0.1, 0.1, held=0.2))
        assert (renewal.effort, renewal.caution) == (3.0, 0.0)
        assert renewal.hessian is None

    def test_a_loss_that_is_not_quadratic(self):
        renewal = self.renewal(Outcome(-0.1, 0.1, held=0.9))
        assert (renewal.effort, renewal.caution) == (1.0, 1e-3)
        assert self.renewal(Outcome(-0.1, 0.1, held=0.9), caution=0.1).caution == 0.4
        assert renewal.hessian is None

    def test_a_good_model_serves_again_and_the_next_is_less_cautious(self):
        renewal = self.renewal(Outcome(-0.1, 0.9), caution=0.1)
        assert (renewal.effort, renewal.caution) == (1.0, 0.025)
        assert renewal.hessian is not None

    @pytest.mark.parametrize(("rows", "sampled"), [(200, True), (270, False)])
    def test_next_to_all_samples_are_all(self, rows, sampled, monkeypatch):
        """Of 300; a sample has a ridge, and all have none."""
        monkeypatch.setattr("sklinear.solvers._renewal.FIRST_ROWS", rows)
        problem, iterate, _ = make()
        free = np.ones((7, problem.n_classes), dtype=bool)
        hessian = Renewal().hessian_for(problem, iterate, free, explicit=False)
        assert hessian.sampled == sampled
        assert (hessian.missing(has_l1=False) > 0) == sampled

    @pytest.mark.parametrize("name", ["squared hinge", "smoothed hinge"])
    def test_hinges_know_no_caution(self, name):
        problem, iterate, _ = make(name)
        renewal = Renewal()
        renewal.caution = 0.1
        free = np.ones((7, problem.n_classes), dtype=bool)
        hessian = renewal.hessian_for(problem, iterate, free, explicit=False)
        assert hessian.is_fresh
        np.testing.assert_array_equal(
            hessian.curvature.factor, problem.curvature(iterate.scores).factor
        )

    @pytest.mark.parametrize("review", [True, False])
    def test_no_caution_near_the_end_where_models_have_to_be_exact(self, review):
        problem, _, hessian = make(max_rows=50)
        problem = replace(problem, penalty=ElasticNet(0.01, 0.0))
        renewal, outcome = Renewal(), Outcome(-1e-12, 1.0)
        renewal.hessian, renewal.caution, hessian.age = hessian, 0.1, 1
        if review:
            renewal.review(problem, outcome, explicit=False)
        else:
            renewal.judge(problem, outcome, explicit=False, refined=False)
        assert (renewal.effort, renewal.caution) == (np.inf, 0.0)

    @pytest.mark.parametrize("explicit", [True, False])
    def test_a_sample_too_small_grows_on_the_smoothed_norm_too(self, explicit):
        problem, _, hessian = make(max_rows=50)
        renewal = Renewal()
        renewal.hessian = hessian
        renewal.review(problem, Outcome(-0.1, 0.1, held=0.2), explicit)
        assert renewal.effort == 3.0
        assert renewal.hessian is None

    @pytest.mark.parametrize("ratio", [1.0, 3.0])
    def test_a_true_model_whose_steps_get_no_smaller_needs_more_samples(self, ratio):
        """So does one that promised too little, as the ridge of a sample makes it."""
        problem, _, hessian = make(max_rows=50)
        renewal = Renewal()
        for _ in range(3):
            renewal.hessian = hessian
            hessian.age = 2
            renewal.judge(problem, Outcome(-0.1, ratio), explicit=False, refined=False)
        assert renewal.effort == 3.0

    @pytest.mark.parametrize(("held", "effort"), [(1.0, 3.0), (0.4, 1.0)])
    def test_models_that_promise_too_little_again_and_again_need_more_samples(self, held, effort):
        """Though steps get smaller, if the curvature along them was right."""
        problem, _, hessian = make(max_rows=50)
        renewal, predicted = Renewal(), -1.0
        for _ in range(7):
            assert renewal.effort == 1.0
            renewal.hessian, hessian.age, predicted = hessian, 2, 0.1 * predicted
            outcome = Outcome(predicted, 3.0, held)
            renewal.judge(problem, outcome, explicit=False, refined=False)
        assert renewal.effort == effort

    def test_cautious_hessian_is_not_taken_for_an_exact_one(self):
        problem, iterate, _ = make()
        renewal = Renewal()
        renewal.caution = 0.1
        free = np.ones((7, problem.n_classes), dtype=bool)
        hessian = renewal.hessian_for(problem, iterate, free, explicit=False)
        assert not hessian.is_fresh
        renewal.hessian, renewal.caution = None, 0.0
        assert renewal.hessian_for(problem, iterate, free, explicit=False).is_fresh
