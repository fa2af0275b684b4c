r"""
The squared hinge
=================

Square what each wrong class misses before adding up, and large violations count more:

.. math:: \ell(z, y) = \sum_{k \ne y} \max(0, z_k - z_y + 1)^2.
"""

# %%
# The frog image of the last page missed 6.3 and 6.6:

import matplotlib.pyplot as plt
import numpy as np

from sklinear.losses import hinge_loss, squared_hinge_loss, squared_hinge_loss_gradient
from sklinear.plotting import LossShapeDisplay

scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
y = np.array([0, 1, 2])
frog_terms = scores[2, :2] - scores[2, 2] + 1
frog_squares = frog_terms**2
frog_loss = frog_squares.sum()
square_of_sum = frog_terms.sum() ** 2
print(frog_terms, frog_squares, frog_loss, square_of_sum)

# %%
# The loss is the sum of the squares, 39.69 + 43.56 = 83.25. It is *not* the square of the sum,
# :math:`12.9^2` = 166.41: that would couple the wrong classes with one another.

losses = squared_hinge_loss(scores, y, reduction="none")
assert np.isclose(losses[2], frog_loss)
mean_loss = losses.mean()
print(losses, mean_loss)

# %%
# What the square changes
# -----------------------
# The three losses are 8.41, 0 and 83.25, their mean is 30.55. The one bad image now owns 91 % of
# the total; with the hinge it owned 82 %. The squared hinge would rather have many small violations
# than a large one.

frog_share = 100 * losses[2] / losses.sum()
hinge_losses = hinge_loss(scores, y, reduction="none")
frog_share_hinge = 100 * hinge_losses[2] / hinge_losses.sum()
print(frog_share, frog_share_hinge)

# %%
# The gradient says the same: the hinge pulls at each violating class with force 1, however large
# the violation is; the squared hinge with twice the violation, here 12.6 and 13.2, and the true
# class takes the sum with the other sign, −25.8. Where the violation ends, the force fades to 0
# without a jump, so the squared hinge is smooth.

frog_gradient = squared_hinge_loss_gradient(scores[2:], y[2:])[0]
print(frog_gradient)

LossShapeDisplay.from_scores(
    scores[2],
    "frog",
    class_names=["cat", "car", "frog"],
    losses=["hinge", "squared_hinge"],
)
plt.show()
