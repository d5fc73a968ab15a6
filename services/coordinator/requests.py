"""From a question on the wire to a checked one of ours; each mistake has its own error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from quorate import voting
from quorate.errors import InvalidRequest
from quorate.v1 import common_pb2, coordinator_pb2
from quorate.voting.stopping import StopRule
from services.coordinator import limits
from services.coordinator import routing_requests as routing
from services.coordinator.exchanges import exchange_of, is_warm
from services.coordinator.question import (
    LAMBDA_SWITCH,
    LAMBDA_TOKEN,
    Drawing,
    Message,
    Mode,
    Question,
)
from services.coordinator.state.topics import LONGEST_TOPIC

MOST_MESSAGES: Final = 1_000
MOST_BYTES: Final = 1 << 20
SAMPLES_TEMPERATURE: Final = 0.7
"""Samples of one model differ only when it is warm; the node's default would repeat one answer."""

ROLES: Final[Mapping[int, str]] = {
    common_pb2.CHAT_ROLE_UNSPECIFIED: "user",
    common_pb2.CHAT_ROLE_SYSTEM: "system",
    common_pb2.CHAT_ROLE_USER: "user",
    common_pb2.CHAT_ROLE_ASSISTANT: "assistant",
}
STOP_RULES: Final[Mapping[int, StopRule]] = {
    coordinator_pb2.STOP_RULE_NEVER: StopRule.NEVER,
    coordinator_pb2.STOP_RULE_EXACT: StopRule.EXACT,
    coordinator_pb2.STOP_RULE_RISK: StopRule.RISK,
    coordinator_pb2.STOP_RULE_ADAPTIVE: StopRule.ADAPTIVE,
    coordinator_pb2.STOP_RULE_WINDOW: StopRule.WINDOW,
}
DECOMPOSE_MODES: Final[Mapping[int, Mode]] = {
    coordinator_pb2.DECOMPOSE_MODE_UNSPECIFIED: Mode.RULES,
    coordinator_pb2.DECOMPOSE_MODE_AUTO: Mode.AUTO,
    coordinator_pb2.DECOMPOSE_MODE_RULES: Mode.RULES,
    coordinator_pb2.DECOMPOSE_MODE_MODEL: Mode.MODEL,
    coordinator_pb2.DECOMPOSE_MODE_NONE: Mode.NONE,
}
USUAL_DELTA: Final = 0.05
"""Probability of a false certificate where the question names none."""


def question_of(
    asked: coordinator_pb2.Question, strategy: str, seconds_left: float | None, tenant: str
) -> Question:
    """Check a question.

    `strategy` is the one for questions that name none, `seconds_left` what the call's deadline
    leaves. Raises InvalidRequest and UnknownStrategy.
    """
    _check_numbers(asked)
    chosen = voting.find(asked.strategy or strategy).name
    exchange = exchange_of(asked, chosen)
    return Question(
        messages=_messages(asked.messages),
        strategy=chosen,
        kind=routing.kind_of(asked.kind),
        drawing=_drawing(asked.sampling, exchange.samples, chosen),
        seed=asked.sampling.seed if asked.sampling.HasField("seed") else None,
        samples=exchange.samples,
        rounds=exchange.rounds,
        topology=exchange.topology,
        widths=exchange.widths,
        cascade=exchange.cascade,
        max_models=routing.voters_of(asked),
        models=tuple(asked.models),
        nodes=tuple(asked.nodes),
        seconds=_sooner(asked.budget.seconds, seconds_left),
        seconds_are_budget=_budget_binds(asked.budget.seconds, seconds_left),
        tokens=asked.budget.tokens or None,
        decompose=_mode(asked.decompose),
        stop_rule=_stop_rule(asked.stop_rule, asked.risk),
        risk=asked.risk,
        min_agreement=asked.min_agreement,
        confidence_threshold=asked.confidence_threshold,
        delta=asked.delta or USUAL_DELTA,
        deterministic=asked.deterministic,
        tenant=tenant,
        frozen=asked.frozen,
        ground_truth=asked.ground_truth.strip(),
        error_risk=asked.error_risk,
        topic=_topic(asked.topic),
        routing=routing.mode_of(asked),
        lambda_token=asked.lambda_token if asked.HasField("lambda_token") else LAMBDA_TOKEN,
        lambda_switch=asked.lambda_switch if asked.HasField("lambda_switch") else LAMBDA_SWITCH,
        memory_bytes=routing.memory_of(asked),
        horizon=asked.horizon,
        planner=asked.planner,
        subtasks=routing.subtasks_of(asked),
    )


def _mode(number: int) -> Mode:
    if number not in DECOMPOSE_MODES:
        raise InvalidRequest.field(
            "decompose", number, "there is no such mode", "Leave it out for rules."
        )
    return DECOMPOSE_MODES[number]


