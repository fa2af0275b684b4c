"""Names of classes: the column that a label stands for."""

from numbers import Integral

import numpy as np

from .._messages import plain


def names_of_columns(class_names, n_classes):
    """A list of strings, the numbers 0 to n_classes - 1 if none are given."""
    names = range(n_classes) if class_names is None else class_names
    if len(names) != n_classes:
        raise ValueError(
            f"class_names has {len(names)} entries and there are {n_classes} classes. Pass one "
            "name for each, in the order of the columns."
        )
    return [str(name) for name in names]


def column_of(label, class_names, n_classes):
    """The column of a class, given by its name or else by its number."""
    if class_names is not None and np.shape(label) == ():
        found = [column for column, name in enumerate(class_names) if name == label]
        if found:
            return found[0]
    if isinstance(label, Integral) and 0 <= label < n_classes:
        return int(label)
    known = f"a number from 0 to {n_classes - 1}"
    if class_names is not None:
        known = f"one of {plain(list(class_names))}, or {known}"
    raise ValueError(f"There is no class {plain(label)}; it must be {known}.")


def one_sample(scores):
    """Scores of one sample, (n_classes,) or one row, as a float64 array (n_classes,)."""
    scores = np.asarray(scores, dtype=np.float64)
    row = scores[0] if scores.ndim == 2 and len(scores) == 1 else scores
    if row.ndim != 1 or len(row) < 2 or not np.isfinite(row).all():
        raise ValueError(
            f"scores are {plain(scores)}, of the shape {scores.shape}; they must "
            "be finite numbers, one for each class and two at least. Of many samples pass one row."
        )
    return row
