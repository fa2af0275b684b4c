"""
The path of a fit over the landscape of its objective
=====================================================

:class:`~sklinear.plotting.LossLandscapeDisplay` evaluates the objective on a plane through the
optimum. With ``directions="path"`` it is the plane in which the fit moved most;
:class:`~sklinear.callbacks.CoefRecorder` records the way.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier
from sklinear.callbacks import CoefRecorder
from sklinear.plotting import LossLandscapeDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
recorder = CoefRecorder()
model = SoftmaxClassifier(alpha=1e-3, tol=1e-6).set_callbacks(recorder).fit(X, y)
LossLandscapeDisplay.from_estimator(model, X, y, path=recorder, directions="path")
plt.show()

# %%
# The same plane as a surface:

LossLandscapeDisplay.from_estimator(model, X, y, path=recorder, directions="path", kind="surface")
plt.show()
