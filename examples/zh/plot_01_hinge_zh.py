r"""
多分类合页损失：猫、汽车、青蛙
==============================

线性分类器用 :math:`z = W^T x + b` 给图片的每个类别一个得分，损失函数衡量我们对这些得分有多不满意。
合页损失（hinge loss）要求正确类别的得分比其他每个类别至少高出间隔 1，差多少就罚多少：

.. math:: \ell(z, y) = \sum_{k \ne y} \max(0, z_k - z_y + 1).
"""

# %%
# 三张图片（每行一张），三个类别的得分（每列一类）：

import matplotlib.pyplot as plt
import numpy as np

from sklinear.losses import cross_entropy_loss, hinge_loss
from sklinear.plotting import LossShapeDisplay, ScoresDisplay

classes = ["cat", "car", "frog"]
scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
y = np.array([0, 1, 2])  # 第一张是猫，第二张是汽车，第三张是青蛙

# %%
# 先算每个错误类别差了多少，再对错误类别求和：

true_scores = scores[np.arange(3), y]
terms = np.maximum(0, scores - true_scores[:, None] + 1)
terms[np.arange(3), y] = 0  # 只计错误类别
losses = terms.sum(axis=1)
mean_loss = losses.mean()
print(terms, losses, mean_loss, sep="\n")

# %%
# 猫的损失是 5.1 − 3.2 + 1 = 2.9，因为汽车的得分比它高。
# 青蛙的损失是 6.3 + 6.6 = 12.9，因为另外两类的得分都远高于它。
# 三张图片的平均损失是 5.27。``sklinear.losses`` 的结果相同。
# 下图最后一列是青蛙图片的各项损失（中间两列留到后面讲）：

assert np.allclose(hinge_loss(scores, y, reduction="none"), losses)
assert np.isclose(hinge_loss(scores, y), mean_loss)

ScoresDisplay.from_scores(scores[2], "frog", class_names=classes)
plt.show()

# %%
# 为什么汽车的损失是 0
# --------------------
# 汽车领先 4.9 − 2.0 = 2.9，超过了间隔 1。只要间隔得到满足，合页损失就不再计较：
# 领先优势再缩小 1.9，损失也毫无变化。把汽车图片的得分都稍微改动一下，合页损失不变；
# 而后面要讲的交叉熵损失会立刻有所反应：

lead = np.sort(scores[1])[-1] - np.sort(scores[1])[-2]
slack = lead - 1
moved = scores[1:2] + np.array([0.5, -0.5, 0.5])
hinge_change = hinge_loss(moved, [1]) - hinge_loss(scores[1:2], [1])
entropy_before = cross_entropy_loss(scores[1:2], [1])
entropy_after = cross_entropy_loss(moved, [1])
print(f"{lead:.1f} {slack:.1f} {hinge_change} {entropy_before:.2f} {entropy_after:.2f}")

# %%
# 合页损失的变化是 0，交叉熵损失从 0.08 升到 0.20。
# 固定另外两个得分，把两种损失画成汽车得分的函数：

LossShapeDisplay.from_scores(
    scores[1], "car", class_names=classes, losses=["hinge", "cross_entropy"]
)
plt.show()

# %%
# 训练开始时的损失
# ----------------
# 当 :math:`W = 0` 时所有得分相等，每个错误类别恰好差一个间隔，所以合页损失等于 :math:`C - 1`，
# 交叉熵损失等于 :math:`\log C`。如果训练开始时的损失不是这个值，程序就有错误：

zero_scores = np.zeros((1, 10))
first_hinge = hinge_loss(zero_scores, [3])
first_entropy = cross_entropy_loss(zero_scores, [3])
print(first_hinge, first_entropy)

# %%
# 共有 10 个类别时，两者分别是 9 和 2.30。
