import numpy as np
from numpy.typing import NDArray

from ._bordered import Bordered
from ._core import Double, Label

class ActiveSet:
    rows: Double
    columns: Double
    demand: Double
    bound: Double
    l1: Double
    bend: Double
    tilt: Double
    ridge: Double
    matrix: Double
    design: Double
    scores_move: Double
    correlation_move: Double
    rhs: Double
    slope: Double
    kink_move: Double
    labels: Label
    x: Double
    violation: Double
    theta: Double
    correlation: Double
    side: NDArray[np.int8]
    sign: NDArray[np.int8]
    kinks: Label
    support: Label
    n_kinks: int
    n_support: int
    alpha: float
    level: float
    softness: float
    operations: float
    bordered: Bordered
