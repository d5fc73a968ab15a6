"""The letter of a multiple-choice answer, told from letters that are words."""

from __future__ import annotations

import re

_L = "[A-J]"
_ONLY = re.compile(rf"[(\[]?({_L})[)\].:]*")
_ONLY_SMALL = re.compile(r"\(([a-j])\)|([a-j])\)?\.?")
_SAID_SMALL = re.compile(
    r"(?:i(?:'d| would)? (?:say|pick|choose)|(?:it|that|the answer|answer|mine)(?:['’]?s| is)|its)"
    r" (?:option |choice |letter )?[(\[]?([a-hj])[)\]]?[.!]*",
    re.IGNORECASE,
)
_SPECIES = r"(?:coli|elegans|melanogaster|aureus|subtilis|pylori|thaliana|sapiens|cerevisiae)\b"
# "B. Paris" names an option; in "J. K. Rowling" the letter is an initial.
_OPTION = re.compile(
    rf"[(\[]?({_L})(?:[)\]](?=\W|$)|(?:[.:]| [-–—:])\s+(?![A-Z]\.)(?!{_SPECIES})(?=\S))"
)
_LEADING = re.compile(rf"[(\[\"']?({_L})[)\]\"']?(?:[,;!]| (?:because|since|as)\b)")
_JUDGED = re.compile(
    r"(?:^|[.!;\n] ?|\b[Oo]nly |\b(?:wrong|incorrect|false),? ?(?:(?:and|but|so|while) )?)"
    rf"(?:[Oo]ption |[Cc]hoice )?[(\[\"']?({_L})[)\]\"']? is (?:the |my )?"
    r"(?:correct|right|best|true|(?:final )?answer)\b"
)
_SAID = re.compile(
    r"\b(?:[Aa]nswer(?: is|:)|[Oo]ption|[Cc]hoice|[Ll]etter|[Cc]hoose|[Pp]ick|[Ss]elect|[Gg]o with)"
    rf":?\s+[*(\[\"']{{0,3}}({_L})(?![\w'’])(?!\s+[a-z])"
)
_ALONE = re.compile(rf"(?<![\w'’.-])({_L})(?![\w'’+#-]|\.\w|\. {_SPECIES})")
_DENIED = re.compile(
    r"(?:\bnot|\bcannot|n['’]t|\bnor|\bneither|\brather than|\binstead of|\bexcept|\bunlike)\s+"
    r"(?:be\s+|option\s+|choice\s+|letter\s+)?[(\[*\"']{0,3}$",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(r"\s+(?!(?:or|and)\b)\w")
_SEVERAL = re.compile(
    rf"[(\[]?{_L}[)\]]?\s*(?:,|/|&|\bor\b|\band\b)\s*(?:and\s|or\s)?[(\[]?{_L}\b(?!')"
)


_CIRCLED = {
    first + place: f"({letter})"
    for first in (0x249C, 0x24B6, 0x24D0, 0x1F110, 0x1F130, 0x1F150, 0x1F170)
    for place, letter in enumerate("ABCDEFGHIJ")
}
"""Letters in circles, squares and brackets that are one sign: ⒜ Ⓐ ⓐ 🄐 🄰 🅐 🅰."""


def is_circled(sign: str) -> bool:
    """Whether a sign is a letter in a circle or a square, which is no letter to Python."""
    return ord(sign) in _CIRCLED


def letter(text: str, *, wanted: bool) -> str | None:
    """Give the letter that a text answers with, as a capital.

    `wanted` says that a choice was asked for: then a letter alone among other words counts as well,
    if it is the only one and no article. Several letters are no choice.
    """
    plain = text.translate(_CIRCLED).strip().strip("*_ ")
    if match := _ONLY.fullmatch(plain):
        return match[1] if wanted or match[1] != "I" else None
    if match := _ONLY_SMALL.fullmatch(plain):
        return (match[1] or match[2]).upper() if wanted or match[1] else None
    if wanted and (match := _SAID_SMALL.fullmatch(plain)):
        return match[1].upper()
    if _SEVERAL.match(plain):
        return _only_right(plain)
    if match := _OPTION.match(plain) or _LEADING.match(plain):
        return match[1] if wanted or match[1] != "I" else None
    said = [
        match
        for pattern in (_JUDGED, _SAID)
        for match in pattern.finditer(plain)
        if not _DENIED.search(plain[: match.start(1)][-20:])
    ]
    if said:
        return None if _SEVERAL.match(plain, said[-1].start(1)) else said[-1][1]
    return _only_letter(plain) if wanted else None


def _only_right(text: str) -> str | None:
    """Give the only letter that is said to be right: "A and B are wrong; C is right"."""
    found = {match[1] for match in _JUDGED.finditer(text)}
    return found.pop() if len(found) == 1 else None


def _only_letter(text: str) -> str | None:
    """Give the only letter that stands alone; "A" and "I" inside a sentence are words."""
    found = set()
    for match in _ALONE.finditer(text):
        is_word = match[1] in "AI" and _WORD_AFTER.match(text, match.end())
        is_denied = _DENIED.search(text[: match.start()][-20:])
        if not is_word and not is_denied:
            found.add(match[1])
    return found.pop() if len(found) == 1 else None
