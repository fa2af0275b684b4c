"""Pictures against alpha: what is drawn is what was computed."""

import matplotlib as mpl
import numpy as np
import pytest
from data import make_classes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklinear import (
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    SVMClassifierCV,
    softmax_path,
    svm_path,
)
from sklinear.plotting import CoefficientPathDisplay, CVScoresDisplay

X, Y = make_classes(3, n_samples=60, n_features=8)


@pytest.fixture(autouse=True)
def figures_closed():
    with mpl.rc_context({"backend": "agg"}):
        yield
        mpl.pyplot.close("all")


@pytest.fixture(scope="module")
def model():
    model = SoftmaxClassifierCV(alphas=12, l1_ratios=[0.5, 1], cv=3, eps=0.01)
    return model.fit(X, Y)


def legend_texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_scores(model):
    display = CVScoresDisplay.from_estimator(model)
    for row, line in enumerate(display.lines_):
        np.testing.assert_array_equal(line.get_xdata(), model.alphas_[row])
        np.testing.assert_array_equal(line.get_ydata(), model.mean_scores_[row])
    best = model.best_index_
    simple = SoftmaxClassifierCV(**{**model.get_params(), "selection": "1se"}).fit(X, Y)
    assert set(display.best_line_.get_xdata()) == {model.alpha_}
    assert set(display.one_standard_error_line_.get_xdata()) == {simple.alpha_}
    edges = display.std_error_.get_paths()[0].vertices[:, 1]
    mean, error = model.mean_scores_[best[0]], model.std_error_[best[0]]
    assert edges.max() == pytest.approx((mean + error).max())
    assert edges.min() == pytest.approx((mean - error).min())
    assert display.ax_.get_ylabel() == "neg_log_loss"
    assert display.ax_.get_xscale() == "log"
    left, right = display.ax_.get_xlim()
    assert left > right
    assert len(legend_texts(display)) == 5
    assert display.figure_ is display.ax_.figure


def test_numbers_of_features(model):
    display = CVScoresDisplay.from_estimator(model)
    counts = np.median(model.n_nonzero_features_[:, model.best_index_[0]], axis=0)
    ticks = display.features_ax_.get_xticks()
    texts = [text.get_text() for text in display.features_ax_.get_xticklabels()]
    alphas = model.alphas_[model.best_index_[0]]
    assert len(ticks) >= 3
    for tick, text in zip(ticks, texts, strict=True):
        assert text == f"{counts[np.flatnonzero(alphas == tick)[0]]:.0f}"
    bare = CVScoresDisplay.from_estimator(model, show_n_features=False)
    assert bare.features_ax_ is None


def test_styles_of_the_standard_error(model):
    axes = mpl.pyplot.figure().subplots()
    display = CVScoresDisplay.from_estimator(model, ax=axes, std_display_style="errorbar")
    assert display.ax_ is axes
    segments = display.std_error_.lines[2][0].get_segments()
    row = model.best_index_[0]
    heights = [segment[1, 1] - segment[0, 1] for segment in segments]
    np.testing.assert_allclose(heights, 2 * model.std_error_[row])
    assert CVScoresDisplay.from_estimator(model, std_display_style=None).std_error_ is None
    line = CVScoresDisplay.from_estimator(model, linewidth=7).lines_[0]
    assert line.get_linewidth() == 7
    with pytest.raises(ValueError, match="std_display_style"):
        CVScoresDisplay.from_estimator(model, std_display_style="shadow")


def test_names_of_scores():
    svm = SVMClassifierCV(alphas=3, cv=2).fit(X, Y)
    assert CVScoresDisplay.from_estimator(svm).ax_.get_ylabel() == "accuracy"
    by_name = CVScoresDisplay.from_estimator(svm, score_name="right")
    assert by_name.ax_.get_ylabel() == "right"


def test_scores_need_a_fitted_cross_validation():
    with pytest.raises(NotFittedError):
        CVScoresDisplay.from_estimator(SoftmaxClassifierCV())
    with pytest.raises(TypeError, match="SoftmaxClassifierCV or SVMClassifierCV"):
        CVScoresDisplay.from_estimator(SoftmaxClassifier().fit(X, Y))


def test_what_is_no_path_is_named():
    with pytest.raises(TypeError, match=r"a SoftmaxClassifierCV without coefs.*from_estimator"):
        CoefficientPathDisplay.from_path(SoftmaxClassifierCV())


