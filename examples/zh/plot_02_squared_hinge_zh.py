r"""
平方合页损失
============

先把每个错误类别差的量平方，再求和，这样大的差距会罚得更重：

.. math:: \ell(z, y) = \sum_{k \ne y} \max(0, z_k - z_y + 1)^2.
"""

# %%
# 上一页的青蛙图片，两个错误类别分别差 6.3 和 6.6：

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
# 损失是平方之和：39.69 + 43.56 = 83.25。
# 它 *不是* 和的平方 :math:`12.9^2` = 166.41，那样会把各个错误类别相互耦合在一起。

losses = squared_hinge_loss(scores, y, reduction="none")
assert np.isclose(losses[2], frog_loss)
mean_loss = losses.mean()
print(losses, mean_loss)

# %%
# 平方改变了什么
# --------------
# 三张图片的损失是 8.41、0 和 83.25，平均为 30.55。分得最差的那张图片现在占总损失的 91 %，
# 而用合页损失时只占 82 %。平方合页损失宁愿有许多小的差距，也不愿有一个大的差距。

frog_share = 100 * losses[2] / losses.sum()
hinge_losses = hinge_loss(scores, y, reduction="none")
frog_share_hinge = 100 * hinge_losses[2] / hinge_losses.sum()
print(frog_share, frog_share_hinge)

# %%
# 梯度也说明同样的事：无论差多少，合页损失对每个违反间隔的类别的“拉力”都是 1；
# 平方合页损失的拉力则是差距的两倍，这里是 12.6 和 13.2，正确类别承受两者之和，符号相反，即 −25.8。
# 差距趋于零时拉力平滑地减小到 0，没有跳跃，所以平方合页损失是光滑的。

frog_gradient = squared_hinge_loss_gradient(scores[2:], y[2:])[0]
print(frog_gradient)

LossShapeDisplay.from_scores(
    scores[2],
    "frog",
    class_names=["cat", "car", "frog"],
    losses=["hinge", "squared_hinge"],
)
plt.show()
