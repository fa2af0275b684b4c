"""Objective, gradient and certificate against the oracle; gradient checks that catch errors."""

import warnings

import numpy as np
import pandas as pd
import pytest
from data import CONTAINERS, WEIGHTS, csr, make_classes, random_weights
from models import make_model, problem_of
from oracle import LOSSES, optimum
from oracle import objective as oracle_objective
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from test_bad_input import assert_says

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear.inspection import (
    certificate,
    check_estimator_gradient,
    check_gradient,
    objective,
    objective_gradient,
)

every_loss = pytest.mark.parametrize("loss", LOSSES)
every_smooth_loss = pytest.mark.parametrize("loss", ["softmax", "squared_hinge"])
every_l1_ratio = pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
every_size = pytest.mark.parametrize("n_classes", [2, 3, 10])
every_container = pytest.mark.parametrize("container", CONTAINERS)
NAMES = np.array(["cat", "car", "frog"])


def random_point(n_classes, n_features=5, seed=0):
    rng = np.random.default_rng(seed)
    n_rows = 1 if n_classes == 2 else n_classes
    return rng.normal(size=(n_rows, n_features)), rng.normal(size=n_rows)


class TestObjective:
    @every_container
    @pytest.mark.parametrize("weights", WEIGHTS)
    @every_size
    @every_l1_ratio
    @every_loss
    def test_of_a_fit(self, loss, l1_ratio, n_classes, weights, container):
        X, y = make_classes(n_classes)
        X, weights = CONTAINERS[container](X), WEIGHTS[weights](y)
        model = make_model(loss, alpha=0.02, l1_ratio=l1_ratio, tol=1e-2).fit(X, y, weights)
        # The one intercept of two classes is stored rounded to the precision of X.
        single = container == "dense float32" and n_classes == 2
        value = objective(model, X, y, sample_weight=weights)
        assert value == pytest.approx(model.objective_, rel=1e-7 if single else 1e-12)

    @pytest.mark.parametrize("class_weight", ["balanced", {"cat": 2.0}])
    @every_loss
    def test_of_a_fit_with_class_weights(self, loss, class_weight):
        X, y = make_classes(3)
        kept = (y > 0) | (np.arange(len(y)) % 2 == 0)
        X, y, weights = X[kept], NAMES[y[kept]], random_weights(y[kept])
        model = make_model(loss, class_weight=class_weight, tol=1e-2).fit(X, y, weights)
        value = objective(model, X, y, sample_weight=weights)
        assert value == pytest.approx(model.objective_, rel=1e-12)

    @pytest.mark.parametrize("fit_intercept", [True, False])
    @every_size
    @every_l1_ratio
    @every_loss
    def test_at_a_given_point(self, loss, l1_ratio, n_classes, fit_intercept):
        X, y = make_classes(n_classes)
        weights = random_weights(y)
        coef, intercept = random_point(n_classes)
        intercept *= fit_intercept
        model = make_model(loss, alpha=0.3, l1_ratio=l1_ratio, fit_intercept=fit_intercept)
        point = {"coef": coef, "intercept": intercept}
        value = objective(model, X, y, sample_weight=weights, **point)
        expected = oracle_objective(problem_of(model, X, y, weights), coef, intercept)
        assert value == pytest.approx(expected, rel=1e-13)
        fitted = clone(model).fit(X, y)
        assert objective(fitted, X, y, sample_weight=weights, **point) == value

    @every_size
    @every_loss
    def test_at_zero(self, loss, n_classes):
        X, y = make_classes(n_classes)
        at_zero = np.log(n_classes) if loss == "softmax" else n_classes - 1
        assert objective(make_model(loss), X, y) == pytest.approx(at_zero, rel=1e-14)

    def test_part_of_a_fitted_point(self):
        X, y = make_classes(3)
        model = make_model("softmax", tol=1e-2).fit(X, y)
        value = objective(model, X, y, coef=np.zeros((3, 5)))
        expected = oracle_objective(problem_of(model, X, y), np.zeros((3, 5)), model.intercept_)
        assert value == pytest.approx(expected, rel=1e-13)

    @every_loss
    def test_of_samples_without_some_class(self, loss):
        """The classes of the fit decide."""
        X, y = make_classes(3)
        model = make_model(loss, alpha=0.1).fit(X, NAMES[y])
        some = y != 1
        total = sum(
            np.mean(rows) * objective(model, X[rows], NAMES[y[rows]]) for rows in (some, ~some)
        )
        assert total == pytest.approx(objective(model, X, NAMES[y]), rel=1e-13)
        gap = certificate(model, X[some], NAMES[y[some]]).dual_gap
        assert 0 < gap < np.inf

    def test_of_sparse_coefficients(self):
        X, y = make_classes(3)
        model = make_model("hinge", l1_ratio=1, alpha=0.05).fit(X, y)
        value = objective(model, X, y)
        assert objective(model.sparsify(), X, y) == value

    def test_leaves_the_estimator_alone(self):
        X, y = make_classes(3)
        model = SoftmaxClassifier()
        before = vars(model).copy()
        objective(model, pd.DataFrame(X), y)
        check_estimator_gradient(model, X, y, n_coordinates=2)
        certificate(model, X, y)
        assert vars(model) == before

    def test_of_a_data_frame(self):
        X, y = make_classes(3)
        frame = pd.DataFrame(X, columns=list("abcde"))
        model = make_model("softmax", tol=1e-2).fit(frame, y)
        assert objective(model, frame, y) == pytest.approx(model.objective_, rel=1e-12)
        with pytest.raises(ValueError, match="feature names"):
            objective(model, frame[list("edcba")], y)


