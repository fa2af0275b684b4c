from ._core import Double, Index, Label, Real

def csr_scores(indptr: Index, indices: Index, data: Real, coef: Real, out: Real) -> None: ...
def number_rows(coef: Real, place: Label) -> int: ...
def csr_scores_of_some(
    indptr: Index, indices: Index, data: Real, place: Label, coef: Real, out: Real
) -> None: ...
def csr_gradient(indptr: Index, indices: Index, data: Real, rows: Real, out: Real) -> None: ...
def csr_hessian(
    indptr: Index,
    indices: Index,
    data: Real,
    first: Label,
    klass: Label,
    factor: Double,
    labels: Label,
    weights: Double,
    star: bool,
    place: Label,
    value: Double,
    bend: Double,
    out: Double,
) -> None: ...
