"""The parts of a question and what they need from each other. Pure.

Parts are named t1, t2, … and ordered by that number, never by spelling: t10 comes after t9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.answers import Kind

MOST_PARTS = 64
"""More parts than a synthesizer merges are refused."""


@dataclass(frozen=True)
class Subtask:
    """One part of a question; `depends_on` names the parts whose answers it needs.

    The rest is what a planning model or a rule said of it: `task_type` is one of the topics,
    `estimated_tokens` what its answer needs, `difficulty` "easy", "medium" or "hard"; "" and 0 are
    unknown. `expected` is the type of its answer (None: inferred from its text).
    """

    id: str
    text: str
    depends_on: tuple[str, ...] = ()
    task_type: str = ""
    estimated_tokens: int = 0
    difficulty: str = ""
    expected: Kind | None = None


def rank(subtask_id: str) -> tuple[int, str]:
    """Give the key that sorts t2 before t10; other names come last, by spelling."""
    match = re.fullmatch(r"t(\d{1,9})", subtask_id)
    return (int(match[1]), "") if match else (10**9, subtask_id)


def layers(subtasks: Sequence[Subtask]) -> list[list[Subtask]]:
    """Group parts so that each layer needs only earlier ones; its parts may run at the same time.

    Raises InvalidRequest for no parts, too many, duplicate ids, unknown parents and cycles.
    """
    remaining = _by_id(subtasks)
    needed = {subtask.id: set(subtask.depends_on) for subtask in subtasks}
    grouped: list[list[Subtask]] = []
    while remaining:
        ready = sorted((name for name in remaining if not needed[name]), key=rank)
        if not ready:
            raise _refused("cycle", sorted(remaining, key=rank), "no part may wait for itself")
        grouped.append([remaining.pop(name) for name in ready])
        for parents in needed.values():
            parents.difference_update(ready)
    return grouped


def ordered(subtasks: Sequence[Subtask]) -> list[Subtask]:
    """List parts with parents before children; raises what `layers` raises."""
    return [subtask for layer in layers(subtasks) for subtask in layer]


def _by_id(subtasks: Sequence[Subtask]) -> dict[str, Subtask]:
    if not 1 <= len(subtasks) <= MOST_PARTS:
        raise _refused("number of parts", len(subtasks), f"it must lie in [1, {MOST_PARTS}]")
    by_id = {subtask.id: subtask for subtask in subtasks}
    if len(by_id) != len(subtasks):
        raise _refused("id", _repeated(subtasks), "every part has its own")
    _check_parents(by_id)
    return by_id


def _check_parents(by_id: Mapping[str, Subtask]) -> None:
    for subtask in by_id.values():
        for parent in subtask.depends_on:
            if parent not in by_id:
                raise _refused(f"{subtask.id}.depends_on", parent, "no part has that id")


def _repeated(subtasks: Sequence[Subtask]) -> list[str]:
    names = [subtask.id for subtask in subtasks]
    return sorted({name for name in names if names.count(name) > 1}, key=rank)


def _refused(name: str, value: object, limit: str) -> InvalidRequest:
    return InvalidRequest.field(f"subtasks.{name}", value, limit, "Mend the plan of parts.")
