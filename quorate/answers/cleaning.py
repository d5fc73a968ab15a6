"""Numbers written in one way: plain digits and minus signs, fractions as 1/2, no LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5",
    "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
    "⅐": "1/7", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ARABIC = str.maketrans("٫٬", ".,")
_CLEANING: Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = (
    (re.compile(r"\b(?:minus|negative) (?=[$€£¥₹]?\d)(?<!\d minus )", re.IGNORECASE), "-"),
    (re.compile(r"[−‒–﹣－-](?=[\d.$€£¥₹])"), "-"),
    (re.compile(r"⁄"), "/"),
    (re.compile(r"(?<=\d)[\u00a0\u2009\u202f'’](?=\d{3}(?!\d))"), ""),
    (re.compile(r"(?<=\d)(?:\{,\}|\\,|\\!,?)(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(-?)\\[dt]?frac\s?\{(\d{1,40})\}\s?\{(\d{1,40})\}"), r" \1\2/\3"),
    (re.compile(r"(-?)\\[dt]?frac\s?(\d)\s?(\d)(?!\d)"), r" \1\2/\3"),
    (re.compile(r"\\(?:text|mathrm|textrm|operatorname|mbox)\{([^{}]{0,40})\}"), r" \1"),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\\[,;:! ]|~(?=[A-Za-z])"), " "),
    (re.compile(r" {2,8}"), " "),
    (re.compile(r"\^\{?\\circ\}?\s?"), "°"),
    (re.compile(r"(?<=\d)°(?=\s|$)"), ""),
    (re.compile(r"\b(?:US\s?\$|USD)\s?(?=\d)"), "$"),
    (re.compile(r"\bEUR\s?(?=\d)"), "€"),
    (re.compile(r"\bGBP\s?(?=\d)"), "£"),
    (re.compile(r"\b(?:INR|Rs\.?)\s?(?=\d)"), "₹"),
    (re.compile(r"(?<=\d)['′]\s?(?=\d{1,2}(?:\"|″|''))"), " ft "),
    (re.compile(r"(?<= ft \d)(?:\"|″|'')|(?<= ft \d\d)(?:\"|″|'')"), " inch"),
    (re.compile(r"(?<=\d) ?(?:ft|feet|foot),? (?=\d{1,2} in\b)(\d{1,2}) in\b"), r" ft \1 inch"),
    # Points between thousands and a decimal comma: 1.234,5; points alone only if they are several.
    (
        re.compile(r"(?<![\w,.])(\d{1,3}(?:\.\d{3}){1,9}),(\d{1,40})(?![\d,]|\.\d)"),
        lambda match: f"{match[1].replace('.', '')}.{match[2]}",
    ),
    (
        re.compile(r"(?<![\w,.])(\d{1,3}(?:\.\d{3}){2,9})(?![\d,]|\.\d)"),
        lambda match: match[1].replace(".", ""),
    ),
    (
        re.compile(r"(?<![\w,.])(?<!\d )([1-9]\d{0,2}(?: \d{3}){1,9})(?![\d,./]| ?\d| /)"),
        lambda match: match[1].replace(" ", ""),
    ),
    # A decimal comma, as in 3,14; in (3,14) and 3,14,15 it separates.
    (
        re.compile(r"(?<![\w,.(\[])(-?\d{1,40}),(\d{1,2}|\d{4,40})(?![\d,.\])])"),
        r"\1.\2",
    ),
    (re.compile(r"(?<![\w,.(\[])(-?0),(\d{3})(?![\d,.\])])"), r"\1.\2"),
)


def clean(text: str) -> str:
    """Write numbers in one way: plain digits and minus signs, fractions as 1/2, no LaTeX."""
    if not text.isascii():
        text = re.sub(r"(?![0-9])\d", lambda match: str(unicodedata.decimal(match[0])), text)
        text = text.translate(_ARABIC)
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
