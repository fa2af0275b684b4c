"""The fit and its outer iterations as tasks of scikit-learn's callbacks."""

from ._driver import Observer


class FitTasks(Observer):
    """The task "fit", whose subtasks are the outer iterations.

    Parameters
    ----------
    estimator : estimator
        The one that is fitted.
    given : dict
        `X`, `y` and `metadata` for the callbacks that ask for them.
    fitted : callable
        The fitted attributes that belong to a `Solution`; called only where a callback asks
        for the model of an iterate.
    """

    def __init__(self, estimator, given, fitted):
        self.given = {"estimator": estimator, **given}
        self.fitted = fitted
        self.task = None
        self.fit = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        self.fit.call_on_fit_task_begin(**self.given)

    def begin(self, solution):
        """An iteration begins."""
        self.task = self.fit.subcontext(task_name="iteration")
        self.task.call_on_fit_task_begin(**self.given, **self._model(solution))

    def end(self, solution):
        """It has ended; whether a callback wants the fit to stop."""
        if solution is None:
            return self.task.call_on_fit_task_end(estimator=self.given["estimator"])
        return self.task.call_on_fit_task_end(**self.given, **self._model(solution))

    def close(self):
        """The fit has ended, and the estimator is fitted."""
        self.fit.call_on_fit_task_end(**self.given, reconstruction_attributes={})

    def _model(self, solution):
        return {"reconstruction_attributes": lambda: self.fitted(solution())}
