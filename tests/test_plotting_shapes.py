"""Loss shapes, scores, templates and penalty balls: what they draw."""

import builtins
import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from models import make_model
from oracle import LOSSES
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from test_plotting_curves import assert_readable, legend_texts

from sklinear import SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier
from sklinear.inspection import objective
from sklinear.losses import cross_entropy_loss, hinge_loss, softmax, squared_hinge_loss
from sklinear.plotting import (
    LossShapeDisplay,
    RegularizationDisplay,
    ScoresDisplay,
    TemplatesDisplay,
)

mpl.use("Agg")

CAT, NAMES = [3.2, 5.1, -1.7], ["cat", "car", "frog"]
SIZES = [(4, 3), (9, 6)]
two_sizes = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return SoftmaxClassifier(alpha=1.0, tol=1e-2).fit(X, y)


def two_by_two(n_samples=60):
    """Two features, two classes of unequal size, overlapping."""
    rng = np.random.default_rng(0)
    y = (np.arange(n_samples) % 3 == 0).astype(int)
    X = rng.normal(size=(n_samples, 2)) + np.outer(2 * y - 1, [0.9, 0.3])
    return X, y


def said(texts):
    return [text.get_text() for text in texts]


class TestLossShape:
    def test_two_classes(self):
        """A rival at 0: hinge (1 - z)_+, its square, log(1 + exp -z)."""
        display = LossShapeDisplay.from_scores()
        z = display.score
        expected = np.maximum(0, 1 - z), np.maximum(0, 1 - z) ** 2, np.logaddexp(0, -z)
        assert said_labels(display.lines_) == ["hinge", "squared hinge", "cross-entropy"]
        for line, values in zip(display.lines_, expected, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), z)
            np.testing.assert_allclose(line.get_ydata(), values, atol=1e-12)
        assert list(display.margin_.get_xdata()) == [1, 1]
        assert display.ax_.get_xlabel() == "score of the true class, $z_y$"
        assert display.ax_.get_ylabel() == "loss"
        assert display.ax_.figure is display.figure_

    @pytest.mark.parametrize("moving", NAMES)
    def test_margin_is_where_the_hinge_bends_last(self, moving):
        display = LossShapeDisplay.from_scores(CAT, "cat", moving=moving, class_names=NAMES)
        rows = np.tile(CAT, (3, 1))
        step = np.array([-1e-3, 0, 1e-3])
        rows[:, NAMES.index(moving)] = display.margin + step
        change = np.diff(hinge_loss(rows, [0, 0, 0], reduction="none"))
        ahead, behind = change[::-1] if moving == "cat" else change
        assert ahead == pytest.approx(0, abs=1e-12)
        assert abs(behind) == pytest.approx(1e-3)

    def test_asymptotes_of_the_true_class(self):
        rest = logsumexp(CAT[1:])
        left, right = LossShapeDisplay.from_scores(CAT, 0).asymptotes_
        np.testing.assert_allclose(left.get_ydata(), rest - left.get_xdata(), atol=1e-12)
        assert list(right.get_ydata()) == [0, 0]
        assert left.get_xdata()[1] == right.get_xdata()[0] == pytest.approx(rest)

    @pytest.mark.parametrize("moving", [0, 1, 2])
    def test_cross_entropy_nears_its_asymptotes(self, moving):
        display = LossShapeDisplay.from_scores(CAT, 0, moving=moving, extent=(-60, 60))
        curve = display.lines_[2].get_ydata()
        left, right = display.asymptotes_
        assert left.get_xdata()[0] == -60
        assert right.get_xdata()[-1] == 60
        assert curve[0] == pytest.approx(left.get_ydata()[0], abs=1e-12)
        assert curve[-1] == pytest.approx(right.get_ydata()[-1], abs=1e-12)
        for line in display.asymptotes_:
            between = np.interp(line.get_xdata(), display.score, curve)
            assert (line.get_ydata() <= between + 1e-12).all()

    def test_only_asymptotes_that_are_in_the_picture(self):
        display = LossShapeDisplay.from_scores(extent=(2, 5))
        assert [list(line.get_ydata()) for line in display.asymptotes_] == [[0, 0]]

    def test_given_scores_are_marked(self):
        display = LossShapeDisplay.from_scores(CAT, "cat", moving="car", class_names=NAMES)
        losses = [loss([CAT], [0]) for loss in (hinge_loss, squared_hinge_loss, cross_entropy_loss)]
        np.testing.assert_array_equal(display.given_.get_xdata(), [5.1] * 3)
        np.testing.assert_allclose(display.given_.get_ydata(), losses)
        assert display.ax_.get_xlabel() == "score of car; the true class is cat"

    def test_some_losses(self):
        display = LossShapeDisplay.from_scores(losses="squared_hinge")
        assert legend_texts(display.ax_) == [
            "squared hinge",
            "margin: $z_y = z_k + 1$",
            "given scores",
        ]
        assert display.asymptotes_ == []

    def test_parts_may_be_left_out(self):
        hidden = {"show_margin": False, "show_asymptotes": False, "show_given": False}
        display = LossShapeDisplay.from_scores(**hidden, linewidth=1)
        assert legend_texts(display.ax_) == ["hinge", "squared hinge", "cross-entropy"]
        assert (display.margin_, display.asymptotes_, display.given_) == (None, [], None)
        assert {line.get_linewidth() for line in display.ax_.lines} == {1}

    def test_lines_differ_without_colour(self):
        lines = LossShapeDisplay.from_scores().lines_
        assert len({line.get_linestyle() for line in lines}) == 3

    def test_existing_axes(self):
        figure, ax = plt.subplots()
        display = LossShapeDisplay.from_scores(ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure

    @two_sizes
    @pytest.mark.parametrize("moving", NAMES)
    def test_readable(self, size, moving, monkeypatch):
        with mpl.rc_context({"figure.figsize": size}):
            display = LossShapeDisplay.from_scores(CAT, 0, moving=moving, class_names=NAMES)
        assert_readable(display.figure_, monkeypatch)

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ({"losses": ["l2"]}, "losses is .* one or more of hinge"),
            ({"losses": []}, "losses is"),
            ({"extent": (1, 1)}, "extent is .* lowest < highest"),
            ({"extent": 3}, "extent is 3; .* lowest < highest"),
            ({"extent": (None, 2)}, r"extent is \(None, 2\); .* lowest < highest"),
            ({"moving": 2}, "no class 2; it must be a number from 0 to 1"),
            ({"y": "cat", "class_names": ["car", "frog"]}, "no class 'cat'; it must be one of"),
            ({"class_names": ["car"]}, "class_names has 1 entries and there are 2 classes"),
            ({"scores": [[0.0, 1.0]] * 2}, r"of the shape \(2, 2\)"),
            ({"scores": [0.0]}, "two at least"),
            ({"scores": [0.0, np.nan]}, "finite"),
            ({"show_margin": 3}, "The 'show_margin' parameter"),
        ],
    )
    def test_bad_input(self, bad, message):
        with pytest.raises(ValueError, match=message):
            LossShapeDisplay.from_scores(**bad)