class TestGradient:
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @every_size
    @every_l1_ratio
    @every_loss
    def test_along_random_directions(self, loss, l1_ratio, n_classes, fit_intercept):
        """The oracle's objective is independent; 10 directions, none of them to a kink."""
        X, y = make_classes(n_classes)
        weights = random_weights(y)
        coef, intercept = random_point(n_classes)
        intercept *= fit_intercept
        model = make_model(loss, alpha=0.3, l1_ratio=l1_ratio, fit_intercept=fit_intercept)
        problem = problem_of(model, X, y, weights)
        slopes = objective_gradient(
            model, X, y, sample_weight=weights, coef=coef, intercept=intercept
        )
        assert [slope.shape for slope in slopes] == [coef.shape, intercept.shape]
        for seed in range(10):
            d = random_point(n_classes, seed=seed + 1)
            d = d[0], d[1] * fit_intercept
            ahead, behind = (
                oracle_objective(problem, coef + t * d[0], intercept + t * d[1])
                for t in (1e-6, -1e-6)
            )
            expected = np.vdot(slopes[0], d[0]) + slopes[1] @ d[1]
            assert (ahead - behind) / 2e-6 == pytest.approx(expected, rel=1e-7, abs=1e-8)

    @every_size
    @every_smooth_loss
    def test_vanishes_at_a_smooth_optimum(self, loss, n_classes):
        X, y = make_classes(n_classes)
        model = make_model(loss, alpha=0.1, tol=1e-12).fit(X, y)
        for slope in objective_gradient(model, X, y):
            np.testing.assert_allclose(slope, 0, atol=1e-10)

    @every_l1_ratio
    def test_natural_subgradient_at_kinks(self, l1_ratio):
        """sign(0) = 0, and a hinge with violation 0 has slope 0."""
        X, y = np.array([[1.0], [-1.0]]), [1, 0]
        model = SVMClassifier(alpha=0.5, l1_ratio=l1_ratio, fit_intercept=False)
        (slope,), _ = objective_gradient(model, X, y, coef=[[1.0]])
        assert slope == 0.5
        (slope,), _ = objective_gradient(model, X, y)
        assert slope == -1

    @every_container
    def test_in_every_container(self, container):
        X, y = make_classes(3)
        coef, intercept = random_point(3)
        model = make_model("softmax", l1_ratio=0.5)
        expected = objective_gradient(model, X, y, coef=coef, intercept=intercept)
        found = objective_gradient(
            model, CONTAINERS[container](X), y, coef=coef, intercept=intercept
        )
        for slope, other in zip(found, expected, strict=True):
            assert slope.dtype == np.float64
            np.testing.assert_allclose(slope, other, rtol=1e-12, atol=1e-14)


