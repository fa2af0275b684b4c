"""Callbacks of scikit-learn during a fit, and the recorder of weights."""

import pickle

import numpy as np
import pandas as pd
import pytest
from data import make_classes
from models import make_model
from oracle import LOSSES
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from sklinear import SoftmaxClassifier, SVMClassifier, _base
from sklinear.callbacks import CoefRecorder

X, Y = make_classes(3)
WEIGHTS = np.random.default_rng(0).integers(1, 5, size=len(Y)).astype(float)

every_loss = pytest.mark.parametrize("loss", LOSSES)


class Hooks:
    """Keeps what each hook is called with; `on_end` is asked for the answer."""

    def __init__(self, on_end=lambda number: None):
        self.calls = []
        self.on_end = on_end

    def setup(self, estimator, context):
        self.calls.append(("setup", context, {}))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context, {}))

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        given = {"X": X, "y": y, "metadata": metadata, "model": fitted_estimator}
        self.calls.append(("begin", context, given))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        given = {"X": X, "y": y, "metadata": metadata, "model": fitted_estimator}
        self.calls.append(("end", context, given))
        if context.task_name == "iteration":
            return self.on_end(context.task_id + 1)
        return None

    def models(self, name):
        """Of the iterations."""
        return [
            given["model"]
            for called, context, given in self.calls
            if called == name and context.task_name == "iteration" and given["model"] is not None
        ]


