r"""
正则化：在众多权重中选哪一个
============================

如果某个 :math:`W` 的合页损失为零，那么 :math:`2W` 的合页损失也为零：数据本身无法决定取哪一个权重。
正则化项可以：

.. math:: F(W) = \frac{1}{n} \sum_i \ell(z_i, y_i) + \alpha R(W).
"""

# %%
# W 加倍，零损失不变
# ------------------
# :math:`W` 加倍，所有得分也加倍。第一页的汽车图片原来领先 2.9，现在领先 5.8，
# 损失原来是 0，现在仍是 0：

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import StandardScaler

from sklinear import SoftmaxClassifier
from sklinear.losses import elastic_net_penalty, hinge_loss
from sklinear.plotting import RegularizationDisplay

car_scores = np.array([[1.3, 4.9, 2.0]])
scales = np.array([1, 2])
leads = scales * (car_scores[0, 1] - car_scores[0, 2])
losses = np.array([hinge_loss(scale * car_scores, [1]) for scale in scales])
print(leads, losses)

# %%
# L2 与 L1
# --------
# 对 :math:`x = (1, 1, 1, 1)`，下面两个权重向量给出相同的得分 1：

x = np.ones(4)
W = np.array([[1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
scores = W @ x

sums_of_squares = np.sum(W**2, axis=1)
l1_norms = np.sum(np.abs(W), axis=1)
print(scores, sums_of_squares, l1_norms)

# %%
# 平方和分别是 1 和 0.25，所以 L2 正则化偏好分散的权重，让每个特征都起一点作用。
# 两者的 L1 范数都是 1：L1 正则化并不介意单个大的权重，因此它的解中有许多零。
#
# 弹性网络
# --------
# 弹性网络（elastic net）是两者的混合，L1 范数所占的比例为 :math:`\rho`：
#
# .. math:: R(W) = \rho \|W\|_1 + \tfrac{1 - \rho}{2} \|W\|_F^2.
#
# 取 :math:`\rho` = 0.5，两个向量的惩罚分别是 0.75 和 0.5625：

penalties = np.array([elastic_net_penalty(w[:, None], l1_ratio=0.5) for w in W])
print(penalties)

# %%
# 惩罚相等的点围成一个“球”，从球的形状可以看出差别。损失的等高线与球相切的地方就是解；
# 含有 L1 时，切点往往在球的尖角上，那里有一个权重为零：

iris, species = load_iris(return_X_y=True)
features = StandardScaler().fit_transform(iris[50:, [0, 2]])  # 两个特征，两个品种
RegularizationDisplay.from_estimator(
    SoftmaxClassifier(alpha=0.05), features, species[50:], alphas=np.geomspace(1, 0.01, 31)
)
plt.show()

# %%
# 真实的手写数字
# --------------
# 在 L2 正则化、弹性网络和 L1 正则化下，640 个权重中各有多少个为零？

X, y = load_digits(return_X_y=True)
l1_ratios = [0, 0.5, 1]
models = [SoftmaxClassifier(alpha=1e-2, l1_ratio=rho, tol=1e-8).fit(X / 16, y) for rho in l1_ratios]
n_weights = models[0].coef_.size
zeros = np.array([np.sum(np.abs(model.coef_) < 1e-6) for model in models])
accuracies = np.array([model.score(X / 16, y) for model in models])
n_blank = np.sum((X == 0).all(axis=0))
print(n_weights, zeros, accuracies, n_blank)

# %%
# L2 正则化下只有 30 个，属于在所有图片中都空白的 3 个像素；弹性网络有 456 个，L1 正则化有 569 个。
# 权重越少，对训练图片的拟合就越松：准确率分别是 0.95、0.94 和 0.90。