class TestCertificate:
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("tol", [0.3, 1e-3])
    @every_size
    @every_l1_ratio
    @every_loss
    def test_bounds_the_error(self, loss, l1_ratio, n_classes, tol, fit_intercept):
        """For good models and bad ones, of exactly the model's weights and intercept."""
        X, y = make_classes(n_classes)
        weights = random_weights(y)
        model = make_model(
            loss, alpha=0.05, l1_ratio=l1_ratio, tol=tol, fit_intercept=fit_intercept
        )
        problem, rng = problem_of(model, X, y, weights), np.random.default_rng(0)
        best = optimum(problem).value
        model.fit(X, y, weights)
        for size in (0, 0.01, 1):
            model.coef_ = model.coef_ + size * rng.normal(size=model.coef_.shape)
            if fit_intercept:
                model.intercept_ = model.intercept_ + size * rng.normal(size=len(model.intercept_))
            found = certificate(model, X, y, sample_weight=weights)
            F = oracle_objective(problem, model.coef_, model.intercept_)
            assert found.objective == pytest.approx(F, rel=1e-13)
            assert found.dual_gap >= F - best - 1e-10
            assert found.lower_bound == found.objective - found.dual_gap

    @every_container
    @every_size
    @every_l1_ratio
    @every_smooth_loss
    def test_confirms_a_tight_fit(self, loss, l1_ratio, n_classes, container):
        X, y = make_classes(n_classes)
        X, tol = CONTAINERS[container](X), 1e-5 if container == "dense float32" else 1e-10
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # of float32
            model = make_model(loss, alpha=0.05, l1_ratio=l1_ratio, tol=tol).fit(X, y)
        gap = certificate(model, X, y).dual_gap
        # With L1 alone the natural dual point is off by the distance to the optimum.
        assert gap <= (100 if l1_ratio == 1 else 10) * tol * model.history_["objective"][0]

    @every_size
    @every_l1_ratio
    def test_of_a_hinge_is_loose(self, l1_ratio, n_classes):
        """But the dual point that a warm start keeps confirms the fit."""
        X, y = make_classes(n_classes)
        model = make_model("hinge", alpha=0.05, l1_ratio=l1_ratio, tol=1e-8).fit(X, y)
        kept = clone(model).set_params(warm_start=True).fit(X, y)
        assert 1e-4 < certificate(model, X, y).dual_gap < model.history_["objective"][0]
        assert certificate(kept, X, y).dual_gap <= kept.dual_gap_ * (1 + 1e-6) + 1e-14

    @pytest.mark.parametrize(
        ("loss", "l1_ratio"), [("softmax", 0.5), ("softmax", 1), ("squared_hinge", 0.5)]
    )
    def test_of_an_l1_part_is_loose(self, loss, l1_ratio):
        """But not with L2 alone, nor with the dual point that a warm start keeps."""
        X, y = load_iris(return_X_y=True)

        def looseness(**params):
            model = make_model(loss, alpha=1e-4, **params).fit(X, y)
            rounding = np.finfo(float).eps * model.history_["objective"][-1]
            return (certificate(model, X, y).dual_gap - rounding) / model.dual_gap_

        assert looseness(l1_ratio=l1_ratio) > 5
        assert looseness(l1_ratio=l1_ratio, warm_start=True) <= 1 + 1e-6
        assert looseness(l1_ratio=0) <= 1 + 1e-6

    def test_with_the_kept_dual_point_of_other_samples(self):
        """The same labels, so it is tried; it proves what it proves of these samples."""
        X, y = make_classes(3)
        model = make_model("hinge", alpha=0.05, warm_start=True).fit(X, y)
        other = X[::-1].copy()
        found = certificate(model, other, y)
        assert found.dual_gap >= found.objective - optimum(problem_of(model, other, y)).value

    def test_of_no_fit(self):
        X, y = make_classes(3)
        model = make_model("softmax", alpha=0.05)
        found = certificate(model, X, y)
        assert found.objective == pytest.approx(np.log(3))
        assert found.dual_gap >= np.log(3) - optimum(problem_of(model, X, y)).value


@every_container
@every_size
@every_l1_ratio
@every_loss
def test_every_estimator_passes(loss, l1_ratio, n_classes, container):
    X, y = make_classes(n_classes)
    model = make_model(loss, alpha=0.1, l1_ratio=l1_ratio)
    X = CONTAINERS[container](X)
    check = check_estimator_gradient(
        model, X, y, sample_weight=random_weights(y), n_coordinates=100, random_state=0
    )
    assert check.passed
    assert check.max_relative_error <= 1e-6
    assert check.near_kink.mean() <= 0.05


