"""Finds numbers in text: signs, thousands, fractions, percent, currencies, units, LaTeX, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from quorate.answers import units
from quorate.answers.number import Quantity

LONGEST_NUMBER = 60
"""Characters of the longest number that is read; a model's endless digits are no answer."""
LONGEST_UNIT = 24

_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_CLEANING = (
    (re.compile(r"[−‒–﹣-](?=[\d.$€£¥₹])"), "-"),
    (re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))"), ""),
    (re.compile(r"(?<=\d)(?:\{,\}|\\,|\\!,?)(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(-?)\\[dt]?frac\{(\d{1,40})\}\{(\d{1,40})\}"), r" \1\2/\3"),
    (re.compile(r"\\text\{([^{}]{0,40})\}"), r" \1"),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\^\{?\\circ\}?\s?"), "°"),
    # A decimal comma, as in 3,14; in (3,14) and 3,14,15 it separates.
    (re.compile(r"(?<![\w,.(\[])(-?\d{1,40}),(\d{1,2}|\d{4,40})(?![\d,.\])])"), r"\1.\2"),
)
_NUMBER = re.compile(
    r"(?<![\w./])(?P<sign>[-+]?)(?P<currency>[$€£¥₹]?)\s?(?P<inner>-?)(?=\.?\d)"
    r"(?:(?P<whole>\d{1,9}) (?P<over>\d{1,9})/(?P<under>\d{1,9})(?![\d/])"
    r"|(?P<numerator>\d{1,40})\s?/\s?(?P<denominator>\d{1,40})(?![\d/]|\.\d)"
    r"|(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?P<decimals>\.\d+)?"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3})(?!\w)"
    r"|\s?(?:x|×|\*|\\times|\\cdot)\s?10\^\{?(?P<power>[-+]?\d{1,3})\}?)?)"
)
_SCALE = re.compile(r"\s?(thousand|million|billion|trillion|k|bn)\b", re.IGNORECASE)
_SCALES = {
    "k": 3, "thousand": 3, "million": 6, "bn": 9, "billion": 9, "trillion": 12,
}  # fmt: skip
_UNIT = re.compile(r"(\s?)(%|¢|€|£|°\s?[CF]\b|per cent\b|[A-Za-z]+/[a-z]+\b|[A-Za-z]+\^?\d?(?!\w))")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")


def quantities(text: str) -> Iterator[Quantity]:
    """Read every number in a text, in order; those in words when there are no digits."""
    plain = _clean(text)
    if not any(character.isdecimal() for character in plain):
        yield from _in_words(plain)
        return
    position = 0
    while match := _NUMBER.search(plain, position):
        found, position = _read(plain, match), match.end()
        if found is not None:
            # Behind the unit, so that the 2 of "3 m^2" is no number.
            quantity, position = found
            yield quantity


def only_quantity(text: str) -> Quantity | None:
    """Read a text that is one number, perhaps with a unit or the thing counted, and nothing else.

    "2 + 2 = 4" is one as well: what is equal to 4 has been worked out.
    """
    plain = _clean(text).strip().strip("*_").rstrip(".!").strip()
    before, equals, after = plain.rpartition("=")
    if equals and re.fullmatch(r"[\w\s.,+*/()×÷^%$-]{0,200}", before):
        plain = after.strip()
    for match in _NUMBER.finditer(plain[: LONGEST_NUMBER + LONGEST_UNIT]):
        found = _read(plain, match) if match.start() == 0 else None
        if found is not None:
            rest = plain[found[1] :].strip(" .*_$")
            return found[0] if re.fullmatch(r"(?:[a-z]{2,24}|°)?", rest) else None
    return _only_in_words(plain)


def _clean(text: str) -> str:
    """Write numbers in one way: plain minus signs, fractions as 1/2, no LaTeX around them."""
    for sign, fraction in _VULGAR.items():
        text = text.replace(sign, f" {fraction}")
    text = re.sub(
        "(?<=[\\dA-Za-z])[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]{1,4}",
        lambda match: f"^{match[0].translate(_SUPERSCRIPTS)}",
        text,
    )
    for pattern, replacement in _CLEANING:
        text = pattern.sub(replacement, text)
    return text


