"""
Choosing alpha: paths, cross-validation and one standard error
==============================================================

A cross-validated estimator fits a path of alphas on every fold, each fit with a certified gap, and
chooses alpha by the scores of the rows left out. :class:`~sklinear.plotting.CVScoresDisplay` shows
the choice, :class:`~sklinear.plotting.CoefficientPathDisplay` what it does to the weights.
"""

# %%
# Wide data
# ---------
#
# Drawn to resemble gene expression: 100 samples of four classes, 2,000 correlated features, of
# which 20 differ between the classes.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifierCV
from sklinear.plotting import CoefficientPathDisplay, CVScoresDisplay

rng = np.random.default_rng(0)
y = np.arange(100) % 4
shared = rng.normal(size=(100, 10)) @ rng.normal(size=(10, 2000)) / 5
X = shared + rng.normal(size=(100, 2000))
X[:, :20] += 0.9 * rng.normal(size=(4, 20))[y]

model = SoftmaxClassifierCV(alphas=60, eps=0.03, l1_ratios=[1.0], cv=10, selection="1se")
model.fit(X, y)
CVScoresDisplay.from_estimator(model)
plt.show()

# %%
# The best alpha has the largest mean score. "One standard error" takes the largest alpha whose
# mean is not demonstrably worse: fewer features for the same quality.

used = np.flatnonzero(model.coef_.any(axis=0))
print(f"{len(used)} of 2000 features, {np.count_nonzero(used < 20)} of the 20 true ones")

# %%
# Their weights for one class, and where on the path the choice lies:

CoefficientPathDisplay.from_estimator(model, X, y, label=0)
plt.show()

# %%
# Digits
# ------
#
# Three shares of the L1 norm, each with its own grid. With more samples than features, the
# standard error is small, and so is the step from the best alpha to the simpler one.

X, y = load_digits(return_X_y=True)
digits = SoftmaxClassifierCV(alphas=30, l1_ratios=[0.1, 0.5, 1.0], cv=5).fit(X / 16, y)
CVScoresDisplay.from_estimator(digits)
plt.show()

# %%
# Every score comes from a fit that was proved to be within ``tol`` of its optimum, so what the
# curve shows is the model, not where a solver stopped.

print(f"alpha = {digits.alpha_:.2g}, l1_ratio = {digits.l1_ratio_:g}")
