"""Loss curves and loss landscapes: what they draw."""

import builtins
import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from data import make_classes
from matplotlib import pyplot as plt
from models import make_model
from oracle import LOSSES
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear.callbacks import CoefRecorder
from sklinear.inspection import objective
from sklinear.plotting import LossCurveDisplay, LossLandscapeDisplay

mpl.use("Agg")

X, Y = make_classes(3)
WEIGHTS = np.random.default_rng(0).integers(1, 5, size=len(Y)).astype(float)
every_loss = pytest.mark.parametrize("loss", LOSSES)


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def monitored(model, X=X, scoring="accuracy"):
    """The fitted model and the log of its scores."""
    monitor = ScoringMonitor(scoring=scoring)
    return model.set_callbacks(monitor).fit(X, Y), monitor.get_logs()


def recorded(model, X=X, y=Y, weights=None):
    """The fitted model and its path."""
    recorder = CoefRecorder()
    return model.set_callbacks(recorder).fit(X, y, weights), recorder


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn_texts(figure, monkeypatch):
    """What the texts that are drawn say, their boxes, and whether they are straight."""
    boxes, draw = [], mpl.text.Text.draw

    def noted(text, renderer):
        if text.get_visible() and text.get_text().strip():
            straight = text.get_rotation() % 90 == 0
            boxes.append((text.get_text(), text.get_window_extent(renderer), straight))
        draw(text, renderer)

    figure.draw_without_rendering()  # the layout
    with monkeypatch.context() as patch:
        patch.setattr(mpl.text.Text, "draw", noted)
        figure.draw_without_rendering()
    return boxes


def assert_readable(figure, monkeypatch):
    """All texts are on the page, and no straight one lies over another."""
    boxes, page = drawn_texts(figure, monkeypatch), figure.bbox
    for said, box, _ in boxes:
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert inside, said
    straight = [(said, box) for said, box, is_straight in boxes if is_straight]
    assert len(straight) > 5
    for (one, box), (other, near) in itertools.combinations(straight, 2):
        assert not box.overlaps(near), (one, other)


