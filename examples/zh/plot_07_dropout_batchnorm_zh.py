r"""
线性模型中的 Dropout 与 BatchNorm
=================================

两者都来自深度网络。放在线性模型前面，它们就变成了熟悉的东西：
Dropout 相当于正则化，BatchNorm 相当于标准化。
"""

# %%
# Dropout 是噪声，噪声相当于正则化
# --------------------------------
# 每个像素以概率 :math:`\delta` 置零，其余像素除以 :math:`1 - \delta`。
# 像素的均值不变，方差为 :math:`v_{ij} = x_{ij}^2 \, \delta / (1 - \delta)`。
# 交叉熵损失是凸函数，得分中的噪声会使损失的期望升高；对权重展开到二阶，升高的量为
#
# .. math:: R(W) = \frac{1}{2n} \sum_{ij} v_{ij}
#           \Bigl[ \sum_k q_{ik} W_{jk}^2 - \Bigl( \sum_k q_{ik} W_{jk} \Bigr)^2 \Bigr].
#
# 这是由数据加权的 L2 正则化项：像素值的平方越大，该像素的权重罚得越重；
# 模型对图片越没有把握，该图片的份量越大
# (Wager, Wang and Liang, NeurIPS 2013)。在手写数字上验证：

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
    """一百次噪声下的平均损失，减去没有噪声时的损失。"""
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
# 丢弃十分之一的像素，损失升高 0.066，而正则化项是 0.059；丢弃一半，则分别是 0.57 和 0.53。
# 所以用带噪声的图片训练，就等于付出这一惩罚，在 ``alpha`` 相同的情况下得到更小的权重：

copies, labels = np.tile(X, (5, 1)), np.tile(y, 5)
noisy = SoftmaxClassifier(alpha=1e-3, tol=1e-6)
noisy_models = [clone(noisy).fit(drop(copies, rate), labels) for rate in (0, 0.5)]
norms = np.array([np.linalg.norm(noisy_model.coef_) for noisy_model in noisy_models])
print(norms)

# %%
# 没有噪声时权重的范数是 15.5，丢弃一半像素时是 13.3。
#
# BatchNorm 相当于标准化
# ----------------------
# BatchNorm 对每个特征减去均值、除以标准差；之后再学习的缩放和平移，线性模型的权重和截距本来就有。
# 如果用全部数据计算均值和标准差，它就是 ``StandardScaler``。
# 葡萄酒数据各特征的标准差从 0.12 到 314 不等：

X, y = load_wine(return_X_y=True)
deviations = X.std(axis=0)
print(deviations.min(), deviations.max())


def descend(X):
    """以安全的最大步长做 100 步梯度下降，返回每一步前后的损失。"""
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
# 损失从 log 3 = 1.10 开始，用原始特征走 100 步降到 0.98，用标准化后的特征则降到 0.04。
# 协方差矩阵的条件数说明了原因：前者是 :math:`1.2 \cdot 10^7`，后者是 46。
# 步长由最大的特征决定，其他特征的权重几乎不动。
# （本软件包的求解器不受此影响，但正则化项受影响：数值小的特征需要大的权重，却会因此受到重罚。）
#
# 训练之后
# --------
# 此时 BatchNorm 是固定的线性变换，可以并入后面的线性层：权重除以标准差，再修正截距，得分不变：

pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=1e-3)).fit(X, y)
scaler, model = pipeline
coef = model.coef_ / scaler.scale_
intercept = model.intercept_ - coef @ scaler.mean_
assert np.allclose(X @ coef.T + intercept, pipeline.decision_function(X))
