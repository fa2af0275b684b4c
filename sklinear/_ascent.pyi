import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32] | NDArray[np.float64]
Double = NDArray[np.float64]
Index = NDArray[np.int32] | NDArray[np.int64]
Label = NDArray[np.int32]
Flag = NDArray[np.uint8]

class Ascent:
    least: float
    n_classes: int
    def __init__(
        self,
        block: tuple[float, float] | None,
        labels: Label,
        weights: Double,
        curvature: Double,
        dual: Double,
        V: Double,
        intercept: Double,
        threshold: float,
        shift: float,
    ) -> None: ...
    def recentre(self, centre: Double, share: float, relaxation: float) -> None: ...

def dense_epoch(X: Real, centre: Double, rows: Label, ascent: Ascent, moved: Flag) -> None: ...
def csr_epoch(
    indptr: Index, indices: Index, data: Real, rows: Label, ascent: Ascent, moved: Flag
) -> None: ...
