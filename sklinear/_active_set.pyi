from ._core import Double, Label

class ActiveSet:
    rows: Double
    columns: Double
    demand: Double
    bound: Double
    l1: Double
    bend: Double
    tilt: Double
    labels: Label
    x: Double
    violation: Double
    theta: Double
    correlation: Double
    side: Label
    sign: Label
    kinks: Label
    support: Label
    n_kinks: int
    n_support: int
    alpha: float
    level: float
    ridge: float

def follow(s: ActiveSet, alpha: float, most: int) -> int: ...
