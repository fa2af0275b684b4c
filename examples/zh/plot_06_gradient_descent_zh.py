r"""
用梯度下降识别手写数字
======================

梯度指向上升最快的方向，所以一次又一次地沿负梯度方向走一步，学习率为 :math:`\eta`：

.. math:: W \leftarrow W - \eta \, \nabla_W F, \qquad b \leftarrow b - \eta \, \nabla_b F.
"""

# %%
# 目标函数与梯度
# --------------
# 共有 1797 张图片，每张 64 个像素。由链式法则，目标函数对权重的梯度是 :math:`X^T G + \alpha W`，
# 其中 :math:`G` 的每一行是平均损失对一张图片得分的梯度。
# 权重和截距放在同一个数组里，最后一行是截距：

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier
from sklinear.inspection import check_gradient
from sklinear.losses import cross_entropy_loss, cross_entropy_loss_gradient, elastic_net_penalty
from sklinear.plotting import TemplatesDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
alpha = 1e-2


def objective(parameters):
    W, b = parameters[:-1], parameters[-1]
    return cross_entropy_loss(X @ W + b, y) + elastic_net_penalty(W, alpha)


def gradient(parameters):
    W, b = parameters[:-1], parameters[-1]
    G = cross_entropy_loss_gradient(X @ W + b, y)
    return np.vstack([X.T @ G + alpha * W, G.sum(axis=0)])


# %%
# 先检查梯度
# ----------
# 写错的梯度也可能让损失下降，所以使用之前要先与差商（数值梯度）比较：

somewhere = np.random.default_rng(0).standard_normal((65, 10))
check = check_gradient(objective, gradient, somewhere, random_state=0)
print(check)

# %%
# 检查通过。如果梯度漏掉了正则化项，就通不过：


def forgetful(parameters):
    penalty_part = alpha * parameters
    penalty_part[-1] = 0
    return gradient(parameters) - penalty_part


forgetful_check = check_gradient(objective, forgetful, somewhere, random_state=0)
print(check.passed, forgetful_check.passed)

# %%
# 再做梯度下降
# ------------
# 从零开始走 300 步，学习率 :math:`\eta = 1`：

parameters = np.zeros((65, 10))
curve = [objective(parameters)]
for _ in range(300):
    parameters = parameters - gradient(parameters)
    curve.append(objective(parameters))
curve = np.array(curve)
accuracy = 100 * np.mean((X @ parameters[:-1] + parameters[-1]).argmax(axis=1) == y)
print(curve[[0, 100, 300]], accuracy)

# %%
# 离最优还有多远？
# ----------------
# 只看曲线无法判断：到达最优点时曲线会变平，遇到狭长的谷底时曲线也会变平。
# 而带有最优性证明的模型可以回答：它的目标函数值减去对偶间隙是一个下界，任何权重都不可能低于它：

model = SoftmaxClassifier(alpha=alpha, tol=1e-8).fit(X, y)
bound = model.objective_ - model.dual_gap_
excess = curve - bound
print(bound, excess[[100, 200, 300]])

# %%
# 目标函数从 log 10 = 2.303 开始，100 步后为 0.7428，300 步后为 0.7396，此时 95.2 % 的图片分类正确。
# 任何权重都达不到 0.7385 以下，所以还差 0.0011。在对数坐标下可以看到，剩下的部分下降得多么缓慢：

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
axes[0].plot(curve, color="#0072B2", label="$F(W, b)$")
axes[0].axhline(bound, color="#D55E00", linestyle="--", label=r"$F(\hat W, \hat b) - \mathrm{gap}$")
axes[0].set(xlabel="$t$", ylabel="$F$")
axes[0].legend(frameon=False)
axes[1].semilogy(excess, color="#0072B2")
axes[1].set(xlabel="$t$", ylabel=r"$F(W, b) - F(\hat W, \hat b) + \mathrm{gap}$")
plt.show()

# %%
# 学到了什么
# ----------
# 得分是图片与某一类权重的内积，所以权重就像这一类的模板：
# 权重为正处，有笔画会提高这一类的得分；权重为负处，有笔画会降低得分。

TemplatesDisplay.from_estimator(model)
plt.show()
