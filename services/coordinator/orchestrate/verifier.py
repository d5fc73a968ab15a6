"""Is a candidate right? Checks that compute, as functions in an ordered list. Pure.

Each gives a score in [0, 1] with its reason, or None where it cannot tell. What is known as the
right answer of a question (`ground_truth`) is never one of them: it is for learning alone.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import Kind, equivalent

if TYPE_CHECKING:
    from services.coordinator.question import Ballot

LONGEST_SUM = 200
"""Characters of an arithmetic expression that is computed."""
MOST_EQUATIONS = 64
MOST_TEXT = 20_000
"""Characters of a candidate in which equations are looked for."""


class Checked(NamedTuple):
    """What a check found: a score in [0, 1], and why."""

    score: float
    why: str


_SUM = re.compile(
    r"(?:what is|what's|calculate|compute|evaluate|how much is|work out)\s*:?\s*"
    r"(?P<sum>[-+*/x×÷·().,\d\s]*\d[\s)]*)\s*[?.=]*",
    re.IGNORECASE,
)
_EQUATION = re.compile(
    # It stands alone: the tail of "(4 + 2) * 3 + 1 = 19" or of "10% of 50 + 5 = 10" is no equation.
    r"(?:(?<=[.:;,=!?\n])|^|(?<=\bso)|(?<=\bis))[ \t]*"
    r"(?P<left>-?\d[\d.]*(?:[ \t]*[-+*/×÷][ \t]*\d[\d.]*)+)[ \t]*=[ \t]*"
    r"(?P<right>-?\d+(?:\.\d+)?)(?=[ \t]*(?:[.,;:!?](?!\d)|\n|$))",
    re.IGNORECASE | re.MULTILINE,
)
_WRITTEN = str.maketrans({"×": "*", "·": "*", "x": "*", "X": "*", "÷": "/", ",": None})
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def checked(question: str, ballot: Ballot) -> Checked | None:
    """Give what the first check that can tell says about a ballot."""
    for check in CHECKS:
        if (found := check(question, ballot)) is not None:
            return found
    return None


def sum_of_question(question: str, ballot: Ballot) -> Checked | None:
    """Compute the question itself where it is nothing but a sum, and compare."""
    found = _SUM.fullmatch(question.strip())
    value = value_of(found["sum"]) if found else None
    if value is None or ballot.answer is None:
        return None
    right = equivalent(ballot.answer.text, decimal(value), Kind.NUMBER)
    return Checked(1.0 if right else 0.0, f"the sum is {decimal(value)}")


def working(question: str, ballot: Ballot) -> Checked | None:
    """Compute the equations of a candidate's own working: a wrong one makes it worthless.

    Right ones prove nothing, since they may be the wrong equations.
    """
    for found in list(_EQUATION.finditer(ballot.text[:MOST_TEXT]))[:MOST_EQUATIONS]:
        left, right = value_of(found["left"]), value_of(found["right"])
        if left is not None and right is not None and not _close(left, right, found["right"]):
            return Checked(0.0, f"{found[0].strip()} is wrong")
    return None


CHECKS: Sequence[Callable[[str, Ballot], Checked | None]] = (sum_of_question, working)


def value_of(written: str) -> Fraction | None:
    """Compute a sum of plain numbers exactly; None for anything else."""
    if len(written) > LONGEST_SUM:
        return None
    try:
        parsed = ast.parse(written.translate(_WRITTEN).strip(), mode="eval")
        return _value(parsed.body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not a sum")


def _close(left: Fraction, right: Fraction, written: str) -> bool:
    """Whether a result is right to the decimals in which it is written."""
    decimals = len(written.partition(".")[2])
    return abs(left - right) <= Fraction(1, 10**decimals) * (1 if decimals else 0)


def decimal(value: Fraction) -> str:
    """Write a number as people do."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.10g}" if math.isfinite(float(value)) else str(value)
