r"""
Dropout and BatchNorm, where a linear model meets them
======================================================

Both belong to deep networks. In front of a linear model each becomes something familiar: Dropout
a penalty, BatchNorm standardisation.
"""

# %%
# Dropout is noise, and noise is a penalty
# ----------------------------------------
# Each pixel becomes zero with probability :math:`\delta`, the others are divided by :math:`1 -
# \delta`. The mean of a pixel stays what it was, and its variance is :math:`v_{ij} = x_{ij}^2 \,
# \delta / (1 - \delta)`. As the cross-entropy is convex, noise in the scores raises its mean, to
# second order in the weights by
#
# .. math:: R(W) = \frac{1}{2n} \sum_{ij} v_{ij}
#           \Bigl[ \sum_k q_{ik} W_{jk}^2 - \Bigl( \sum_k q_{ik} W_{jk} \Bigr)^2 \Bigr].
#
# That is an L2 penalty weighed by the data: a pixel counts by its square, an image the more the
# less certain the model is (Wager, Wang and Liang, NeurIPS 2013). On digits:

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier
from sklinear.losses import cross_entropy_loss, cross_entropy_loss_gradient

X, y = load_digits(return_X_y=True)
X = X / 16
rng = np.random.default_rng(0)


def drop(X, rate):
    return X * (rng.random(X.shape) >= rate) / (1 - rate)


def rise(model, rate):
    """The mean loss over a hundred draws of the noise, minus the loss without noise."""
    noisy = [cross_entropy_loss(model.decision_function(drop(X, rate)), y) for _ in range(100)]
    return np.mean(noisy) - cross_entropy_loss(model.decision_function(X), y)


def penalty(model, rate):
    q, W, variance = model.predict_proba(X), model.coef_.T, X**2 * rate / (1 - rate)
    return 0.5 * np.mean(np.sum(variance * (q @ W.T**2 - (q @ W.T) ** 2), axis=1))


model = SoftmaxClassifier(alpha=1e-2, tol=1e-6).fit(X, y)
rates = np.array([0.1, 0.5])
rises = np.array([rise(model, rate) for rate in rates])
penalties = np.array([penalty(model, rate) for rate in rates])
print(rises, penalties)

# %%
# If a tenth of the pixels is dropped, the loss rises by 0.066, and the penalty is 0.059; for half
# of them, 0.57 and 0.53. So who trains on noisy images pays this penalty and keeps the weights
# small, at the same ``alpha``:

copies, labels = np.tile(X, (5, 1)), np.tile(y, 5)
noisy = SoftmaxClassifier(alpha=1e-3, tol=1e-6)
noisy_models = [clone(noisy).fit(drop(copies, rate), labels) for rate in (0, 0.5)]
norms = np.array([np.linalg.norm(noisy_model.coef_) for noisy_model in noisy_models])
print(norms)

# %%
# Their norm is 15.5 without noise, and 13.3 if half of the pixels are dropped.
#
# BatchNorm is standardisation
# ----------------------------
# BatchNorm subtracts the mean of each feature and divides by its standard deviation; what it learns
# after that, a scale and a shift, a linear model has in its weights already. For all data at once
# that is ``StandardScaler``. The features of the wines have standard deviations from 0.12 to 314:

X, y = load_wine(return_X_y=True)
deviations = X.std(axis=0)
print(deviations.min(), deviations.max())


def descend(X):
    """The loss before and after each of 100 steps of gradient descent, as long as is safe."""
    X1 = np.column_stack([X, np.ones(len(X))])
    step = 2 * len(X) / np.linalg.norm(X1, ord=2) ** 2
    W = np.zeros((X1.shape[1], 3))
    curve = [cross_entropy_loss(X1 @ W, y)]
    for _ in range(100):
        W -= step * X1.T @ cross_entropy_loss_gradient(X1 @ W, y)
        curve.append(cross_entropy_loss(X1 @ W, y))
    return np.array(curve)


Z = StandardScaler().fit_transform(X)
curves = [descend(X), descend(Z)]
losses = np.array([curve[-1] for curve in curves])
conditions = np.array([np.linalg.cond(np.cov(features.T)) for features in (X, Z)])
print(losses, conditions)

figure, ax = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
ax.semilogy(curves[0], color="#D55E00", linestyle="--", label="$x$")
ax.semilogy(curves[1], color="#0072B2", label=r"$(x - \mu) / \sigma$")
ax.set(xlabel="$t$", ylabel=r"$\ell$")
ax.legend(frameon=False)
plt.show()

# %%
# From log 3 = 1.10, 100 steps come down to 0.98 on the features as they are, and to 0.04 on the
# standardised ones. The condition number of the covariance says why: :math:`1.2 \cdot 10^7` against
# 46. The largest feature dictates the step, and all others hardly move. (The solvers here don't
# mind, but the penalty does: it would forbid the small features their large weights.)
#
# After training
# --------------
# BatchNorm is then a fixed linear map and can be folded into the layer behind it: divide the
# weights by the deviations and correct the intercept. The scores are the same:

pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=1e-3)).fit(X, y)
scaler, model = pipeline
coef = model.coef_ / scaler.scale_
intercept = model.intercept_ - coef @ scaler.mean_
assert np.allclose(X @ coef.T + intercept, pipeline.decision_function(X))
