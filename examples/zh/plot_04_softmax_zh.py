r"""
softmax：一步一步来
===================

交叉熵损失把得分看作尚未归一化的对数概率，然后看正确类别的概率有多大：

.. math:: q_k = \frac{e^{z_k}}{\sum_l e^{z_l}}, \qquad \ell(z, y) = -\log q_y.
"""

# %%
# 仍以猫的图片为例，三个得分是：猫 3.2，汽车 5.1，青蛙 −1.7：

import matplotlib.pyplot as plt
import numpy as np

from sklinear.losses import cross_entropy_loss, softmax
from sklinear.plotting import ScoresDisplay

scores = np.array([3.2, 5.1, -1.7])
exponentials = np.exp(scores)  # 取指数，变为正数
total = exponentials.sum()
probabilities = exponentials / total  # 归一化，和为一
loss = -np.log(probabilities[0])
print(exponentials, total, probabilities, loss, sep="\n")

# %%
# 取指数得到 24.5、164.0 和 0.18，除以它们的和 188.7，就得到概率 0.13、0.87 和 0.00。
# 正确类别的概率是 0.13，所以损失是 −log 0.13 = 2.04（自然对数）。``sklinear.losses`` 的结果相同：

assert np.allclose(softmax(scores[None])[0], probabilities)
assert np.isclose(cross_entropy_loss(scores[None], [0]), loss)

ScoresDisplay.from_scores(scores, "cat", class_names=["cat", "car", "frog"])
plt.show()

# %%
# 梯度的含义
# ----------
# 损失对得分的梯度是 :math:`q - e_y`，即预测概率减去真实标签：
# 猫是 −0.87，它的得分应当升高；汽车是 0.87，青蛙是 0.00。
# 只有当正确类别的概率为一时梯度才为零，所以与合页损失不同，交叉熵损失永远不会完全满足。

gradient = probabilities - np.array([1, 0, 0])
print(gradient)

# %%
# 很大的得分
# ----------
# 给所有得分加上同一个数，分子分母会约掉，概率不变。因此先减去最大的得分，这样指数都不超过 1。
# 如果不这样做，1000 这样的得分就会使指数溢出：

large = np.array([1000.0, 1001.0, 998.0])
with np.errstate(over="ignore", invalid="ignore"):
    naive = np.exp(large) / np.exp(large).sum()
shifted = np.exp(large - large.max())
stable = shifted / shifted.sum()
print(naive, stable, softmax(large[None])[0], sep="\n")

# %%
# 直接计算得到无穷大除以无穷大，结果不是数；平移后的得分 −1、0 和 −3 则给出概率 0.26、0.71 和 0.04。