@pytest.mark.parametrize("Display", [LossShapeDisplay, ScoresDisplay])
def test_scores_of_one_row(Display):
    display = Display.from_scores([CAT], 0)
    for name, value in vars(Display.from_scores(CAT, 0)).items():
        if not name.endswith("_"):
            np.testing.assert_equal(vars(display)[name], value)


def said_labels(lines):
    return [line.get_label() for line in lines]


class TestScores:
    def test_the_cat_of_the_lecture(self):
        display = ScoresDisplay.from_scores(CAT, "cat", class_names=NAMES)
        assert [said(texts) for texts in display.texts_] == [
            ["3.2", "5.1", "−1.7"],
            ["24.5", "164", "0.183"],
            ["0.13", "0.87", "0.00"],
            ["–", "2.9", "0"],
        ]
        assert said(display.axes_[0].get_yticklabels()) == ["cat (true)", "car", "frog"]
        assert "2.04" in display.axes_[2].get_xlabel()
        assert display.axes_[3].get_xlabel() == "sum = 2.9"

    def test_bars(self):
        display = ScoresDisplay.from_scores(CAT, 0)
        expected = CAT, np.exp(CAT), softmax([CAT])[0], [0, 2.9, 0]
        for bars, values in zip(display.bars_, expected, strict=True):
            np.testing.assert_allclose([bar.get_width() for bar in bars], values, rtol=1e-12)
        assert display.hinge == pytest.approx(hinge_loss([CAT], [0]))
        assert display.cross_entropy == pytest.approx(cross_entropy_loss([CAT], [0]))

    @pytest.mark.parametrize("y", [0, 1, 2])
    def test_hinge_terms_add_up(self, y):
        display = ScoresDisplay.from_scores(CAT, y)
        assert display.hinge_terms.sum() == pytest.approx(hinge_loss([CAT], [y]))

    @pytest.mark.parametrize("top", [1e4, -1e4])
    def test_large_scores_are_shifted(self, top):
        display = ScoresDisplay.from_scores([top, top - 1], 1)
        assert display.shift == top
        np.testing.assert_allclose(display.exponentials, [1, np.exp(-1)])
        sign = "-" if top > 0 else "+"
        assert f"z_k {sign} 10000" in display.axes_[1].get_title()

    def test_others_are_not(self):
        display = ScoresDisplay.from_scores([500.0, 0.0], 1)
        assert display.shift == 0
        assert "$e^{z_k}$" in display.axes_[1].get_title()

    @pytest.mark.parametrize("rank", [6, 99])
    def test_many_classes(self, rank):
        """The true one, the largest, and the sums over the others."""
        scores = np.random.default_rng(0).permutation(np.linspace(-5, 5, 100))
        y = int(np.argsort(-scores)[rank])
        display = ScoresDisplay.from_scores(scores, y, max_classes=6)
        falling = np.argsort(-scores)
        kept = [*falling[:5], y]
        rest = np.setdiff1d(np.arange(100), kept)
        names = [f"{column} (true)" if column == y else str(column) for column in kept]
        assert said(display.axes_[0].get_yticklabels()) == [*names, "94 others"]
        last = [texts[-1].get_text() for texts in display.texts_]
        assert last[0] == f"≤ {scores[rest].max():.3g}".replace("-", "−")
        sums = display.exponentials, display.probabilities, display.hinge_terms
        for text, values in zip(last[1:], sums, strict=True):
            assert float(text.removeprefix("Σ ")) == pytest.approx(values[rest].sum(), rel=0.01)

    def test_true_class_among_the_largest(self):
        display = ScoresDisplay.from_scores(np.arange(12.0), 11, max_classes=2)
        assert said(display.axes_[0].get_yticklabels()) == ["11 (true)", "10", "10 others"]

    @pytest.mark.parametrize("loss", LOSSES)
    def test_estimator(self, loss):
        X, y = np.eye(3).repeat(2, axis=0), np.array(["a", "a", "b", "b", "c", "c"])
        model = make_pipeline(StandardScaler(), make_model(loss)).fit(X, y)
        for x in (X[2], X[2:3]):
            display = ScoresDisplay.from_estimator(model, x, "b")
            np.testing.assert_allclose(display.scores, model.decision_function(X[2:3])[0])
            assert said(display.axes_[0].get_yticklabels()) == ["a", "b (true)", "c"]

    @pytest.mark.parametrize("row", [lambda X: X.iloc[0], lambda X: X.iloc[:1]])
    def test_row_of_a_frame(self, row):
        """Also the names of its features are kept, or there would be a warning."""
        X, y = two_by_two()
        frame = pd.DataFrame({"height": X[:, 0], "weight": np.rint(9 * X[:, 1]).astype(int)})
        model = make_pipeline(StandardScaler(), SoftmaxClassifier()).fit(frame, y)
        display = ScoresDisplay.from_estimator(model, row(frame), y[0])
        np.testing.assert_allclose(np.diff(display.scores), model.decision_function(frame[:1]))

    @pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix])
    def test_row_of_a_sparse_matrix(self, container):
        X, y = two_by_two()
        X = container(X)
        model = SoftmaxClassifier().fit(X, y)
        display = ScoresDisplay.from_estimator(model, X[0], y[0])
        np.testing.assert_allclose(np.diff(display.scores), model.decision_function(X[:1]))

    def test_two_classes_with_labels_that_are_no_columns(self):
        X, y = two_by_two()
        model = SoftmaxClassifier().fit(X, 1 - 2 * y)
        display = ScoresDisplay.from_estimator(model, X[0], 1, class_names=["minus", "plus"])
        assert display.y == 1
        np.testing.assert_allclose(display.probabilities, model.predict_proba(X[:1])[0])
        np.testing.assert_allclose(np.diff(display.scores), model.decision_function(X[:1]))
        assert said(display.axes_[0].get_yticklabels()) == ["minus", "plus (true)"]

    def test_axes(self):
        _, axes = plt.subplots(2, 2)
        assert (ScoresDisplay.from_scores(CAT, 0, ax=axes).axes_ == axes.ravel()).all()
        _, (single, other) = plt.subplots(1, 2)
        display = ScoresDisplay.from_scores(CAT, 0, ax=single)
        box = single.get_position()
        assert not single.axison
        for panel in display.axes_:
            assert box.x0 - 1e-9 <= panel.get_position().x0
            assert panel.get_position().x1 <= box.x1 + 1e-9
        free = plt.figure().add_axes((0.1, 0.2, 0.5, 0.6))
        assert ScoresDisplay.from_scores(CAT, 0, ax=free).axes_[
            3
        ].get_position().x1 == pytest.approx(0.6)
        with pytest.raises(ValueError, match="ax holds 2 axes and 4 are needed"):
            ScoresDisplay.from_scores(CAT, 0, ax=[single, other])

    @two_sizes
    @pytest.mark.parametrize("n_classes", [2, 3, 10, 100])
    def test_readable(self, size, n_classes, monkeypatch):
        scores = np.random.default_rng(0).normal(0, 3, n_classes)
        with mpl.rc_context({"figure.figsize": size}):
            display = ScoresDisplay.from_scores(scores, 1)
        assert_readable(display.figure_, monkeypatch)

    def test_bad_input(self):
        X, y = two_by_two()
        model = SoftmaxClassifier().fit(X, y)
        with pytest.raises(ValueError, match="y is 7, which is none of the estimator's classes"):
            ScoresDisplay.from_estimator(model, X[0], np.int64(7))
        with pytest.raises(ValueError, match=r"y is \[7\], which is none of"):
            ScoresDisplay.from_estimator(model, X[0], np.array([7]))
        with pytest.raises(ValueError, match=r"no class 'emu'; it must be one of \['cat', 'car'"):
            ScoresDisplay.from_scores(CAT, np.str_("emu"), class_names=np.array(NAMES))
        with pytest.raises(ValueError, match=r"x has the shape \(2, 2\); pass one sample"):
            ScoresDisplay.from_estimator(model, X[:2], 0)
        with pytest.raises(NotFittedError):
            ScoresDisplay.from_estimator(SoftmaxClassifier(), X[0], 0)
        with pytest.raises(ValueError, match="The 'max_classes' parameter"):
            ScoresDisplay.from_scores(CAT, 0, max_classes=1)


