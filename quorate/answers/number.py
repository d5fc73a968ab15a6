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
    is_fraction = with_unit.unit == units.PERCENT and _close(_share(with_unit), bare)
    return "a percentage and its fraction" if is_fraction else ""


def _share(percentage: Quantity) -> Quantity:
    """Write 66.67% as 0.6667."""
    places = None if percentage.places is None else percentage.places + 2
    return Quantity(percentage.number / 100, "", places)


def _why_same_converted(one: Quantity, other: Quantity) -> str:
    if one.unit in units.EITHER.get(other.unit, ()) or other.unit in units.EITHER.get(one.unit, ()):
        return "equal numbers, one with a word for several units" if _close(one, other) else ""
    first, second = units.of_symbol(one.unit), units.of_symbol(other.unit)
    if first.measures != second.measures:
        return ""
    same = (
        _near(one.number * first.factor + first.zero, other.number * second.factor + second.zero)
        or _rounds(_turned(one, first, second), other)
        or _rounds(_turned(other, second, first), one)
    )
    # Sorted, so that the evidence does not depend on who is named first.
    pair = " and ".join(sorted((one.unit, other.unit)))
    return f"equal when {pair} are turned into each other" if same else ""


def _turned(quantity: Quantity, own: units.Unit, other: units.Unit) -> Quantity:
    base = quantity.number * own.factor + own.zero
    return Quantity((base - other.zero) / other.factor, other.symbol, None)


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
