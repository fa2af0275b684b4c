"""The type stubs beside the compiled modules name what is there."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import sklinear

MODULES = sorted(path.stem for path in Path(sklinear.__file__).parent.glob("*.pyi"))


def stubs(module):
    """Functions and their arguments, as the stub has them."""
    tree = ast.parse((Path(sklinear.__file__).parent / f"{module}.pyi").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f.name: [argument.arg for argument in f.args.args] for f in functions}


def compiled(module):
    """The same of the module; of a function for several types, those for one of them."""
    found = {}
    for name, value in vars(importlib.import_module(f"sklinear.{module}")).items():
        one = next(iter(getattr(value, "__signatures__", {"": value}).values()))
        if "cython_function" in type(one).__name__ and not name.startswith("__"):
            found[name] = list(inspect.signature(one).parameters)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_functions_and_arguments(module):
    assert compiled(module)
    assert stubs(module) == compiled(module)