def test_path_of_one_class():
    path = softmax_path(X, Y, alphas=10, l1_ratio=1.0)
    names = [f"gene {i}" for i in range(8)]
    display = CoefficientPathDisplay.from_path(path, feature_names=names, label=1, n_named=3)
    order = np.argsort(-np.abs(path.coefs[-1, 1]))
    assert legend_texts(display) == [f"gene {i}" for i in order[:3]]
    for feature, line in zip(order, display.lines_, strict=False):
        np.testing.assert_array_equal(line.get_xdata(), path.alphas)
        np.testing.assert_array_equal(line.get_ydata(), path.coefs[:, 1, feature])
    used = np.count_nonzero(path.coefs[:, 1].any(axis=0))
    assert len(display.other_lines_.get_segments()) == used - 3
    assert display.ax_.get_ylabel() == "weight for class 1"
    assert display.alpha_line_ is None
    ticks = display.features_ax_.get_xticks()
    texts = [text.get_text() for text in display.features_ax_.get_xticklabels()]
    counts = np.count_nonzero(path.coefs.any(axis=1), axis=1)
    assert texts == [str(counts[path.alphas == tick][0]) for tick in ticks]


def test_norms_over_the_classes():
    path = softmax_path(X, Y, alphas=10, l1_ratio=1.0)
    display = CoefficientPathDisplay.from_path(path, n_named=1)
    norms = np.linalg.norm(path.coefs, axis=1)
    np.testing.assert_allclose(
        display.lines_[0].get_ydata(), norms[:, norms[-1].argmax()], rtol=1e-12
    )


def test_two_classes_have_opposite_weights():
    two = Y < 2
    path = softmax_path(X[two], Y[two], alphas=5, l1_ratio=1.0)
    lines = [
        CoefficientPathDisplay.from_path(path, label=label, n_named=1).lines_[0].get_ydata()
        for label in (None, 1, 0)
    ]
    np.testing.assert_array_equal(lines[0], lines[1])
    np.testing.assert_array_equal(lines[0], -lines[2])
    assert np.abs(lines[0]).max() > 0


def test_path_of_an_estimator(model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdefgh"))
    display = CoefficientPathDisplay.from_estimator(model, frame, Y)
    np.testing.assert_array_equal(display.alphas, model.alphas_[model.best_index_[0]])
    assert set(display.alpha_line_.get_xdata()) == {model.alpha_}
    assert set(legend_texts(display)[:-1]) <= set("abcdefgh")
    svm = SVMClassifierCV(alphas=4, loss="squared_hinge", l1_ratios=[1], cv=2).fit(X, Y)
    drawn = CoefficientPathDisplay.from_estimator(svm, X, Y)
    place = svm.best_index_[1]
    refit = np.linalg.norm(svm.coef_, axis=0)
    for line in drawn.lines_:
        feature = int(line.get_label().removeprefix("feature "))
        assert line.get_ydata()[place] == pytest.approx(refit[feature], abs=0.02)
    plain = SoftmaxClassifier(l1_ratio=1)
    few = CoefficientPathDisplay.from_estimator(plain, X, Y, alphas=[0.1, 0.2])
    np.testing.assert_array_equal(few.alphas, [0.2, 0.1])


def test_unknown_class():
    path = softmax_path(X, Y, alphas=3, l1_ratio=1.0)
    with pytest.raises(ValueError, match="label=7"):
        CoefficientPathDisplay.from_path(path, label=np.int64(7))


@pytest.mark.parametrize("wrap", [lambda model: model, lambda m: GridSearchCV(m, {"alpha": [1]})])
def test_the_path_of_the_model_in_a_pipeline(wrap):
    pipeline = make_pipeline(StandardScaler(), wrap(SVMClassifier(l1_ratio=1.0)))
    with pytest.raises(NotFittedError):
        CoefficientPathDisplay.from_estimator(pipeline, X, Y, alphas=[0.1, 0.01])
    pipeline.fit(X, Y)
    display = CoefficientPathDisplay.from_estimator(pipeline, X, Y, alphas=[0.1, 0.01])
    scaled = StandardScaler().fit_transform(X)
    path = svm_path(scaled, Y, alphas=[0.1, 0.01], l1_ratio=1.0)
    np.testing.assert_array_equal(display.coefs, path.coefs)


def test_no_path_of_other_models():
    with pytest.raises(TypeError, match="LogisticRegression is no estimator of sklinear"):
        CoefficientPathDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y)
    with pytest.raises(NotFittedError):
        CoefficientPathDisplay.from_estimator(SoftmaxClassifierCV(l1_ratios=[1]), X, Y)


def test_a_single_alpha():
    """Warnings are errors in tests: that of Matplotlib is one of equal limits."""
    display = CoefficientPathDisplay.from_estimator(SoftmaxClassifier(), X, Y, alphas=[0.1])
    left, right = display.ax_.get_xlim()
    assert left > 0.1 > right
    assert list(display.features_ax_.get_xticks()) == [0.1]
    model = SoftmaxClassifierCV(alphas=[0.1], l1_ratios=[0, 1]).fit(X, Y)
    left, right = CVScoresDisplay.from_estimator(model).ax_.get_xlim()
    assert left > 0.1 > right
