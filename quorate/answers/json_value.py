"""JSON values as answers: found in prose, and compared without regard to key order."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Hashable, Iterator
from fractions import Fraction
from typing import NamedTuple, NoReturn

MOST_STARTS = 64
"""How many brackets are tried as the start of a value, before a text counts as having none."""
DEEPEST = 64
"""Levels of nesting; a deeper value is an attack, or a model that lost itself."""


class Found(NamedTuple):
    """A JSON value in a text, and how it was written there."""

    value: object
    written: str


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object; raises ValueError when it contradicts itself by naming a key twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs) and any(fields[key] != value for key, value in pairs):
        raise ValueError("a key has two values")
    return fields


_DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_object)


def find_value(text: str, opening: str = "{[") -> Found | None:
    """Give the longest JSON object or array in a text; `opening` says which brackets count."""
    return max(values(text, opening), key=lambda found: len(found.written), default=None)


def values(text: str, opening: str = "{[") -> Iterator[Found]:
    """Give the JSON objects and arrays in a text, in order; what lies inside one is part of it."""
    position = 0
    for _ in range(MOST_STARTS):
        starts = [at for bracket in opening if (at := text.find(bracket, position)) >= 0]
        if not starts:
            break
        start = min(starts)
        decoded = _decode(text, start)
        position = start + 1
        if decoded is not None:
            value, position = decoded
            yield Found(value, text[start:position])


def whole_value(text: str) -> Found | None:
    """Give a text that is one JSON value and nothing else."""
    stripped = text.strip()
    decoded = _decode(stripped, 0)
    return Found(decoded[0], stripped) if decoded and decoded[1] == len(stripped) else None


def _decode(text: str, start: int) -> tuple[object, int] | None:
    """Decode at a position; gives the value and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, start)
        # An escaped half of a character is no text: nothing could be written of it any more.
        json.dumps(value, ensure_ascii=False).encode()
    # ValueError also stands for integers of thousands of digits.
    except (ValueError, RecursionError):
        return None
    return (value, end) if _depth(text[start:end]) <= DEEPEST else None


def _depth(written: str) -> int:
    """Give the depth of nesting, from above: brackets in strings count, too."""
    deepest = level = 0
    for character in written:
        if character in "{[":
            level += 1
            deepest = max(deepest, level)
        elif character in "}]":
            level -= 1
    return deepest


def canonical(value: object) -> Hashable:
    """Give a form in which equal JSON values are equal.

    Key order, 1 against 1.0, and white space around strings do not count; case does.
    """
    if isinstance(value, dict):
        fields = ((key.strip(), canonical(inner)) for key, inner in value.items())
        return ("object", tuple(sorted(fields, key=lambda field: field[0])))
    if isinstance(value, list):
        return ("array", tuple(canonical(inner) for inner in value))
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, int | float):
        return ("number", Fraction(value) if abs(value) < float("inf") else str(value))
    return ("string", unicodedata.normalize("NFC", str(value)).strip())
