"""Formulas as MathML, which browsers show without a script, converted by docutils.

A formula that docutils does not understand is a warning, and so an error under `-W`.
"""

import re

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

STYLE = "overflow-x: auto; margin: 1rem 0"
APPLIED = re.compile(r"<mo>&ApplyFunction;</mo>(?!\s*<mo[^>]*>\()")  # not before a parenthesis
THIN_SPACE = '<mspace width="0.1667em"></mspace>'
FENCE = re.compile(r'<mo(?: class="mathopen")?>([‖|⟨⟩])</mo>')  # as high as a letter
PLAIN_FENCE = r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'

logger = logging.getLogger(__name__)


def to_mathml(node, *, as_block):
    text = node.astext()
    try:
        formula = tex2mathml(text, as_block=as_block)
    except MathError as error:
        logger.warning("formula %r: %s", text, error, location=node)
        return text
    return FENCE.sub(PLAIN_FENCE, APPLIED.sub(THIN_SPACE, formula))


def visit_inline(translator, node):
    translator.body.append(to_mathml(node, as_block=False))
    raise SkipNode


def visit_block(translator, node):
    translator.body.append(f'<div style="{STYLE}">{to_mathml(node, as_block=True)}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
