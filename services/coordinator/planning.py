"""From a question to its parts, their voters and their share of the budget. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.answers import Kind, infer_kind
from quorate.errors import InvalidRequest
from services.coordinator import electorate
from services.coordinator.decompose.dag import Subtask, ordered
from services.coordinator.decompose.rules import decompose
from services.coordinator.decompose.splits import Split, whole
from services.coordinator.orchestrate import counts
from services.coordinator.question import Drawing, Node, Plan, Question
from services.coordinator.work import Allowance


def plan(question: Question, nodes: Sequence[Node], question_id: str) -> Plan:
    """Split a question and give every part to the whole electorate.

    Raises NoNodes, UnknownModel and UnknownNode when there is nobody to vote.
    """
    voters = electorate.members(nodes, question)
    split = split_of(question)
    subtasks = tuple(ordered(split.parts))
    return Plan(question_id, subtasks, voters, _kinds(question, subtasks), split.reason)


def split_of(question: Question) -> Split:
    """Split a question, unless that was declined or its parts could not be put together again."""
    if not question.decompose:
        return whole(question.text, "as asked")
    if question.drawing.constrained:
        return whole(question.text, "a grammar or schema prescribes the form of the whole answer")
    if any(message.role != "system" for message in question.messages[:-1]):
        return whole(question.text, "it goes on from earlier messages")
    return decompose(question.text)


def _kinds(question: Question, subtasks: Sequence[Subtask]) -> dict[str, Kind | None]:
    """Say what type of answer each part has: as asked for the last ones, inferred for steps."""
    steps = {parent for part in subtasks for parent in part.depends_on}
    return {
        part.id: infer_kind(part.text) if part.id in steps or not question.kind else question.kind
        for part in subtasks
    }


def allowance(question: Question, made: Plan, drawing: Drawing) -> Allowance | None:
    """Give what all members together may say about one part; `drawing` is within the budget."""
    if question.tokens is None or drawing.max_tokens is None:
        return None
    generations = counts.generations(question, len(made.members))
    share = question.tokens // (len(made.subtasks) * generations + (len(made.subtasks) > 1))
    return Allowance(share * generations, question.drawing.max_tokens)


def within_budget(question: Question, made: Plan) -> Drawing:
    """Give every generation an equal share of the token budget, the merge included."""
    if question.tokens is None:
        return question.drawing
    parts = len(made.subtasks)
    each = counts.generations(question, len(made.members))
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
