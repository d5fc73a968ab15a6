"""What a question on the wire says of its plan, checked: mode, voters and limits of memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from quorate.answers import Kind
from quorate.errors import InvalidRequest, nearest
from quorate.prompts import DIFFICULTIES, TASK_TYPES
from quorate.v1 import common_pb2
from services.coordinator.decompose.dag import MOST_PARTS, Subtask, ordered

if TYPE_CHECKING:
    from quorate.v1 import coordinator_pb2

MODES: Final = ("mip", "lp_relaxed", "model", "greedy", "round_robin", "random")
USUAL: Final = "mip"
"""How a question is routed that wants a choice and names no mode."""
ROUTED_VOTERS: Final = 1
"""Models for each part where a mode is named and no number of models."""
MOST_BYTES: Final = 2**50
MOST_TOKENS: Final = 1_000_000
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def mode_of(asked: coordinator_pb2.Question) -> str:
    """Give the routing mode, "" where everybody votes; raises InvalidRequest for an unknown one."""
    if asked.routing and asked.routing not in MODES:
        raise InvalidRequest.field(
            "routing", asked.routing, "there is no such mode",
            nearest(asked.routing, MODES).strip() or f"Choose one of {', '.join(MODES)}.",
        )  # fmt: skip
    return asked.routing or (USUAL if _wants_choice(asked) else "")


def voters_of(asked: coordinator_pb2.Question) -> int:
    """Give how many models work on each part; 0 is everybody."""
    return asked.max_models or (ROUTED_VOTERS if _planned(asked) else 0)


def memory_of(asked: coordinator_pb2.Question) -> Mapping[str, int]:
    """Give the limits of memory by node or machine; raises InvalidRequest for impossible ones."""
    for name, limit in asked.memory_bytes.items():
        if not 0 < limit <= MOST_BYTES:
            raise InvalidRequest.field(
                f"memory_bytes[{name}]", limit, f"it must lie in (0, {MOST_BYTES}]",
                "Give bytes, such as 8589934592 for 8 GiB.",
            )  # fmt: skip
    return dict(asked.memory_bytes)


def _wants_choice(asked: coordinator_pb2.Question) -> bool:
    return asked.max_models > 0 or _planned(asked)


def _planned(asked: coordinator_pb2.Question) -> bool:
    """Say whether a question speaks of its plan, beyond how many models it wants."""
    weighed = asked.HasField("lambda_token") or asked.HasField("lambda_switch")
    return bool(asked.routing or asked.memory_bytes or asked.horizon or weighed)


def subtasks_of(asked: coordinator_pb2.Question) -> tuple[Subtask, ...]:
    """Give the parts that the caller named; raises InvalidRequest for a DAG that is none."""
    if not asked.subtasks:
        return ()
    if len(asked.subtasks) <= MOST_PARTS:
        for number, one in enumerate(asked.subtasks):
            _check_subtask(f"subtasks[{number}]", one)
    parts = [
        Subtask(
            one.id,
            one.text.strip(),  # its lines are its own: program text, options
            tuple(dict.fromkeys(one.depends_on)),
            one.task_type,
            one.estimated_tokens,
            one.difficulty,
            kind_of(one.kind),
        )
        for one in asked.subtasks
    ]
    return tuple(ordered(parts))


def _check_subtask(field: str, one: coordinator_pb2.Subtask) -> None:
    if not ID.fullmatch(one.id):
        raise InvalidRequest.field(
            f"{field}.id", one.id, "letters, digits, '_' and '-', at most 64 of them", "Name it."
        )
    if not one.text.strip():
        raise InvalidRequest.field(f"{field}.text", one.text, "it asks nothing", "Write what.")
    for name, value, known in (
        ("task_type", one.task_type, TASK_TYPES),
        ("difficulty", one.difficulty, DIFFICULTIES),
    ):
        if value and value not in known:
            raise InvalidRequest.field(
                f"{field}.{name}", value, "there is none such", nearest(value, known).strip()
            )
    if not 0 <= one.estimated_tokens <= MOST_TOKENS:
        raise InvalidRequest.field(
            f"{field}.estimated_tokens", one.estimated_tokens, f"it must lie in [0, {MOST_TOKENS}]",
            "Leave it out.",
        )  # fmt: skip


def kind_of(kind: int) -> Kind | None:
    """Read the expected type of an answer; raises InvalidRequest for one there is not."""
    if kind == common_pb2.ANSWER_KIND_UNSPECIFIED:
        return None
    if kind not in common_pb2.AnswerKind.values():
        raise InvalidRequest.field(
            "kind", kind, "there is no such kind", "Leave it out to have it inferred."
        )
    name = common_pb2.AnswerKind.Name(common_pb2.AnswerKind.ValueType(kind))
    return Kind(name.removeprefix("ANSWER_KIND_").lower())
