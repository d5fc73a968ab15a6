"""Mathematical expressions as answers: equal when they have equal values, however written."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from quorate.answers import formula, prover
from quorate.answers.formula import Call, Name, Number, Pair, Tree
from quorate.answers.number import FEWEST_ROUNDED_PLACES, Quantity

if TYPE_CHECKING:
    from quorate.answers.prover import Patience

MOST_BITS = 4096
"""Of a number on the way; a power tower is left as text."""
LARGEST_FACTORIAL = 500
SAME = 1e-9
DIFFERENT = 1e-6
"""Relative differences up to which values are the same, and from which they surely differ."""
# Three odd places: two polynomials of small degree that agree there agree everywhere.
_PLACES = (Fraction(7, 3), Fraction(-11, 5), Fraction(101, 13))

_FLOAT_FUNCTIONS: Mapping[str, Callable[[complex], complex]] = {
    "sqrt": cmath.sqrt,
    "cbrt": lambda x: math.copysign(abs(x.real) ** (1 / 3), x.real) if not x.imag else x ** (1 / 3),
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan,
    "cot": lambda x: 1 / cmath.tan(x), "sec": lambda x: 1 / cmath.cos(x),
    "csc": lambda x: 1 / cmath.sin(x),
    "asin": cmath.asin, "acos": cmath.acos, "atan": cmath.atan,
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan,
    "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    formula.FACTORIAL: lambda x: complex(math.gamma(x.real + 1)) if not x.imag else cmath.nan,
    "log": cmath.log10, "ln": cmath.log, "exp": cmath.exp, "abs": lambda x: complex(abs(x)),
}  # fmt: skip
_CONSTANTS = {"pi": complex(math.pi), "e": complex(math.e)}
_OPERATIONS: Mapping[str, Callable[[complex, complex], complex]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


def canonical(text: str) -> Hashable:
    """Give a form in which equal expressions are equal; what cannot be computed is text."""
    plain = formula.plain(text)
    tree = formula.parse(plain)
    if tree is not None:
        try:
            names = sorted(_names(tree))
            return ("values", tuple(names), tuple(_at(tree, names, place) for place in _PLACES))
        except (ValueError, ArithmeticError):
            pass
    return ("text", "".join(plain.split()))


def constant(text: str) -> Fraction | None:
    """Give the value of an expression without variables that is a fraction; else None."""
    value = canonical(text)
    match value:
        case ("values", (), (Fraction() as first, *_)):
            return first
    return None


def why_same(one: str, other: str, patience: Patience | None = None) -> str | None:
    """Say why two expressions whose canonical forms differ are the same; "" when they differ.

    None when that was not decided: the prover had no time, gave up, or could not read them.

    First their values are compared. Only what has no values, such as a set or an equation, or
    values that are neither the same nor surely different, is put to the prover.
    """
    first, second = formula.plain(one), formula.plain(other)
    values, others = _samples(first), _samples(second)
    if values and others:
        distance = max(_distance(*pair) for pair in zip(values, others, strict=True))
        if distance <= SAME:
            return "equal values of the expressions"
        if distance >= DIFFERENT:
            return ""
    if not all(formula.is_formula(side) or formula.parse(side) for side in (first, second)):
        return ""
    proved = prover.prove(first, second, patience)
    return None if proved is None else "proved equal by math-verify" if proved else ""


def why_same_number(text: str, number: Quantity) -> str:
    r"""Say why an expression and a bare number are the same: \sqrt{2} and 1.41; "" if not."""
    values = _samples(formula.plain(text))
    if number.unit or not values or any(_distance(values[0], value) for value in values):
        return ""
    value, wanted = values[0], complex(float(number.number))
    places = number.places
    if _distance(value, wanted) <= SAME:
        return "an expression and its value"
    is_rounded = places is not None and places >= FEWEST_ROUNDED_PLACES
    within = is_rounded and abs(value - wanted) <= 0.5 * 10.0 ** -(places or 0)
    return "an expression and its value, rounded" if within else ""


def values(text: str) -> Sequence[complex]:
    """Give an expression's values at three places; none when it has none."""
    return _samples(formula.plain(text))


def _distance(one: complex, other: complex) -> float:
    return abs(one - other) / max(abs(one), abs(other), SAME)


@lru_cache(maxsize=4096)
def _samples(plain: str) -> Sequence[complex]:
    """Give the values at three places; empty when there are none."""
    tree = formula.parse(plain)
    if tree is None:
        return ()
    names = sorted(_names(tree))
    try:
        found = [_float_value(tree, _floats(names, place)) for place in _PLACES]
    except (ValueError, ArithmeticError):
        return ()
    return tuple(found) if all(cmath.isfinite(value) for value in found) else ()


def _floats(names: Sequence[str], place: Fraction) -> Mapping[str, complex]:
    return {name: complex(float(value)) for name, value in _settings(names, place).items()}


def _settings(names: Sequence[str], place: Fraction) -> Mapping[str, Fraction]:
    """Give each variable a value of its own, of the sign of the place, whoever else is there."""
    return {name: place * Fraction(97 + sum(map(ord, name)), 97) for name in names}


def _names(tree: Tree) -> set[str]:
    match tree:
        case Name(name) if name not in formula.CONSTANTS:
            return {name}
        case Pair(_, left, right):
            return _names(left) | _names(right)
        case Call(_, argument):
            return _names(argument)
    return set()


def _float_value(tree: Tree, values: Mapping[str, complex]) -> complex:
    match tree:
        case Number(value):
            return complex(float(value))
        case Name(name):
            return _CONSTANTS.get(name) or values[name]
        case Call(function, argument):
            return _FLOAT_FUNCTIONS[function](_float_value(argument, values))
        case Pair(sign, left, right):
            return complex(
                _OPERATIONS[sign](_float_value(left, values), _float_value(right, values))
            )


def _at(tree: Tree, names: Sequence[str], place: Fraction) -> Fraction:
    return _value(tree, _settings(names, place))


def _value(tree: Tree, values: Mapping[str, Fraction]) -> Fraction:
    """Compute exactly; raises ValueError for what is not rational, or grows too large."""
    match tree:
        case Number(number):
            found = number
        case Name(name) if name in values:
            found = values[name]
        case Pair(sign, left, right):
            found = _combined(sign, _value(left, values), _value(right, values))
        case Call(formula.FACTORIAL, argument):
            found = _factorial(_value(argument, values))
        case _:
            raise ValueError("not rational")
    if _bits(found) > MOST_BITS:
        raise ValueError("too large")
    return found


def _factorial(number: Fraction) -> Fraction:
    if number.denominator != 1 or not 0 <= number <= LARGEST_FACTORIAL:
        raise ValueError("no factorial, or too large")
    return Fraction(math.factorial(int(number)))


def _combined(sign: str, left: Fraction, right: Fraction) -> Fraction:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
    if right.denominator != 1 or abs(right) * _bits(left) > MOST_BITS:
        raise ValueError("not rational, or too large")
    return Fraction(left ** int(right))


def _bits(number: Fraction) -> int:
    return number.numerator.bit_length() + number.denominator.bit_length()
