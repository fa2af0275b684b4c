"""Linear multiclass classifiers with a certificate of optimality on every fit."""

from ._cv import SoftmaxClassifierCV, SVMClassifierCV
from ._memory import keep_freed_memory
from ._paths import softmax_path, svm_path
from ._softmax import SoftmaxClassifier
from ._svm import SVMClassifier

__version__ = "0.1.0"

__all__ = [
    "SVMClassifier",
    "SVMClassifierCV",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "softmax_path",
    "svm_path",
]

keep_freed_memory()
