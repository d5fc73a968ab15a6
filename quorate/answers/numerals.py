"""Finds numbers in text: signs, thousands, fractions, percent, currencies, units, LaTeX, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from quorate.answers import spelled, units
from quorate.answers.cleaning import clean
from quorate.answers.number import Quantity

LARGEST_EXPONENT = 200
"""A number beyond it is no answer, and some could not be counted with: floats end at 1e308."""
LONGEST_NUMBER = 60
"""Characters of the longest number that is read; a model's endless digits are no answer."""
LONGEST_UNIT = 32
LONGEST_WORDS = 200

_NUMBER = re.compile(
    r"(?<![\w./])(?P<sign>[-+]?)(?P<currency>[$€£¥₹]?)\s?(?P<inner>-?)(?=\.?\d)"
    r"(?:(?P<whole>\d{1,9}) (?P<over>\d{1,9})/(?P<under>\d{1,9})(?![\d/])"
    r"|(?P<numerator>\d{1,40})\s?/\s?(?P<denominator>\d{1,40})(?![\d/]|\.\d)"
    r"|(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)|\d+)?(?P<decimals>\.\d+)?"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3})(?!\w)"
    r"|\s?(?:x|×|\*|\\times|\\cdot)\s?10\^\{?(?P<power>[-+]?\d{1,3})\}?)?)"
)
_SCALE = re.compile(
    r"\s?(hundred|thousand|million|billion|trillion|lakh|crore|mn|bn|k)\b|(M)\b", re.IGNORECASE
)
_SCALES = {
    "hundred": 2, "k": 3, "thousand": 3, "lakh": 5, "m": 6, "mn": 6, "million": 6, "crore": 7,
    "bn": 9, "billion": 9, "trillion": 12,
}  # fmt: skip
_UNIT = re.compile(
    r"(\s?)(%|\$(?![\d$])|¢|€|£|₹|°\s?[CF]\b|per cent\b|degrees? (?:[Cc]elsius|[Ff]ahrenheit)\b"
    r"|light years?\b"
    r"|(?:square|cubic|sq|metric|US|kilowatt) [a-z]+\b|[A-Za-z]+ per [a-z]+\b|[A-Za-zµμ]+/[a-z]+\b"
    r"|[A-Za-zµμ]+\^?\d?(?!\w))",
)
_NEXT_PART = re.compile(r",? (?:and )?(?=\d)|(?=\d)")
_DOZEN = re.compile(r"\s?dozen\b", re.IGNORECASE)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_CLOCK = re.compile(r"\s?[ap]\.?m\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:≈|~|=|(?:about|approximately|approx\.?|around|roughly|exactly|only)\s)\s*", re.I
)
_WORKED_OUT = re.compile(r"[\w\s.,+*/()×÷^%$-]{0,200}")
_TERM = re.compile(
    r"-?\d[\d.,]*(?:\s*(?:[-+*/×÷·^]|x|times|\\times|\\cdot)\s*\(?-?\d[\d.,]*\)?){1,20}"
)
"""Numbers that are still to be worked out: what is equal to them is the result."""
_UNKNOWN = re.compile(
    r"(?<![A-Za-z])[A-Za-z]\s?[\^*/+-]|[\^*/+-]\s?[A-Za-z](?![A-Za-z])|\d[A-Za-z](?!\w)"
)
"""A variable in a term, as in x^2 = 4, which is worked out by no number."""
_DENIED = re.compile(
    r"(?:\bnot|n['’]t(?: be)?|\brather than|\binstead of|\bnor|\bunlike)\s+"
    r"(?:equal to |just |simply |about )?\W{0,3}$",
    re.IGNORECASE,
)
"""What stands before a number that is said not to be meant."""


def quantities(text: str) -> Iterator[Quantity]:
    """Read every number in a text that is not denied, in order.

    Those in words count when there are no digits.
    """
    plain = clean(text)
    if not any(character.isdecimal() for character in plain):
        for said in spelled.numbers(plain):
            if not _is_denied(plain, said.start):
                yield _of_words(said.value)._replace(unit=_unit(plain, "", said.end)[0] or "")
        return
    position = 0
    while match := _NUMBER.search(plain, position):
        found, position = _read_whole(plain, match), match.end()
        if found is not None:
            # Behind the unit, so that the 2 of "3 m^2" is no number.
            quantity, position = found
            if not _is_denied(plain, match.start()):
                yield quantity


def _is_denied(text: str, start: int) -> bool:
    return bool(_DENIED.search(text[max(0, start - 32) : start]))


