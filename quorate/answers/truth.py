"""Yes and no, true and false, told from words that only look like them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TRUE = "yes|yeah|yep|true|correct|right|affirmative|indeed"
_FALSE = "no|nope|false|untrue|incorrect|wrong|negative"
_VALUES = dict.fromkeys(_TRUE.split("|"), True) | dict.fromkeys(_FALSE.split("|"), False)
_LEAD = r"(?:(?:it|that|this|which|the (?:statement|claim|answer)|statement)(?:'s| is)\s+)?"
_ONLY = re.compile(rf"{_LEAD}(not |n't )?({_TRUE}|{_FALSE})[.!,;:]*", re.IGNORECASE)
# "Yes it is" and "No, …" answer; "No one knows", "True love" and "Right angles" do not.
_OPENING = re.compile(
    rf"{_LEAD}(not )?(?:(yes|yeah|yep|nope)\b(?! and no| or no)"
    rf"|({_TRUE}|{_FALSE})(?!\. ?\d)(?=[.!,;:)*\n]|\s[-–—]"
    r"|\s+(?:because|since|as|that|it|he|she|they|this|there|you|we|i)\b))",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:\b(?:so|thus|hence|therefore|answer is|is|:)[,:]?|[.!?\n])\s*(not )?"
    rf"({_TRUE}|{_FALSE})[.!]*$",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:statement|claim|it|this|that|which|answer) (?:is|was|would be)(n't)? (not )?"
    rf"({_TRUE}|{_FALSE})\b",
    re.IGNORECASE,
)
_CLEAR = re.compile(
    r"\b(yes|true|untrue|false|nope)\b|(?<=[ \"'(])(no)(?=[.!)\"']|$)", re.IGNORECASE
)


def value(text: str, *, wanted: bool) -> bool | None:
    """Give the truth value that a text answers with.

    `wanted` says that yes or no was asked for: then one inside the text counts as well, if all that
    are there agree.
    """
    plain = text.strip().strip("*_\"' ").replace("’", "'").replace("**", "")
    if match := _ONLY.fullmatch(plain):
        return _worth(match[2], match[1]) if wanted or _is_plain(match[2]) else None
    if match := _OPENING.match(plain):
        word = match[2] or match[3]
        return _worth(word, match[1]) if wanted or _is_plain(word) else None
    return _inside(plain) if wanted else None


def _is_plain(word: str) -> bool:
    """Whether a word is yes or no whatever was asked; "right" may be the other hand."""
    return word.lower() in ("yes", "no", "true", "false", "untrue", "yeah", "yep", "nope")


def _worth(word: str, denial: str | None) -> bool:
    return _VALUES[word.lower()] is not bool(denial)


def _inside(text: str) -> bool | None:
    """Read a truth value from inside a text: stated, as its last word, or the only one."""
    if match := _last(_STATED, text):
        return _worth(match[3], match[1] or match[2])
    if match := _CLOSING.search(text[-80:]):
        return _worth(match[2], match[1])
    found = {_VALUES[(match[1] or match[2]).lower()] for match in _CLEAR.finditer(text)}
    if re.search(r"\bnot (?:true|untrue|false|yes)\b", text, re.IGNORECASE):
        return None
    return found.pop() if len(found) == 1 else None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found: Sequence[re.Match[str]] = list(pattern.finditer(text))
    return found[-1] if found else None
