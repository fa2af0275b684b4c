"""Sphinx: `python -m sphinx -W --keep-going -b html docs docs/_build/html`.

Needs no network: no inventories of other projects are fetched, and formulas become MathML.
"""

import re
import sys
from pathlib import Path

import matplotlib

import sklinear

matplotlib.use("Agg")
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "sklinear"
author = "The sklinear developers"
copyright = author
version = release = sklinear.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
myst_enable_extensions = ["dollarmath"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(numpy|scipy|sklearn|matplotlib|pandas)\..*")]  # no inventories

autosummary_generate = True
numpydoc_show_class_members = False
html_math_renderer = "mathml"

EXAMPLES = {
    "../examples/lecture": "auto_examples/lecture",
    "../examples/zh": "zh/auto_examples",
    "../examples/displays": "auto_examples/displays",
}
sphinx_gallery_conf = {
    "examples_dirs": list(EXAMPLES),
    "gallery_dirs": list(EXAMPLES.values()),
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("sklinear",),
    "reference_url": {"sklinear": None},
    "backreferences_dir": "generated/backreferences",
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 10,
}

html_theme = "pydata_sphinx_theme"
html_title = "sklinear"
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "footer_end": [],
}
html_show_sourcelink = False
html_sidebars = {"*": []}  # of the pages without parts

CHINESE = "\u4e00-\u9fff"
CHINESE_PUNCTUATION = "\u3000-\u303f\uff00-\uffef"
NO_SPACE = re.compile(
    rf"(?<=[{CHINESE}{CHINESE_PUNCTUATION}])\n(?=[{CHINESE}{CHINESE_PUNCTUATION}])"
    rf"|(?<=[{CHINESE_PUNCTUATION}])\n(?=[^\s=-])"
)


def join_chinese_lines(app, docname, source):
    """A line break between Chinese characters, or after Chinese punctuation, is no space."""
    if docname.startswith("zh/"):
        source[0] = NO_SPACE.sub("", source[0])


def setup(app):
    app.connect("source-read", join_chinese_lines)
