"""Questions as protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from quorate.client.enums import enum_number
from quorate.client.parts import parts_of
from quorate.client.question import ROLES, ROUTINGS, Message, Question
from quorate.errors import InvalidRequest, nearest
from quorate.setting_types import parse_bytes
from quorate.v1 import common_pb2, coordinator_pb2

if TYPE_CHECKING:
    from quorate.client.plans import Subtask

MOST_CHARACTERS = 2**20
"""Of all messages together; the coordinator allows no more."""

MOST_INT64 = 2**63 - 1

SAMPLING_FIELDS = ("temperature", "top_k", "top_p", "min_p", "seed", "max_tokens")
WHOLE_NUMBERS = {
    "seed": (0, 2**32 - 1),
    "top_k": (-(2**31), 2**31 - 1),
    "max_tokens": (-(2**31), 2**31 - 1),
    "max_models": (-(2**31), 2**31 - 1),
    "samples": (-(2**31), 2**31 - 1),
    "rounds": (-(2**31), 2**31 - 1),
    "horizon": (0, 16),
    "budget_tokens": (-(2**63), MOST_INT64),
}
WEIGHTS = ("lambda_token", "lambda_switch")
MOST_WEIGHT = 1_000.0


def question(asked: Question) -> coordinator_pb2.Question:
    """Write a question for the wire; raises InvalidRequest where the wire cannot carry a value.

    What planning weighs and may use is checked here as well, all other limits by the coordinator.
    """
    if not asked.messages:
        raise InvalidRequest.field("messages", [], "at least one is needed", "Ask something.")
    _check_size(asked.messages)
    for name, bounds in WHOLE_NUMBERS.items():
        _check_whole(name, getattr(asked, name), *bounds)
    for name in WEIGHTS:
        _check_weight(name, getattr(asked, name))
    _check_routing(asked.routing)
    for position, width in enumerate(asked.widths):
        _check_whole(f"widths[{position}]", width, -(2**31), 2**31 - 1)
    try:
        return _written(asked)
    except UnicodeEncodeError as error:  # lone surrogates: a shell's bytes that were not UTF-8
        raise InvalidRequest(f"a text of the question is not UTF-8: {error}") from error


def _written(asked: Question) -> coordinator_pb2.Question:
    return coordinator_pb2.Question(
        messages=[_message(message) for message in asked.messages],
        strategy=asked.strategy,
        routing=asked.routing,
        sampling=sampling(asked),
        max_models=asked.max_models,
        budget=coordinator_pb2.Budget(seconds=asked.budget_seconds, tokens=asked.budget_tokens),
        risk=asked.risk,
        kind=enum_number(common_pb2.AnswerKind.DESCRIPTOR, "kind", asked.kind),
        ground_truth=asked.ground_truth,
        models=asked.models,
        nodes=asked.nodes,
        decompose=enum_number(
            coordinator_pb2.DecomposeMode.DESCRIPTOR, "decompose", asked.decompose
        ),
        stop_rule=enum_number(coordinator_pb2.StopRule.DESCRIPTOR, "stop_rule", asked.stop_rule),
        samples=asked.samples,
        rounds=asked.rounds,
        frozen=asked.frozen,
        deterministic=asked.deterministic,
        horizon=asked.horizon,
        min_agreement=asked.min_agreement,
        confidence_threshold=asked.confidence_threshold,
        error_risk=asked.error_risk,
        topic=asked.topic,
        delta=asked.delta,
        topology=enum_number(coordinator_pb2.DebateTopology.DESCRIPTOR, "topology", asked.topology),
        cascade=asked.cascade,
        widths=asked.widths,
        lambda_token=asked.lambda_token,
        lambda_switch=asked.lambda_switch,
        memory_bytes=_memory(asked.memory),
        planner=asked.planner,
        subtasks=[_subtask(part) for part in parts_of(asked.subtasks)],
    )


def _check_whole(name: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidRequest.field(
            name, value, f"it must lie in [{least}, {most}]", "Choose a smaller number."
        )


def _check_weight(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or not 0.0 <= value <= MOST_WEIGHT:  # NaN is neither
        raise InvalidRequest.field(
            name,
            value,
            f"it must be a number in [0, {MOST_WEIGHT:g}]",
            "Leave it out for the usual.",
        )


def _check_routing(mode: str) -> None:
    if mode and mode not in ROUTINGS:
        raise InvalidRequest(f"routing cannot be {mode!r}.{nearest(str(mode), ROUTINGS)}")


def _memory(limits: Mapping[str, int | str]) -> dict[str, int]:
    if not isinstance(limits, Mapping):
        raise InvalidRequest.field(
            "memory", limits, "it must map names to sizes", 'Write {"gpu0": "8GiB"}.'
        )
    return {name: _bytes(f"memory[{name!r}]", size) for name, size in limits.items()}


def _bytes(name: str, size: int | str) -> int:
    try:
        count = parse_bytes(size)
    except ValueError as error:
        raise InvalidRequest.field(
            name, size, "it must be a size", "Write it like 8GiB or 500MB."
        ) from error
    if count > MOST_INT64:
        raise InvalidRequest.field(name, size, f"{MOST_INT64} bytes are the most", "Lower it.")
    return count


def _subtask(part: Subtask) -> coordinator_pb2.Subtask:
    return coordinator_pb2.Subtask(
        id=part.id,
        text=part.text,
        depends_on=part.depends_on,
        task_type=part.task_type,
        kind=enum_number(common_pb2.AnswerKind.DESCRIPTOR, "kind", part.kind),
        estimated_tokens=part.estimated_tokens,
        difficulty=part.difficulty,
    )


def sampling(asked: Question) -> common_pb2.Sampling:
    """Write the sampling options; what is unset stays unset."""
    if asked.grammar is not None and asked.json_schema is not None:
        raise InvalidRequest("grammar and json_schema exclude each other; give one of them")
    set_fields = {
        name: value for name in SAMPLING_FIELDS if (value := getattr(asked, name)) is not None
    }
    written = common_pb2.Sampling(**set_fields, stop=asked.stop)
    if asked.grammar is not None:
        written.grammar = asked.grammar
    if asked.json_schema is not None:
        written.json_schema = asked.json_schema
    return written


def _message(message: Message) -> common_pb2.ChatMessage:
    if message.role not in ROLES:
        raise InvalidRequest(f"there is no role {message.role!r}.{nearest(message.role, ROLES)}")
    role = common_pb2.ChatRole.Value(f"CHAT_ROLE_{message.role.upper()}")
    return common_pb2.ChatMessage(role=role, content=message.content)


def _check_size(messages: Sequence[Message]) -> None:
    """Refuse what no call could carry, before gRPC does with words of its own."""
    size = sum(len(message.content) for message in messages)
    if size > MOST_CHARACTERS:
        raise InvalidRequest.field(
            "messages", f"{size} characters", f"{MOST_CHARACTERS} are the most", "Shorten them."
        )
