"""
The weights of each class as an image
=====================================

:class:`~sklinear.plotting.TemplatesDisplay` draws what a linear model of images has learnt, all
classes on one symmetric scale.
"""

# %%
# L2 keeps all pixels a little
# ----------------------------

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier
from sklinear.plotting import TemplatesDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
TemplatesDisplay.from_estimator(SoftmaxClassifier(alpha=1e-2).fit(X, y))
plt.show()

# %%
# L1 keeps few
# ------------

TemplatesDisplay.from_estimator(SoftmaxClassifier(alpha=1e-2, l1_ratio=1).fit(X, y))
plt.show()
