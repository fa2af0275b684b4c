r"""
Why minus the logarithm of p
============================

The probability that a model gives to *all* labels of a data set is its likelihood, a product:
:math:`\prod_i q_{i y_i}`. The best model has the largest. Its logarithm is a sum, largest at the
same place, and minus the mean of it is the cross-entropy loss.
"""

# %%
# A thousand images
# -----------------
# Before any training each of 10 digits has probability 0.1. Multiply a thousand of those:

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import entropy
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier

n = 1000
start = np.full(n, 0.1)
products = np.cumprod(start)
product = products[-1]
lost_at = np.argmin(products) + 1
log_likelihoods = np.cumsum(np.log(start))
log_likelihood = log_likelihoods[-1]
mean_loss = -log_likelihood / n
print(product, lost_at, log_likelihood, mean_loss)

# %%
# The product is :math:`10^{-1000}`, far below the smallest positive number of double precision,
# about :math:`5 \cdot 10^{-324}`; from the 324th image on it is 0, and the likelihoods of all
# models look the same. The sum of the logarithms is −2302.6, and minus its mean is 2.30, log 10,
# whatever the number of images.

smallest = np.nextafter(0, 1)
print(smallest)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
axes[0].semilogy(np.arange(1, n + 1), products, color="#0072B2")
axes[0].set(xlabel="$n$", ylabel=r"$q_1 \cdots q_n$", xlim=(0, n))
axes[1].plot(np.arange(1, n + 1), log_likelihoods, color="#0072B2")
axes[1].set(xlabel="$n$", ylabel=r"$\log q_1 + \cdots + \log q_n$", xlim=(0, n))
plt.show()

# %%
# After training
# --------------

X, y = load_digits(return_X_y=True)
X, y = X[:n] / 16, y[:n]
model = SoftmaxClassifier(alpha=1e-2).fit(X, y)
log_true = model.predict_log_proba(X)[np.arange(n), y]
trained_loss = -log_true.mean()
typical = np.exp(-trained_loss)
print(log_true.sum(), trained_loss, typical)

# %%
# The mean loss fell from 2.30 to 0.39. Its exponential says what that means: a true class has
# probability 0.68 in the geometric mean, instead of 0.1.
#
# Cross-entropy and Kullback–Leibler divergence
# ---------------------------------------------
# For true probabilities :math:`p` and the model's :math:`q`,
#
# .. math:: -\sum_k p_k \log q_k = H(p) + \mathrm{KL}(p \| q), \qquad
#           H(p) = -\sum_k p_k \log p_k, \quad
#           \mathrm{KL}(p \| q) = \sum_k p_k \log \frac{p_k}{q_k} \ge 0.
#
# The entropy :math:`H(p)` does not depend on the model, so both have the same best :math:`q`. A
# label is a :math:`p` with one 1: its entropy is 0, and cross-entropy, divergence and :math:`-\log
# q_y` are one and the same. For the cat image, and for an image that is a cat with probability 0.7
# and a car with 0.3:

q = np.exp([3.2, 5.1, -1.7])
q /= q.sum()
label, soft = np.array([1, 0, 0]), np.array([0.7, 0.3, 0])
entropies = np.array([entropy(label), entropy(soft)])
divergences = np.array([entropy(label, q), entropy(soft, q)])
cross_entropies = np.array([-label @ np.log(q), -soft @ np.log(q)])
assert np.allclose(entropies + divergences, cross_entropies)
print(entropies, divergences, cross_entropies)

# %%
# Label: 0 + 2.04 = 2.04. Soft label: 0.61 + 0.86 = 1.47.