class TestLossCurve:
    @every_loss
    @pytest.mark.parametrize("x", ["iteration", "passes", "seconds"])
    def test_lines_are_those_of_the_history(self, loss, x):
        model = make_model(loss).fit(X, Y)
        display = LossCurveDisplay.from_estimator(model, x=x)
        expected = range(model.n_iter_ + 1) if x == "iteration" else model.history_[x]
        assert [line.get_label() for line in display.lines_] == ["objective", "gap"]
        for line in display.lines_:
            np.testing.assert_array_equal(line.get_xdata(), expected)
            np.testing.assert_array_equal(line.get_ydata(), model.history_[line.get_label()])

    def test_axes(self):
        display = LossCurveDisplay.from_estimator(SVMClassifier().fit(X, Y))
        assert display.ax_.figure is display.figure_
        assert display.ax_.get_xlabel() == "iteration"
        assert display.ax_.get_ylabel() == "objective and gap"
        assert display.ax_.get_yscale() == "log"
        assert legend_texts(display.ax_) == ["objective", "gap", "tol · F(0)"]
        assert display.score_ax_ is None

    @pytest.mark.parametrize(("x", "label"), [("passes", "passes over X"), ("seconds", "seconds")])
    def test_label_of_x(self, x, label):
        display = LossCurveDisplay.from_estimator(SVMClassifier().fit(X, Y), x=x)
        assert display.ax_.get_xlabel() == label

    def test_ticks_of_iterations_are_integers(self):
        display = LossCurveDisplay.from_estimator(SoftmaxClassifier(alpha=1.0).fit(X, Y))
        ticks = display.ax_.get_xticks()
        np.testing.assert_array_equal(ticks, np.round(ticks))

    @pytest.mark.parametrize("y", ["objective", "gap"])
    def test_one_quantity_alone(self, y):
        model = SVMClassifier().fit(X, Y)
        display = LossCurveDisplay.from_estimator(model, y=y, yscale="linear")
        assert [line.get_label() for line in display.lines_] == [y]
        assert display.ax_.get_ylabel() == y
        assert display.ax_.get_yscale() == "linear"
        assert len(display.target_lines_) == (y == "gap")

    def test_target(self):
        """tol * F(0), and F(0) is C - 1."""
        model = SVMClassifier(tol=1e-3).fit(X, Y)
        display = LossCurveDisplay.from_estimator(model)
        assert list(display.target_lines_[0].get_ydata()) == [2e-3, 2e-3]
        assert display.plot(show_target=False).target_lines_ == []
        assert legend_texts(display.ax_) == ["objective", "gap"]

    def test_existing_axes(self):
        figure, ax = plt.subplots()
        display = LossCurveDisplay.from_estimator(SVMClassifier().fit(X, Y), ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert plt.get_fignums() == [figure.number]

    def test_parameters_of_lines(self):
        model = SVMClassifier().fit(X, Y)
        display = LossCurveDisplay.from_estimator(model, linewidth=7, color="black")
        assert {(line.get_linewidth(), line.get_color()) for line in display.lines_} == {
            (7, "black")
        }

    def test_several_fits(self):
        models = {"one": SoftmaxClassifier().fit(X, Y), "two": SVMClassifier().fit(X, Y)}
        display = LossCurveDisplay.from_estimators(models)
        labels = ["one: objective", "one: gap", "two: objective", "two: gap"]
        assert [line.get_label() for line in display.lines_] == labels
        np.testing.assert_array_equal(display.lines_[3].get_ydata(), models["two"].history_["gap"])
        assert legend_texts(display.ax_) == ["one", "two", "objective", "gap", "tol · F(0)"]
        targets = sorted(line.get_ydata()[0] for line in display.target_lines_)
        np.testing.assert_allclose(targets, [1e-4 * np.log(3), 2e-4])

    def test_fits_differ_without_colour(self):
        """By their markers, and quantities by the dashes."""
        models = [SVMClassifier(alpha=alpha).fit(X, Y) for alpha in (1e-3, 1e-2, 1e-1)]
        display = LossCurveDisplay.from_estimators(models)
        looks = {(line.get_marker(), line.get_linestyle()) for line in display.lines_}
        assert len(looks) == len(display.lines_) == 6

    def test_names(self):
        models = [SVMClassifier().fit(X, Y), SoftmaxClassifier().fit(X, Y)]
        display = LossCurveDisplay.from_estimators([*models, models[0]])
        names = ["SVMClassifier 1", "SoftmaxClassifier", "SVMClassifier 2"]
        assert list(display.histories) == names
        assert list(LossCurveDisplay.from_estimator(models[0], name="mine").histories) == ["mine"]

    @every_loss
    @pytest.mark.parametrize("x", ["iteration", "passes", "seconds"])
    def test_validation(self, loss, x):
        model, log = monitored(make_model(loss))
        display = LossCurveDisplay.from_estimator(model, validation=log, x=x)
        (line,) = display.score_lines_
        expected = range(model.n_iter_ + 1) if x == "iteration" else model.history_[x]
        np.testing.assert_array_equal(line.get_xdata(), expected[1:])
        rows = [row for row in log.data if row["task_name"] == "iteration"]
        np.testing.assert_array_equal(line.get_ydata(), [row["accuracy"] for row in rows])
        assert line.axes is display.score_ax_ is not display.ax_
        assert display.score_ax_.get_ylabel() == "accuracy"
        assert display.score_ax_.yaxis.get_label_position() == "right"
        assert "accuracy" in legend_texts(display.ax_)

    @pytest.mark.parametrize("kind", ["data", "data_as_pandas"])
    def test_rows_of_a_log(self, kind):
        model, log = monitored(SoftmaxClassifier())
        display = LossCurveDisplay.from_estimator(model, validation=getattr(log, kind))
        assert len(display.score_lines_[0].get_xdata()) == model.n_iter_

    def test_one_of_several_scores(self):
        model, log = monitored(SoftmaxClassifier(), scoring=["accuracy", "neg_log_loss"])
        display = LossCurveDisplay.from_estimator(model, validation=log, score_name="neg_log_loss")
        assert display.score_ax_.get_ylabel() == "neg_log_loss"
        assert np.all(display.score_lines_[0].get_ydata() < 0)
        for name in (None, "f1"):
            with pytest.raises(ValueError, match=r"holds the scores \['accuracy', 'neg_log_loss'"):
                LossCurveDisplay.from_estimator(model, validation=log, score_name=name)

    def test_validation_of_one_of_several_fits(self):
        model, log = monitored(SoftmaxClassifier())
        models = {"svm": SVMClassifier().fit(X, Y), "softmax": model}
        display = LossCurveDisplay.from_estimators(models, validation={"softmax": log})
        assert [line.get_label() for line in display.score_lines_] == ["softmax: accuracy"]
        assert display.score_lines_[0].get_color() == display.lines_[2].get_color()
        kinds = ["objective", "gap", "accuracy", "tol · F(0)"]
        assert legend_texts(display.ax_) == ["svm", "softmax", *kinds]

    def test_pipeline(self):
        pipeline = make_pipeline(StandardScaler(), SVMClassifier())
        pipeline.fit(X, Y)
        display = LossCurveDisplay.from_estimator(pipeline)
        assert list(display.histories) == ["SVMClassifier"]
        np.testing.assert_array_equal(display.lines_[1].get_ydata(), pipeline[-1].history_["gap"])

    def test_grid_search(self):
        """The final fit, and of the log its rows."""
        monitor = ScoringMonitor(scoring="accuracy")
        model = SoftmaxClassifier().set_callbacks(monitor)
        search = GridSearchCV(model, {"alpha": [1e-3, 1e-1]}, cv=3).fit(X, Y)
        display = LossCurveDisplay.from_estimator(search, validation=monitor.get_logs())
        np.testing.assert_array_equal(
            display.lines_[1].get_ydata(), search.best_estimator_.history_["gap"]
        )
        assert display.score_lines_[0].get_ydata()[-1] == search.score(X, Y)

    @pytest.mark.parametrize("size", [(4, 3), (9, 6)])
    def test_texts_are_readable(self, size, monkeypatch):
        model, log = monitored(SoftmaxClassifier())
        models = {"softmax": model, "squared hinge": SVMClassifier().fit(X, Y)}
        figure = plt.figure(figsize=size, layout="constrained")
        display = LossCurveDisplay.from_estimators(
            models, validation={"softmax": log}, ax=figure.subplots()
        )
        assert_readable(display.figure_, monkeypatch)


class TestLossCurveErrors:
    @pytest.mark.parametrize(
        "estimator", [SVMClassifier(), make_pipeline(StandardScaler(), SVMClassifier())]
    )
    def test_not_fitted(self, estimator):
        with pytest.raises(NotFittedError, match="not fitted"):
            LossCurveDisplay.from_estimator(estimator)

    def test_no_history(self):
        with pytest.raises(TypeError, match="LogisticRegression keeps no history_"):
            LossCurveDisplay.from_estimator(LogisticRegression().fit(X, Y))

    def test_one_estimator(self):
        pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier())
        with pytest.raises(TypeError, match=r"estimators is a Pipeline.* by from_estimator"):
            LossCurveDisplay.from_estimators(pipeline)

    def test_no_estimators(self):
        with pytest.raises(ValueError, match="estimators is empty"):
            LossCurveDisplay.from_estimators([])

    @pytest.mark.parametrize(
        "bad", [{"x": "epoch"}, {"y": "loss"}, {"yscale": "cubic"}, {"show_target": "no"}]
    )
    def test_parameters(self, bad):
        model = SVMClassifier().fit(X, Y)
        with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter"):
            LossCurveDisplay.from_estimator(model, **bad)

    def test_log_of_an_unknown_name(self):
        model, log = monitored(SoftmaxClassifier())
        with pytest.raises(ValueError, match=r"logs for \['other'\]; the estimators are \['one'\]"):
            LossCurveDisplay.from_estimators({"one": model}, validation={"other": log})

    def test_log_of_another_fit(self):
        _, log = monitored(SoftmaxClassifier(alpha=1e-3))
        model = SoftmaxClassifier(alpha=10.0).fit(X, Y)
        with pytest.raises(ValueError, match="different fits"):
            LossCurveDisplay.from_estimator(model, validation=log)

    def test_log_without_iterations(self):
        model = SoftmaxClassifier().fit(X, Y)
        with pytest.raises(ValueError, match="no row of an iteration"):
            LossCurveDisplay.from_estimator(model, validation=[])

    def test_log_of_fits_beside_each_other(self):
        monitor = ScoringMonitor(scoring="accuracy")
        model = SoftmaxClassifier().set_callbacks(monitor)
        cross_validate(model, X, Y, cv=2)
        rows = [dict(row) for log in monitor.get_logs(select="all") for row in log.data]
        for number, row in enumerate(rows):
            row["parent_task_id_path"] = (0, number)
        with pytest.raises(ValueError, match="fits beside each other"):
            LossCurveDisplay.from_estimator(model.fit(X, Y), validation=rows)


