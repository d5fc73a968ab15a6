r"""Finds where a model marked its answer: JSON field, "Answer:", \boxed{}, ####, "answer is"."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from quorate.answers import json_value

DEEPEST_BOX = 8
LONGEST_BOX = 2_000
DEEPEST_ANSWER = 4


class Place(NamedTuple):
    """A marked text and the rule that found it.

    What a `binding` mark holds is the answer or there is none; the others may be figures of speech.
    """

    text: str
    rule: str
    binding: bool


_MARK = r"[*_]{0,3} ?(?:\([^()\n]{0,30}\) ?)?(?:[:=：]|[-–—](?= ))[*_]{0,3}[ \n]{0,3}(\S[^\n]*)"
_FINAL_LINE = re.compile(rf"\b(?:final|my) (?:answer|ans)\b{_MARK}", re.IGNORECASE)
_ANSWER_LINE = re.compile(rf"\b(?:answer|ans)\b{_MARK}", re.IGNORECASE)
_HEADING = re.compile(
    r"^[#*_ ]{1,6}(?:the )?(?:final )?answer[*_ ]{0,3}\n{1,2}(\S[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"<(?:final_)?answer>([^<]{1,2000})</(?:final_)?answer>", re.IGNORECASE)
_LOOSE_FIELD = re.compile(
    r"\{[^{}]{0,2000}?['\"]?\b(?:final_)?answer['\"]?\s?:\s?(['\"]?)"
    r"([-+]?[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?: ?[A-Za-z%]{1,20})?|[^'\"{}\[\],\n]{1,200})"
    r"\1\s?(?:[,}]|$)"
)
"""A field of what is nearly JSON: other quotes or none, 1,234 as a number, or cut off behind it."""
_OPENED = re.compile(r"\$?\\(?:boxed|text|mathrm|textbf|mathbf|textit)\{")
_IS_ANSWER = re.compile(
    r"(?:^|[.!\n,:] ?)(?:(?:so|thus|hence|therefore|and),? )?([^\n.!,:]{1,60}) is (?:the|my)"
    r" (?:final |correct |right )?answer\b",
    re.IGNORECASE,
)
_HASHES = re.compile(r"^#### ?(\S[^\n]*)", re.MULTILINE)
_PHRASE = re.compile(
    r"\b(?:answer|option|choice) (?:is|would be|=)(?: ?:)? ?"
    r"([^\s:][^\n]*)",
    re.IGNORECASE,
)


def places(text: str) -> Iterator[Place]:
    """Give the marked places of a text, by rule in order of trust; of each rule the last one."""
    squeezed = re.sub(r"[^\S\n]+", " ", text)
    for rule in _RULES:
        place = rule(squeezed)
        if place is not None:
            yield place


def answer_field(text: str) -> Place | None:
    """Give the `answer` of a JSON object in a text, written as a reader would."""
    whole = json_value.whole_value(text)
    for found in [whole] if whole else reversed([*json_value.values(text, "{")]):
        answers = [*_answers(found.value, 0)]
        if len(answers) == 1:  # several, such as one of each part, are no one answer
            return Place(_shown(answers[0]), "answer_field", binding=True)
    found_loosely = None if whole else _LOOSE_FIELD.search(text)
    return Place(found_loosely[2], "answer_field", binding=True) if found_loosely else None


def _answers(value: object, depth: int) -> Iterator[object]:
    """Give the answer fields of an object, the outermost ones only."""
    if not isinstance(value, dict) or depth > DEEPEST_ANSWER:
        return
    fields = {key.strip().lower().replace(" ", "_"): field for key, field in value.items()}
    for key in ("final_answer", "answer"):
        if key in fields:
            inner = [*_answers(fields[key], depth + 1)]
            yield inner[0] if len(inner) == 1 else fields[key]
            return
    for field in fields.values():
        yield from _answers(field, depth + 1)


def _shown(field: object) -> str:
    """Write a field as a reader would: {"value": 5, "unit": "km"} is 5 km."""
    match field:
        case str():
            return field
        case None:
            return "unknown"
        case {"value": str() | int() | float() as value, "unit": str(unit), **rest} if not rest:
            return f"{value} {unit}"
        case {"value": str() | int() | float() as value, **rest} if not rest:
            return str(value)
    return json.dumps(field)


def _answer_line(text: str) -> Place | None:
    return _last(_ANSWER_LINE, text, "answer_line", binding=True)


def _final_line(text: str) -> Place | None:
    return _last(_FINAL_LINE, text, "answer_line", binding=True)


def _heading(text: str) -> Place | None:
    return _last(_HEADING, text, "answer_line", binding=True)


def _tag(text: str) -> Place | None:
    return _last(_TAG, text, "answer_tag", binding=True)


def _is_answer(text: str) -> Place | None:
    return _last(_IS_ANSWER, text, "answer_phrase", binding=False)


def _boxed(text: str) -> Place | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    inside = start + len("\\boxed{")
    end = _closing(text, inside)
    return None if end is None else Place(text[inside:end], "boxed", binding=True)


def _closing(text: str, inside: int) -> int | None:
    """Give where the brace closes that was opened just before a position."""
    level = 1
    for position in range(inside, min(len(text), inside + LONGEST_BOX)):
        level += {"{": 1, "}": -1}.get(text[position], 0)
        if level == 0:
            return position
        if level > DEEPEST_BOX:
            break
    return None


def _hashes(text: str) -> Place | None:
    return _last(_HASHES, text, "hashes", binding=True)


def _phrase(text: str) -> Place | None:
    return _last(_PHRASE, text, "answer_phrase", binding=False)


def _last(pattern: re.Pattern[str], text: str, rule: str, *, binding: bool) -> Place | None:
    found = None
    for match in pattern.finditer(text):
        found = match[1]
    return Place(found.strip(), rule, binding) if found else None


_RULES: Sequence[Callable[[str], Place | None]] = (
    _tag,
    _final_line,
    _answer_line,
    _boxed,
    _hashes,
    _heading,
    _phrase,
    _is_answer,
)


def unwrapped(text: str) -> str:
    r"""Take an answer out of the signs around it: **18**, $18$, \boxed{18}, \text{18}, "18"."""
    plain = text.strip()
    while (inner := _unwrapped_once(plain)) != plain:
        plain = inner
    return plain


def _unwrapped_once(text: str) -> str:
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
        if text.startswith(opening) and text.rstrip(".").endswith(closing):
            return text.rstrip(".")[2:-2].strip()
    if opened := _OPENED.match(text):
        end = _closing(text, opened.end())
        if end is not None and text[end + 1 :] in ("", ".", "$", "$.", ".$"):
            return text[opened.end() : end].strip()
    for sign in ("**", "__", "$$", "*", "`", '"', "'", "“", "$"):
        closing = "”" if sign == "“" else sign
        inner = text.removesuffix(".") if text.endswith(f"{closing}.") else text
        inner = inner.removesuffix(",") if inner.endswith(f"{closing},") else inner
        if len(inner) > 2 * len(sign) and inner.startswith(sign) and inner.endswith(closing):
            middle = inner[len(sign) : -len(closing)]
            if sign not in middle and closing not in middle:
                return middle.strip()
    return text
