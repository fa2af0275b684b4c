"""
Objective and certified gap, iteration by iteration
===================================================

:class:`~sklinear.plotting.LossCurveDisplay` draws the ``history_`` of one fit or of several. The
gap bounds how far the objective is above its minimum; the fit ends where it falls below the target.
"""

# %%
# One fit against passes over the data
# ------------------------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear.plotting import LossCurveDisplay

X, y = load_digits(return_X_y=True)
model = make_pipeline(MinMaxScaler(), SoftmaxClassifier(alpha=1e-3, tol=1e-6)).fit(X, y)
LossCurveDisplay.from_estimator(model, x="passes")
plt.show()

# %%
# The three losses side by side
# -----------------------------

models = {
    "softmax": SoftmaxClassifier(alpha=1e-2),
    "hinge": SVMClassifier(alpha=1e-2),
    "squared hinge": SVMClassifier(alpha=1e-2, loss="squared_hinge"),
}
fits = {name: estimator.fit(X / 16, y) for name, estimator in models.items()}
LossCurveDisplay.from_estimators(fits)
plt.show()
