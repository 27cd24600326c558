"""Calls as cases write them, `model.sample(3, temperature=1.0, y=y[:1])`, made on given objects.

Only names, constants, tuples, slices, and calls of the names and their methods are understood:
nothing else of Python runs.
"""

import ast
from collections.abc import Mapping
from typing import Any


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Args:
        text: the expression.
        names: what its names stand for.

    Raises:
        ValueError: it is more than a call.
    """
    return _value(ast.parse(text.strip(), mode="eval").body, names)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Tuple():
            return tuple(_value(item, names) for item in node.elts)
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, names)
        case ast.Name() if node.id in names:
            return names[node.id]
        case ast.Attribute() if not node.attr.startswith("_"):
            return getattr(_value(node.value, names), node.attr)
        case ast.Subscript():
            return _value(node.value, names)[_index(node.slice, names)]
        case ast.Call():
            positional = [_value(item, names) for item in node.args]
            named = {item.arg: _value(item.value, names) for item in node.keywords if item.arg}
            return _value(node.func, names)(*positional, **named)
    raise ValueError(f"{ast.unparse(node)!r} is not understood in a call.")


def _index(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Slice):
        ends = (node.lower, node.upper, node.step)
        return slice(*(None if end is None else _value(end, names) for end in ends))
    return _value(node, names)