class TestTemplates:
    def test_images(self, digits):
        display = TemplatesDisplay.from_estimator(digits)
        limit = np.abs(digits.coef_).max()
        assert len(display.images_) == len(display.axes_) == 10
        for image, coef in zip(display.images_, digits.coef_, strict=True):
            np.testing.assert_array_equal(image.get_array(), coef.reshape(8, 8))
            assert image.get_clim() == (-limit, limit)
        titles = [panel.get_title() for panel in display.axes_]
        for number, (title, intercept) in enumerate(zip(titles, digits.intercept_, strict=True)):
            name, _, written = title.partition("\nb = ")
            assert name == str(number)
            assert float(written.replace("−", "-")) == pytest.approx(intercept, rel=0.06)
        assert display.colorbar_.ax.get_ylabel() == "weight"

    def test_options(self, digits):
        display = TemplatesDisplay.from_estimator(
            digits,
            class_names=[f"no-{k}" for k in range(10)],
            n_columns=3,
            colorbar=False,
            show_intercept=False,
            cmap="RdBu_r",
        )
        assert [panel.get_title() for panel in display.axes_] == [f"no-{k}" for k in range(10)]
        assert display.axes_[0].get_subplotspec().get_gridspec().get_geometry() == (4, 3)
        assert display.colorbar_ is None
        assert {image.get_cmap().name for image in display.images_} == {"RdBu_r"}

    @pytest.mark.parametrize(("channels_last", "shape"), [(True, (2, 4, 3)), (False, (3, 2, 4))])
    def test_colour(self, channels_last, shape):
        coef = np.random.default_rng(0).normal(size=(3, 2, 4, 3))
        rows = coef if channels_last else np.moveaxis(coef, -1, 1)
        X, y = np.eye(24)[:6], [0, 1, 2, 0, 1, 2]
        model = SoftmaxClassifier().fit(X, y)
        model.coef_ = rows.reshape(3, 24)
        display = TemplatesDisplay.from_estimator(model, image_shape=shape)
        for image, weights in zip(display.images_, coef, strict=True):
            drawn = image.get_array()
            assert 0 <= drawn.min() <= drawn.max() <= 1
            np.testing.assert_allclose(drawn, 0.5 + weights / (2 * np.abs(coef).max()))
        assert display.colorbar_ is None

    def test_two_classes(self):
        X, y = load_digits(n_class=2, return_X_y=True)
        model = SVMClassifier(alpha=1.0).fit(X, np.array(["none", "one"])[y])
        display = TemplatesDisplay.from_estimator(model)
        assert len(display.images_) == 1
        assert display.axes_[0].get_title().startswith("one against none\n")
        np.testing.assert_array_equal(display.images_[0].get_array(), model.coef_.reshape(8, 8))

    def test_pipeline_sparse_coef_and_other_estimators(self):
        X, y = load_digits(return_X_y=True)
        pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=0.1, l1_ratio=1.0))
        dense = pipeline.fit(X, y)[-1].coef_.copy()
        pipeline[-1].sparsify()
        image = TemplatesDisplay.from_estimator(pipeline).images_[7]
        np.testing.assert_array_equal(image.get_array(), dense[7].reshape(8, 8))
        other = LogisticRegression(C=1e-4, fit_intercept=False).fit(X, y)
        display = TemplatesDisplay.from_estimator(other)
        assert display.axes_[0].get_title() == "0\nb = 0"

    def test_weights_that_are_all_zero(self):
        X, y = load_digits(n_class=3, return_X_y=True)
        model = SoftmaxClassifier(alpha=1e3, l1_ratio=1.0).fit(X, y)
        assert TemplatesDisplay.from_estimator(model).images_[0].get_clim() == (-1, 1)

    def test_axes(self, digits):
        _, axes = plt.subplots(2, 5)
        assert (TemplatesDisplay.from_estimator(digits, ax=axes).axes_ == axes.ravel()).all()
        figure, ax = plt.subplots()
        display = TemplatesDisplay.from_estimator(digits, ax=ax)
        assert display.figure_ is figure
        assert len(figure.axes) == 1 + 10 + 1

    @pytest.mark.parametrize(("n_classes", "columns"), [(3, 3), (5, 5), (10, 5), (26, 8)])
    def test_columns(self, n_classes, columns):
        X = np.tile(np.eye(n_classes), (2, 1))
        model = SoftmaxClassifier(tol=1e-2).fit(X, np.tile(np.arange(n_classes), 2))
        display = TemplatesDisplay.from_estimator(model, image_shape=(1, n_classes))
        grid = display.axes_[0].get_subplotspec().get_gridspec()
        assert grid.get_geometry() == (-(-n_classes // columns), columns)

    @two_sizes
    def test_readable(self, size, digits, monkeypatch):
        with mpl.rc_context({"figure.figsize": size}):
            display = TemplatesDisplay.from_estimator(digits)
        assert_readable(display.figure_, monkeypatch)

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((8, 9), r"image_shape=\(8, 9\) holds 72 weights, and each class has 64"),
            ((4, 4, 4), r"image_shape is \(4, 4, 4\); it must be \(height, width\)"),
            ((64,), r"image_shape is \(64,\)"),
        ],
    )
    def test_wrong_shape(self, digits, shape, message):
        with pytest.raises(ValueError, match=message):
            TemplatesDisplay.from_estimator(digits, image_shape=shape)

    def test_bad_input(self, digits):
        X, y = two_by_two()
        model = SoftmaxClassifier().fit(X, y)
        with pytest.raises(ValueError, match=r"has 2 weights, .* Pass image_shape="):
            TemplatesDisplay.from_estimator(model)
        with pytest.raises(TypeError, match="SVC is no linear classifier"):
            TemplatesDisplay.from_estimator(SVC(kernel="linear").fit(X, y))
        with pytest.raises(NotFittedError):
            TemplatesDisplay.from_estimator(SoftmaxClassifier())
        with pytest.raises(ValueError, match="class_names has 2 entries"):
            TemplatesDisplay.from_estimator(digits, class_names=["a", "b"])
        with pytest.raises(ValueError, match="The 'n_columns' parameter"):
            TemplatesDisplay.from_estimator(digits, n_columns=0)


