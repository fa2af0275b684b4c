"""Formulas as MathML, which browsers show without a script, converted by docutils.

A formula that docutils does not understand is a warning, and so an error under `-W`.
"""

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def to_mathml(node, *, as_block):
    text = node.astext()
    try:
        return tex2mathml(text, as_block=as_block)
    except MathError as error:
        logger.warning("formula %r: %s", text, error, location=node)
        return text


def visit_inline(translator, node):
    translator.body.append(to_mathml(node, as_block=False))
    raise SkipNode


def visit_block(translator, node):
    formula = to_mathml(node, as_block=True)
    translator.body.append(f'<div style="overflow-x: auto">{formula}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
