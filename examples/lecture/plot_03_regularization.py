r"""
Regularisation: which of many weights
=====================================

If some :math:`W` has zero hinge loss, so has :math:`2W`: the data do not tell which weights to
take. A penalty does:

.. math:: F(W) = \frac{1}{n} \sum_i \ell(z_i, y_i) + \alpha R(W).
"""

# %%
# Doubling W keeps a zero loss
# ----------------------------
# Doubling :math:`W` doubles all scores. The car of the first page led by 2.9 and then leads by 5.8;
# its loss was 0 and is 0:

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier
from sklinear.losses import elastic_net_penalty, hinge_loss
from sklinear.plotting import RegularizationDisplay

car_scores = np.array([[1.3, 4.9, 2.0]])
scales = np.array([1, 2])
leads = scales * (car_scores[0, 1] - car_scores[0, 2])
losses = np.array([hinge_loss(scale * car_scores, [1]) for scale in scales])
print(leads, losses)

# %%
# L2 and L1
# ---------
# Two weight vectors give :math:`x = (1, 1, 1, 1)` the same score of 1:

x = np.ones(4)
W = np.array([[1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
scores = W @ x

sums_of_squares = np.sum(W**2, axis=1)
l1_norms = np.sum(np.abs(W), axis=1)
print(scores, sums_of_squares, l1_norms)

# %%
# The sum of squares, 1 against 0.25, prefers the weights that are spread: all features are to take
# part a little. The L1 norm is 1 for both: it does not mind a single large weight, which is why its
# solutions have many zeros.
#
# The elastic net
# ---------------
# A mixture of both, with a share :math:`\rho` of the L1 norm:
#
# .. math:: R(W) = \rho \|W\|_1 + \tfrac{1 - \rho}{2} \|W\|_F^2.
#
# At :math:`\rho` = 0.5 the two vectors cost 0.75 and 0.5625:

penalties = np.array([elastic_net_penalty(w[:, None], l1_ratio=0.5) for w in W])
print(penalties)

# %%
# Balls of equal penalty show the difference. A solution is where a contour of the loss touches the
# ball, and with an L1 part that is often a corner, where a weight is zero:

iris, species = load_iris(return_X_y=True)
features = StandardScaler().fit_transform(iris[50:, [0, 2]])  # two features, two species
RegularizationDisplay.from_estimator(
    SoftmaxClassifier(alpha=0.05), features, species[50:], alphas=np.geomspace(1, 0.01, 31)
)
plt.show()

# %%
# On real digits
# --------------
# How many of the 640 weights are zero with L2, the elastic net and L1?

X, y = load_digits(return_X_y=True)
l1_ratios = [0, 0.5, 1]
models = [SoftmaxClassifier(alpha=1e-2, l1_ratio=rho, tol=1e-8).fit(X / 16, y) for rho in l1_ratios]
n_weights = models[0].coef_.size
zeros = np.array([np.sum(np.abs(model.coef_) < 1e-6) for model in models])
accuracies = np.array([model.score(X / 16, y) for model in models])
n_blank = np.sum((X == 0).all(axis=0))
print(n_weights, zeros, accuracies, n_blank)

# %%
# With L2 there are 30, those of the 3 pixels that are blank in every image; with the elastic net
# 456, with L1 569. Fewer weights fit the training images less closely: the accuracies are 0.95,
# 0.94 and 0.90.