@pytest.mark.parametrize("scale", [1e-4, 1e4])
@every_loss
def test_scale_of_features(loss, scale):
    X, y = make_classes(3)
    check = check_estimator_gradient(make_model(loss, l1_ratio=0.5), scale * X, y, random_state=0)
    assert check.passed
    assert not check.near_kink.any()


class TestExactKinks:
    """One feature x = (1, 2), scores of two classes ∓ v x / 2, so violations 1 ∓ v x."""

    X, y = np.array([[1.0], [2.0]]), np.array([0, 1])

    def near(self, model, coef, intercept=0.0):
        point = {"coef": [[coef]], "intercept": [intercept]}
        check = check_estimator_gradient(model, self.X, self.y, **point)
        return dict(zip(check.names, check.near_kink, strict=True))

    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
    def test_of_hinges(self, loss):
        model = SVMClassifier(loss=loss)
        on = {"coef_[0, 0]": True, "intercept_[0]": True}
        off = {"coef_[0, 0]": False, "intercept_[0]": False}
        assert self.near(model, 0.5) == on  # 1 - 2 v = 0
        assert self.near(model, -1.0) == on  # 1 + v = 0
        assert self.near(model, 0.5 + 0.3e-6) == on
        assert self.near(model, 0.5 + 3e-6) == off
        assert self.near(model, 0.1) == off

    def test_of_hinges_of_samples_that_do_not_count(self):
        model = SVMClassifier(class_weight={0: 1.0, 1: 0.0})
        assert not self.near(model, 0.5)["coef_[0, 0]"]
        assert self.near(model, -1.0)["coef_[0, 0]"]

    def test_of_a_feature_that_is_zero_there(self):
        """At the kink of a sample whose feature is zero only the intercept meets it."""
        model = SVMClassifier()
        point = {"coef": [[0.3]], "intercept": [1.0]}
        check = check_estimator_gradient(model, np.array([[3.0], [0.0]]), [0, 1], **point)
        assert list(check.near_kink) == [False, True]

    def test_of_the_l1_norm(self):
        for model in (SoftmaxClassifier(l1_ratio=0.5), SVMClassifier(l1_ratio=0.5)):
            assert self.near(model, 0.0) == {"coef_[0, 0]": True, "intercept_[0]": False}
            assert not self.near(model, 1e-3)["coef_[0, 0]"]
        assert not self.near(SoftmaxClassifier(), 0.0)["coef_[0, 0]"]

    @pytest.mark.parametrize("container", [np.asarray, csr])
    def test_of_many_classes(self, container):
        """Class 0's violation by class 1 is 0: class 0's and 1's weights move it, 2's do not."""
        X, y = np.array([[2.0, 0.0], [1.0, 3.0], [0.5, 1.0]]), np.array([0, 1, 2])
        coef = np.array([[1.0, 0.4], [0.5, 0.3], [-0.3, 0.1]])
        check = check_estimator_gradient(
            SVMClassifier(fit_intercept=False), container(X), y, coef=coef
        )
        near = check.near_kink.reshape(3, 2)
        np.testing.assert_array_equal(near, [[True, False], [True, False], [False, False]])
        assert check.passed


class Student:
    """The lecture's loss in NumPy, 1/n sum of hinges + reg/2 |W|^2, with ways to get it wrong."""

    def __init__(self, reg, loss="hinge", l1=0.0):
        self.X, self.y = make_classes(3)
        self.reg, self.loss, self.l1 = reg, loss, l1
        self.W = random_point(3)[0]

    def margins(self, W):
        scores = self.X @ W.T
        rows = np.arange(len(self.y))
        m = np.maximum(0, 1 + scores - scores[rows, self.y][:, None])
        m[rows, self.y] = 0
        return m

    def fun(self, W):
        m = self.margins(W)
        data = (m if self.loss == "hinge" else m**2).sum() / len(m)
        return data + self.reg / 2 * (W**2).sum() + self.l1 * np.abs(W).sum()

    def data_gradient(self, W):
        m = self.margins(W)
        g = (m > 0) * 1.0 if self.loss == "hinge" else 2 * m
        g[np.arange(len(m)), self.y] = -g.sum(axis=1)
        return g.T @ self.X / len(m)

    def gradient(self, W):
        return self.data_gradient(W) + self.reg * W + self.l1 * np.sign(W)

    def without_penalty(self, W):
        return self.data_gradient(W)

    def without_half(self, W):
        return self.gradient(W) + self.reg * W

    def without_mean(self, W):
        return len(self.y) * self.data_gradient(W) + self.reg * W

    def check(self, gradient, x=None, **options):
        x = self.W if x is None else x
        return check_gradient(self.fun, gradient, x, random_state=0, **options)


