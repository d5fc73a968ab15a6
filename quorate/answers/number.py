"""Numbers as answers: exact, compared within what their writing and units mean."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from quorate.answers import units

RELATIVE_TOLERANCE = Fraction(1, 10**6)
FEWEST_ROUNDED_PLACES = 2
FEWEST_ROUNDED_DIGITS = 2
"""How precisely a number must be written to stand for one that rounds to it: 0.67, not 0.7."""


class Quantity(NamedTuple):
    """An exact number with the symbol of its unit ("": none).

    `places` is how many decimals were written; None for a fraction, which is exact.
    """

    number: Fraction
    unit: str = ""
    places: int | None = 0

    def __str__(self) -> str:
        text = self._digits()
        if self.unit in units.CURRENCIES:
            return f"-{self.unit}{text[1:]}" if text.startswith("-") else f"{self.unit}{text}"
        if self.unit in units.WRITTEN_CLOSE:
            return f"{text}{self.unit}"
        return f"{text} {self.unit}".strip()

    def _digits(self) -> str:
        if self.number.denominator == 1:
            return str(self.number.numerator)
        if self.places is None:
            return f"{self.number.numerator}/{self.number.denominator}"
        scaled = str(abs(round(self.number * 10**self.places))).rjust(self.places + 1, "0")
        sign = "-" if self.number < 0 else ""
        return f"{sign}{scaled[: -self.places]}.{scaled[-self.places :]}"


def why_same(one: Quantity, other: Quantity) -> str:
    """Say why two quantities are the same answer; "" when they are not.

    A missing unit fits any. A percentage is also its fraction: 50% is 50 to whoever was asked for
    percent, and 0.5 to whoever was not.
    """
    if one.unit == other.unit:
        return "equal numbers" if _close(one, other) else ""
    if one.unit and other.unit:
        return _why_same_converted(one, other)
    if _close(one, other):
        return "equal numbers, one without a unit"
    with_unit, bare = (one, other) if one.unit else (other, one)
    is_fraction = with_unit.unit == units.PERCENT and _near(with_unit.number / 100, bare.number)
    return "a percentage and its fraction" if is_fraction else ""


def _why_same_converted(one: Quantity, other: Quantity) -> str:
    first, second = units.of_symbol(one.unit), units.of_symbol(other.unit)
    if first.measures != second.measures:
        return ""
    same = _near(one.number * first.factor, other.number * second.factor)
    return f"equal when {one.unit} is turned into {other.unit}" if same else ""


def _close(one: Quantity, other: Quantity) -> bool:
    return _near(one.number, other.number) or _rounds(one, other) or _rounds(other, one)


def _near(one: Fraction, other: Fraction) -> bool:
    if one.denominator == 1 and other.denominator == 1:
        return one == other
    return abs(one - other) <= RELATIVE_TOLERANCE * max(abs(one), abs(other))


def _rounds(fine: Quantity, coarse: Quantity) -> bool:
    """Whether a number, rounded to another's decimals, is that other one."""
    places = coarse.places
    if places is None or places < FEWEST_ROUNDED_PLACES:
        return False
    if fine.places is not None and fine.places <= places:
        return False
    digits = str(abs(round(coarse.number * 10**places)))
    if len(digits) < FEWEST_ROUNDED_DIGITS:
        return False
    return abs(fine.number - coarse.number) <= Fraction(1, 2 * 10**places)