class TestLandscape:
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("n_classes", [2, 3])
    @every_loss
    def test_grid_is_the_objective(self, loss, n_classes, fit_intercept, l1_ratio):
        """At given directions, held against `objective` at the weights themselves."""
        X, y = make_classes(n_classes)
        weights = np.random.default_rng(0).integers(1, 5, size=len(y)).astype(float)
        params = {"alpha": 0.01, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
        model = make_model(loss, class_weight="balanced", **params).fit(X, y, weights)
        rng = np.random.default_rng(0)
        first, second = rng.normal(size=(2, *model.coef_.shape))
        shift = fit_intercept * rng.normal(size=model.intercept_.shape)
        display = LossLandscapeDisplay.from_estimator(
            model,
            X,
            y,
            sample_weight=weights,
            directions=((first, shift), second),
            extent=(-1, 2, -3, 1),
            resolution=4,
        )
        assert display.objective.shape == (4, 4)
        for i, j in itertools.product(range(4), repeat=2):
            a, b = display.x[j], display.y[i]
            expected = objective(
                model,
                X,
                y,
                sample_weight=weights,
                coef=model.coef_ + a * first + b * second,
                intercept=model.intercept_ + a * shift,
            )
            assert display.objective[i, j] == pytest.approx(expected, rel=1e-12)
        assert display.minimum == pytest.approx(model.objective_, rel=1e-12)

    def test_the_optimum_is_lowest(self):
        model = SoftmaxClassifier(alpha=0.01, tol=1e-8).fit(X, Y)
        for seed in range(3):
            display = LossLandscapeDisplay.from_estimator(model, X, Y, random_state=seed)
            assert display.objective.shape == (41, 41)
            assert np.all(display.objective >= model.objective_ - model.dual_gap_)
            assert display.objective[20, 20] == pytest.approx(model.objective_, rel=1e-12)

    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_random_directions(self, fit_intercept):
        """Orthonormal: coordinates are distances, and the plane as wide as the weights are long."""
        model, path = recorded(SoftmaxClassifier(fit_intercept=fit_intercept))
        size = np.hypot(np.linalg.norm(model.coef_), np.linalg.norm(model.intercept_))
        display = LossLandscapeDisplay.from_estimator(
            model, X, Y, path=path, random_state=0, resolution=3
        )
        np.testing.assert_allclose(display.x, [-size, 0, size])
        np.testing.assert_allclose(display.y, [-size, 0, size])
        assert np.linalg.norm(display.path[0, :2]) <= size
        other = LossLandscapeDisplay.from_estimator(model, X, Y, random_state=1, resolution=3)
        assert not np.allclose(display.objective, other.objective)

    def test_path_through_given_directions(self):
        """Also where they are not orthonormal: the nearest points of the plane."""
        model = SoftmaxClassifier().fit(X, Y)
        first, second = np.random.default_rng(0).normal(size=(2, *model.coef_.shape))
        coordinates = np.array([[0.3, -0.2], [-1.0, 2.0], [0.0, 0.0]])
        coefs = model.coef_ + np.einsum("ma,akj->mkj", coordinates, np.stack([first, second]))
        intercepts = np.tile(model.intercept_, (3, 1))
        display = LossLandscapeDisplay.from_estimator(
            model, X, Y, directions=(first, second), path=(coefs, intercepts)
        )
        np.testing.assert_allclose(display.path[:, :2], coordinates, atol=1e-10)
        for (*_, height), coef in zip(display.path, coefs, strict=True):
            assert height == pytest.approx(objective(model, X, Y, coef=coef), rel=1e-12)

    @pytest.mark.parametrize("n_classes", [2, 3])
    @every_loss
    def test_directions_of_the_path(self, loss, n_classes):
        """No other plane through the optimum holds more; the whole path is in the picture."""
        X, y = make_classes(n_classes)
        model, path = recorded(make_model(loss, alpha=1e-3), X, y)
        display = LossLandscapeDisplay.from_estimator(model, X, y, path=path, directions="path")
        steps = np.hstack(
            [
                (path.coef - model.coef_).reshape(len(path.coef), -1),
                path.intercept - model.intercept_,
            ]
        )
        sizes = np.linalg.svd(steps, compute_uv=False)
        held = np.sum(display.path[:, :2] ** 2, axis=0)
        np.testing.assert_allclose(held, sizes[:2] ** 2, rtol=1e-9)
        shares = sizes[:2] ** 2 / np.sum(sizes**2)
        labels = display.ax_.get_xlabel(), display.ax_.get_ylabel()
        assert labels == tuple(f"direction {k + 1} ({shares[k]:.0%})" for k in range(2))
        np.testing.assert_allclose(display.path[-1, :2], 0, atol=1e-9)
        low, high = np.array([display.x[[0, -1]], display.y[[0, -1]]]).T
        assert np.all((low < display.path[:, :2]) & (display.path[:, :2] < high))

    @pytest.mark.parametrize("n_points", [1, 2])
    def test_short_paths(self, n_points):
        """A line leaves the second direction free, and a point both."""
        model, path = recorded(SoftmaxClassifier())
        short = path.coef[-n_points:], path.intercept[-n_points:]
        display = LossLandscapeDisplay.from_estimator(model, X, Y, path=short, directions="path")
        assert display.names[1] == "direction 2 (0%)"
        assert np.ptp(display.x) > 0 < np.ptp(display.y)

    def test_contour(self):
        model, path = recorded(SoftmaxClassifier(alpha=0.01))
        display = LossLandscapeDisplay.from_estimator(
            model, X, Y, path=path, directions="path", resolution=11
        )
        levels = display.contour_.levels
        assert levels[0] <= display.objective.min()
        assert levels[-1] == display.objective.max()
        assert np.all(np.diff(levels) > 0)
        assert display.colorbar_.ax.get_ylabel() == "objective"
        np.testing.assert_array_equal(display.path_.get_xydata(), display.path[:, :2])
        np.testing.assert_array_equal(display.start_.get_xydata(), display.path[:1, :2])
        np.testing.assert_array_equal(display.optimum_.get_xydata(), [[0, 0]])
        assert legend_texts(display.ax_) == ["path", "start", "optimum"]
        np.testing.assert_array_equal(display.ax_.get_xlim(), display.x[[0, -1]])
        np.testing.assert_array_equal(display.ax_.get_ylim(), display.y[[0, -1]])
        assert display.surface_ is None

    def test_surface(self):
        model, path = recorded(SoftmaxClassifier(alpha=0.01))
        display = LossLandscapeDisplay.from_estimator(
            model, X, Y, path=path, directions="path", resolution=11, kind="surface"
        )
        assert display.ax_.name == "3d"
        assert display.ax_.get_zlabel() == "objective"
        assert len(display.surface_.get_facecolor()) == 100
        np.testing.assert_array_equal(np.transpose(display.path_.get_data_3d()), display.path)
        np.testing.assert_array_equal(
            np.ravel(display.optimum_.get_data_3d()), [0, 0, display.minimum]
        )
        assert display.contour_ is display.colorbar_ is None

    def test_without_a_path(self):
        display = LossLandscapeDisplay.from_estimator(SVMClassifier().fit(X, Y), X, Y)
        assert display.path_ is display.start_ is None
        assert legend_texts(display.ax_) == ["optimum"]
        assert display.ax_.get_xlabel() == "direction 1"

    def test_existing_axes(self):
        model = SVMClassifier().fit(X, Y)
        for kind, projection in (("contour", None), ("surface", "3d")):
            figure, ax = plt.subplots(subplot_kw={"projection": projection})
            display = LossLandscapeDisplay.from_estimator(model, X, Y, kind=kind, ax=ax)
            assert display.ax_ is ax
            assert display.figure_ is figure
        assert len(plt.get_fignums()) == 2

    @every_loss
    def test_pipeline_and_search(self, loss):
        pipeline = make_pipeline(StandardScaler(), make_model(loss))
        search = GridSearchCV(pipeline, {f"{pipeline.steps[-1][0]}__alpha": [0.1]}, cv=3)
        search.fit(X, Y)
        display = LossLandscapeDisplay.from_estimator(search, X, Y)
        fitted = search.best_estimator_[-1]
        assert display.minimum == pytest.approx(fitted.objective_, rel=1e-12)

    @pytest.mark.parametrize("size", [(4, 3), (9, 6)])
    @pytest.mark.parametrize("kind", ["contour", "surface"])
    def test_texts_are_readable(self, kind, size, monkeypatch):
        model, path = recorded(SoftmaxClassifier(alpha=0.01))
        figure = plt.figure(figsize=size, layout="constrained")
        projection = "3d" if kind == "surface" else None
        ax = figure.subplots(subplot_kw={"projection": projection})
        LossLandscapeDisplay.from_estimator(
            model, X, Y, path=path, directions="path", kind=kind, ax=ax
        )
        assert_readable(figure, monkeypatch)


class TestLandscapeErrors:
    model = SoftmaxClassifier().fit(X, Y)
    ones = np.ones((3, X.shape[1]))

    def draw(self, **params):
        return LossLandscapeDisplay.from_estimator(self.model, X, Y, **params)

    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="not fitted"):
            LossLandscapeDisplay.from_estimator(SVMClassifier(), X, Y)

    def test_other_estimators(self):
        with pytest.raises(TypeError, match="LogisticRegression"):
            LossLandscapeDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y)

    def test_no_path_to_lie_in(self):
        with pytest.raises(ValueError, match=r"needs a path. Pass path=recorder"):
            self.draw(directions="path")

    def test_recorder_without_a_fit(self):
        with pytest.raises(ValueError, match="recorded nothing yet"):
            self.draw(path=CoefRecorder())

    def test_path_of_another_fit(self):
        _, path = recorded(SoftmaxClassifier(), X[:, :2])
        with pytest.raises(ValueError, match="path has coef of the shape"):
            self.draw(path=path)
        with pytest.raises(ValueError, match="path has intercept of the shape"):
            self.draw(path=(self.ones[None], np.zeros((1, 2))))

    def test_parallel_directions(self):
        for second in (2 * self.ones, 0 * self.ones):
            with pytest.raises(ValueError, match="span no plane"):
                self.draw(directions=(self.ones, second))

    def test_shape_of_directions(self):
        with pytest.raises(ValueError, match="direction 2 has the shape"):
            self.draw(directions=(self.ones, self.ones[:2]))
        with pytest.raises(ValueError, match="the intercept of direction 1 has the shape"):
            self.draw(directions=((self.ones, np.zeros(2)), self.ones))
        with pytest.raises(ValueError, match="directions has 1 entries"):
            self.draw(directions=(self.ones,))

    @pytest.mark.parametrize("extent", [(1, -1, 0, 1), (0, 1), (0, 1, 1, 1)])
    def test_extent(self, extent):
        with pytest.raises(ValueError, match=r"extent is .* left < right"):
            self.draw(extent=extent)

    @pytest.mark.parametrize(
        "bad", [{"directions": "best"}, {"extent": -1.0}, {"resolution": 1}, {"kind": "map"}]
    )
    def test_parameters(self, bad):
        with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter"):
            self.draw(**bad)

    def test_axes_of_the_wrong_kind(self):
        _, flat = plt.subplots()
        with pytest.raises(ValueError, match="needs axes with three dimensions"):
            self.draw(kind="surface", ax=flat)
        _, solid = plt.subplots(subplot_kw={"projection": "3d"})
        with pytest.raises(ValueError, match="needs axes with two dimensions"):
            self.draw(ax=solid)


@pytest.mark.parametrize(
    "draw",
    [
        lambda model: LossCurveDisplay.from_estimator(model),
        lambda model: LossLandscapeDisplay.from_estimator(model, X, Y, resolution=3),
    ],
)
def test_without_matplotlib(draw, monkeypatch):
    """The message says what to install."""
    found = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r'pip install "sklinear\[plot\]"'):
        draw(SVMClassifier().fit(X, Y))


def test_import_does_without_matplotlib():
    code = "import sys, sklinear.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
