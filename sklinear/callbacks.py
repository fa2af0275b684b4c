"""Callbacks for scikit-learn's `set_callbacks`."""

import numpy as np
import scipy.sparse as sp

__all__ = ["CoefRecorder"]


class CoefRecorder:
    """Keeps the weights of a linear model at the start and after each iteration of its fit.

    A fit of n iterations leaves n + 1 rows, as many as `history_` has. Meant for one fit at a
    time, in this process; of several fits the one that ended last is kept.

    Attributes
    ----------
    coef : ndarray of shape (n_iter + 1, C, n_features), or (n_iter + 1, 1, n_features)
        `coef_` at the start and after each iteration, of the model the fit would have given
        had it ended there; None before the first fit.
    intercept : ndarray of shape (n_iter + 1, C), or (n_iter + 1, 1)
        `intercept_` likewise.

    See Also
    --------
    sklinear.plotting.LossLandscapeDisplay : Draws the path over the objective.
    sklearn.callback.ScoringMonitor : Keeps scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifier
    >>> from sklinear.callbacks import CoefRecorder
    >>> recorder = CoefRecorder()
    >>> model = SoftmaxClassifier().set_callbacks(recorder).fit(*load_iris(return_X_y=True))
    >>> recorder.coef.shape == (model.n_iter_ + 1, 3, 4)
    True
    >>> bool((recorder.coef[-1] == model.coef_).all())
    True
    """

    def __init__(self):
        self.coef = None
        self.intercept = None
        self._paths = {}

    def setup(self, estimator, context):
        """A fit begins."""
        self._paths[context] = []

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        """Keep the start, before the first iteration."""
        path = self._paths.get(context.parent)
        if path == [] and fitted_estimator is not None:
            path.append(_weights(fitted_estimator))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Keep the weights after an iteration."""
        path = self._paths.get(context.parent)
        if path is not None and fitted_estimator is not None:
            path.append(_weights(fitted_estimator))

    def teardown(self, estimator, context):
        """The fit has ended, well or not."""
        path = self._paths.pop(context)
        if path:
            self.coef, self.intercept = (np.stack(part) for part in zip(*path, strict=True))


def _weights(model):
    coef = model.coef_.toarray() if sp.issparse(model.coef_) else model.coef_
    return coef, np.atleast_1d(model.intercept_)
