"""Markdown tables, and their places in README.md."""

from pathlib import Path

README = Path(__file__).parent / "README.md"


def line(cells):
    return "| " + " | ".join(cells) + " |"


def header(names):
    """The first two lines of a table."""
    return [line(names), "|---" * len(names) + "|"]


def insert(name, text):
    """Fill the place between the two marks of that name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = README.read_text().split(begin)
    README.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
