"""Each row of the translations against the tool itself or its formula; models there and back."""

import numpy as np
import pandas as pd
import pytest
from data import csr, make_classes, random_weights
from models import make_model
from oracle import sample_losses
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from test_bad_input import assert_says

from sklinear import SoftmaxClassifier
from sklinear.conversion import (
    FACTORS,
    from_alpha,
    logistic_regression_from_softmax,
    softmax_from_logistic_regression,
    to_alpha,
    total_weight,
)
from sklinear.inspection import certificate, objective

NAMES = np.array(["cat", "car", "frog"])
weighted = pytest.mark.parametrize("weighted", [False, True])
every_size = pytest.mark.parametrize("n_classes", [2, 3])
every_l1_ratio = pytest.mark.parametrize("l1_ratio", [0, 0.5, 1])
CLASS_WEIGHTS = [None, "balanced", {0: 2.0}]
every_class_weight = pytest.mark.parametrize("class_weight", CLASS_WEIGHTS, ids=str)


def data(n_classes, weighted=True):
    X, y = make_classes(n_classes)
    kept = (y > 0) | (np.arange(len(y)) % 4 == 0)
    return X[kept], y[kept], random_weights(y[kept]) if weighted else None


def tight(loss, alpha, **params):
    return make_model(loss, alpha=alpha, tol=1e-11, **params)


def assert_same_coefficients(ours, theirs, atol):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=atol)


class TestC:
    @every_class_weight
    @weighted
    @every_size
    def test_logistic_regression(self, n_classes, weighted, class_weight):
        X, y, weights = data(n_classes, weighted)
        theirs = LogisticRegression(
            C=0.3, class_weight=class_weight, solver="newton-cholesky", tol=1e-12
        ).fit(X, y, weights)
        total = total_weight(y, sample_weight=weights, class_weight=class_weight)
        alpha = to_alpha(0.3, "C", total_weight=total)
        ours = tight("softmax", alpha, class_weight=class_weight).fit(X, y, weights)
        assert_same_coefficients(ours, theirs, atol=1e-7)

    @weighted
    @pytest.mark.parametrize("l1_ratio", [0.5, 1])
    def test_elastic_net_logistic_regression(self, l1_ratio, weighted):
        X, y, weights = data(3, weighted)
        theirs = LogisticRegression(
            C=0.3, l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=100_000, random_state=0
        ).fit(X, y, weights)
        alpha = to_alpha(0.3, "C", total_weight=total_weight(y, sample_weight=weights))
        ours = tight("softmax", alpha, l1_ratio=l1_ratio).fit(X, y, weights)
        found = objective(
            ours, X, y, sample_weight=weights, coef=theirs.coef_, intercept=theirs.intercept_
        )
        assert found == pytest.approx(ours.objective_, rel=1e-8)

    @weighted
    def test_svc(self, weighted):
        X, y, weights = data(2, weighted)
        theirs = SVC(kernel="linear", C=0.3, tol=1e-10).fit(X, y, weights)
        alpha = to_alpha(0.3, "C", total_weight=total_weight(y, sample_weight=weights))
        assert_same_coefficients(tight("hinge", alpha).fit(X, y, weights), theirs, atol=1e-4)

    @weighted
    @pytest.mark.parametrize(
        ("loss", "l1_ratio"), [("hinge", 0), ("squared_hinge", 0), ("squared_hinge", 1)]
    )
    def test_linear_svc(self, loss, l1_ratio, weighted):
        X, y, weights = data(2, weighted)
        theirs = LinearSVC(
            C=0.3,
            loss=loss,
            penalty="l1" if l1_ratio else "l2",
            dual=loss == "hinge",
            fit_intercept=False,
            tol=1e-10,
            max_iter=10**6,
            random_state=0,
        ).fit(X, y, weights)
        alpha = to_alpha(0.3, "C", total_weight=total_weight(y, sample_weight=weights))
        ours = tight(loss, alpha, l1_ratio=l1_ratio, fit_intercept=False).fit(X, y, weights)
        found = objective(ours, X, y, sample_weight=weights, coef=theirs.coef_)
        assert found == pytest.approx(ours.objective_, rel=1e-7)


@every_l1_ratio
@pytest.mark.parametrize(
    ("loss", "name"), [("softmax", "log_loss"), ("hinge", "hinge"), ("squared_hinge",) * 2]
)
def test_sgd(loss, name, l1_ratio):
    """It comes ten times nearer to the optimum at the same alpha than those of half or double."""
    X, y, _ = data(2)
    theirs = SGDClassifier(
        loss=name,
        alpha=0.1,
        penalty="elasticnet",
        l1_ratio=l1_ratio,
        max_iter=20_000,
        tol=None,
        learning_rate="invscaling",
        eta0=0.3,
        power_t=0.75,
        random_state=0,
    ).fit(X, y)
    alpha = to_alpha(0.1, "sgd_alpha")
    ours = tight(loss, alpha, l1_ratio=l1_ratio).fit(X, y)

    def excess(model):
        point = {"coef": model.coef_, "intercept": model.intercept_}
        return objective(ours, X, y, **point) - ours.objective_

    others = [tight(loss, f * alpha, l1_ratio=l1_ratio).fit(X, y) for f in (0.5, 2)]
    assert 0 <= excess(theirs) < 0.1 * min(map(excess, others))


