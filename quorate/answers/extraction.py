"""Takes the answer out of what a model said: first the place, then the type.

Rules are tried in order; each looks for one way in which models mark their answer and gives the
marked text, or None. What is marked wins over what merely stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from quorate.answers import json_value, number, phrase, program
from quorate.answers.answer import Answer, Kind

HEAD_CHARACTERS = 2_000
TAIL_CHARACTERS = 20_000
"""A longer text is looked at from both ends only, so that hostile lengths cost nothing."""

_ANSWER_LINE = re.compile(
    r"^[^\S\n]*(?:[*_#>-]+[^\S\n]*)?(?:final[^\S\n]+)?answer[*_]*[^\S\n]*[:=][*_]*[^\S\n]*(\S[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWER_PHRASE = re.compile(
    r"\b(?:the|my|so the|final|correct)[^\S\n]+(?:final[^\S\n]+|correct[^\S\n]+)?"
    r"(?:answer|choice|option|result)[^\S\n]+(?:is|=)[^\S\n]*:?[^\S\n]*(\S[^\n]*)",
    re.IGNORECASE,
)
_HASHES = re.compile(r"^####[^\S\n]*(\S[^\n]*)$", re.MULTILINE)
_BOXED = re.compile(r"\\boxed\{([^{}\n]{1,500}(?:\{[^{}\n]{0,200}\}[^{}\n]{0,200}){0,4})\}")
_REFUSAL = re.compile(
    r"^(?:i(?:'m| am)? (?:sorry|afraid|not (?:sure|able)|unable|do(?:n't| not) (?:know|have)"
    r"|can(?:'t|not| not))|sorry\b|as an ai\b|unable to\b|no answer\b|n/?a$|unknown$|none$)",
    re.IGNORECASE,
)

_LETTER = re.compile(r"^[(\[]?([A-J])(?:[)\]]|[.:](?=\s|$)|$)")
_LETTER_SAID = re.compile(
    r"\b(?:answer|option|choice)(?:[^\S\n]+is)?[^\S\n]*:?[^\S\n]*[(\[]?([A-J])(?![\w'’])(?![^\S\n][a-z])"
)
_LETTER_JUDGED = re.compile(r"^[(\[]?([A-J])[)\]]?[^\S\n]+(?:is|because|since)\b")
_TRUTH = re.compile(r"^(?:it is |that is |this is )?(yes|no|true|false)\b", re.IGNORECASE)

Found = tuple[str, str]
"""The text that a rule found, and the rule's name."""


def extract(text: str, kind: Kind | None = None) -> Answer | None:
    """Give what a text answers, or None when it abstains.

    `kind` says what type of answer counts; a text without one of that type abstains. Without it
    the type is read from the text. Empty texts and refusals abstain.
    """
    looked_at = _ends(text).strip()
    if not looked_at:
        return None
    for found, rule in _candidates(looked_at, kind):
        answer = _typed(found, rule, kind)
        if answer is not None:
            return answer
    return None


def _ends(text: str) -> str:
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:]


def _candidates(text: str, kind: Kind | None) -> Iterator[Found]:
    """Give the places where the answer may stand, best first."""
    if kind is not Kind.JSON and (field := _answer_field(text)) is not None:
        yield field, "answer_field"
    for name, pattern in _MARKS.items():
        marked = pattern.findall(text)
        if marked:
            yield marked[-1].strip(), name
    if kind in (None, Kind.TEXT) and _REFUSAL.match(text):
        return
    yield text, "whole"


_MARKS: Mapping[str, re.Pattern[str]] = {
    "answer_line": _ANSWER_LINE,
    "hashes": _HASHES,
    "boxed": _BOXED,
    "answer_phrase": _ANSWER_PHRASE,
}


def _answer_field(text: str) -> str | None:
    found = json_value.whole_value(text) or json_value.find_value(text)
    if found is None or not isinstance(found[0], dict):
        return None
    field = found[0].get("answer", found[0].get("final_answer"))
    if isinstance(field, bool):
        return "true" if field else "false"
    return str(field) if isinstance(field, str | int | float) else None


def _typed(found: str, rule: str, kind: Kind | None) -> Answer | None:
    if kind is not None:
        return _READERS[kind](found, rule)
    for reader in (_json, _code, _choice, _boolean, _lone_number, _text):
        answer = reader(found, rule)
        if answer is not None:
            return answer
    return None


def _choice(text: str, rule: str) -> Answer | None:
    plain = text.strip().strip("*_ ")
    match = _LETTER.match(plain) or _LETTER_JUDGED.match(plain)
    if match is None:
        said = list(_LETTER_SAID.finditer(text))
        match = said[-1] if said else None
    return Answer(Kind.CHOICE, match[1], match[1], rule) if match else None


def _boolean(text: str, rule: str) -> Answer | None:
    match = _TRUTH.match(text.strip().strip("*_ "))
    if match is None:
        return None
    truth = match[1].lower() in ("yes", "true")
    return Answer(Kind.BOOLEAN, "yes" if truth else "no", truth, rule)


def _number(text: str, rule: str) -> Answer | None:
    """Read the first number after the last "=" of a marked text, the last of a whole one."""
    found = number.quantities(text.rpartition("=")[2]) or number.quantities(text)
    if not found:
        return None
    chosen = found[-1] if rule == "whole" else found[0]
    return Answer(Kind.NUMBER, str(chosen), chosen, "last_number" if rule == "whole" else rule)


def _lone_number(text: str, rule: str) -> Answer | None:
    chosen = number.only_quantity(text)
    return Answer(Kind.NUMBER, str(chosen), chosen, rule) if chosen else None


def _json(text: str, rule: str) -> Answer | None:
    found = json_value.find_value(text)
    if found is None:
        return None
    return Answer(Kind.JSON, found[1], json_value.canonical(found[0]), rule)


def _any_json(text: str, rule: str) -> Answer | None:
    answer = _json(text, rule)
    whole = json_value.whole_value(text)
    if answer is None and whole is not None:
        return Answer(Kind.JSON, whole[1], json_value.canonical(whole[0]), rule)
    return answer


def _code(text: str, rule: str) -> Answer | None:
    source = program.find_program(text)
    if source is None:
        return None
    return Answer(Kind.CODE, source, program.canonical(source), rule)


def _expression(text: str, rule: str) -> Answer | None:
    if rule == "whole" and "\n" in text:
        return None
    plain = re.sub(r"\s+", "", text.strip().strip("$").rstrip("."))
    return Answer(Kind.EXPRESSION, text.strip(), plain, rule) if plain else None


def _text(text: str, rule: str) -> Answer | None:
    plain = text.strip()
    value = phrase.words(plain)
    if not value or _REFUSAL.match(plain):
        return None
    return Answer(Kind.TEXT, plain, value, rule)


_READERS: Mapping[Kind, Callable[[str, str], Answer | None]] = {
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.EXPRESSION: _expression,
    Kind.CODE: _code,
    Kind.JSON: _any_json,
    Kind.TEXT: _text,
}
