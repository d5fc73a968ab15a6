"""Units of numbers: how they are written, and which can be turned into each other."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

PERCENT = "%"


class Unit(NamedTuple):
    """A unit: its symbol, what it measures, how many base units of that it is.

    `zero` is where its scale begins, in base units: that of °C begins at 273.15 K.
    """

    symbol: str
    measures: str
    factor: Fraction
    zero: Fraction = Fraction(0)


# One row a unit: what it measures, its symbol, its size in base units, how else it is written.
_ROWS = (
    ("percentage", "%", "1", "percent,per cent,pct,percentage"),
    ("us currency", "$", "1", "usd,dollar,dollars,bucks,us dollars,us dollar"),
    ("us currency", "¢", "0.01", "cent,cents"),
    ("euro currency", "€", "1", "eur,euro,euros"),
    ("british currency", "£", "1", "gbp,pound sterling,pounds sterling,quid"),
    ("british currency", "p", "0.01", "pence"),
    ("japanese currency", "¥", "1", "jpy,yen"),
    ("indian currency", "₹", "1", "inr,rupee,rupees"),
    ("length", "nm", "1e-9", "nanometer,nanometers,nanometre,nanometres"),
    ("length", "µm", "1e-6", "μm,micron,microns,micrometer,micrometers,micrometre,micrometres"),
    ("length", "mm", "0.001", "millimeter,millimeters,millimetre,millimetres"),
    ("length", "cm", "0.01", "centimeter,centimeters,centimetre,centimetres"),
    ("length", "m", "1", "meter,meters,metre,metres"),
    ("length", "km", "1000", "kilometer,kilometers,kilometre,kilometres,kms"),
    ("length", "inch", "0.0254", "inches"),
    ("length", "ft", "0.3048", "foot,feet"),
    ("length", "yd", "0.9144", "yard,yards"),
    ("length", "mile", "1609.344", "miles,mi"),
    ("length", "ly", "9460730472580800", "light year,light years"),
    ("mass", "mg", "0.001", "milligram,milligrams"),
    ("mass", "g", "1", "gram,grams"),
    ("mass", "kg", "1000", "kilogram,kilograms,kilo,kilos,kgs"),
    ("mass", "tonne", "1000000", "tonnes,metric tons,metric ton"),
    ("mass", "oz", "28.349523125", "ounce,ounces"),
    ("mass", "lb", "453.59237", "lbs"),
    ("pounds", "pound", "1", "pounds"),
    ("time", "ns", "1e-9", "nanosecond,nanoseconds"),
    ("time", "µs", "1e-6", "μs,microsecond,microseconds"),
    ("time", "ms", "0.001", "millisecond,milliseconds"),
    ("time", "s", "1", "sec,secs,second,seconds"),
    ("time", "min", "60", "mins,minute,minutes"),
    ("time", "h", "3600", "hr,hrs,hour,hours"),
    ("time", "day", "86400", "days"),
    ("time", "week", "604800", "weeks"),
    ("months", "month", "1", "months"),
    ("months", "year", "12", "years,yr,yrs"),
    ("months", "decade", "120", "decades"),
    ("months", "century", "1200", "centuries"),
    ("volume", "ml", "0.001", "milliliter,milliliters,millilitre,millilitres,cc"),
    ("volume", "cl", "0.01", "centiliter,centiliters,centilitre,centilitres"),
    ("volume", "l", "1", "L,liter,liters,litre,litres"),
    ("volume", "m^3", "1000", "m3,cubic meter,cubic meters,cubic metre,cubic metres"),
    ("volume", "cm^3", "0.001", "cm3,cubic centimeter,cubic centimeters,cubic centimetres"),
    ("volume", "gallon", "3.785411784", "gal,gallons"),
    ("area", "m^2", "1", "m2,sqm,sq m,square meter,square meters,square metre,square metres"),
    ("area", "cm^2", "0.0001", "cm2,sq cm,square centimeter,square centimeters,square centimetres"),
    ("area", "km^2", "1000000", "km2,sq km,square kilometer,square kilometers,square kilometres"),
    ("area", "ft^2", "0.09290304", "ft2,sq ft,square foot,square feet"),
    ("area", "ha", "10000", "hectare,hectares"),
    ("area", "acre", "4046.8564224", "acres"),
    ("speed", "m/s", "1", "meters per second,metres per second,meter per second,m per s"),
    ("speed", "km/s", "1000", "kilometers per second,kilometres per second"),
    ("speed", "km/h", "5/18", "kmh,kph,km per hour,kilometers per hour,kilometres per hour,km/hr"),
    ("speed", "mph", "0.44704", "miles per hour,miles/hour,miles/h"),
    ("celsius", "K", "1", "kelvin,kelvins"),
    ("celsius", "°C", "1", "°c,degrees celsius,degree celsius,celsius"),
    ("celsius", "°F", "5/9", "°f,degrees fahrenheit,degree fahrenheit,fahrenheit"),
    ("energy", "J", "1", "joule,joules"),
    ("energy", "kJ", "1000", "kj,kilojoule,kilojoules"),
    ("energy", "kWh", "3600000", "kwh,kilowatt hours,kilowatt hour"),
    ("energy", "cal", "4.184", "calorie,calories"),
    ("energy", "kcal", "4184", "kilocalorie,kilocalories"),
    ("power", "W", "1", "watt,watts"),
    ("power", "kW", "1000", "kw,kilowatt,kilowatts"),
    ("power", "MW", "1000000", "megawatt,megawatts"),
    ("force", "N", "1", "newton,newtons"),
    ("pressure", "Pa", "1", "pascal,pascals"),
    ("pressure", "kPa", "1000", "kpa,kilopascal,kilopascals"),
    ("pressure", "atm", "101325", "atmosphere,atmospheres"),
    ("frequency", "Hz", "1", "hz,hertz"),
    ("frequency", "kHz", "1000", "khz,kilohertz"),
    ("frequency", "MHz", "1000000", "mhz,megahertz"),
    ("frequency", "GHz", "1000000000", "ghz,gigahertz"),
    ("voltage", "V", "1", "volt,volts"),
    ("current", "mA", "0.001", "milliamp,milliamps"),
    ("current", "amp", "1", "amps,ampere,amperes"),
    ("resistance", "Ω", "1", "ohm,ohms"),
    ("information", "bit", "1", "bits"),
    ("information", "byte", "8", "bytes"),
    ("information", "kB", "8000", "KB,kilobyte,kilobytes"),
    ("information", "MB", "8000000", "mb,megabyte,megabytes"),
    ("information", "GB", "8000000000", "gb,gigabyte,gigabytes"),
    ("information", "TB", "8000000000000", "tb,terabyte,terabytes"),
    ("information", "KiB", "8192", "kib,kibibyte,kibibytes"),
    ("information", "MiB", "8388608", "mib,mebibyte,mebibytes"),
    ("information", "GiB", "8589934592", "gib,gibibyte,gibibytes"),
    ("amount", "mol", "1", "mole,moles"),
)
_ZEROS = {"°C": Fraction("273.15"), "°F": Fraction("273.15") - Fraction(160, 9)}
CURRENCIES = frozenset("$€£¥₹")
WRITTEN_CLOSE = frozenset({"%", "¢", "°C", "°F"})
EITHER = {"pound": frozenset({"lb", "£"})}
"""Words for one of several units; the sentence around them tells which."""

_UNITS = {
    row[1]: Unit(row[1], row[0], Fraction(row[2]), _ZEROS.get(row[1], Fraction(0))) for row in _ROWS
}
_SPELLINGS: Mapping[str, Unit] = {
    spelling: _UNITS[symbol]
    for _, symbol, _, others in _ROWS
    for spelling in (symbol, *others.split(","))
}


def find(spelling: str) -> Unit | None:
    """Give the unit that is written so; None for other words, such as counted things.

    Of one letter its case counts: m is a length, M is none.
    """
    exact = _SPELLINGS.get(spelling)
    return exact or (_SPELLINGS.get(spelling.lower()) if len(spelling) > 1 else None)


def of_symbol(symbol: str) -> Unit:
    """Give the unit with a symbol."""
    return _UNITS[symbol]
