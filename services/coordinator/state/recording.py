"""Writes the record of an answer. Pure."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from quorate.records.record import (
    BallotRecord,
    DecisionRecord,
    PartRecord,
    Record,
    knowledge_record,
)
from quorate.records.replaying import CLOSED_KINDS
from quorate.records.values import answer_record
from services.coordinator.state.learned import ModelKey

if TYPE_CHECKING:
    from services.coordinator.outcome import Decision, Result
    from services.coordinator.question import Ballot, Member, Question

MEASURED = ("quorate", "llama-cpp-python")


@cache
def versions() -> Mapping[str, str]:
    """Name what made the record: a replay under other versions may differ."""
    return {"python": platform.python_version(), **{name: version(name) for name in MEASURED}}


def record_of(
    question: Question,
    members: Sequence[Member],
    result: Result,
    at_seconds: float,
    *,
    texts: bool,
) -> Record:
    """Write down an answer with all that decided it.

    Without `texts` there are no prompts, no raw texts and no free-text answers; answers of closed
    kinds (letters, numbers, yes or no, expressions) stay, for feedback.
    """
    by_seat = {(member.node, member.model): member for member in members}
    merged = result.merged
    alone = len(result.decisions) == 1 and _kept_kind(result.decisions[0])
    return Record(
        question_id=result.question_id,
        at_seconds=at_seconds,
        versions=versions(),
        texts=texts,
        messages=tuple((one.role, one.content if texts else "") for one in question.messages),
        strategy=result.strategy,
        seed=result.seed,
        frozen=question.frozen,
        min_agreement=question.min_agreement,
        answer=merged.text if texts or alone else "",
        synthesis=merged.method,
        reason=result.reason,
        total_seconds=result.seconds.total,
        parts=tuple(_part(decision, by_seat, texts=texts) for decision in result.decisions),
    )


def _kept_kind(decision: Decision) -> bool:
    return decision.kind is not None and decision.kind.value in CLOSED_KINDS


def _part(
    decision: Decision, members: Mapping[tuple[str, str], Member], *, texts: bool
) -> PartRecord:
    ballots = [(ballot, True) for ballot in decision.ballots]
    ballots += [(ballot, False) for ballot in decision.others]
    return PartRecord(
        id=decision.subtask.id,
        text=decision.subtask.text if texts else "",
        depends_on=decision.subtask.depends_on,
        asked_kind=decision.kind.value if decision.kind else "",
        topic=decision.topic,
        ballots=tuple(
            _ballot(ballot, members, counted=counted, texts=texts) for ballot, counted in ballots
        ),
        knowledge=knowledge_record(decision.knowledge),
        decision=_decision(decision, texts=texts),
    )


def _decision(decision: Decision, *, texts: bool) -> DecisionRecord:
    shown = texts or _kept_kind(decision)
    return DecisionRecord(
        answer=decision.answer if shown else "",
        text=decision.text if texts else "",
        explanation=decision.explanation if shown else "",
        tie_break=decision.tie_break if shown else "",
        agreement=decision.agreement,
        features=decision.features,
        confidence=decision.confidence,
        calibrated=decision.calibrated,
        risk=decision.risk,
        effective_votes=decision.effective_votes,
        withheld=decision.withheld,
        stopped_by=decision.stopped_by,
        standings=tuple(decision.standings) if shown else (),
        error=str(decision.error) if decision.error and shown else "none" * bool(decision.error),
    )


def _ballot(
    ballot: Ballot, members: Mapping[tuple[str, str], Member], *, counted: bool, texts: bool
) -> BallotRecord:
    seat, tokens, seconds = ballot.seat, ballot.tokens, ballot.seconds
    member = members.get((seat.node, seat.model))
    shown = texts or (ballot.answer is not None and ballot.answer.kind.value in CLOSED_KINDS)
    return BallotRecord(
        seat_node=seat.node,
        model=seat.model,
        sample=seat.sample,
        round=seat.round,
        node=ballot.node,
        sha256=ballot.sha256,
        status=ballot.status.value,
        counted=counted,
        answer=answer_record(ballot.answer) if shown else None,
        text=ballot.text if texts else "",
        confidence=ballot.confidence,
        raw_confidence=ballot.raw_confidence,
        calibrated=ballot.calibrated,
        mean_logprob=ballot.mean_logprob,
        member_weight=member.weight if member else 1.0,
        weight=ballot.weight,
        vote_model=ModelKey(seat.model, ballot.sha256).id,
        ranking=tuple(found for one in ballot.ranking if (found := answer_record(one)))
        if texts
        else (),
        verified=ballot.verified,
        seed=ballot.seed,
        prompt_tokens=tokens.prompt,
        completion_tokens=tokens.completion,
        cached_tokens=tokens.cached,
        queue_seconds=seconds.queue,
        first_token_seconds=seconds.first_token,
        total_seconds=seconds.total,
        error=str(ballot.error) if ballot.error else "",
        memory_bytes=member.memory_bytes if member else 0,
    )
