"""Units of numbers: how they are written, and which can be turned into each other."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

PERCENT = "%"


class Unit(NamedTuple):
    """A unit: its symbol, what it measures, and how many base units of that it is."""

    symbol: str
    measures: str
    factor: Fraction


# One row a unit: what it measures, its symbol, its size in base units, how else it is written.
_ROWS = (
    ("percentage", "%", "1", "percent pct percentage"),
    ("us currency", "$", "1", "usd dollar dollars bucks"),
    ("us currency", "¢", "0.01", "cent cents"),
    ("euro currency", "€", "1", "eur euro euros"),
    ("british currency", "£", "1", "gbp pound sterling"),
    ("japanese currency", "¥", "1", "jpy yen"),
    ("indian currency", "₹", "1", "inr rupee rupees"),
    ("length", "mm", "0.001", "millimeter millimeters millimetre millimetres"),
    ("length", "cm", "0.01", "centimeter centimeters centimetre centimetres"),
    ("length", "m", "1", "meter meters metre metres"),
    ("length", "km", "1000", "kilometer kilometers kilometre kilometres"),
    ("length", "inch", "0.0254", "inches"),
    ("length", "ft", "0.3048", "foot feet"),
    ("length", "yd", "0.9144", "yard yards"),
    ("length", "mile", "1609.344", "miles mi"),
    ("mass", "mg", "0.001", "milligram milligrams"),
    ("mass", "g", "1", "gram grams"),
    ("mass", "kg", "1000", "kilogram kilograms kilo kilos"),
    ("mass", "oz", "28.349523125", "ounce ounces"),
    ("mass", "lb", "453.59237", "lbs"),
    ("time", "ms", "0.001", "millisecond milliseconds"),
    ("time", "s", "1", "sec secs second seconds"),
    ("time", "min", "60", "mins minute minutes"),
    ("time", "h", "3600", "hr hrs hour hours"),
    ("time", "day", "86400", "days"),
    ("time", "week", "604800", "weeks"),
    ("months", "month", "1", "months"),
    ("months", "year", "12", "years yr yrs"),
    ("volume", "ml", "0.001", "milliliter milliliters millilitre millilitres"),
    ("volume", "l", "1", "liter liters litre litres"),
    ("area", "m^2", "1", "m2 sqm"),
    ("area", "cm^2", "0.0001", "cm2"),
    ("area", "km^2", "1000000", "km2"),
    ("space", "m^3", "1", "m3"),
    ("space", "cm^3", "0.000001", "cm3"),
    ("speed", "m/s", "1", ""),
    ("speed", "km/h", "0.2777777777777777777777777778", "kmh kph"),
    ("speed", "mph", "0.44704", ""),
    ("celsius", "°C", "1", "°c"),
    ("fahrenheit", "°F", "1", "°f"),
)
CURRENCIES = frozenset("$€£¥₹")
WRITTEN_CLOSE = frozenset({"%", "¢", "°C", "°F"})

_UNITS = {row[1]: Unit(row[1], row[0], Fraction(row[2])) for row in _ROWS}
_SPELLINGS: Mapping[str, Unit] = {
    spelling: _UNITS[symbol]
    for _, symbol, _, others in _ROWS
    for spelling in (symbol, *others.split())
}


def find(spelling: str) -> Unit | None:
    """Give the unit that is written so; None for other words, such as counted things."""
    return _SPELLINGS.get(spelling) or _SPELLINGS.get(spelling.lower())


def of_symbol(symbol: str) -> Unit:
    """Give the unit with a symbol."""
    return _UNITS[symbol]
