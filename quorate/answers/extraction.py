"""Takes the answer out of what a model said: first the place, then the type.

The places are tried in order of trust, the whole text last. In each, the readers of `_READERS` look
for an answer of the kind that counts, or, when any kind counts, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import (
    choice,
    expression,
    focus,
    formula,
    json_value,
    numerals,
    options,
    phrase,
    program,
    truth,
)
from quorate.answers.answer import Answer, Kind
from quorate.answers.marks import Place, answer_field, places, unwrapped
from quorate.answers.number import Quantity
from quorate.answers.refusal import refuses

if TYPE_CHECKING:
    from fractions import Fraction

HEAD_CHARACTERS = 8_000
TAIL_CHARACTERS = 16_000
"""A longer text is looked at from both ends only, so that hostile lengths cost nothing."""


_THOUGHT_END = "</think>"


class Seen(NamedTuple):
    """A text to read. `marked`: a model said that this is its answer. `wanted`: its kind counts.

    `question` is what was asked; "" when it is not known.
    """

    text: str
    marked: bool
    wanted: bool
    question: str


def extract(text: str, kind: Kind | None = None, *, question: str = "") -> Answer | None:
    """Give what a text answers, or None when it abstains.

    `kind` says what type of answer counts; a text without one of that type abstains. Without it
    the type is read from the text. With the `question`, a choice may also be named by its option's
    words instead of its letter. Empty texts and refusals abstain.
    """
    looked_at = _visible(_ends(_after_thought(text))).strip()
    if not any(sign.isalnum() or choice.is_circled(sign) for sign in looked_at):
        return None
    for place in _marked(looked_at, kind):
        if place.binding and refuses(unwrapped(place.text)):
            return None
        # "The answer is 5!" is a sentence; what stands behind "Answer:" or in a box is notation.
        said = place.text if place.binding else place.text.rstrip("!")
        answer = _read(Seen(said, True, kind is not None, question), kind)
        if answer is not None:
            return Answer(answer.kind, answer.text, answer.value, place.rule)
    if refuses(looked_at):
        return None
    return _read(Seen(looked_at, False, kind is not None, question), kind)


def _after_thought(text: str) -> str:
    """Leave out what a reasoning model thought before it answered."""
    end = text.rfind(_THOUGHT_END)
    return text if end < 0 else text[end + len(_THOUGHT_END) :]


def _ends(text: str) -> str:
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:]


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def _visible(text: str) -> str:
    """Leave out signs that take no room, and write full-width signs at their usual width."""
    return text if text.isascii() else _INVISIBLE.sub("", text).translate(_FULL_WIDTH)


def _marked(text: str, kind: Kind | None) -> Iterator[Place]:
    """Give the marked places. What stands in a program or a JSON value marks nothing."""
    if kind is Kind.CODE or (kind is None and program.find_program(text)):
        return
    if kind is not Kind.JSON and (field := answer_field(text)) is not None:
        yield field
    if kind in (None, Kind.JSON) and json_value.whole_value(text):
        return
    yield from places(text)


def _read(seen: Seen, kind: Kind | None) -> Answer | None:
    readers = [_READERS[kind]] if kind is not None else _ANY_KIND
    for reader in readers:
        answer = reader(seen)
        if answer is not None:
            return answer
    return None


def _choice(seen: Seen) -> Answer | None:
    plain = unwrapped(seen.text)
    offered = options.options(seen.question)
    found = choice.letter(plain, wanted=seen.wanted)
    stated = options.named(plain, offered) if seen.wanted else None
    if stated and found in offered.values() and len(plain.split()) > 1:
        found = None  # "The symbol of carbon is C": the option's text, not a letter
    if found and (not offered or found in offered):  # hydrogen's H is no option of A to D
        return Answer(Kind.CHOICE, found, found, "choice_letter")
    if stated:
        return Answer(Kind.CHOICE, stated, stated, "option_words")
    return None


def _boolean(seen: Seen) -> Answer | None:
    found = truth.value(unwrapped(seen.text), wanted=seen.wanted)
    if found is None:
        return None
    return Answer(Kind.BOOLEAN, "yes" if found else "no", found, "yes_or_no")


def _number(seen: Seen) -> Answer | None:
    """Read the first marked number, or what it is said to equal; in a whole text the last one."""
    plain = unwrapped(seen.text).strip()
    if _FACTORIAL.fullmatch(plain) and _COUNTING.search(seen.question):
        return _quantity_of(expression.constant(plain.rstrip(".")))
    alone = numerals.only_quantity(plain)
    if seen.wanted and "\n" not in plain and _is_worked_out(plain):
        worked_out = _formula(seen)
        if worked_out is not None:  # a root of two is no number that a digit of it could stand for
            return worked_out if worked_out.kind is Kind.NUMBER else None
    if alone is not None or not seen.wanted:
        return _quantity(alone, "only_number")
    if not seen.marked:
        return _quantity(_last_in(seen.text), "last_number")
    sentence = _SENTENCE_END.split(seen.text, maxsplit=1)[0]
    result = _EQUALS.split(sentence)[-1]
    if (stated := numerals.equated(sentence)) is not None:  # "the sum is 42 = 6 × 7"
        return _quantity(stated, "marked_number")
    return _quantity(
        next(numerals.quantities(result), None) or _last_in(seen.text),
        "marked_number",
    )


_POWER_OR_ROOT = re.compile(r"√|π|\\(?:sqrt|pi|log|ln|binom)\b|\d\s?\^|(?<=\w)[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_POWER_OF_TEN = re.compile(r"\d\s?(?:[x×*·]|\\(?:times|cdot))\s?10\s?(?:\^|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻])")


def _is_worked_out(plain: str) -> bool:
    """Whether a formula has to be computed: 2^10 does, and 3 × 10^4 is a way to write a number."""
    return bool(_POWER_OR_ROOT.search(plain)) and not _POWER_OF_TEN.search(plain)


_FACTORIAL = re.compile(r"(?=[^!]{0,60}\d[\s)]{0,3}!)[\d\s+*/×÷·()^!-]{2,120}\.?")
_COUNTING = re.compile(
    r"^$|!|factorial|arrang|permut|anagram|combinat|\border|\bways?\b|\bseat|\bshuffl|\bline up\b"
    r"|express|simplif|\bterms of\b",
    re.IGNORECASE,
)
"""Questions that a factorial may answer; to any other one, and not to none, "18!" is a cheer."""
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n")
_EQUALS = re.compile(r"=|≈|\b(?:is|equals|gives|makes)\b(?=[^=]{0,200}\d)")


def _quantity(found: Quantity | None, rule: str) -> Answer | None:
    return Answer(Kind.NUMBER, str(found), found, rule) if found is not None else None


LAST_CHARACTERS = 2_000
"""Where the last number is looked for first."""


def _last_in(text: str) -> Quantity | None:
    end = text[-LAST_CHARACTERS:]
    if len(end) < len(text):
        end = end.partition(" ")[2] or end  # the first word may be half a number
    return _last(numerals.quantities(end)) or _last(numerals.quantities(text))


def _last(found: Iterator[Quantity]) -> Quantity | None:
    last = None
    for quantity in found:
        last = quantity
    return last


def _json(seen: Seen) -> Answer | None:
    """Read a JSON value: anywhere when it was asked for, else an object, or one alone."""
    blocks = program.fenced(seen.text, frozenset({"json", ""}))
    for text in [*blocks[-1:], seen.text]:
        found = json_value.whole_value(text)
        if found is not None and (seen.wanted or isinstance(found.value, dict | list)):
            return _json_answer(found)
    found = json_value.find_value(seen.text, "{[" if seen.wanted else "{")
    return _json_answer(found) if found is not None and found.value else None


def _json_answer(found: json_value.Found) -> Answer:
    return Answer(Kind.JSON, found.written, json_value.canonical(found.value), "json_value")


def _code(seen: Seen) -> Answer | None:
    source = program.find_program(seen.text)
    rule = "program"
    if source and not seen.wanted and json_value.whole_value(source):
        return None  # a fence around data
    if source is None and seen.wanted and program.is_statement(seen.text):
        source, rule = seen.text.strip(), "statement"
    return Answer(Kind.CODE, source, program.canonical(source), rule) if source else None


def _expression(seen: Seen) -> Answer | None:
    """Read an expression; a whole text is one only if it is one line, or holds one in $ signs."""
    plain = unwrapped(seen.text).strip()
    shown = formula.within(plain)
    if not plain or (shown is None and not seen.marked and "\n" in plain):
        return None
    plain = shown or plain
    return Answer(Kind.EXPRESSION, plain, expression.canonical(plain), "expression")


def _formula(seen: Seen) -> Answer | None:
    """Read what nobody asked to be an expression and yet is nothing else; 3 + 4 is a number."""
    plain = unwrapped(seen.text).strip()
    if not formula.is_formula(plain):
        return None
    if (found := _quantity_of(expression.constant(plain))) is not None:
        return found
    return Answer(Kind.EXPRESSION, plain, expression.canonical(plain), "expression")


def _quantity_of(value: Fraction | None) -> Answer | None:
    if value is None:
        return None
    return _quantity(Quantity(value, "", 0 if value.denominator == 1 else None), "computed")


_OPTION_LABEL = re.compile(r"^[(\[]?[A-J][)\]]\s+(?=\S)")


def _text(seen: Seen) -> Answer | None:
    plain = _OPTION_LABEL.sub("", unwrapped(seen.text)).strip()
    value = phrase.words(plain)
    if not value or refuses(plain):
        return None
    return Answer(Kind.TEXT, plain, focus.told(value, seen.question), "free_text")


Reader = Callable[[Seen], Answer | None]
_READERS: Mapping[Kind, Reader] = {
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.EXPRESSION: _expression,
    Kind.CODE: _code,
    Kind.JSON: _json,
    Kind.TEXT: _text,
}
_ANY_KIND: Sequence[Reader] = (
    _choice,
    _boolean,
    _code,
    _json,
    _number,
    _formula,
    _text,
)