def only_quantity(text: str) -> Quantity | None:
    """Read a text that is one number, perhaps with a unit or the thing counted, and nothing else.

    "2 + 2 = 4" is one as well: what is equal to 4 has been worked out.
    """
    plain = clean(text).strip().strip("*_").rstrip(".!").strip()
    plain = plain[1:-1] if re.fullmatch(r"\([^(),]*\)", plain) else plain
    plain = _result(plain)
    plain = _ABOUT.sub("", plain, count=1) if _ABOUT.match(plain) else plain
    match = _NUMBER.match(plain[: LONGEST_NUMBER + 2 * LONGEST_UNIT])
    found = _read_whole(plain, match) if match else None
    if found is not None:
        rest = plain[found[1] :].strip(" .*_$")
        is_one = re.fullmatch(r"(?:[a-z]{2,24}|°)?\s?(?:\([^()]{1,60}\))?", rest) and rest not in (
            "am",
            "pm",
        )
        return found[0] if is_one else None
    return _only_in_words(plain[:LONGEST_WORDS])


def _result(plain: str) -> str:
    """Give what is said to be the result of an equation: 42 in 6 * 7 = 42, and in 42 = 6 * 7."""
    before, equals, after = plain.rpartition("=")
    if not equals or not _WORKED_OUT.fullmatch(before) or _UNKNOWN.search(before):
        return plain
    return _result(before.strip()) if _TERM.fullmatch(after.strip()) else after.strip()


def equated(sentence: str) -> Quantity | None:
    """Give the number that a sentence ends in and says to be a term: 42 in "it is 42 = 6 * 7."."""
    plain = clean(sentence).strip().rstrip(".!")
    before, _, after = plain.rpartition("=")
    if not before or not _TERM.fullmatch(after.strip()):
        return None
    found = [*quantities(before[-LONGEST_WORDS:])]
    return found[-1] if found and before.rstrip()[-1:].isdecimal() else None


def _only_in_words(plain: str) -> Quantity | None:
    value = spelled.only(plain)
    if value is not None:
        return _of_words(value)
    first = next(spelled.numbers(plain), None)
    if first is None or first.start:
        return None
    symbol, end = _unit(plain, "", first.end)
    return _of_words(first.value)._replace(unit=symbol) if symbol and end == len(plain) else None


def _of_words(value: Fraction) -> Quantity:
    places = None if value.denominator > 1 and 10**12 % value.denominator else 0
    while places is not None and (value * 10**places).denominator > 1:
        places += 1
    return Quantity(value, "", places)


def _read_whole(text: str, match: re.Match[str]) -> tuple[Quantity, int] | None:
    """Read a number of one or several units, such as "1 h 30 min"; also give where it ends."""
    found = _read(text, match)
    while found is not None and found[0].unit:
        further = _NEXT_PART.match(text, found[1])
        part = _NUMBER.match(text, further.end()) if further else None
        read = _read(text, part) if part else None
        joined = _joined(found[0], read[0]) if read else None
        if read is None or joined is None:
            break
        found = joined, read[1]
    return found


def _joined(large: Quantity, small: Quantity) -> Quantity | None:
    """Add a part in a smaller unit; None when it is no part of the same measure."""
    if not small.unit or small.number < 0:
        return None
    whole, part = units.of_symbol(large.unit), units.of_symbol(small.unit)
    if whole.measures != part.measures or part.factor >= whole.factor:
        return None
    number = large.number * whole.factor / part.factor
    return Quantity(number + (small.number if number >= 0 else -small.number), small.unit, None)


def _read(text: str, match: re.Match[str]) -> tuple[Quantity, int] | None:
    """Read a number and its unit; also give where both end. None when it is none."""
    size = _size(match)
    end = match.end()
    if size is None or _is_time(text, match):
        return None
    number, places = size
    if (scale := _SCALE.match(text, end)) and scale[0] not in ("m", " K"):
        power = _SCALES[(scale[1] or scale[2]).lower()]
        places = None if places is None else max(0, places - power)
        number, end = number * 10**power, scale.end()
    elif dozen := _DOZEN.match(text, end):
        number, end = number * 12, dozen.end()
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
        if abs(exponent) > LARGEST_EXPONENT:
            return None
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


def _spelling(written: str) -> str:
    return written.replace(" ", "") if written.startswith("°") else written


def _unit(text: str, currency: str, end: int) -> tuple[str | None, int]:
    """Give the symbol of a number's unit ("": none) and where it ends.

    None for the symbol when letters that are no unit stick to the number, as in 3x.
    """
    if currency == "$" and text[end : end + 1] == "$":  # $18$ is LaTeX, not money
        return "", end
    if ordinal := _ORDINAL.match(text, end):
        return "", ordinal.end()
    match = _UNIT.match(text, end, end + LONGEST_UNIT)
    known = units.find(_spelling(match[2])) if match else None
    sticks = match is None and text[end : end + 1].isalpha()
    if sticks or (match and known is None and not match[1]):
        return None, end
    if match and known:
        return currency or known.symbol, match.end()
    return currency, end
