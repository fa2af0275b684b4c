r"""
为什么取负对数 −log p
=====================

模型赋予数据集 *全部* 标签的概率称为似然，它是一个乘积：:math:`\prod_i q_{i y_i}`。
似然最大的模型最好。取对数后乘积变成和，最大值点不变；对数似然的平均值取负号，就是交叉熵损失。
"""

# %%
# 一千张图片
# ----------
# 训练之前，10 个数字的概率都是 0.1。把一千个这样的概率相乘：

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import entropy
from sklearn.datasets import load_digits

from sklinear import SoftmaxClassifier

n = 1000
start = np.full(n, 0.1)
products = np.cumprod(start)
product = products[-1]
lost_at = np.argmin(products) + 1
log_likelihoods = np.cumsum(np.log(start))
log_likelihood = log_likelihoods[-1]
mean_loss = -log_likelihood / n
print(product, lost_at, log_likelihood, mean_loss)

# %%
# 乘积是 :math:`10^{-1000}`，远小于双精度浮点数能表示的最小正数（约 :math:`5 \cdot 10^{-324}`）。
# 从第 324 张图片起乘积就下溢为 0，所有模型的似然看上去都一样。
# 而对数之和是 −2302.6，取平均再取负号得 2.30，即 log 10，与图片的张数无关。

smallest = np.nextafter(0, 1)
print(smallest)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
axes[0].semilogy(np.arange(1, n + 1), products, color="#0072B2")
axes[0].set(xlabel="$n$", ylabel=r"$q_1 \cdots q_n$", xlim=(0, n))
axes[1].plot(np.arange(1, n + 1), log_likelihoods, color="#0072B2")
axes[1].set(xlabel="$n$", ylabel=r"$\log q_1 + \cdots + \log q_n$", xlim=(0, n))
plt.show()

# %%
# 训练之后
# --------

X, y = load_digits(return_X_y=True)
X, y = X[:n] / 16, y[:n]
model = SoftmaxClassifier(alpha=1e-2).fit(X, y)
log_true = model.predict_log_proba(X)[np.arange(n), y]
trained_loss = -log_true.mean()
typical = np.exp(-trained_loss)
print(log_true.sum(), trained_loss, typical)

# %%
# 平均损失从 2.30 降到 0.39。取负号再取指数，含义就很清楚：
# 正确类别概率的几何平均从 0.1 提高到 0.68。
#
# 交叉熵与 KL 散度
# ----------------
# 设真实概率为 :math:`p`，模型的概率为 :math:`q`，则
#
# .. math:: -\sum_k p_k \log q_k = H(p) + \mathrm{KL}(p \| q), \qquad
#           H(p) = -\sum_k p_k \log p_k, \quad
#           \mathrm{KL}(p \| q) = \sum_k p_k \log \frac{p_k}{q_k} \ge 0.
#
# 其中 :math:`H(p)` 是 :math:`p` 的熵，与模型无关，
# 所以最小化交叉熵与最小化 KL 散度得到同一个 :math:`q`。
# 标签相当于只有一个分量为 1 的 :math:`p`，它的熵为 0，
# 因此交叉熵、KL 散度和 :math:`-\log q_y` 三者相等。
# 下面计算猫的图片，再计算一张“软标签”图片，它是猫的概率为 0.7，是汽车的概率为 0.3：

q = np.exp([3.2, 5.1, -1.7])
q /= q.sum()
label, soft = np.array([1, 0, 0]), np.array([0.7, 0.3, 0])
entropies = np.array([entropy(label), entropy(soft)])
divergences = np.array([entropy(label, q), entropy(soft, q)])
cross_entropies = np.array([-label @ np.log(q), -soft @ np.log(q)])
assert np.allclose(entropies + divergences, cross_entropies)
print(entropies, divergences, cross_entropies)

# %%
# 普通标签：0 + 2.04 = 2.04。软标签：0.61 + 0.86 = 1.47。
