r"""
The multiclass hinge: cat, car, frog
====================================

A linear classifier gives an image one score per class, :math:`z = W^T x + b`. The loss says how
unhappy we are with the scores. The hinge asks that the true class beats each other class by a
margin of 1, and adds up what is missing:

.. math:: \ell(z, y) = \sum_{k \ne y} \max(0, z_k - z_y + 1).
"""

# %%
# Three images, a row each, with the scores of three classes, a column each:

import matplotlib.pyplot as plt
import numpy as np

from sklinear.losses import cross_entropy_loss, hinge_loss
from sklinear.plotting import LossShapeDisplay, ScoresDisplay

classes = ["cat", "car", "frog"]
scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
y = np.array([0, 1, 2])  # the first is a cat, the second a car, the third a frog

# %%
# What each wrong class misses, and the sum over the wrong classes:

true_scores = scores[np.arange(3), y]
terms = np.maximum(0, scores - true_scores[:, None] + 1)
terms[np.arange(3), y] = 0  # only wrong classes count
losses = terms.sum(axis=1)
mean_loss = losses.mean()
print(terms, losses, mean_loss, sep="\n")

# %%
# The cat's loss is 5.1 − 3.2 + 1 = 2.9: car beats it. The frog's is 6.3 + 6.6 = 12.9: both others
# beat it by far. The mean over the images is 5.27. ``sklinear.losses`` computes the same, and the
# last column of the picture shows the frog's terms (the columns before it belong to a later page):

assert np.allclose(hinge_loss(scores, y, reduction="none"), losses)
assert np.isclose(hinge_loss(scores, y), mean_loss)

ScoresDisplay.from_scores(scores[2], "frog", class_names=classes)
plt.show()

# %%
# Why the car's loss is 0
# -----------------------
# Car leads by 4.9 − 2.0 = 2.9, more than the margin of 1. Once the margin is kept, the hinge is
# content: the lead may shrink by 1.9 before the loss notices. Change all scores of the car image a
# little, and nothing happens; cross-entropy, of which later pages tell, notices at once:

lead = np.sort(scores[1])[-1] - np.sort(scores[1])[-2]
slack = lead - 1
moved = scores[1:2] + np.array([0.5, -0.5, 0.5])
hinge_change = hinge_loss(moved, [1]) - hinge_loss(scores[1:2], [1])
entropy_before = cross_entropy_loss(scores[1:2], [1])
entropy_after = cross_entropy_loss(moved, [1])
print(f"{lead:.1f} {slack:.1f} {hinge_change} {entropy_before:.2f} {entropy_after:.2f}")

# %%
# The hinge changes by 0, the cross-entropy rises from 0.08 to 0.20. Both as functions of the score
# of car, while the others stay:

LossShapeDisplay.from_scores(
    scores[1], "car", class_names=classes, losses=["hinge", "cross_entropy"]
)
plt.show()

# %%
# At the start
# ------------
# With :math:`W = 0` all scores are equal, every wrong class misses exactly the margin, and the loss
# is :math:`C - 1`; cross-entropy is :math:`\log C`. A first loss that is anything else is a bug:

zero_scores = np.zeros((1, 10))
first_hinge = hinge_loss(zero_scores, [3])
first_entropy = cross_entropy_loss(zero_scores, [3])
print(first_hinge, first_entropy)

# %%
# For 10 classes: 9 and 2.30.
