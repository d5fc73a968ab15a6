"""Numbers as people write them: signs, thousands, fractions, percent, currencies and units."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

LONGEST_NUMBER = 60
"""Characters of the longest number that is read; a model's endless digits are no answer."""

RELATIVE_TOLERANCE = Fraction(1, 10**6)

_CURRENCIES = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy"}
_UNITS = {
    "%": "%", "percent": "%", "dollar": "usd", "dollars": "usd", "usd": "usd", "euro": "eur",
    "euros": "eur", "eur": "eur", "pounds": "gbp", "gbp": "gbp", "cents": "cent", "cent": "cent",
    "mm": "mm", "cm": "cm", "m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m",
    "km": "km", "kilometers": "km", "kilometres": "km", "mile": "mile", "miles": "mile",
    "inch": "inch", "inches": "inch", "feet": "foot", "foot": "foot", "ft": "foot",
    "g": "g", "gram": "g", "grams": "g", "kg": "kg", "kilograms": "kg", "lb": "lb", "lbs": "lb",
    "s": "s", "sec": "s", "second": "s", "seconds": "s", "min": "min", "minute": "min",
    "minutes": "min", "h": "h", "hour": "h", "hours": "h", "day": "day", "days": "day",
    "week": "week", "weeks": "week", "year": "year", "years": "year",
    "°c": "°c", "°f": "°f", "l": "l", "liter": "l", "liters": "l", "litre": "l", "litres": "l",
    "ml": "ml", "mph": "mph", "km/h": "km/h",
}  # fmt: skip

_PLAIN = r"(?:\d{1,3}(?:[,\u202f ]\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<sign>[-−–+]?)\s?(?P<currency>[$€£¥]?)(?P<whole>{_PLAIN})"
    r"(?:[eE](?P<power>[-+]?\d{1,3})(?!\w))?"
    r"(?:\s?/\s?(?P<below>\d+)(?![\d/]))?"
    r"(?:\s?(?P<unit>%|°[CF]|km/h|[A-Za-z]+\b))?"
)


class Quantity(NamedTuple):
    """An exact number with its unit; "" is none."""

    number: Fraction
    unit: str

    def __str__(self) -> str:
        text = _decimal(self.number)
        return f"{text}%" if self.unit == "%" else f"{text} {self.unit}".strip()


def quantities(text: str) -> list[Quantity]:
    """Read every number in a text, in order."""
    found = (_read(match) for match in _NUMBER.finditer(text))
    return [quantity for quantity in found if quantity is not None]


def only_quantity(text: str) -> Quantity | None:
    """Read a text that is a number and nothing else, up to a full stop."""
    stripped = text.strip().rstrip(".").strip()
    match = _NUMBER.fullmatch(stripped)
    return _read(match) if match and not _stray_word(match) else None


def same(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are equal within tolerance; a missing unit fits any."""
    if one.unit and other.unit and one.unit != other.unit:
        return False
    scale = max(abs(one.number), abs(other.number))
    return abs(one.number - other.number) <= RELATIVE_TOLERANCE * scale


def _stray_word(match: re.Match[str]) -> bool:
    return bool(match["unit"]) and match["unit"].lower() not in _UNITS


def _read(match: re.Match[str]) -> Quantity | None:
    if len(match["whole"]) > LONGEST_NUMBER:
        return None
    number = Fraction(re.sub(r"[,\u202f ]", "", match["whole"]))
    if match["power"]:
        number *= Fraction(10) ** int(match["power"])
    if match["below"]:
        if len(match["below"]) > LONGEST_NUMBER or int(match["below"]) == 0:
            return None
        number /= int(match["below"])
    if match["sign"] and match["sign"] != "+":
        number = -number
    unit = _UNITS.get((match["unit"] or "").lower(), "")
    return Quantity(number, unit or _CURRENCIES.get(match["currency"], ""))


def _decimal(number: Fraction) -> str:
    """Write a number as an integer, as a short decimal, or else rounded to twelve digits."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.12g}"
