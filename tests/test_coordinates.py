"""Free variables as vectors: of two classes one weight tells the other."""

import numpy as np
import pytest
from data import csr
from problems import make_model_around, make_problem, zero_start

from sklinear._certificate import certify
from sklinear.solvers import _hessian
from sklinear.solvers._coordinates import Free, Opposite, coordinates
from sklinear.solvers._explicit import minimise_dense
from sklinear.solvers._newton import newton
from sklinear.solvers._refined import minimise_refined
from sklinear.solvers._working_set import dense_limit, free_variables

pytestmark = pytest.mark.usefixtures("without_small_steps")

over_losses = pytest.mark.parametrize("name", ["cross-entropy", "squared hinge"])
over_ratios = pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])


@pytest.fixture
def both_classes(monkeypatch):
    """A function that turns the coordinates of two classes off."""
    return lambda: monkeypatch.setattr(_hessian, "coordinates", Free)


def free_rows():
    free = np.ones((6, 2), dtype=bool)
    free[[1, 4]] = False
    return free


def random_array(shape=(6, 2), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def odd(stacked):
    """The part with opposite weights."""
    return 0.5 * (stacked - stacked[:, ::-1])


@pytest.mark.parametrize(("container", "found"), [("csr", False), ("scattered", True)])
def test_scattered_data_are_summed_by_rows(container, found):
    problem, model = opposite_model("cross-entropy", 0.0, container)
    chart = model.coordinates
    rows = problem.data.hessian(model.hessian.curvature, chart.feature, chart.klass)
    assert (rows is not None) == found


class TestOpposite:
    def test_only_of_two_classes_that_are_free_alike(self):
        free = free_rows()
        assert isinstance(coordinates(free), Opposite)
        assert len(coordinates(free)) == 4
        free[0, 0] = False
        assert isinstance(coordinates(free), Free)
        assert isinstance(coordinates(np.ones((6, 3), dtype=bool)), Free)

    def test_point_and_lift(self):
        chart, start = Opposite(free_rows()), random_array()
        weights = odd(start)
        np.testing.assert_allclose(
            chart.lift(chart.point(start), start)[chart.feature], weights[chart.feature]
        )
        np.testing.assert_array_equal(chart.lift(chart.point(start), start)[[1, 4]], start[[1, 4]])
        np.testing.assert_allclose(chart.lift(chart.point(start)), weights * free_rows())

    def test_slopes_are_derivatives_along_the_lift(self):
        chart, gradient, move = Opposite(free_rows()), random_array(), random_array(4, 1)
        assert chart.slope(gradient) @ move == pytest.approx(np.vdot(gradient, chart.lift(move)))
        assert chart.slope(chart.lift_slope(move)) == pytest.approx(move)

    def test_diagonals_and_norms_are_sums(self):
        chart, move = Opposite(free_rows()), random_array(4, 1)
        diagonal = np.broadcast_to(np.arange(6.0)[:, None], (6, 2))
        lifted = chart.lift(move)
        assert chart.sums(diagonal) @ move**2 == pytest.approx(np.vdot(diagonal, lifted**2))
        assert chart.sums(diagonal) @ abs(move) == pytest.approx(np.vdot(diagonal, abs(lifted)))


def scattered(X):
    """So few entries that Hessians are summed row by row."""
    return csr(np.where(np.random.default_rng(2).random(X.shape) < 0.1, X, 0.0))


CONTAINERS = {"dense": np.asarray, "csr": csr, "scattered": scattered}
over_containers = pytest.mark.parametrize("container", CONTAINERS)


def two_classes(name, l1_ratio, alpha, container="dense"):
    return make_problem(name, l1_ratio, alpha, n_classes=2, n_features=20, X=CONTAINERS[container])


def opposite_model(name, l1_ratio, container="dense"):
    """A model of two classes around opposite weights."""
    problem = two_classes(name, l1_ratio, 0.05, container)
    model = make_model_around(problem, max_rows=10_000)
    model.start[:], model.gradient[:] = odd(model.start), odd(model.gradient)
    return problem, model


@over_losses
@over_ratios
class TestModels:
    @over_containers
    def test_explicit_hessian(self, name, l1_ratio, container):
        """Of the products, and after corrections, too."""
        _, model = opposite_model(name, l1_ratio, container)
        chart = model.coordinates
        assert isinstance(chart, Opposite)
        for seed in range(3):
            move = random_array(len(chart), seed)
            expected = chart.slope(model.product(chart.lift(move)))
            np.testing.assert_allclose(
                model.dense_hessian() @ move, expected, rtol=1e-9, atol=1e-12
            )
            step = odd(random_array(model.free.shape, 9 + seed))
            change = 0.7 * model.hessian.product(step) + 0.1 * step
            model.hessian.correct(step, change)
            np.testing.assert_allclose(model.hessian.product(step), change, atol=1e-12)

    def test_same_minimiser_as_of_both_classes(self, name, l1_ratio, both_classes):
        _, model = opposite_model(name, l1_ratio)
        x, gradient = minimise_dense(model, 1e-12, max_rounds=100)
        np.testing.assert_array_equal(x[:, 0], -x[:, 1])
        expected = model.gradient + model.product(x - model.start)
        np.testing.assert_allclose(odd(gradient), odd(expected), atol=1e-9)
        both_classes()
        _, other = opposite_model(name, l1_ratio)
        assert isinstance(other.coordinates, Free)
        best = other.value(*minimise_dense(other, 1e-12, max_rounds=100))
        assert model.value(x, gradient) == pytest.approx(best, rel=1e-9)

    def test_a_start_with_a_shift_is_as_good(self, name, l1_ratio):
        """Coordinate descent leaves weights like (-1, 3), where only the L1 norm sees them."""
        _, model = opposite_model(name, l1_ratio)
        best = model.value(*minimise_dense(model, 1e-12, max_rounds=100))
        shift = (
            0.9 * np.abs(model.start[:-1, :1]) * np.sign(random_array((len(model.start) - 1, 1)))
        )
        model.start[:-1] += shift
        x, gradient = minimise_dense(model, 1e-12, max_rounds=100)
        np.testing.assert_array_equal(x[:, 0], -x[:, 1])
        assert model.value(x, gradient) == pytest.approx(best, rel=1e-9)

    def test_refined_models(self, name, l1_ratio):
        _, model = opposite_model(name, l1_ratio)
        best = model.value(*minimise_dense(model, 1e-12, max_rounds=100))
        found = minimise_refined(model, model.hessian, 1e-8, 200)
        assert model.value(*found) == pytest.approx(best, rel=1e-8)

    @over_containers
    def test_half_the_variables_lead_to_the_same_optimum(
        self, name, l1_ratio, container, both_classes
    ):
        sizes, values = [], []
        original = _hessian.Hessian._gram

        def record(hessian):
            sizes.append(len(hessian.coordinates))
            return original(hessian)

        patch = pytest.MonkeyPatch()
        patch.setattr(_hessian.Hessian, "_gram", record)
        for _ in range(2):
            problem = two_classes(name, l1_ratio, 1e-2, container)
            for iterate in newton(problem, zero_start(problem)):
                certificate = certify(problem, iterate)
                if certificate.gap <= 1e-10 * problem.value_at_zero:
                    break
            values.append(certificate.objective)
            sizes.append(0)
            both_classes()
        patch.undo()
        assert values[0] == pytest.approx(values[1], rel=1e-9)
        first, second = sizes[: sizes.index(0)], sizes[sizes.index(0) + 1 :]
        assert max(first) == max(second) // 2


def test_twice_as_many_may_be_in_an_explicit_hessian():
    options = {"n_samples": 200, "n_features": 20}
    two, three = (
        make_problem("cross-entropy", 1.0, n_classes=n_classes, **options) for n_classes in (2, 3)
    )
    assert dense_limit(two) == 2 * dense_limit(three)


def test_working_sets_hold_both_classes_of_a_feature():
    """Gradients that differ by rounding must not free one of them alone."""
    problem = make_problem("cross-entropy", 1.0, 0.05, n_classes=2, n_samples=40, n_features=700)
    iterate = problem.evaluate(np.zeros((700, 2)), np.zeros(2))
    iterate.gradient[:-1, 0] *= 1 + 1e-12 * random_array(700)
    free = free_variables(problem, iterate)
    assert 0 < np.count_nonzero(free[:-1]) < free[:-1].size
    np.testing.assert_array_equal(free[:, 0], free[:, 1])