class TestStudent:
    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
    def test_right(self, loss):
        student = Student(0.1, loss, l1=0.05)
        check = student.check(student.gradient)
        assert check.passed
        assert check.max_relative_error <= 1e-6
        assert not check.near_kink.any()

    @pytest.mark.parametrize("wrong", ["without_penalty", "without_half", "without_mean"])
    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
    def test_wrong_by_a_large_alpha(self, loss, wrong):
        student = Student(1.0, loss)
        check = student.check(getattr(student, wrong))
        assert not check.passed
        assert check.max_relative_error > 1e-2

    @pytest.mark.parametrize("wrong", ["without_penalty", "without_half"])
    def test_at_a_tiny_alpha_nobody_would_notice(self, wrong):
        student = Student(1e-9)
        assert student.check(getattr(student, wrong)).passed

    def test_without_mean_is_noticed_at_any_alpha(self):
        student = Student(1e-9)
        assert not student.check(student.without_mean).passed

    def test_one_wrong_entry(self):
        student = Student(0.1)

        def gradient(W):
            g = student.gradient(W)
            g[1, 2] *= 1.001
            return g

        check = student.check(gradient)
        wrong = check.relative_error > 1e-6
        assert [check.names[i] for i in np.flatnonzero(wrong)] == ["x[1, 2]"]
        assert check.max_relative_error == pytest.approx(1e-3, rel=1e-2)

    def test_at_zero_a_missing_penalty_does_not_show(self):
        student = Student(1.0)
        assert student.check(student.without_penalty, np.zeros((3, 5))).passed

    @pytest.mark.parametrize("offset", [0.0, 0.05, 0.25, 1 / 3, 0.5, 0.7, 0.9, -1 / 3, -0.8])
    @pytest.mark.parametrize("jump", [1e-4, 1.0])
    def test_kink_within_a_step(self, offset, jump):
        """|x - c| at a distance of some steps of 1e-6 is flagged; beyond a step it is not."""

        def fun(x):
            return x[0] ** 2 + jump * np.abs(x[0] - 0.5) + np.sin(x[1])

        def gradient(x):
            return np.array([2 * x[0] + jump * np.sign(x[0] - 0.5), np.cos(x[1])])

        check = check_gradient(fun, gradient, [0.5 + offset * 1e-6, 0.3])
        assert list(check.near_kink) == [True, False]
        assert check.passed
        away = check_gradient(fun, gradient, [0.5 + 2e-6 * np.sign(offset + 0.5), 0.3])
        assert not away.near_kink.any()
        assert away.passed

    def test_kinks_at_a_kink_of_l1(self):
        student = Student(0.1, l1=0.5)
        W = student.W.copy()
        W[0, 1] = W[2, 3] = 0
        check = student.check(student.gradient, W)
        flagged = {check.names[i] for i in np.flatnonzero(check.near_kink)}
        assert flagged == {"x[0, 1]", "x[2, 3]"}
        assert check.passed

    def test_a_wrong_gradient_is_not_taken_for_a_kink(self):
        student = Student(1.0)
        check = student.check(lambda W: -student.gradient(W))
        assert not check.near_kink.any()

    def test_nothing_but_kinks_is_no_pass(self):
        check = check_gradient(lambda x: np.abs(x).sum(), np.sign, np.zeros(4))
        assert check.near_kink.all()
        assert not check.passed
        assert np.isnan(check.max_relative_error)
        assert_says(str(check), "failed: all 4 coordinates", "another point")

    @every_l1_ratio
    @every_loss
    def test_against_objective(self, loss, l1_ratio):
        """A student's gradient beside the package's objective."""
        X, y = make_classes(3)
        model = make_model(loss, alpha=0.2, l1_ratio=l1_ratio)

        def fun(W):
            return objective(model, X, y, coef=W)

        def gradient(W):
            return objective_gradient(model, X, y, coef=W)[0]

        W = random_point(3)[0]
        assert check_gradient(fun, gradient, W, random_state=0).passed
        wrong = check_gradient(fun, lambda W: gradient(W) - 0.2 * W, W, random_state=0)
        assert not wrong.passed

    @pytest.mark.parametrize("shape", [(), (7,), (2, 3, 4)])
    def test_of_any_shape(self, shape):
        x = np.random.default_rng(0).normal(size=shape)
        check = check_gradient(lambda x: (x**4).sum(), lambda x: 4 * x**3, x)
        assert check.passed
        assert check.indices.shape == (x.size, x.ndim)
        np.testing.assert_array_equal(check.analytic, (4 * x**3)[tuple(check.indices.T)])

    @pytest.mark.parametrize("size", [1e-5, 1e5])
    def test_size_of_values(self, size):
        student = Student(0.1)
        check = check_gradient(
            lambda W: size * student.fun(W), lambda W: size * student.gradient(W), student.W
        )
        assert check.passed
        wrong = check_gradient(
            lambda W: size * student.fun(W), lambda W: size * student.without_penalty(W), student.W
        )
        assert not wrong.passed

    def test_error_of_a_small_derivative(self):
        """Beside a large value, what is wrong altogether is wrong by one."""

        def fun(x):
            return 40 + 1e-3 * x[0] + x[1] ** 2

        check = check_gradient(fun, lambda x: np.array([0.0, 2 * x[1]]), np.ones(2))
        assert list(check.relative_error > 1e-6) == [True, False]
        assert check.max_relative_error == pytest.approx(1)

    def test_rounding_is_no_error(self):
        """1e6 + x has a difference quotient that is off by 1e-5 or more; two zeros are equal."""
        check = check_gradient(lambda x: 1e6 + x[0], lambda x: np.array([1.0, 0.0]), np.ones(2))
        assert np.abs(check.numeric[0] - 1) > 1e-6
        assert check.passed
        zero = check_gradient(lambda x: 0.0, np.zeros_like, np.ones(2))
        assert zero.passed
        assert zero.max_relative_error == 0

    def test_nan_is_no_pass(self):
        check = check_gradient(lambda x: (x**2).sum(), lambda x: np.nan * x, np.ones(3))
        assert not check.passed

    def test_draws(self):
        student = Student(0.1)
        check = student.check(student.gradient, n_coordinates=4)
        again = student.check(student.gradient, n_coordinates=4)
        assert len({tuple(index) for index in check.indices}) == 4
        np.testing.assert_array_equal(check.indices, again.indices)

    def test_x_stays_as_it_is(self):
        x = np.ones(3)
        check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, x)
        np.testing.assert_array_equal(x, 1)


