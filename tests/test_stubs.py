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


def stubbed_classes(module):
    """Classes and their attributes, as the stub has them."""
    tree = ast.parse((Path(sklinear.__file__).parent / f"{module}.pyi").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    fields = {c.name: [f for f in c.body if isinstance(f, ast.AnnAssign)] for c in classes}
    return {name: {field.target.id for field in found} for name, found in fields.items()}


def compiled_classes(module):
    """The same of the module: what Python sees of its own extension types."""
    found, name = {}, f"sklinear.{module}"
    for value in vars(importlib.import_module(name)).values():
        if inspect.isclass(value) and value.__module__ == name and value.__basicsize__ > 16:
            public = {key for key in vars(value) if not key.startswith("_")}
            found[value.__name__] = {key for key in public if not callable(vars(value)[key])}
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("module", MODULES)
def test_functions_and_classes(module):
    assert compiled(module) or compiled_classes(module)
    assert stubs(module) == compiled(module)
    assert stubbed_classes(module) == compiled_classes(module)
