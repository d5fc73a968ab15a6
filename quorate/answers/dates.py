"""Dates and times of day in text, written in one way: 2020-03-05, --03-05 without a year, 15:30."""

from __future__ import annotations

import re

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",),
            ("june", "jun"), ("july", "jul"), ("august", "aug"), ("september", "sept", "sep"),
            ("october", "oct"), ("november", "nov"), ("december", "dec"),
        ),
        1,
    )
    for name in names
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})\b\.?"
_WEEKDAY = r"(?:\b(?:mon|tues|wednes|thurs|fri|satur|sun)day,? (?:the )?)?"
_DAY = r"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})\b(?!\s?(?:bc|ad\b))"
_NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_WEEKDAY}{_DAY}(?: of)?[ -]{_MONTH}(?:,? |-){_YEAR}",
        rf"{_WEEKDAY}\b{_MONTH} (?:the )?{_DAY}(?:,| in|) {_YEAR}",
        rf"\b(?P<year>[12]\d{{3}})[- ]{_MONTH}[- ]{_DAY}\b",
        rf"\b{_MONTH},? (?:of )?(?P<day>){_YEAR}",
        rf"{_WEEKDAY}{_DAY}(?: of)?[ -]{_MONTH}(?P<year>)",
        rf"{_WEEKDAY}\b{_MONTH} (?:the )?{_DAY}(?P<year>)(?![\d.,/]\d|\d| ?%)\b",
    )
)
_YEAR_FIRST = re.compile(
    r"(?<![\d.,/-])(?P<year>[12]\d{3})([-/.])(?P<month>[01]?\d)\2(?P<day>[0-3]?\d)(?![\d/-]|[.,]\d)"
)
_YEAR_LAST = re.compile(
    r"(?<![\d.,/-])(?P<one>[0-3]?\d)(?P<sign>[-/.])(?P<other>[0-3]?\d)(?P=sign)"
    r"(?P<year>[12]\d{3})(?![\d/-]|[.,]\d)"
)
_CLOCK = re.compile(r"\b(?P<hour>[01]?\d)(?:[:.](?P<minute>[0-5]\d))? ?(?P<half>[ap])\.?m\b\.?")
_TIME = re.compile(r"(?<![\d:])(?P<hour>[0-2]?\d):(?P<minute>[0-5]\d)(?::00)?(?![\d:])")
_NOON = re.compile(r"\b(?:12 )?(noon|midnight|midday)\b")


def standardised(text: str) -> str:
    """Write the dates and times of a text, given in lower case, in one way.

    03/05/2020 stays as it is: it may be March or May.
    """
    if "noon" in text or "mid" in text:
        text = _NOON.sub(lambda match: "00:00" if match[1] == "midnight" else "12:00", text)
    if not any(character.isdecimal() for character in text):
        return text
    for pattern in _NAMED:
        text = pattern.sub(_named, text)
    text = _YEAR_FIRST.sub(lambda match: _iso(match, match["month"], match["day"]), text)
    text = _YEAR_LAST.sub(_day_and_month, text)
    text = _CLOCK.sub(_clock, text)
    return _TIME.sub(lambda match: f"{int(match['hour']):02}:{match['minute']}", text)


def _named(match: re.Match[str]) -> str:
    return _iso(match, str(_MONTHS[match["month"]]), match["day"])


def _day_and_month(match: re.Match[str]) -> str:
    one, other = match["one"], match["other"]
    if match["sign"] == "." or int(one) > 12:
        return _iso(match, other, one)
    if int(other) > 12 or int(one) == int(other):
        return _iso(match, one, other)
    return match[0]


def _iso(match: re.Match[str], month: str, day: str) -> str:
    """Write a date; what is none, such as a thirteenth month, stays as it was."""
    if not 1 <= int(month) <= 12 or (day and not 1 <= int(day) <= 31):
        return match[0]
    first = f"{match['year'] or '-'}-{int(month):02}"
    return f"{first}-{int(day):02}" if day else first


def _clock(match: re.Match[str]) -> str:
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        return match[0]
    return f"{hour % 12 + 12 * (match['half'] == 'p'):02}:{match['minute'] or '00'}"