@every_loss
def test_an_estimator_in_the_place_of_a_function(loss):
    """`check_gradient(estimator, X, y)` is `check_estimator_gradient`, with the same draws."""
    X, y = make_classes(3)
    model = make_model(loss, alpha=0.1)
    short = check_gradient(model, X, y, n_coordinates=7, random_state=3)
    whole = check_estimator_gradient(model, X, y, n_coordinates=7, random_state=3)
    assert short.passed
    np.testing.assert_array_equal(short.indices, whole.indices)
    np.testing.assert_array_equal(short.numeric, whole.numeric)


def test_table():
    student = Student(1.0)
    good, bad = student.check(student.gradient), student.check(student.without_penalty)
    lines = str(bad).splitlines()
    assert lines[0].split() == ["coordinate", "analytic", "numeric", "rel.", "error"]
    worst = np.argmax(bad.relative_error)
    assert lines[1].startswith(bad.names[worst])
    assert len(lines) == 13
    assert_says(lines[-2], "5 more")
    assert_says(lines[-1], "FAILED", "not within 1e-06", "15 of 15")
    assert_says(str(good).splitlines()[-1], "passed", ", within 1e-06")


class TestRefusals:
    X, y = make_classes(3)

    def refusal(self, function, *data, error=ValueError, **options):
        with pytest.raises(error) as info:
            function(*data, **options)
        return str(info.value)

    @pytest.mark.parametrize(
        "function", [objective, objective_gradient, certificate, check_estimator_gradient]
    )
    def test_data(self, function):
        model = SoftmaxClassifier(tol=1e-2).fit(self.X, NAMES[self.y])
        message = self.refusal(function, model, self.X[:, :4], NAMES[self.y])
        assert_says(message, "4 features", "5 features")
        emus = np.where(self.y == 2, "emu", NAMES[self.y])
        message = self.refusal(function, model, self.X, emus)
        assert_says(message, r"y\[2\] is 'emu'", "'car', 'cat', 'frog'", "Correct")
        message = self.refusal(function, SoftmaxClassifier(), self.X, np.zeros(len(self.y)))
        assert_says(message, "only one class")
        message = self.refusal(function, model, self.X, NAMES[self.y], sample_weight=-self.y - 1.0)
        assert_says(message, "sample_weight", "negative")
        message = self.refusal(function, model, self.X * np.nan, NAMES[self.y])
        assert_says(message, "NaN")
        message = self.refusal(function, SoftmaxClassifier(alpha=0), self.X, self.y)
        assert_says(message, "alpha=0", "positive")
        model.set_params(class_weight={"cat": 0.0})
        cats = self.y == 0
        message = self.refusal(function, model, self.X[cats], NAMES[self.y[cats]])
        assert_says(message, "weight zero", "positive")

    @pytest.mark.parametrize("function", [objective, certificate])
    def test_other_models(self, function):
        for model in (LogisticRegression(), make_pipeline(SoftmaxClassifier())):
            message = self.refusal(function, model, self.X, self.y, error=TypeError)
            assert_says(message, type(model).__name__, "SoftmaxClassifier", "pipeline")

    @pytest.mark.parametrize("function", [objective, objective_gradient, check_estimator_gradient])
    def test_points(self, function):
        model = SoftmaxClassifier()
        message = self.refusal(function, model, self.X, self.y, coef=np.zeros((5, 3)))
        assert_says(message, r"coef has the shape \(5, 3\)", r"\(3, 5\)", "transpose")
        message = self.refusal(function, model, self.X, self.y, intercept=0.0)
        assert_says(message, "intercept", r"\(3,\)")
        message = self.refusal(function, model, self.X, self.y, coef=np.full((3, 5), np.inf))
        assert_says(message, "coef", "infinity", "step")
        model = SoftmaxClassifier(fit_intercept=False)
        message = self.refusal(function, model, self.X, self.y, intercept=np.arange(3))
        assert_says(message, r"\[0\.0, 1\.0, 2\.0\]", "fit_intercept=False", "Leave it out")

    def test_student_functions(self):
        def squares(x):
            return (x**2).sum()

        message = self.refusal(
            check_gradient, LogisticRegression(), self.X, self.y, error=TypeError
        )
        assert_says(message, "LogisticRegression", "ndarray", "check_estimator_gradient")
        message = self.refusal(check_gradient, lambda x: x**2, lambda x: 2 * x, np.ones(3))
        assert_says(message, r"fun\(x\) has the shape \(3,\)", "one number", "Sum")
        message = self.refusal(check_gradient, squares, lambda x: x[:2], np.ones(3))
        assert_says(message, r"gradient\(x\) has the shape \(2,\)", r"\(3,\)")
        message = self.refusal(check_gradient, squares, lambda x: 2 * x, [1.0, np.nan])
        assert_says(message, "1 entries", "finite")
        message = self.refusal(check_gradient, squares, lambda x: 2 * x, [])
        assert_says(message, r"\(0,\)", "at least one")
        message = self.refusal(
            check_gradient, lambda x: np.float32(squares(x)), lambda x: 2 * x, np.ones(3)
        )
        assert_says(message, "float32", "float64")

    @pytest.mark.parametrize(
        ("name", "value"), [("n_coordinates", 0), ("step", 0.0), ("tol", -1.0)]
    )
    def test_options(self, name, value):
        message = self.refusal(check_gradient, np.sum, np.ones_like, np.ones(3), **{name: value})
        assert_says(message, name, str(value))