def glmnet_objective(X, y, weights, coef, intercept, lam, alpha):
    """Friedman, Hastie and Tibshirani, 2010: -mean log likelihood + λ P_α, for two classes or more.

    Two classes have one vector of coefficients (family "binomial").
    """
    scores = X @ coef.T + intercept
    scores = np.hstack([0 * scores, scores]) if len(coef) == 1 else scores
    mean = weights @ sample_losses(scores, y, "softmax") / weights.sum()
    return mean + lam * ((1 - alpha) / 2 * (coef**2).sum() + alpha * np.abs(coef).sum())


@every_l1_ratio
@every_size
def test_glmnet(n_classes, l1_ratio):
    X, y, weights = data(n_classes)
    model = make_model("softmax", alpha=to_alpha(0.2, "glmnet_lambda"), l1_ratio=l1_ratio)
    model.fit(X, y, weights)
    formula = glmnet_objective(X, y, weights, model.coef_, model.intercept_, 0.2, l1_ratio)
    assert model.objective_ == pytest.approx(formula, rel=1e-13)


@every_size
def test_glmnet_that_standardises(n_classes):
    """Features divided by their deviations, and the coefficients too, is its own penalty."""
    X, y, weights = data(n_classes)
    deviation = StandardScaler().fit(X, sample_weight=weights).scale_
    ours = tight("softmax", to_alpha(0.2, "glmnet_lambda")).fit(X / deviation, y, weights)
    shape = ours.coef_.shape

    def theirs(v):
        coef, intercept = v[: ours.coef_.size].reshape(shape), v[ours.coef_.size :]
        loss = glmnet_objective(X, y, weights, coef, intercept, 0, 0)
        return loss + 0.2 / 2 * ((deviation * coef) ** 2).sum()

    found = minimize(theirs, np.zeros(ours.coef_.size + shape[0]), tol=1e-10)
    coef = found.x[: ours.coef_.size].reshape(shape)
    np.testing.assert_allclose(ours.coef_ / deviation, coef, atol=1e-4)
    assert found.fun == pytest.approx(ours.objective_, rel=1e-8)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("loss", ["hinge", "softmax"])
@every_size
def test_cs231n(n_classes, loss, half):
    """Its loss with a vector for each class, at the vectors that it has at the optimum."""
    X, y, _ = data(n_classes)
    convention = "cs231n_half_reg" if half else "cs231n_reg"
    alpha = to_alpha(0.2, convention, n_classes=n_classes)
    model = tight(loss, alpha, fit_intercept=False).fit(X, y)

    def theirs(W):
        penalty = 0.2 * np.sum(W * W) * (0.5 if half else 1)
        return sample_losses(X @ W, y, loss).mean() + penalty

    W = model.coef_.T
    W = np.hstack([-W / 2, W / 2]) if n_classes == 2 else W
    assert theirs(W) == pytest.approx(model.objective_, rel=1e-12)
    # It is the optimum of theirs too, also among vectors that are not opposite.
    rng = np.random.default_rng(0)
    assert all(theirs(W + 1e-2 * rng.normal(size=W.shape)) > theirs(W) for _ in range(50))


@pytest.mark.parametrize("form", [lambda E: E.__name__, lambda E: E, lambda E: E()])
@pytest.mark.parametrize(
    ("Estimator", "convention"),
    [
        (LogisticRegression, "C"),
        (LogisticRegressionCV, "C"),
        (SVC, "C"),
        (LinearSVC, "C"),
        (SGDClassifier, "sgd_alpha"),
    ],
)
def test_estimators_stand_for_their_conventions(Estimator, convention, form):
    for translate in (to_alpha, from_alpha):
        found = translate(0.3, form(Estimator), total_weight=7.0)
        assert found == translate(0.3, convention, total_weight=7.0)


@pytest.mark.parametrize("convention", ["C", *FACTORS])
@every_size
def test_there_and_back(convention, n_classes):
    options = {"total_weight": 7.5, "n_classes": n_classes}
    alpha = to_alpha(0.3, convention, **options)
    assert from_alpha(alpha, convention, **options) == pytest.approx(0.3, rel=1e-15)