def _read(text: str, match: re.Match[str]) -> tuple[Quantity, int] | None:
    """Read a number and its unit; also give where both end. None when it is none."""
    size = _size(match)
    end = match.end()
    if size is None or _is_time(text, match):
        return None
    number, places = size
    if scale := _SCALE.match(text, end):
        places = max(0, (places or 0) - _SCALES[scale[1].lower()]) if places is not None else None
        number, end = number * 10 ** _SCALES[scale[1].lower()], scale.end()
    symbol, end = _unit(text, match["currency"], end)
    if symbol is None:
        return None
    return Quantity(-number if _is_negative(text, match) else number, symbol, places), end


def _size(match: re.Match[str]) -> tuple[Fraction, int | None] | None:
    """Give a number without its sign, and how many decimals were written."""
    if len(match[0]) > LONGEST_NUMBER:
        return None
    over, under = match["over"] or match["numerator"], match["under"] or match["denominator"]
    if under:
        if not int(under):
            return None
        return Fraction(int(match["whole"] or 0)) + Fraction(int(over), int(under)), None
    digits, decimals = match["digits"], match["decimals"]
    number = Fraction((digits or "0").replace(",", "") + (decimals or ""))
    places = len(decimals or ".") - 1
    if exponent := int(match["exponent"] or match["power"] or 0):
        return number * Fraction(10) ** exponent, max(0, places - exponent)
    return number, places


def _is_time(text: str, match: re.Match[str]) -> bool:
    """Whether it is part of 12:30."""
    after = text[match.end() : match.end() + 2]
    before = text[max(0, match.start() - 2) : match.start()]
    return bool(re.fullmatch(r":\d", after) or re.fullmatch(r"\d:", before))


def _is_negative(text: str, match: re.Match[str]) -> bool:
    # Behind a closing bracket or a percent sign, or apart from both neighbours, a minus subtracts.
    before = text[max(0, match.start() - 2) : match.start()]
    apart = re.fullmatch(r"[\d)] ", before) and text[match.start() + 1 : match.start() + 2] == " "
    subtracts = before[-1:] in (")", "]", "}", "%") or bool(apart)
    return match["inner"] == "-" or (match["sign"] == "-" and not subtracts)


def _unit(text: str, currency: str, end: int) -> tuple[str | None, int]:
    """Give the symbol of a number's unit ("": none) and where it ends.

    None for the symbol when letters that are no unit stick to the number, as in 3x.
    """
    if ordinal := _ORDINAL.match(text, end):
        return "", ordinal.end()
    match = _UNIT.match(text, end, end + LONGEST_UNIT)
    known = units.find(match[2].replace(" ", "")) if match else None
    if match and known is None and not match[1]:
        return None, end
    if match and known:
        return currency or known.symbol, match.end()
    is_math = currency == "$" and text[end : end + 1] == "$"  # $18$ is LaTeX, not money
    return "" if is_math else currency, end


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
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6}
_WORD = "|".join((*_ONES, *_TENS, *_LARGE))
_WORDS = re.compile(rf"\b(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*\b", re.IGNORECASE)


def _in_words(text: str) -> Iterator[Quantity]:
    for match in _WORDS.finditer(text):
        # "one" alone is mostly a pronoun.
        if match[0].lower() != "one" and (number := _spelled(match[0])) is not None:
            yield Quantity(Fraction(number))


def _only_in_words(text: str) -> Quantity | None:
    match = _WORDS.fullmatch(text)
    number = _spelled(match[0]) if match else None
    return None if number is None else Quantity(Fraction(number))


def _spelled(text: str) -> int | None:
    """Give the value of "two hundred and five"; None for words in a row that are no one number."""
    total, current, least = 0, 0, 10**9
    for word in re.split(r"[\s-]+(?:and\s+)?", text.lower()):
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
