"""The JSON that `--json` prints: the shape is a promise to scripts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.client.plans import Plan
    from quorate.client.results import Answer, Ballot, Failure, Part, Quorum


def answer(given: Answer) -> dict[str, Any]:
    """Give an answer as plain data, one object for each question."""
    return {
        "answer": given.answer,
        "strategy": given.strategy,
        "confidence": given.confidence,
        "agreement": given.agreement,
        "quorum": _quorum(given.quorum),
        "ballots": [_ballot(ballot) for ballot in given.ballots],
        "parts": [_part(part) for part in given.parts],
        "question_id": given.question_id,
        "abstained": given.abstained,
        "reason": given.reason,
        "synthesis": given.synthesis,
        "seed": given.seed,
        "usage": dataclasses.asdict(given.usage),
        "latency_ms": milliseconds(given.timings.total_seconds),
        "plan_steps": [dataclasses.asdict(step) for step in given.plan_steps],
    }


def _quorum(quorum: Quorum) -> dict[str, int]:
    return {"asked": quorum.asked, "answered": quorum.answered}


def _ballot(ballot: Ballot) -> dict[str, Any]:
    return {
        "node": ballot.node,
        "model": ballot.model,
        "answer": ballot.answer,
        "text": ballot.text,
        "confidence": ballot.confidence,
        "latency_ms": milliseconds(ballot.timings.total_seconds),
        "tokens": ballot.usage.completion_tokens,
        "status": str(ballot.status),
        "part": ballot.part_id,
        "sample": ballot.sample,
        "weight": ballot.weight,
        "round": ballot.round,
        "ranking": list(ballot.ranking),
        "verified": ballot.verified,
        "failure": _failure(ballot.failure),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "id": part.subtask.id,
        "text": part.subtask.text,
        "depends_on": list(part.subtask.depends_on),
        "answer": part.answer,
        "confidence": part.confidence,
        "agreement": part.agreement,
        "quorum": _quorum(part.quorum),
        "ballots": [_ballot(ballot) for ballot in part.ballots],
        "kind": part.kind,
        "standings": [dataclasses.asdict(standing) for standing in part.standings],
        "tie_break": part.tie_break,
        "explanation": part.explanation,
        "rounds": [dataclasses.asdict(held) for held in part.rounds],
        "stopped_by": part.stopped_by,
        "tokens_saved": part.tokens_saved,
        "effective_votes": part.effective_votes,
        "calibrated": part.calibrated,
        "error": part.error,
        "withheld": part.withheld,
        "topic": part.topic,
        "certificate": dataclasses.asdict(part.certificate) if part.certificate else None,
        "failure": _failure(part.failure),
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"kind": failure.kind, "message": failure.message, "retryable": failure.retryable}


def plan(made: Plan) -> dict[str, Any]:
    """Give a plan as plain data: all that the coordinator said, under the names of the contract."""
    return dataclasses.asdict(made)


def milliseconds(seconds: float) -> float:
    """Give milliseconds with one decimal place."""
    return round(seconds * 1000, 1)