class Silent:
    """Wants nothing of a task."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = on_fit_task_end = setup


def interrupt_at(number):
    def on_end(current):
        if current == number:
            raise KeyboardInterrupt

    return on_end


def assert_same_fit(model, other):
    """All fitted attributes, but for the seconds."""
    for name in ("coef_", "intercept_", "classes_", "n_iter_", "objective_", "dual_gap_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(other, name))
    for name in ("passes", "objective", "gap"):
        np.testing.assert_array_equal(model.history_[name], other.history_[name])


class TestModelsOfIterates:
    @pytest.mark.parametrize("n_classes", [2, 3])
    @every_loss
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_each_is_that_of_a_fit_which_ends_there(self, loss, n_classes):
        X, y = make_classes(n_classes)
        hooks = Hooks()
        params = {"alpha": 1e-3, "l1_ratio": 0.5, "tol": 1e-6}
        model = make_model(loss, **params).set_callbacks(hooks).fit(X, y)
        models = hooks.models("end")
        assert len(models) == model.n_iter_ > 1
        for number, iterate in enumerate(models, start=1):
            assert_same_fit(iterate, make_model(loss, **params, max_iter=number).fit(X, y))

    @every_loss
    def test_callbacks_change_no_fit(self, loss):
        """Not even the count of passes."""
        params = {"alpha": 1e-3, "tol": 1e-9}
        model = make_model(loss, **params).set_callbacks(Hooks()).fit(X, Y)
        assert_same_fit(model, make_model(loss, **params).fit(X, Y))

    @every_loss
    def test_an_iteration_begins_where_the_one_before_has_ended(self, loss):
        hooks = Hooks()
        make_model(loss, alpha=1e-3).set_callbacks(hooks).fit(X, Y)
        begun, ended = hooks.models("begin"), hooks.models("end")
        for model, before in zip(begun[1:], ended, strict=False):
            assert_same_fit(model, before)

    @every_loss
    def test_the_first_begins_at_zero(self, loss):
        """Its gap is that of the bound zero, as no loss is negative."""
        hooks = Hooks()
        model = make_model(loss, alpha=1e-3, l1_ratio=1.0).set_callbacks(hooks).fit(X, Y)
        start = hooks.models("begin")[0]
        assert start.n_iter_ == len(start.history_["gap"]) - 1 == 0
        assert start.history_["objective"] == model.history_["objective"][0]
        assert not start.coef_.any()
        assert start.objective_ == pytest.approx(model.history_["objective"][0], rel=1e-12)
        assert start.dual_gap_ == pytest.approx(start.objective_, rel=1e-12)
        assert start.predict(X).shape == Y.shape

    @every_loss
    def test_or_at_the_weights_of_a_warm_start(self, loss):
        model = make_model(loss, alpha=1e-3, warm_start=True).fit(X, Y)
        hooks, coef = Hooks(), model.coef_
        model.set_params(alpha=2e-3).set_callbacks(hooks).fit(X, Y)
        np.testing.assert_allclose(hooks.models("begin")[0].coef_, coef, rtol=1e-12)

    def test_refitting_leaves_no_attribute_of_the_fit_before(self):
        hooks = Hooks()
        model = SoftmaxClassifier().fit(X, Y).set_callbacks(hooks)
        model.fit(X[:, :2], np.array(["a", "b", "c"])[Y])
        first = hooks.models("end")[0]
        assert first.n_iter_ == 1
        assert first.n_features_in_ == 2
        assert list(first.classes_) == ["a", "b", "c"]

    def test_float32(self):
        hooks = Hooks()
        SoftmaxClassifier().set_callbacks(hooks).fit(X.astype(np.float32), Y)
        assert {model.coef_.dtype for model in hooks.models("end")} == {np.dtype(np.float32)}


class TestProtocol:
    def test_order_of_the_calls(self):
        hooks = Hooks()
        model = SVMClassifier().set_callbacks(hooks).fit(X, Y)
        names = [(name, context.task_name) for name, context, _ in hooks.calls]
        iteration = [("begin", "iteration"), ("end", "iteration")]
        assert names[:2] == [("setup", "fit"), ("begin", "fit")]
        assert names[2:-2] == iteration * model.n_iter_
        assert names[-2:] == [("end", "fit"), ("teardown", "fit")]

    def test_contexts(self):
        hooks = Hooks()
        SVMClassifier(max_iter=70).set_callbacks(hooks).fit(X, Y)
        fit = hooks.calls[0][1]
        assert (fit.estimator_name, fit.max_subtasks) == ("SVMClassifier", 70)
        tasks = [context for name, context, _ in hooks.calls[2:-2] if name == "end"]
        assert [task.task_id for task in tasks] == list(range(len(tasks)))
        assert {(task.parent, task.max_subtasks) for task in tasks} == {(fit, 0)}

    @pytest.mark.parametrize("weights", [None, WEIGHTS])
    def test_data_and_metadata_are_those_of_scikit_learn(self, weights):
        theirs, ours = Hooks(), Hooks()
        LogisticRegression().set_callbacks(theirs).fit(X, Y, weights)
        SoftmaxClassifier().set_callbacks(ours).fit(X, Y, weights)
        for name in ("X", "y", "metadata"):
            expected = theirs.calls[3][2][name]
            for _, _, given in ours.calls[1:-1]:
                np.testing.assert_equal(given[name], expected)

    def test_the_last_task_is_empty_where_a_solver_ends(self, monkeypatch):
        """There a fit runs out of progress, and no model is passed on."""
        monkeypatch.setattr("sklinear._driver.choose", lambda problem: lambda *args: iter(()))
        hooks = Hooks()
        with pytest.warns(match="stopped after"):
            SoftmaxClassifier().set_callbacks(hooks).fit(X, Y)
        assert hooks.calls[3][0] == "end"
        assert set(hooks.calls[3][2].values()) == {None}

    def test_a_callback_that_stops_the_fit(self):
        """Without a warning: who stops knows."""
        model = SoftmaxClassifier(tol=1e-12)
        model.set_callbacks(Hooks(lambda number: number == 3)).fit(X, Y)
        assert model.n_iter_ == 3
        assert model.dual_gap_ > 1e-12

    def test_an_error_of_a_callback(self):
        """The fit comes to nothing, and the callback is torn down."""

        def fail(number):
            raise RuntimeError("no room")

        hooks = Hooks(fail)
        model = SoftmaxClassifier().set_callbacks(hooks)
        with pytest.raises(RuntimeError, match="no room"):
            model.fit(X, Y)
        assert hooks.calls[-1][0] == "teardown"
        assert set(vars(model)) - set(model.get_params()) == {"_skl_callbacks"}

    @every_loss
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_an_interrupt_leaves_the_model_of_that_iteration(self, loss):
        model = make_model(loss, tol=1e-12).set_callbacks(Hooks(interrupt_at(2)))
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y)
        assert_same_fit(model, make_model(loss, tol=1e-12, max_iter=2).fit(X, Y))

    def test_a_callback_may_fit(self):
        """Inside the limit on BLAS, which holds for the fit around it and for this one."""
        scores = []

        class Refit(Silent):
            def on_fit_task_end(self, estimator, context, *, X=None, y=None):
                scores.append(SVMClassifier().fit(X, y).score(X, y))

        model = SoftmaxClassifier().set_callbacks(Refit()).fit(X, Y)
        assert len(scores) == model.n_iter_ + 1
        assert set(scores) == {SVMClassifier().fit(X, Y).score(X, Y)}

    def test_nothing_remains(self):
        model = SoftmaxClassifier().set_callbacks(Hooks()).fit(X, Y)
        plain = SoftmaxClassifier().fit(X, Y)
        assert set(vars(model)) - set(vars(plain)) == {"_skl_callbacks"}
        assert set(vars(model.set_callbacks())) == set(vars(plain))

    def test_pickle(self):
        monitor = ScoringMonitor(scoring="accuracy")
        model = SoftmaxClassifier().set_callbacks(monitor).fit(X, Y)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(X), model.predict(X))

    @pytest.mark.parametrize("estimator", [SoftmaxClassifier(), SVMClassifier()])
    def test_estimator_checks(self, estimator):
        monitor = ScoringMonitor(scoring="accuracy")
        check_estimator(estimator.set_callbacks(monitor, CoefRecorder()), on_skip=None)


class TestCost:
    def test_no_callbacks_no_mechanism(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise AssertionError("called without callbacks")

        monkeypatch.setattr(_base, "FitTasks", refuse)
        monkeypatch.setattr(SoftmaxClassifier, "_init_callback_context", refuse)
        model = SoftmaxClassifier().fit(X, Y)
        model.set_callbacks(Silent()).set_callbacks().fit(X, Y)
        with pytest.raises(AssertionError, match="called without"):
            model.set_callbacks(Silent()).fit(X, Y)

    def test_no_model_is_made_where_none_is_wanted(self, monkeypatch):
        calls, make = [], _base._fitted_attributes

        def counted(*args):
            calls.append(args)
            return make(*args)

        monkeypatch.setattr(_base, "_fitted_attributes", counted)
        model = SoftmaxClassifier(alpha=1e-3).set_callbacks(Silent()).fit(X, Y)
        assert len(calls) == 1
        model.set_callbacks(Hooks()).fit(X, Y)
        assert len(calls) == 2 + 2 * model.n_iter_


class TestScoringMonitor:
    @every_loss
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("weights", [None, WEIGHTS])
    def test_scores_of_the_iterates(self, loss, weights):
        monitor = ScoringMonitor(scoring="accuracy")
        model = make_model(loss, alpha=1e-3).set_callbacks(monitor).fit(X, Y, weights)
        log = monitor.get_logs().data_as_pandas
        assert log["task_name"].tolist() == ["fit"] + ["iteration"] * model.n_iter_
        for number, score in enumerate(log["accuracy"][1:], start=1):
            shorter = make_model(loss, alpha=1e-3, max_iter=number).fit(X, Y, weights)
            assert score == shorter.score(X, Y, weights)
        assert log["accuracy"][0] == model.score(X, Y, weights)

    def test_probabilities(self):
        monitor = ScoringMonitor(scoring=["neg_log_loss", "accuracy"])
        SoftmaxClassifier(alpha=1e-3).set_callbacks(monitor).fit(X, Y)
        scores = monitor.get_logs().data_as_pandas["neg_log_loss"][1:]
        assert np.all(np.diff(scores) > -1e-3)
        assert scores.iloc[-1] > scores.iloc[0]

    def test_frames(self):
        """No warning of names that are missing."""
        frame = pd.DataFrame(X).add_prefix("x")
        monitor = ScoringMonitor(scoring="accuracy")
        model = SoftmaxClassifier().set_callbacks(monitor).fit(frame, Y)
        assert len(monitor.get_logs().data) == model.n_iter_ + 1

    @every_loss
    def test_pipeline(self, loss):
        monitor = ScoringMonitor(scoring="accuracy")
        pipeline = make_pipeline(StandardScaler(), make_model(loss))
        pipeline[-1].set_callbacks(monitor)
        pipeline.fit(X, Y)
        log = monitor.get_logs().data_as_pandas
        rows = log[log["task_name"] == "iteration"]
        assert len(rows) == pipeline[-1].n_iter_
        assert set(rows["task_id_path"].str.len()) == {3}
        assert rows["accuracy"].iloc[-1] == pipeline.score(X, Y)

    @every_loss
    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_grid_search(self, loss, n_jobs):
        monitor = ScoringMonitor(scoring="accuracy")
        model = make_model(loss).set_callbacks(monitor)
        search = GridSearchCV(model, {"alpha": [1e-3, 1e-1]}, cv=3, n_jobs=n_jobs).fit(X, Y)
        log = monitor.get_logs().data_as_pandas
        log = log[log["task_name"] == "iteration"]
        assert log["parent_task_id_path"].nunique() == 7
        assert log["accuracy"].iloc[-1] > 0.5
        refit = log[log["parent_task_id_path"].str.len() == 2]
        assert len(refit) == search.best_estimator_.n_iter_
        assert refit["accuracy"].iloc[-1] == search.score(X, Y)


class TestProgressBar:
    """Its text on a terminal, as rich prints it."""

    @pytest.fixture(autouse=True)
    def rich(self):
        pytest.importorskip("rich")

    @every_loss
    def test_alone(self, loss, capsys):
        make_model(loss).set_callbacks(ProgressBar()).fit(X, Y)
        printed = capsys.readouterr().out
        assert f"{type(make_model(loss)).__name__} - fit" in printed
        assert "100%" in printed

    def test_pipeline(self, capsys):
        pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier())
        pipeline.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
        printed = capsys.readouterr().out
        assert "Pipeline - fit-final-estimator | SoftmaxClassifier - fit #1" in printed

    def test_grid_search(self, capsys):
        search = GridSearchCV(SVMClassifier(), {"alpha": [1e-3, 1e-1]}, cv=3)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
        assert capsys.readouterr().out.count("SVMClassifier - fit") >= 7
        assert not hasattr(search.best_estimator_, "_skl_callbacks")


class TestCoefRecorder:
    @pytest.mark.parametrize("n_classes", [2, 3])
    @every_loss
    def test_path(self, loss, n_classes):
        X, y = make_classes(n_classes)
        recorder, hooks = CoefRecorder(), Hooks()
        model = make_model(loss, alpha=1e-3).set_callbacks(recorder, hooks).fit(X, y)
        assert recorder.coef.shape == (model.n_iter_ + 1, *model.coef_.shape)
        assert recorder.intercept.shape == (model.n_iter_ + 1, *model.intercept_.shape)
        assert not recorder.coef[0].any()
        for row, iterate in enumerate(hooks.models("end"), start=1):
            np.testing.assert_array_equal(recorder.coef[row], iterate.coef_)
            np.testing.assert_array_equal(recorder.intercept[row], iterate.intercept_)

    def test_of_several_fits_the_last_is_kept(self):
        recorder = CoefRecorder()
        model = SoftmaxClassifier().set_callbacks(recorder)
        GridSearchCV(model, {"alpha": [1e-3, 1e-1]}, cv=3).fit(X, Y)
        clone(model).set_params(alpha=1.0).fit(X[:, :2], Y)
        assert recorder.coef.shape[2] == 2

    def test_other_linear_models(self):
        recorder = CoefRecorder()
        model = LogisticRegression().set_callbacks(recorder).fit(X, Y)
        np.testing.assert_array_equal(recorder.coef[-1], model.coef_)

    def test_a_fit_that_is_interrupted(self):
        recorder = CoefRecorder()
        model = SoftmaxClassifier(tol=1e-12).set_callbacks(recorder, Hooks(interrupt_at(2)))
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y)
        np.testing.assert_array_equal(recorder.coef[-1], model.coef_)
        assert len(recorder.coef) == 3

    def test_before_any_fit(self):
        assert CoefRecorder().coef is None
