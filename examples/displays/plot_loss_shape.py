"""
The losses as functions of one score
====================================

:class:`~sklinear.plotting.LossShapeDisplay` moves one score and holds the others.
"""

# %%
# Two classes, the score of the true one moving
# ---------------------------------------------

import matplotlib.pyplot as plt

from sklinear.plotting import LossShapeDisplay

LossShapeDisplay.from_scores()
plt.show()

# %%
# The cat of the lecture, the score of car moving
# -----------------------------------------------

LossShapeDisplay.from_scores(
    [3.2, 5.1, -1.7], "cat", moving="car", class_names=["cat", "car", "frog"]
)
plt.show()
