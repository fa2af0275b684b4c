r"""
Softmax, step by step
=====================

Cross-entropy reads scores as logarithms of probabilities that are not normalised yet, and asks
how probable the true class is:

.. math:: q_k = \frac{e^{z_k}}{\sum_l e^{z_l}}, \qquad \ell(z, y) = -\log q_y.
"""

# %%
# The cat image again, with scores 3.2 for cat, 5.1 for car and −1.7 for frog:

import matplotlib.pyplot as plt
import numpy as np

from sklinear.losses import cross_entropy_loss, softmax
from sklinear.plotting import ScoresDisplay

scores = np.array([3.2, 5.1, -1.7])
exponentials = np.exp(scores)  # positive
total = exponentials.sum()
probabilities = exponentials / total  # and of sum one
loss = -np.log(probabilities[0])
print(exponentials, total, probabilities, loss, sep="\n")

# %%
# The exponentials are 24.5, 164.0 and 0.18. Divided by their sum, 188.7, they become the
# probabilities 0.13, 0.87 and 0.00. The true class has 0.13, so the loss is −log 0.13 = 2.04.
# ``sklinear.losses`` agrees:

assert np.allclose(softmax(scores[None])[0], probabilities)
assert np.isclose(cross_entropy_loss(scores[None], [0]), loss)

ScoresDisplay.from_scores(scores, "cat", class_names=["cat", "car", "frog"])
plt.show()

# %%
# What it wants
# -------------
# The gradient with respect to the scores is :math:`q - e_y`, probability minus truth: −0.87 for
# cat, whose score should rise, 0.87 for car and 0.00 for frog. It is zero only where the true class
# has probability one, so unlike the hinge, cross-entropy is never quite content.

gradient = probabilities - np.array([1, 0, 0])
print(gradient)

# %%
# Large scores
# ------------
# A number added to all scores cancels in the quotient. So subtract the largest score first: then no
# exponential is above 1. Without this, scores like 1000 overflow:

large = np.array([1000.0, 1001.0, 998.0])
with np.errstate(over="ignore", invalid="ignore"):
    naive = np.exp(large) / np.exp(large).sum()
shifted = np.exp(large - large.max())
stable = shifted / shifted.sum()
print(naive, stable, softmax(large[None])[0], sep="\n")

# %%
# The naive way ends in infinity divided by infinity, which is not a number; the shifted scores −1,
# 0 and −3 give 0.26, 0.71 and 0.04.
