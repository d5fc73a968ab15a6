"""From a question to its parts, their voters and their share of the budget. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.answers import Kind, infer_kind
from quorate.errors import InvalidRequest
from services.coordinator.decompose import Ask, Mode, split
from services.coordinator.decompose.dag import Subtask, ordered
from services.coordinator.decompose.describing import described
from services.coordinator.decompose.splits import Split, whole
from services.coordinator.orchestrate import counts
from services.coordinator.outcome import Plan
from services.coordinator.work import Allowance

if TYPE_CHECKING:
    from services.coordinator.question import Drawing, Member, Question

USUAL_ROUTING = "mip"
MERGE_SHARE = 0.25
"""The merge gets this part of the time that a layer of parts gets."""


def plan(
    question: Question,
    question_id: str,
    made: Split,
    everybody: tuple[Member, ...],
    candidates: tuple[Member, ...],
) -> Plan:
    """Put a plan together.

    Everybody votes on every part where no choice is wanted, or where as many are wanted as there
    are; else voters are chosen among the candidates for each layer of parts.
    """
    subtasks = tuple(ordered(made.parts))
    chosen = bool(question.routing) and not _is_everybody(question, everybody, candidates)
    members = candidates if chosen else everybody
    voters = min(question.max_models or len(members), len(members)) if chosen else len(members)
    return Plan(
        question_id,
        subtasks,
        tuple(sorted(members)),
        _kinds(question, subtasks),
        made.reason,
        voters,
        made.decomposed_by.value,
        everybody=not chosen,
    )


def _is_everybody(
    question: Question, everybody: tuple[Member, ...], candidates: tuple[Member, ...]
) -> bool:
    """Say whether a limit on the number of voters leaves nothing to choose."""
    return (
        question.routing == USUAL_ROUTING
        and question.max_models >= len(candidates) == len(everybody)
        and not question.memory_bytes
        and all(member.resident for member in everybody)
    )


async def split_of(question: Question, ask: Ask | None) -> Split:
    """Split a question, unless that was declined or its parts could not be put together again.

    `ask` reaches a model that can split (None: there is none). Raises NotReady where one is needed.
    """
    if question.subtasks:
        parts = tuple(described(part) for part in question.subtasks)
        return Split(parts, "as the caller split it")
    if question.decompose is Mode.NONE:
        return whole(question.text, "as asked")
    if question.drawing.constrained:
        return whole(question.text, "a grammar or schema prescribes the form of the whole answer")
    if any(message.role != "system" for message in question.messages[:-1]):
        return whole(question.text, "it goes on from earlier messages")
    return await split(question.text, question.decompose, ask)


def _kinds(question: Question, subtasks: Sequence[Subtask]) -> dict[str, Kind | None]:
    """Say what type of answer each part has: as asked for the last ones, inferred for steps."""
    steps = {parent for part in subtasks for parent in part.depends_on}
    return {
        part.id: _kind_of_step(part) if part.id in steps or not question.kind else question.kind
        for part in subtasks
    }


def _kind_of_step(part: Subtask) -> Kind | None:
    return part.expected or infer_kind(part.text)


def allowance(question: Question, made: Plan, drawing: Drawing) -> Allowance | None:
    """Give what all members together may say about one part; `drawing` is within the budget."""
    if question.tokens is None or drawing.max_tokens is None:
        return None
    generations = counts.generations(question, made.voters)
    share = question.tokens // (len(made.subtasks) * generations + (len(made.subtasks) > 1))
    return Allowance(share * generations, question.drawing.max_tokens)


def within_budget(question: Question, made: Plan) -> Drawing:
    """Give every generation an equal share of the token budget, the merge included."""
    if question.tokens is None:
        return question.drawing
    parts = len(made.subtasks)
    each = counts.generations(question, made.voters)
    generations = parts * each + (1 if parts > 1 else 0)
    share = question.tokens // generations
    if share == 0:
        raise InvalidRequest.field(
            "budget.tokens",
            question.tokens,
            f"{generations} generations need at least one token each",
            "Raise it, or lower max_models or samples.",
        )
    asked = question.drawing.max_tokens
    return question.drawing._replace(max_tokens=share if asked is None else min(share, asked))