def test_figures():
    assert to_alpha(2.0, "C", total_weight=50) == 0.01
    assert [to_alpha(0.5, "cs231n_reg", n_classes=c) for c in (2, 3, 10)] == [0.5, 1, 1]
    assert [to_alpha(0.5, "cs231n_half_reg", n_classes=c) for c in (2, 3, 10)] == [0.25, 0.5, 0.5]
    assert to_alpha(0.5, "sgd_alpha") == to_alpha(0.5, "glmnet_lambda") == 0.5


def test_total_weight():
    y = np.array(["cat", "car", "cat", "frog"])
    weights = np.array([1.0, 2.0, 3.0, 0.0])
    assert total_weight(y) == 4
    assert total_weight(y, sample_weight=weights) == 6
    assert total_weight(y, sample_weight=weights, class_weight={"cat": 2.0}) == 10
    assert total_weight(y, class_weight="balanced") == pytest.approx(4)


class TestFromLogisticRegression:
    @every_class_weight
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @every_size
    def test_predicts_the_same(self, n_classes, fit_intercept, class_weight):
        X, y, weights = data(n_classes)
        theirs = LogisticRegression(
            C=0.3, fit_intercept=fit_intercept, class_weight=class_weight, tol=1e-8
        ).fit(X, y, weights)
        total = total_weight(y, sample_weight=weights, class_weight=class_weight)
        ours = softmax_from_logistic_regression(
            theirs, total_weight=total, X=X, y=y, sample_weight=weights
        )
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-14)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        assert ours.fit_intercept == fit_intercept
        assert ours.class_weight == class_weight
        # The same problem: what the one found is nearly the optimum of the other.
        assert ours.dual_gap_ < 1e-8
        refit = clone(ours).set_params(tol=1e-10).fit(X, y, weights)
        assert ours.objective_ == pytest.approx(refit.objective_, rel=1e-8)
        assert n_classes == 2 or abs(ours.intercept_.sum()) < 1e-14

    @pytest.mark.parametrize("l1_ratio", [0.5, 1])
    def test_elastic_net(self, l1_ratio):
        X, y, _ = data(3)
        theirs = LogisticRegression(
            C=0.3, l1_ratio=l1_ratio, solver="saga", max_iter=10_000, tol=1e-8, random_state=0
        ).fit(X, y)
        ours = softmax_from_logistic_regression(theirs, total_weight=len(y), X=X, y=y)
        assert ours.l1_ratio == l1_ratio
        assert ours.dual_gap_ < 1e-5
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-14)

    @pytest.mark.parametrize("penalty", ["l1", "l2"])
    @pytest.mark.filterwarnings("ignore:'penalty' was deprecated:FutureWarning")
    @pytest.mark.filterwarnings("ignore:Inconsistent values:UserWarning")
    def test_penalty_by_its_old_name(self, penalty):
        X, y, _ = data(2)
        theirs = LogisticRegression(C=0.3, penalty=penalty, solver="liblinear", fit_intercept=False)
        ours = softmax_from_logistic_regression(theirs.fit(X, y), total_weight=len(y))
        assert ours.l1_ratio == (penalty == "l1")
        assert certificate(ours, X, y).dual_gap < 1e-2

    def test_without_data_it_claims_nothing(self):
        X, y, _ = data(3)
        ours = softmax_from_logistic_regression(LogisticRegression().fit(X, y), total_weight=len(y))
        for name in ("objective_", "dual_gap_", "history_", "n_iter_"):
            assert not hasattr(ours, name)
        assert ours.predict(X).shape == y.shape

    def test_shares_nothing(self):
        X, y, _ = data(3)
        theirs = LogisticRegression().fit(X, y)
        before = theirs.coef_.copy(), theirs.intercept_.copy()
        ours = softmax_from_logistic_regression(theirs, total_weight=len(y))
        ours.coef_ += 1
        ours.intercept_ += 1
        np.testing.assert_array_equal(theirs.coef_, before[0])
        np.testing.assert_array_equal(theirs.intercept_, before[1])

    def test_names_and_containers(self):
        X, y, _ = data(3)
        frame, names = pd.DataFrame(X, columns=list("abcde")), NAMES[y]
        theirs = LogisticRegression().fit(frame, names)
        ours = softmax_from_logistic_regression(theirs, total_weight=len(y))
        assert list(ours.feature_names_in_) == list("abcde")
        np.testing.assert_array_equal(ours.predict(frame), theirs.predict(frame))
        theirs = LogisticRegression().fit(csr(X), names).sparsify()
        ours = softmax_from_logistic_regression(theirs, total_weight=len(y), X=csr(X), y=names)
        np.testing.assert_array_equal(ours.predict(csr(X)), theirs.predict(csr(X)))

    def test_warm_start_from_it(self):
        """What the one has found the other need not find again."""
        X, y, _ = data(3)
        theirs = LogisticRegression(warm_start=True, tol=1e-8).fit(X, y)
        ours = softmax_from_logistic_regression(theirs, total_weight=len(y))
        assert ours.fit(X, y).n_iter_ <= 1

    def test_refusals(self):
        X, y, _ = data(3)

        def refusal(model, error=ValueError, **options):
            with pytest.raises(error) as info:
                softmax_from_logistic_regression(model, **{"total_weight": len(y), **options})
            return str(info.value)

        fitted = LogisticRegression().fit(X, y)
        assert_says(refusal(SGDClassifier(), TypeError), "SGDClassifier", "LogisticRegression")
        search = LogisticRegressionCV(use_legacy_attributes=False, l1_ratios=(0,))
        assert_says(refusal(search, TypeError), "LogisticRegressionCV", "inside")
        assert_says(refusal(LogisticRegression(), NotFittedError), "not fitted")
        free = LogisticRegression(C=np.inf, max_iter=10_000).fit(X, y)
        assert_says(refusal(free), "C=inf", "positive", "C=1e6")
        assert_says(refusal(fitted, total_weight=-1), "total_weight", "-1")
        assert_says(refusal(fitted, X=X), "X and y", "Pass both")
        assert_says(refusal(fitted, sample_weight=np.ones(len(y))), "X and y", "Pass both")


