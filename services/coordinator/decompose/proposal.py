"""A model's proposal of a split: the JSON that it must be, and what is wrong with one. Pure.

Nothing here looks at the question; `meaning` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from quorate import prompts
from quorate.answers import Kind
from quorate.errors import InvalidRequest
from services.coordinator.decompose.dag import Subtask, layers
from services.coordinator.decompose.describing import MOST_ESTIMATED

MOST_PROPOSED: Final = 12
"""More parts than this are no plan of a question that a person wrote."""
LONGEST_REPLY_BYTES: Final = 64 * 1024
LONGEST_DESCRIPTION: Final = 4_000
LONGEST_ID: Final = 32
_SHOWN: Final = 60

_ID_SCHEMA = {"type": "string", "pattern": "^t[1-9][0-9]?$"}
_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "id": _ID_SCHEMA,
    "task_type": {"enum": list(prompts.TASK_TYPES)},
    "description": {"type": "string"},
    "depends_on": {"type": "array", "items": _ID_SCHEMA, "maxItems": MOST_PROPOSED - 1},
    "estimated_tokens": {"type": "integer", "minimum": 1, "maximum": MOST_ESTIMATED},
    "difficulty": {"enum": list(prompts.DIFFICULTIES)},
    "expected_answer": {"enum": list(prompts.EXPECTED_ANSWERS)},
}


def schema(most: int = MOST_PROPOSED) -> str:
    """Give the JSON schema of a proposal of 1 to `most` parts, as text, its keys in order."""
    part = {
        "type": "object",
        "properties": _FIELDS,
        "required": list(_FIELDS),
        "additionalProperties": False,
    }
    parts = {"type": "array", "minItems": 1, "maxItems": most, "items": part}
    return json.dumps(
        {
            "type": "object",
            "properties": {"subtasks": parts},
            "required": ["subtasks"],
            "additionalProperties": False,
        }
    )


class Read(NamedTuple):
    """A reply as it was read: its parts, or what is wrong with it (then there are none)."""

    parts: tuple[Subtask, ...]
    problems: tuple[str, ...]


def read(reply: str) -> Read:
    """Read a reply; its parts are named t1, t2, … with parents before children.

    A description is kept to the letter; nothing is repaired.
    """
    if (size := len(reply.encode())) > LONGEST_REPLY_BYTES:
        return _wrong(f"the reply has {size} bytes, more than {LONGEST_REPLY_BYTES}")
    try:
        value = json.loads(reply)
    except (ValueError, RecursionError) as error:
        return _wrong(f"the reply is not JSON ({error})")
    if not isinstance(value, dict) or not isinstance(rows := value.get("subtasks"), list):
        return _wrong('the reply is not an object with a list "subtasks"')
    if not 1 <= len(rows) <= MOST_PROPOSED:
        return _wrong(f"it has {len(rows)} subtasks; there may be 1 to {MOST_PROPOSED}")
    if problems := [found for place, row in enumerate(rows, 1) for found in _faults(place, row)]:
        return Read((), tuple(problems))
    return _arranged([_subtask(row) for row in rows])


def _arranged(parts: list[Subtask]) -> Read:
    if repeated := _repeated([_plain(part.text) for part in parts]):
        return _wrong(f'two subtasks have the same description, "{_cut(repeated)}"')
    try:
        layers(parts)  # refuses repeated ids, unknown parents and cycles
    except InvalidRequest as error:
        return _wrong(error.message.removesuffix(" Mend the plan of parts."))
    return Read(renumbered(parts), ())


def renumbered(parts: Sequence[Subtask]) -> tuple[Subtask, ...]:
    """Name parts t1, t2, …, parents first, and otherwise in the order that they have.

    The parts are without a cycle.
    """
    waiting, done = list(parts), dict[str, str]()
    ordered = []
    while waiting:
        ready = next(part for part in waiting if set(part.depends_on) <= done.keys())
        waiting.remove(ready)
        name = done[ready.id] = f"t{len(done) + 1}"
        parents = sorted(
            {done[parent] for parent in ready.depends_on}, key=lambda one: int(one[1:])
        )
        ordered.append(replace(ready, id=name, depends_on=tuple(parents)))
    return tuple(ordered)


# --- single fields --------------------------------------------------------------------------------


def _is_text(most: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        said = isinstance(value, str) and len(value.strip()) > 0 and len(value) <= most
        return "" if said else f"must be text of 1 to {most} characters"

    return check


def _is_one_of(names: Sequence[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        return "" if value in names else f"must be one of {', '.join(names)}"

    return check


def _is_ids(value: object) -> str:
    listed = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "" if listed else "must be a list of ids"


def _is_count(value: object) -> str:
    counted = isinstance(value, int) and not isinstance(value, bool)
    within = counted and 1 <= value <= MOST_ESTIMATED  # type: ignore[operator]
    return "" if within else f"must be a whole number from 1 to {MOST_ESTIMATED}"


_CHECKS: Final[Mapping[str, Callable[[object], str]]] = {
    "id": _is_text(LONGEST_ID),
    "task_type": _is_one_of(prompts.TASK_TYPES),
    "description": _is_text(LONGEST_DESCRIPTION),
    "depends_on": _is_ids,
    "estimated_tokens": _is_count,
    "difficulty": _is_one_of(prompts.DIFFICULTIES),
    "expected_answer": _is_one_of(prompts.EXPECTED_ANSWERS),
}


def _faults(place: int, row: object) -> list[str]:
    if not isinstance(row, dict):
        return [f"subtask {place} is not an object"]
    found = [f'subtask {place} has an unknown field "{_cut(key)}"' for key in row.keys() - _CHECKS]
    for name, check in _CHECKS.items():
        if name not in row:
            found.append(f"subtask {place} has no {name}")
        elif fault := check(row[name]):
            found.append(f"subtask {place}: {name} {fault}")
    return found


def _subtask(row: Mapping[str, Any]) -> Subtask:
    return Subtask(
        row["id"],
        row["description"].strip(),
        tuple(row["depends_on"]),
        row["task_type"],
        row["estimated_tokens"],
        row["difficulty"],
        Kind(row["expected_answer"]),
    )


def _wrong(problem: str) -> Read:
    return Read((), (problem,))


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isalnum() else " " for one in text.lower()).split())


def _repeated(texts: Sequence[str]) -> str:
    seen = set[str]()
    return next((text for text in texts if text in seen or seen.add(text)), "")  # type: ignore[func-returns-value]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
