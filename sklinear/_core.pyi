import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32] | NDArray[np.float64]
Double = NDArray[np.float64]
Index = NDArray[np.int32] | NDArray[np.int64]
Label = NDArray[np.int32]

CROSS_ENTROPY: int
HINGE: int
SQUARED_HINGE: int
SMOOTHED_HINGE: int
SOFTMAX_CURVATURE: int
STAR_CURVATURE: int

def value_and_dual(
    loss: int,
    scores: Real,
    labels: Label,
    weights: Double,
    dual: Real,
    centre: Real,
    sigma: float,
) -> float: ...
def value_along(
    loss: int,
    scores: Real,
    direction: Real,
    step: float,
    labels: Label,
    weights: Double,
    moved: Real,
    dual: Real,
    centre: Real,
    sigma: float,
) -> tuple[float, float]: ...
def value_at_shift(
    loss: int,
    scores: Real,
    shift: Double,
    labels: Label,
    weights: Double,
    dual: Real,
    residual: Double,
    centre: Real,
    sigma: float,
) -> float: ...
def value_and_gap(
    loss: int,
    scores: Real,
    labels: Label,
    weights: Double,
    dual: Real,
    scale: float,
    centre: Real,
    sigma: float,
) -> tuple[float, float]: ...
def values_and_gaps(
    loss: int,
    scores: list[Double],
    duals: list[Double],
    primal: Double,
    dual: Double,
    scales: Double,
    labels: Label,
    weights: Double,
    centre: Double,
    sigma: float,
    out: Double,
) -> None: ...
def conjugate(
    loss: int,
    labels: Label,
    weights: Double,
    dual: Real,
    scale: float,
    centre: Real,
    sigma: float,
) -> tuple[float, float, float]: ...
def move_mass(dual: Real, labels: Label, leak: Double, share: Double) -> None: ...
def add_to_rows(rows: Real, offset: Double) -> None: ...
def curvature_product(
    kind: int, factor: Real, labels: Label, weights: Double, vectors: Real, out: Real
) -> None: ...
