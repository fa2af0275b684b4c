"""
One sample, from scores to losses
=================================

:class:`~sklinear.plotting.ScoresDisplay` shows how the scores of a sample become probabilities, and
which classes cost a hinge.
"""

# %%
# The digit about which a model is least certain:

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier
from sklinear.plotting import ScoresDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
model = SoftmaxClassifier(alpha=1e-3).fit(X, y)
worst = np.argmin(model.predict_proba(X)[np.arange(len(y)), y])
ScoresDisplay.from_estimator(model, X[worst], y[worst])
plt.show()

# %%
# The image itself:

plt.figure(figsize=(2, 2))
plt.imshow(X[worst].reshape(8, 8), cmap="gray_r")
plt.axis("off")
plt.show()
