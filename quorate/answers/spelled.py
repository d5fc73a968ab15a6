"""Numbers in words: "two hundred and five", "minus three point five", "two thirds", "a dozen"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]
_ORDINALS = (
    dict(zip(_SHORT_ORDINALS, _ONES[1:], strict=True))
    | {f"{word[:-1]}ieth": word for word in _TENS}
    | {f"{word}th": word for word in _LARGE}
)
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100,
}  # fmt: skip

_WORD = "|".join((*_ONES, *_TENS, *_LARGE))
_ROW = rf"(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
_PART = "|".join(_PARTS)
_SPOKEN = re.compile(
    rf"\b(?:(?P<sign>minus|negative)\s+)?"
    rf"(?:(?P<some>\ba|\b{_ROW})[\s-]+(?P<part>{_PART})s?\b"
    rf"|(?P<whole>\ba hundred|\ba thousand|\ba million|\b{_ROW})"
    rf"(?:\s+point(?P<decimals>(?:\s+(?:{'|'.join(_ONES[:10])})\b)+)"
    rf"|\s+and\s+(?P<more>a|one|two|three|four|five)[\s-]+(?P<of>{_PART})s?\b)?\b"
    r"|(?P<dozens>(?:\ba |\bhalf a |\btwo |\bthree )?dozen)\b)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    rf"(?:the\s+)?(?:({_ROW})[\s-]+(?:and\s+)?)?({'|'.join(_ORDINALS)})", re.IGNORECASE
)
_PERCENT = re.compile(r"\s+per ?cent\b|\s*%", re.IGNORECASE)
_DOZENS = {"dozen": 12, "a dozen": 12, "half a dozen": 6, "two dozen": 24, "three dozen": 36}


class Spelled(NamedTuple):
    """A number in words: where it begins and ends, and how much it is."""

    start: int
    end: int
    value: Fraction


def numbers(text: str) -> Iterator[Spelled]:
    """Give each number in words; "one" alone is a pronoun, but in "one percent" it is none."""
    for match in _SPOKEN.finditer(text):
        if match[0].lower() in ("one", "dozen") and not _PERCENT.match(text, match.end()):
            continue
        value = _value(match)
        if value is not None:
            yield Spelled(match.start(), match.end(), value)


def only(text: str) -> Fraction | None:
    """Read a text that is one number in words and nothing else: also "half" and "eighteenth"."""
    if text.lower() in ("half", "one half"):
        return Fraction(1, 2)
    if match := _SPOKEN.fullmatch(text):
        return _value(match)
    if match := _ORDINAL.fullmatch(text):
        before = f"{match[1]} " if match[1] else ""
        found = _spelled(before + _ORDINALS[match[2].lower()])
        return None if found is None else Fraction(found)
    return None


def _value(match: re.Match[str]) -> Fraction | None:
    value = _size(match)
    return -value if value is not None and match["sign"] else value


def _size(match: re.Match[str]) -> Fraction | None:
    if match["dozens"]:
        return Fraction(_DOZENS[match["dozens"].lower()])
    if match["part"]:
        count = _count(match["some"])
        return None if count is None else Fraction(count, _PARTS[match["part"].lower()])
    whole = _count(match["whole"])
    if whole is None:
        return None
    if match["decimals"]:
        digits = "".join(str(_SMALL[word]) for word in match["decimals"].lower().split())
        return Fraction(f"{whole}.{digits[:40]}")
    more = _count(match["more"]) if match["more"] else None
    return Fraction(whole) + (Fraction(more, _PARTS[match["of"].lower()]) if more else 0)


def _count(text: str) -> int | None:
    plain = text.lower()
    return 1 if plain == "a" else _spelled(plain.removeprefix("a "))


def _spelled(text: str) -> int | None:
    """Give the value of "two hundred and five"; None for words in a row that are no one number."""
    words = re.split(r"[\s-]+(?:and\s+)?", text.lower())
    if len(words) > len(_LARGE) * 6:
        return None
    if (year := _year(words)) is not None:
        return year
    total, current, least = 0, 0, 10**9
    for word in words:
        if word in _LARGE:
            current = max(1, current) * _LARGE[word]
            if word != "hundred":
                total, current = total + current, 0
            least = 100 if word == "hundred" else 10**9
            continue
        value = _SMALL[word]
        if value >= least:
            return None
        current, least = current + value, 10 if value >= 20 else 1
    return total + current


def _year(words: list[str]) -> int | None:
    """Read "nineteen eighty-four"."""
    values = [_SMALL.get(word, 0) for word in words]
    if len(words) not in (2, 3) or not 11 <= values[0] <= 20 or not 10 <= values[1] <= 90:
        return None
    if len(words) == 3 and not (values[1] >= 20 and 1 <= values[2] <= 9):
        return None
    return 100 * values[0] + sum(values[1:])
