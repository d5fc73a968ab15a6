"""JSON values as answers: found in prose, and compared without regard to key order."""

from __future__ import annotations

import json
from collections.abc import Hashable
from fractions import Fraction

MOST_STARTS = 64
"""How many brackets are tried as the start of a value, before a text counts as having none."""

_DECODER = json.JSONDecoder(parse_constant=lambda name: _refuse(name))


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def find_value(text: str) -> tuple[object, str] | None:
    """Give the largest JSON object or array in a text, as a value and as it was written."""
    best: tuple[object, str] | None = None
    position = 0
    for _ in range(MOST_STARTS):
        starts = [at for at in (text.find("{", position), text.find("[", position)) if at >= 0]
        if not starts:
            break
        value, end = _decode(text, min(starts))
        written = text[min(starts) : end]
        if end > min(starts) and (best is None or len(written) > len(best[1])):
            best = value, written
        position = max(end, min(starts) + 1)
    return best


def whole_value(text: str) -> tuple[object, str] | None:
    """Give a text that is one JSON value and nothing else."""
    stripped = text.strip()
    value, end = _decode(stripped, 0)
    return (value, stripped) if stripped and end == len(stripped) else None


def _decode(text: str, start: int) -> tuple[object, int]:
    """Decode at a position; the end equals the start when there is no value."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return value, end


def canonical(value: object) -> Hashable:
    """Give a form in which neither the order of keys nor 1 against 1.0 counts."""
    if isinstance(value, dict):
        return ("object", frozenset((key, canonical(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        return ("array", tuple(canonical(inner) for inner in value))
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, int | float):
        return ("number", Fraction(value) if abs(value) < float("inf") else str(value))
    return ("string", value)
