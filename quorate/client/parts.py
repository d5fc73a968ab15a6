"""The parts of a question as a caller names them, checked before they leave. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from quorate.answers import Kind
from quorate.client.plans import Subtask
from quorate.errors import InvalidRequest, nearest, shorten
from quorate.prompts import DIFFICULTIES, TASK_TYPES

MOST_PARTS: Final = 64
MOST_TOKENS: Final = 1_000_000
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEYS: Final = tuple(field.name for field in dataclasses.fields(Subtask))
OTHER_NAMES: Final = {"description": "text", "expected_answer": "kind"}
"""The names under which models that split write two of the keys."""
WORDS: Final[Mapping[str, Sequence[str]]] = {
    "task_type": TASK_TYPES,
    "difficulty": DIFFICULTIES,
    "kind": tuple(kind.value for kind in Kind),
}


def parts_of(given: object, where: str = "subtasks") -> tuple[Subtask, ...]:
    """Read the parts of a question from a list of mappings or of Subtasks.

    A mapping has `id` and `text` (or `description`), and where they are known `depends_on`,
    `task_type`, `kind` (or `expected_answer`), `estimated_tokens` and `difficulty`. `where` stands
    before the entry that is wrong in the message of InvalidRequest, which is raised for unknown
    keys and words with the nearest ones, for wrong types, for ids given twice, unknown parents,
    cycles and more than 64 parts.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InvalidRequest.field(
            where, given, "it must be a list of parts", 'Write [{"id": "t1", "text": "…"}, …].'
        )
    if len(given) > MOST_PARTS:
        raise InvalidRequest.field(
            where, f"{len(given)} parts", f"{MOST_PARTS} are the most", "Ask fewer at once."
        )
    parts = tuple(_part(f"{where}[{number}]", one) for number, one in enumerate(given))
    _check_shape(where, parts)
    return parts


def _part(where: str, given: object) -> Subtask:
    if isinstance(given, Subtask):
        given = dataclasses.asdict(given)
    if not isinstance(given, Mapping):
        raise InvalidRequest.field(
            where, given, "it must be a mapping", "Give it the keys id and text."
        )
    named = _renamed(where, given)
    for key, value in named.items():
        _check_value(f"{where}.{_as_given(key, given)}", key, value)
    for key in ("id", "text"):
        if not str(named.get(key, "")).strip():
            value = named.get(key)
            problem = f"{shorten(value)}, but it must not be empty" if key in named else "missing"
            fix = "Name the part, such as t1." if key == "id" else "Say what it asks."
            raise InvalidRequest(f"{where}.{_as_given(key, given)} is {problem}. {fix}")
    return Subtask(**{**named, "depends_on": tuple(named.get("depends_on", ()))})


def _renamed(where: str, given: Mapping[Any, Any]) -> dict[str, Any]:
    """Give an entry's values under the keys of Subtask."""
    named: dict[str, Any] = {}
    for key, value in given.items():
        own = OTHER_NAMES.get(key, key)
        if own not in KEYS:
            raise InvalidRequest(
                f"{where} has the key {shorten(key)}, which no part has."
                + nearest(str(key), [*KEYS, *OTHER_NAMES])
            )
        if own in named:
            raise InvalidRequest(f"{where} says {own} twice, as {key} too. Leave one of them out.")
        named[own] = value
    return named


def _as_given(key: str, given: Mapping[Any, Any]) -> str:
    return next((other for other, own in OTHER_NAMES.items() if own == key and other in given), key)


def _check_value(where: str, key: str, value: object) -> None:
    if key == "depends_on":
        _check_parents(where, value)
    elif key == "estimated_tokens":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
            raise InvalidRequest.field(
                where, value, f"it must be a whole number in [0, {MOST_TOKENS}]",
                "Leave it out where it is not known.",
            )  # fmt: skip
    elif not isinstance(value, str):
        raise InvalidRequest.field(
            where, value, "it must be text", "Put it in quotation marks, or leave it out."
        )
    elif key == "id" and value and not ID.fullmatch(value):
        raise InvalidRequest.field(
            where, value, "it must be letters, digits, '_' and '-', at most 64 of them",
            "Name the part, such as t1.",
        )  # fmt: skip
    elif value and value not in WORDS.get(key, (value,)):
        raise InvalidRequest.field(
            where, value, "there is none such", nearest(value, WORDS[key]).strip()
        )


def _check_parents(where: str, value: object) -> None:
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(one, str) for one in value)
    ):
        raise InvalidRequest.field(
            where, value, "it must be a list of ids", 'Write ["t1"], or leave it out.'
        )


def _check_shape(where: str, parts: Sequence[Subtask]) -> None:
    """Refuse parts that are no directed graph without cycles."""
    places: dict[str, int] = {}
    for place, part in enumerate(parts):
        first = places.setdefault(part.id, place)
        if first != place:
            raise InvalidRequest.field(
                f"{where}[{place}].id", part.id, f"{where}[{first}] has it already",
                "Give each part its own.",
            )  # fmt: skip
    for place, part in enumerate(parts):
        for parent in part.depends_on:
            if parent not in places:
                raise InvalidRequest.field(
                    f"{where}[{place}].depends_on", parent, "no part has that id",
                    nearest(parent, places).strip(),
                )  # fmt: skip
    try:
        TopologicalSorter({part.id: part.depends_on for part in parts}).prepare()
    except CycleError as error:
        told = " -> ".join(error.args[1])
        raise InvalidRequest.field(
            where, told, "it is a cycle: no part may wait for itself", "Take a dependency away."
        ) from error
