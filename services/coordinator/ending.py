"""How a question ends: what is missing of it, who merges it, what is measured, and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.errors import NoQuorum, QuorateError
from services.coordinator.question import Status

if TYPE_CHECKING:
    from quorate.metrics import Metrics
    from services.coordinator.outcome import Decision, Merged, Result
    from services.coordinator.question import Member


def nothing_decided(question_id: str, decisions: Sequence[Decision]) -> QuorateError | None:
    """Give the error of a question in which no part has an answer, None where one has.

    It names the question, because its record tells who said what.
    """
    errors = [(one.subtask.id, one.error) for one in decisions if one.error is not None]
    if not errors or len(errors) < len(decisions):
        return None
    named = {"question_id": question_id}
    if len(errors) == 1:
        error = errors[0][1]
        return type(error)(
            f"{error.message} (question {question_id})",
            retry_after_seconds=error.retry_after_seconds,
            metadata={**error.metadata, **named},
        )
    told = "; ".join(f"{part}: {error}" for part, error in errors)
    kinds = {type(error) for _, error in errors}
    kind = kinds.pop() if len(kinds) == 1 else NoQuorum
    return kind(f"No part of question {question_id} has an answer. {told}", metadata=named)


def measure(metrics: Metrics, result: Result, error: QuorateError | None) -> None:
    """Count a question with all its ballots, whether it has an answer or ended with an error."""
    metrics.ask_seconds.labels(result.strategy).observe(result.seconds.total)
    if error is None:
        metrics.synthesis.labels(result.merged.method).inc()
    else:
        metrics.questions_undecided.labels(result.strategy, error.kind).inc()
    for decision in result.decisions:
        _measure_part(metrics, result.strategy, decision)


def _measure_part(metrics: Metrics, strategy: str, decision: Decision) -> None:
    if decision.stopped_by:
        metrics.stops.labels(decision.stopped_by).inc()
    metrics.tokens_saved.inc(decision.tokens_saved)
    if decision.error is None:
        metrics.vote_agreement.labels(strategy).observe(decision.agreement)
    for ballot in decision.ballots:
        metrics.ballots.labels(ballot.seat.model, ballot.status.value.lower()).inc()
        if ballot.status is Status.CANCELLED:
            metrics.ballots_cancelled.inc()


def reason(decisions: Sequence[Decision], merged: Merged) -> str:
    """Say what is missing from an answer; "" when nothing is."""
    missing = [
        f"{decision.subtask.id} has no answer: {decision.error}"
        if decision.error
        else f"{decision.subtask.id}: {decision.missing}"
        for decision in decisions
        if decision.error or decision.missing
    ]
    return "; ".join([*missing, merged.note] if merged.note else missing)


def first_token(decisions: Sequence[Decision]) -> float:
    """Tell after how many seconds the first token of all came; 0 when none did."""
    firsts = [
        ballot.seconds.first_token
        for decision in decisions
        if not decision.subtask.depends_on  # later parts begin when others have ended
        for ballot in decision.ballots
        if ballot.seconds.first_token > 0.0
    ]
    return min(firsts, default=0.0)


def all_failed(decision: Decision) -> bool:
    """Say whether a part has no answer because none of its voters could be asked."""
    lost = all(ballot.status is Status.FAILED for ballot in decision.ballots)
    return decision.error is not None and bool(decision.ballots) and lost


def writers(voters: Sequence[Member], named: Sequence[str]) -> list[Member]:
    """Order the models that may merge: as named, or the most reliable first."""
    if named:
        able = [voter for voter in voters if voter.model in named]
        return sorted(able, key=lambda voter: (named.index(voter.model), voter))
    return sorted(voters, key=lambda voter: (-voter.reliability, voter))
