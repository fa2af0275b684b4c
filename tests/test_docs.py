"""The pages of `docs/` name all that is public, can all be reached, and their examples run.

The build itself is a job of its own: `.github/workflows/docs.yml`.
"""

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import sklinear

ROOT = Path(__file__).parent.parent
DOCS, BENCHMARKS = ROOT / "docs", sorted((ROOT / "benchmarks").glob("[ds]*s/*.py"))
PAGES = sorted(
    str(path.relative_to(DOCS).with_suffix(""))
    for pattern in ("*.rst", "*.md", "zh/*.md")
    for path in DOCS.glob(pattern)
    if path.name != "sg_execution_times.rst"
)
MODULES = [
    "sklinear",
    *sorted(
        f"sklinear.{module.name}"
        for module in pkgutil.iter_modules(sklinear.__path__)
        if not module.name.startswith("_") and module.name != "solvers"
    ),
]
TOCTREE = re.compile(r"```\{toctree\}(.*?)```", re.DOTALL)


def text(page):
    (path,) = (p for p in (DOCS / f"{page}.rst", DOCS / f"{page}.md") if p.exists())
    return path.read_text(encoding="utf-8")


def listed():
    """The public names that the API page lists, in full."""
    module, names = None, set()
    for line in text("api").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found.group(1)
        elif found := re.match(r"   (\w+)$", line):
            names.add(f"{module}.{found.group(1)}")
    return names


def toctree_entries(page):
    """Documents in the tables of contents of a page, as paths from `docs/`."""
    folder = Path(page).parent
    for body in TOCTREE.findall(text(page)):
        for line in body.splitlines():
            entry = re.sub(r".*<(.*)>", r"\1", line.strip())
            if entry and not entry.startswith(":"):
                yield str(folder / entry)


def test_api_page_lists_every_public_name():
    public = {
        f"{module}.{name}" for module in MODULES for name in importlib.import_module(module).__all__
    }
    assert listed() == public


def test_every_page_is_in_a_toctree():
    entries = {entry for page in PAGES for entry in toctree_entries(page)}
    assert set(PAGES) - entries == {"index"}
    assert {entry for entry in entries if "auto_examples" not in entry} <= set(PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in text(page)])
def test_examples_on_pages(page):
    results = doctest.testfile(str(DOCS / f"{page}.rst"), module_relative=False)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_benchmark_can_be_read_where_a_package_is_missing(path):
    """Then benchopt reads the classes without running them, and wants a name for each value."""
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    values = [node for found in classes for node in found.body if isinstance(node, ast.Assign)]
    assert values
    assert all(isinstance(target, ast.Name) for node in values for target in node.targets)


INCLUDE = re.compile(r"```\{include\} (\S+)\n(.*?)```", re.DOTALL)


def test_parts_of_other_files_are_found():
    """The build fails where a mark has gone."""
    found = []
    for page in PAGES:
        for path, options in INCLUDE.findall(text(page)):
            included = ((DOCS / page).parent / path).read_text(encoding="utf-8")
            marks = re.findall(r':(?:start-after|end-before): "(.*)"', options)
            found += marks
            places = [included.find(mark) for mark in marks]
            assert -1 not in places, f"{page}: {marks} in {path}"
            assert places == sorted(places), f"{page}: {marks} in {path}"
    assert len(found) >= 2