class TestRegularization:
    X, y = two_by_two()

    def draw(self, model=None, **params):
        model = model or SoftmaxClassifier(alpha=0.1)
        return RegularizationDisplay.from_estimator(
            model, self.X, self.y, **{"resolution": 11, **params}
        )

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_loss_is_that_with_the_best_intercept(self, loss, fit_intercept):
        model = make_model(loss, alpha=0.1, fit_intercept=fit_intercept)
        display = self.draw(model, resolution=3, l1_ratios=[0.5], alphas=[0.1])
        model.set_params(alpha=1e-12)  # the loss alone

        def least(v):
            if not fit_intercept:
                return objective(model, self.X, self.y, coef=[v])
            found = minimize(
                lambda b: objective(model, self.X, self.y, coef=[v], intercept=b),
                [0.0],
                method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-12},
            )
            return found.fun

        for (i, b), (j, a) in itertools.product(enumerate(display.y), enumerate(display.x)):
            assert display.loss[i, j] == pytest.approx(least([a, b]), abs=1e-7)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_solutions_are_fits(self, loss):
        model = make_model(loss, alpha=0.1, tol=1e-8)
        alphas = [1e-3, 1.0, 1e-1]
        display = self.draw(model, alphas=alphas)
        assert list(display.alphas) == sorted(alphas, reverse=True)
        for row, ratio in enumerate([0, 0.5, 1]):
            model.set_params(l1_ratio=ratio).fit(self.X, self.y)
            np.testing.assert_allclose(display.solutions[row], model.coef_[0], atol=1e-3)
            np.testing.assert_allclose(display.paths[row, 1], model.coef_[0], atol=1e-3)
            np.testing.assert_array_equal(display.paths_[row].get_xydata(), display.paths[row])

    @pytest.mark.parametrize("factor", [np.ones(2), np.array([0.5, 2.0])], ids=["even", "uneven"])
    @pytest.mark.parametrize("row", [0, 1, 2])
    def test_ball_and_contour_touch_at_the_solution(self, row, factor):
        """In the ball no weights have less loss, on its edge all have the same penalty."""
        model = SoftmaxClassifier(alpha=0.1, tol=1e-10, penalty_factor=factor)
        display = self.draw(model, resolution=21)
        ratio, v, alpha = display.l1_ratios[row], display.solutions[row], 0.1
        edge = display.balls_[row].get_xy()
        penalties = (ratio * np.abs(edge) + (1 - ratio) / 2 * edge**2) @ factor
        expected = (ratio * np.abs(v) + (1 - ratio) / 2 * v**2) @ factor
        np.testing.assert_allclose(penalties, expected, rtol=1e-9)
        model.set_params(l1_ratio=ratio).fit(self.X, self.y)
        assert display.losses[row] == pytest.approx(model.objective_ - alpha * expected, abs=1e-8)
        free = SoftmaxClassifier(alpha=1e-12)
        for coef in edge[::30]:
            nearest = minimize(
                lambda b, coef=coef: objective(free, self.X, self.y, coef=[coef], intercept=b),
                [0.0],
            )
            assert nearest.fun >= display.losses[row] - 1e-8
        touching = display.touching_contours_[row].get_paths()[0].vertices
        assert np.abs(touching - v).max(axis=1).min() < 0.5 * np.diff(display.x)[0]

    def test_zeros(self):
        display = self.draw()
        counts = [len(line.get_xydata()) for line in display.zeros_]
        assert counts[0] == 0
        assert 0 < counts[1] <= counts[2] < len(display.alphas)
        for line, path in zip(display.zeros_, display.paths, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), path[(path == 0).any(axis=1)])
        assert not display.paths[2, 0].any()

    def test_texts(self):
        frame = pd.DataFrame(self.X, columns=["width", "length"])
        display = RegularizationDisplay.from_estimator(
            SVMClassifier(alpha=0.25, loss="squared_hinge"), frame, self.y, resolution=3
        )
        titles = [panel.get_title() for panel in display.axes_]
        assert titles == ["L2\nl1_ratio = 0", "elastic net\nl1_ratio = 0.5", "L1\nl1_ratio = 1"]
        assert display.axes_[1].get_xlabel() == "weight of width"
        assert display.axes_[0].get_ylabel() == "weight of\nlength"
        texts = said(display.figure_.legends[0].get_texts())
        assert texts[:4] == [
            "loss",
            "loss at the solution",
            "penalty ball",
            "solution, alpha = 0.25",
        ]
        assert texts[4].startswith("alpha ")
        assert texts[5] == "a weight is zero"

    def test_estimator_stays_as_it_is(self):
        model = SoftmaxClassifier(alpha=0.3, l1_ratio=0.2)
        self.draw(model, l1_ratios=[1.0], alphas=[0.1])
        assert model.get_params() == SoftmaxClassifier(alpha=0.3, l1_ratio=0.2).get_params()
        assert not hasattr(model, "coef_")

    def test_sample_weight(self):
        weights = np.where(np.arange(len(self.y)) < 40, 1.0, 0.0)
        display = self.draw(sample_weight=weights, alphas=[0.1], l1_ratios=[0.0])
        fewer = RegularizationDisplay.from_estimator(
            SoftmaxClassifier(alpha=0.1),
            self.X[:40],
            self.y[:40],
            alphas=[0.1],
            l1_ratios=[0.0],
            resolution=11,
        )
        np.testing.assert_allclose(display.solutions, fewer.solutions, rtol=1e-4)
        np.testing.assert_allclose(display.loss, fewer.loss, rtol=1e-4)

    def test_axes(self):
        figure, axes = plt.subplots(1, 2)
        display = self.draw(l1_ratios=[0.0, 1.0], alphas=[0.1], ax=axes)
        assert (display.axes_ == axes).all()
        assert display.figure_ is figure
        with pytest.raises(ValueError, match="ax holds 2 axes and 3 are needed"):
            display = self.draw(alphas=[0.1], ax=axes)

    def test_solution_at_zero(self):
        display = self.draw(SoftmaxClassifier(alpha=10.0), l1_ratios=[1.0])
        np.testing.assert_array_equal(display.balls_[0].get_xy(), 0.0)

    @two_sizes
    @pytest.mark.parametrize("l1_ratios", [[0.0, 0.5, 1.0], [0.0, 1.0], [1.0]])
    def test_readable(self, size, l1_ratios, monkeypatch):
        with mpl.rc_context({"figure.figsize": size}):
            display = self.draw(l1_ratios=l1_ratios)
        assert_readable(display.figure_, monkeypatch)

    @pytest.mark.parametrize("ratios", [[], [1.5], [[0.0]], [-0.1, 0.5]])
    def test_l1_ratios(self, ratios):
        with pytest.raises(ValueError, match=r"l1_ratios is .* from 0"):
            self.draw(l1_ratios=ratios)

    def test_other_problems(self):
        three = np.arange(len(self.y)) % 3
        with pytest.raises(ValueError, match="X has 2 features and y 3 classes; two of both"):
            RegularizationDisplay.from_estimator(SoftmaxClassifier(), self.X, three)
        with pytest.raises(ValueError, match="X has 1 features and y 2 classes"):
            RegularizationDisplay.from_estimator(SoftmaxClassifier(), self.X[:, :1], self.y)
        with pytest.raises(ValueError, match=r"penalty_factor is \[0.0, 1.0\]; .* no ball"):
            self.draw(SoftmaxClassifier(penalty_factor=[0, 1]))
        with pytest.raises(TypeError, match="estimator is a LogisticRegression"):
            RegularizationDisplay.from_estimator(LogisticRegression(), self.X, self.y)
        with pytest.raises(ValueError, match="must be positive and finite"):
            self.draw(alphas=[0.0])

    def test_the_model_that_a_cross_validation_chose(self):
        options = {"l1_ratios": [1.0], "alphas": [0.1], "resolution": 5}
        model = SoftmaxClassifierCV(alphas=[0.3, 0.1], cv=2)
        with pytest.raises(NotFittedError, match="fit it first"):
            RegularizationDisplay.from_estimator(model, self.X, self.y, **options)
        model.fit(self.X, self.y)
        display = RegularizationDisplay.from_estimator(model, self.X, self.y, **options)
        assert display.alpha == model.alpha_


@pytest.mark.parametrize(
    "draw",
    [
        lambda model: LossShapeDisplay.from_scores(),
        lambda model: ScoresDisplay.from_scores(CAT, 0),
        lambda model: TemplatesDisplay.from_estimator(model, image_shape=(1, 2)),
        lambda model: RegularizationDisplay.from_estimator(
            model, *two_by_two(), resolution=2, alphas=[1.0]
        ),
    ],
)
def test_without_matplotlib(draw, monkeypatch):
    """The message says what to install."""
    model, found = SoftmaxClassifier().fit(*two_by_two()), builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r'pip install "sklinear\[plot\]"'):
        draw(model)
