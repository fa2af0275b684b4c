from ._core import Double, Index, Label, Real

def quadratic_descent(
    hessian: Double, x: Double, gradient: Double, l1: Double, n_sweeps: int
) -> None: ...
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
