"""
Balls, contours and the solution between them
=============================================

:class:`~sklinear.plotting.RegularizationDisplay` draws a problem of two weights: where a contour of
the loss touches the ball of the penalty, there is the solution. At a corner of the ball a weight is
zero, and only L1 and the elastic net have corners.
"""

# %%
# Sepal and petal length of two irises, once with the softmax and once with the hinge:

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear.plotting import RegularizationDisplay

X, y = load_iris(return_X_y=True)
X, y = StandardScaler().fit_transform(X[50:, [0, 2]]), y[50:]
alphas = np.geomspace(1, 0.01, 31)
RegularizationDisplay.from_estimator(SoftmaxClassifier(alpha=0.05), X, y, alphas=alphas)
plt.show()

# %%

RegularizationDisplay.from_estimator(SVMClassifier(alpha=0.1), X, y, alphas=alphas)
plt.show()
