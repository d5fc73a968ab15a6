"""Mathematical expressions as answers: equal when they have equal values, however written."""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Mapping
from fractions import Fraction

LONGEST = 400
MOST_BITS = 4096
"""Of a number on the way; a power tower is left as text."""
# Three odd places: two polynomials of small degree that agree there agree everywhere.
_PLACES = (Fraction(7, 3), Fraction(-11, 5), Fraction(101, 13))

_TO_PYTHON = (
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:left|right|[,;!])|\$"), ""),
    (re.compile(r"\\(?:cdot|times)|[×·]"), "*"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"÷"), "/"),
    (re.compile(r"\{([^{}]*)\}"), r"(\1)"),
    (re.compile(r"\^"), "**"),
    (re.compile(r"(?<=[\d)])\s*(?=[A-Za-z(])"), "*"),
)
_NAMED = re.compile(r"^\s*[A-Za-z](?:\([a-z]\))?\s*=\s*")


def canonical(text: str) -> Hashable:
    """Give a form in which equal expressions are equal; what cannot be computed is text."""
    plain = _NAMED.sub("", text.strip().strip("$").rstrip("."))
    source = plain[:LONGEST]
    for pattern, replacement in _TO_PYTHON:
        source = pattern.sub(replacement, source)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
        names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
        return ("values", tuple(names), tuple(_at(tree, names, place) for place in _PLACES))
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return ("text", "".join(plain.split()))


def _at(tree: ast.expr, names: list[str], place: Fraction) -> Fraction:
    values = {name: place + Fraction(number, 7) for number, name in enumerate(names)}
    return _value(tree, values)


def _value(node: ast.expr, values: Mapping[str, Fraction]) -> Fraction:
    """Compute exactly; raises ValueError for whatever is not arithmetic, or grows too large."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            found = Fraction(str(number))
        case ast.Name(id=name):
            found = values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            found = -_value(operand, values)
        case ast.BinOp(left=left, op=operator, right=right):
            found = _combined(operator, _value(left, values), _value(right, values))
        case _:
            raise ValueError("not arithmetic")
    if found.numerator.bit_length() + found.denominator.bit_length() > MOST_BITS:
        raise ValueError("too large")
    return found


def _combined(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.Pow() if right.denominator == 1 and abs(right) * _bits(left) <= MOST_BITS:
            return Fraction(left**right)
        case _:
            raise ValueError("not arithmetic")


def _bits(number: Fraction) -> int:
    return number.numerator.bit_length() + number.denominator.bit_length()