class TestFromSoftmax:
    @every_class_weight
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @every_l1_ratio
    @every_size
    def test_predicts_the_same(self, n_classes, l1_ratio, fit_intercept, class_weight):
        X, y, weights = data(n_classes)
        ours = SoftmaxClassifier(
            alpha=0.02, l1_ratio=l1_ratio, fit_intercept=fit_intercept, class_weight=class_weight
        ).fit(X, y, weights)
        total = total_weight(y, sample_weight=weights, class_weight=class_weight)
        theirs = logistic_regression_from_softmax(ours, total_weight=total)
        np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), atol=1e-14)
        back = softmax_from_logistic_regression(theirs, total_weight=total)
        assert back.alpha == pytest.approx(0.02, rel=1e-15)
        assert back.get_params() == {**ours.get_params(), "alpha": back.alpha}
        np.testing.assert_array_equal(back.coef_, ours.coef_)

    @every_l1_ratio
    def test_is_the_same_problem(self, l1_ratio):
        X, y, weights = data(3)
        ours = tight("softmax", 0.02, l1_ratio=l1_ratio).fit(X, y, weights)
        theirs = logistic_regression_from_softmax(ours, total_weight=weights.sum())
        refit = clone(theirs).set_params(tol=1e-9, max_iter=100_000, random_state=0)
        refit.fit(X, y, weights)
        np.testing.assert_allclose(refit.coef_, theirs.coef_, atol=1e-4)

    def test_precision(self):
        X, y, _ = data(3)
        ours = SoftmaxClassifier().fit(X.astype(np.float32), y)
        theirs = logistic_regression_from_softmax(ours, total_weight=len(y))
        assert theirs.coef_.dtype == np.float32

    def test_refusals(self):
        with pytest.raises(TypeError, match=r"LogisticRegression; a fitted SoftmaxClassifier"):
            logistic_regression_from_softmax(LogisticRegression(), total_weight=1)
        with pytest.raises(NotFittedError):
            logistic_regression_from_softmax(SoftmaxClassifier(), total_weight=1)


def test_total_weight_with_a_class_that_is_none():
    with pytest.raises(ValueError, match=r"class 'emu', which does not occur in y"):
        total_weight(["cat", "car"], class_weight={"emu": 2.0})


@pytest.mark.parametrize("function", [to_alpha, from_alpha])
class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "options", "patterns"),
        [
            ((1.0, "C"), {}, ["total_weight is None", "'C'", "Pass total_weight="]),
            ((1.0, "cs231n_reg"), {}, ["n_classes is None", "'cs231n_reg'", "Pass n_classes="]),
            ((1.0, "libsvm"), {}, ["convention", "'libsvm'", "'glmnet_lambda'", "LinearSVC"]),
            ((1.0, StandardScaler), {}, ["convention", "StandardScaler", "'C'"]),
            ((1.0, None), {}, ["convention", "None", "'C'"]),
            ((0.0, "C"), {"total_weight": 1}, [r"0\.0"]),
            ((1.0, "C"), {"total_weight": 0}, ["total_weight", "0"]),
            ((1.0, "cs231n_reg"), {"n_classes": 1}, ["n_classes", "1"]),
        ],
    )
    def test_refuses(self, function, data, options, patterns):
        with pytest.raises(ValueError, match=r".") as info:
            function(*data, **options)
        assert_says(str(info.value), *patterns)
