from ._core import Double, Index, Label, Real

def dense_class_descent(
    columns: Real,
    chosen: Label,
    residual: Real,
    curvature: Real,
    move: Real,
    x: Double,
    slope: Double,
    diagonal: Double,
    l1: Double,
    ridge: Double,
) -> None: ...
def sparse_class_descent(
    indptr: Index,
    indices: Index,
    data: Real,
    chosen: Label,
    residual: Real,
    curvature: Real,
    move: Real,
    x: Double,
    slope: Double,
    diagonal: Double,
    l1: Double,
    ridge: Double,
) -> None: ...
