"""Every number in the lecture's text is computed by its page, and both languages say the same.

`RESULTS` names, for each page, what its text quotes: an expression in the page's variables and
the value that the lecture gives.  The expression must round to the value, and every number in
the text, of either language, must be one of these values.
"""

import ast
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = {"en": "lecture/{}.py", "zh": "zh/{}_zh.py"}
EXEMPT = {0.0, 1.0, 2.0}  # the numbers of formulas
RESULTS = {
    "plot_01_hinge": {
        "scores": [["3.2", "5.1", "-1.7"], ["1.3", "4.9", "2.0"], ["2.2", "2.5", "-3.1"]],
        "terms": [["0", "2.9", "0"], ["0", "0", "0"], ["6.3", "6.6", "0"]],
        "losses": ["2.9", "0", "12.9"],
        "mean_loss": "5.27",
        "lead": "2.9",
        "slack": "1.9",
        "hinge_change": "0",
        "entropy_before": "0.08",
        "entropy_after": "0.20",
        "zero_scores.shape[1]": "10",
        "first_hinge": "9",
        "first_entropy": "2.30",
    },
    "plot_02_squared_hinge": {
        "frog_terms": ["6.3", "6.6"],
        "frog_terms.sum()": "12.9",
        "frog_squares": ["39.69", "43.56"],
        "frog_loss": "83.25",
        "square_of_sum": "166.41",
        "losses": ["8.41", "0", "83.25"],
        "mean_loss": "30.55",
        "frog_share": "91",
        "frog_share_hinge": "82",
        "frog_gradient": ["12.6", "13.2", "-25.8"],
    },
    "plot_03_regularization": {
        "leads": ["2.9", "5.8"],
        "losses": ["0", "0"],
        "scores": ["1", "1"],
        "sums_of_squares": ["1", "0.25"],
        "l1_norms": ["1", "1"],
        "l1_ratios": ["0", "0.5", "1"],
        "penalties": ["0.75", "0.5625"],
        "n_weights": "640",
        "n_blank": "3",
        "zeros": ["30", "456", "569"],
        "accuracies": ["0.95", "0.94", "0.90"],
    },
    "plot_04_softmax": {
        "scores": ["3.2", "5.1", "-1.7"],
        "exponentials": ["24.5", "164.0", "0.18"],
        "total": "188.7",
        "probabilities": ["0.13", "0.87", "0.00"],
        "loss": "2.04",
        "gradient": ["-0.87", "0.87", "0.00"],
        "large[0]": "1000",
        "large - large.max()": ["-1", "0", "-3"],
        "naive": ["nan", "nan", "nan"],
        "stable": ["0.26", "0.71", "0.04"],
    },
    "plot_05_likelihood": {
        "start[0]": "0.1",
        "1 / start[0]": "10",
        "product": "1e-1000",
        "smallest": "5e-324",
        "lost_at": "324",
        "log_likelihood": "-2302.6",
        "mean_loss": "2.30",
        "trained_loss": "0.39",
        "typical": "0.68",
        "soft": ["0.7", "0.3", "0"],
        "entropies": ["0", "0.61"],
        "divergences": ["2.04", "0.86"],
        "cross_entropies": ["2.04", "1.47"],
    },
    "plot_06_gradient_descent": {
        "X.shape": ["1797", "64"],
        "len(np.unique(y))": "10",
        "check.passed": "1",
        "forgetful_check.passed": "0",
        "len(curve) - 1": "300",
        "100": "100",
        "curve[[0, 100, 300]]": ["2.303", "0.7428", "0.7396"],
        "accuracy": "95.2",
        "bound": "0.7385",
        "excess[300]": "0.0011",
    },
    "plot_07_dropout_batchnorm": {
        "rates": ["0.1", "0.5"],
        "rises": ["0.066", "0.57"],
        "penalties": ["0.059", "0.53"],
        "norms": ["15.5", "13.3"],
        "[deviations.min(), deviations.max()]": ["0.12", "314"],
        "100": "100",
        "len(np.unique(y))": "3",
        "curves[0][0]": "1.10",
        "losses": ["0.98", "0.04"],
        "conditions[0]": "1.2e7",
        "conditions[1]": "46",
    },
}
PAGES = sorted(RESULTS)
CITATION = re.compile(r"\([^()]*\b(19|20)\d\d\)")
POWER = re.compile(r"(?:(\d[\d.]*) \\cdot )?10\^\{?(-?\d+)\}?")
NUMBER = re.compile(r"(?<![A-Za-z_\d.])\d+(?:\.\d+)?(?:e-?\d+)?")


def source(language, page):
    return (EXAMPLES / FILES[language].format(page)).read_text(encoding="utf-8")


def code(language, page):
    """The page's code without its docstrings; comments are no part of a tree."""
    found = ast.parse(source(language, page))
    for node in ast.walk(found):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.unparse(found)


def prose(language, page):
    """The opening docstring and the text blocks, without citations."""
    text, inside = [ast.get_docstring(ast.parse(source(language, page)))], False
    for line in source(language, page).splitlines():
        inside = line.startswith("#") and (inside or line == "# %%")
        text += [line[2:]] * inside
    return CITATION.sub("", "\n".join(text))


def quoted(text):
    """The numbers of a text as they stand there, without signs."""
    powers = [f"{factor or '1'}e{exponent}" for factor, exponent in POWER.findall(text)]
    return powers + NUMBER.findall(POWER.sub("", text))


def rounds_to(value, written):
    """Whether a value, rounded to the digits of the written number, is that number."""
    if written == "nan":
        return np.isnan(value)
    mantissa, _, exponent = written.partition("e")
    decimals = len(mantissa.partition(".")[2])
    half_a_digit = 0.5 * 10.0 ** (int(exponent or 0) - decimals)
    return abs(value - float(written)) <= half_a_digit * (1 + 1e-9)


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    """The name of a page and the variables after its run."""
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    variables = runpy.run_path(EXAMPLES / FILES["en"].format(request.param))
    pyplot.close("all")
    return request.param, variables


def test_results(page):
    name, variables = page
    for expression, expected in RESULTS[name].items():
        values = np.asarray(eval(expression, dict(variables)), dtype=float)
        assert values.shape == np.shape(expected), expression
        for value, written in zip(values.flat, np.ravel(expected), strict=True):
            assert rounds_to(value, written), f"{expression} is {values}, not {expected}"


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize("name", PAGES)
def test_numbers_in_text(name, language):
    known = {abs(float(text)) for expected in RESULTS[name].values() for text in np.ravel(expected)}
    numbers = quoted(prose(language, name))
    assert numbers
    unknown = [text for text in numbers if float(text) not in known | EXEMPT]
    assert not unknown


@pytest.mark.parametrize("name", PAGES)
def test_languages_in_step(name):
    assert code("en", name) == code("zh", name)
    english, chinese = (set(quoted(prose(language, name))) for language in FILES)
    assert {float(text) for text in english ^ chinese} <= EXEMPT


def test_every_page_is_tested():
    for pattern in FILES.values():
        expected = [EXAMPLES / pattern.format(page) for page in PAGES]
        assert sorted(expected[0].parent.glob("*.py")) == expected