def _topic(name: str) -> str:
    if len(name) > LONGEST_TOPIC:
        raise InvalidRequest.field(
            "topic", name, f"it may have {LONGEST_TOPIC} characters", "Name it in a word."
        )
    return name.strip().lower()


def _messages(messages: Sequence[common_pb2.ChatMessage]) -> tuple[Message, ...]:
    if not 1 <= len(messages) <= MOST_MESSAGES:
        raise InvalidRequest.field(
            "messages", len(messages), f"there must be 1 to {MOST_MESSAGES}",
            "The last one is the question.",
        )  # fmt: skip
    size = sum(len(message.content) for message in messages)
    if size > MOST_BYTES:
        raise InvalidRequest.field(
            "messages", size, f"together they may have {MOST_BYTES} characters", "Shorten them."
        )
    checked = tuple(_message(number, message) for number, message in enumerate(messages))
    if checked[-1].role != "user":
        last = f"messages[{len(messages) - 1}].role"
        raise InvalidRequest.field(
            last, checked[-1].role, "the last message is the question", "Let the user speak last."
        )
    return checked


def _message(number: int, message: common_pb2.ChatMessage) -> Message:
    if message.role not in ROLES:
        raise InvalidRequest.field(
            f"messages[{number}].role", message.role, "there is no such role",
            "Use system, user or assistant.",
        )  # fmt: skip
    if not message.content.strip():
        raise InvalidRequest.field(
            f"messages[{number}].content", message.content, "it says nothing", "Write a text."
        )
    return Message(ROLES[message.role], message.content)


def _drawing(sampling: common_pb2.Sampling, samples: int, strategy: str) -> Drawing:
    temperature = sampling.temperature if sampling.HasField("temperature") else None
    warm = is_warm(strategy, samples)
    if warm and temperature == 0.0:
        field, value = ("samples", str(samples)) if samples > 1 else ("strategy", strategy)
        raise InvalidRequest.field(
            field, value, "at temperature 0 every sample says the same",
            "Raise sampling.temperature above 0, or leave it out.",
        )  # fmt: skip
    return Drawing(
        settings=sampling.SerializeToString(),
        temperature=SAMPLES_TEMPERATURE if warm and temperature is None else None,
        max_tokens=sampling.max_tokens if sampling.HasField("max_tokens") else None,
        constrained=sampling.WhichOneof("constraint") is not None,
    )


def _sooner(budget_seconds: float, seconds_left: float | None) -> float | None:
    known = [seconds for seconds in (budget_seconds or None, seconds_left) if seconds is not None]
    return min(known) if known else None


def _budget_binds(budget_seconds: float, seconds_left: float | None) -> bool:
    return budget_seconds > 0.0 and (seconds_left is None or budget_seconds <= seconds_left)


def _stop_rule(number: int, risk: float) -> StopRule:
    """Read the stop rule; where none is named, an accepted risk means the one that takes it."""
    if number == coordinator_pb2.STOP_RULE_UNSPECIFIED:
        return StopRule.RISK if risk > 0.0 else StopRule.EXACT
    if number not in STOP_RULES:
        raise InvalidRequest.field(
            "stop_rule", number, "there is no such rule", "Leave it out for exact."
        )
    rule = STOP_RULES[number]
    if rule is StopRule.RISK and risk == 0.0:
        raise InvalidRequest.field(
            "risk", risk, "the stop rule RISK needs a risk in (0, 1)",
            "Name one, such as 0.01, or choose the stop rule EXACT, which takes none.",
        )  # fmt: skip
    if rule is not StopRule.RISK and risk > 0.0:
        raise InvalidRequest.field(
            "risk", risk, f"the stop rule {rule.name} takes none",
            "Leave it out, or choose the stop rule RISK.",
        )  # fmt: skip
    return rule


def _check_numbers(asked: coordinator_pb2.Question) -> None:
    values = {
        "max_models": asked.max_models,
        "samples": asked.samples,
        "rounds": asked.rounds,
        "horizon": asked.horizon,
        "lambda_token": asked.lambda_token,
        "lambda_switch": asked.lambda_switch,
        "risk": asked.risk,
        "min_agreement": asked.min_agreement,
        "confidence_threshold": asked.confidence_threshold,
        "error_risk": asked.error_risk,
        "delta": asked.delta,
        "budget.seconds": asked.budget.seconds,
        "budget.tokens": asked.budget.tokens,
    }
    for name, limit in limits.QUESTION.items():
        limits.check(name, values[name], limit)
    for field, value in asked.sampling.ListFields():  # those that are set
        if field.name in limits.SAMPLING:
            limits.check(f"sampling.{field.name}", value, limits.SAMPLING[field.name])
