"""Values as messages show them."""

import reprlib

import numpy as np

SHORT = reprlib.Repr()
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = 10
SHORT.maxstring = SHORT.maxother = 80


def plain(value):
    """A text in which NumPy's scalars and arrays look like Python's, and long ones are cut."""
    return SHORT.repr(_of_python(value))


def _of_python(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if type(value) in (list, tuple):
        return type(value)(map(_of_python, value))
    return value
