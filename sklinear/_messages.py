"""Values as messages show them."""

import reprlib

import numpy as np

SHORT = reprlib.Repr()
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = 10
SHORT.maxstring = SHORT.maxother = 80


def plain(value):
    """A text in which NumPy's scalars and arrays look like Python's, and long ones are cut."""
    return SHORT.repr(_of_python(value))


def way_to_a_smaller_gap(n_iter, max_iter, dtype):
    """What helps a fit that stopped after so many iterations, on features of this precision."""
    if n_iter >= max_iter:
        return f"raise max_iter (now {max_iter}) or standardise the features"
    return "standardise the features" + (" or pass X as float64" if dtype == np.float32 else "")


def _of_python(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(map(_of_python, value))
    return value
