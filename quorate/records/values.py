"""Writes answers as JSON and reads them back the same, down to exact numbers and nested tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import msgspec

from quorate.answers import Answer, Kind
from quorate.answers.number import Quantity
from quorate.errors import InvalidRequest

DEEPEST = 64


class AnswerRecord(msgspec.Struct, frozen=True, array_like=True):
    """An answer: its kind, text, the rule that found it, and its value in JSON's terms."""

    kind: str
    text: str
    rule: str
    value: Any


def answer_record(answer: Answer | None) -> AnswerRecord | None:
    """Write an answer; raises TypeError for a value of a type that has no form here."""
    if answer is None:
        return None
    return AnswerRecord(answer.kind.value, answer.text, answer.rule, _written(answer.value))


def answer_of(record: AnswerRecord | None) -> Answer | None:
    """Read an answer; raises InvalidRequest when it is spoilt."""
    if record is None:
        return None
    try:
        return Answer(Kind(record.kind), record.text, _read(record.value, 0), record.rule)
    except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        raise InvalidRequest.field(
            "answer", record.text, f"its record is spoilt: {error}", "Take the record anew."
        ) from error


def _written(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    for type_, tag, write in _WRITERS:
        if type(value) is type_:
            return {tag: write(value)}
    raise TypeError(f"an answer's value of the type {type(value).__name__} has no form in a record")


def _each(values: Any) -> list[Any]:
    return [_written(value) for value in values]


def _set(values: Any) -> list[Any]:
    return _each(sorted(values, key=repr))


_WRITERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (int, "int", str),  # of any size
    (float, "float", float.hex),
    (Fraction, "fraction", str),
    (Quantity, "quantity", _each),
    (tuple, "tuple", _each),
    (frozenset, "set", _set),
)


def _read(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if depth > DEEPEST or not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a value that no answer has")
    [(tag, inner)] = value.items()
    if tag in _SCALARS:
        return _SCALARS[tag](inner)
    parts = [_read(part, depth + 1) for part in inner]
    return _WHOLES[tag](parts)


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": float.fromhex,
    "fraction": Fraction,
}
_WHOLES: Mapping[str, Callable[[list[Any]], Any]] = {
    "quantity": lambda parts: Quantity(*parts),
    "tuple": tuple,
    "set": frozenset,
}
