from ._core import Double, Index

def least_subgradient(x: Double, gradient: Double, l1: Double) -> float: ...
def sweep(hessian: Double, x: Double, gradient: Double, l1: Double, n_sweeps: int) -> None: ...
def newton_step(
    hessian: Double,
    x: Double,
    gradient: Double,
    l1: Double,
    ridges: Double,
    room: Double,
    support: Index,
) -> None: ...
def solve(matrix: Double, rhs: Double, ridges: Double, solution: Double) -> None: ...
def best_shifts(
    ordered: Double, l1: Double, l2: Double, centre: Double, shifts: Double
) -> None: ...
