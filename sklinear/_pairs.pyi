from ._core import Double, Label

def star_products(
    grams: Double,
    sample: Label,
    klass: Label,
    true: Label,
    root: Double,
    out: Double,
) -> None: ...
