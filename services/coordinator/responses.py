"""From our own types to the messages of the coordinator's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from quorate.answers import Answer, Kind
from quorate.rpc_status import failure_of
from quorate.v1 import common_pb2, coordinator_pb2
from services.coordinator import responses_plan
from services.coordinator.events import (
    Cast,
    Certified,
    Decided,
    Event,
    Finished,
    Leading,
    Merging,
    Moved,
    Planned,
    Retracted,
    Routing,
    Started,
    Token,
)
from services.coordinator.question import Status

if TYPE_CHECKING:
    from services.coordinator.breaker import Circuit
    from services.coordinator.decompose.dag import Subtask
    from services.coordinator.outcome import Certificate, Decision, Plan, Result, Round, Standing
    from services.coordinator.question import Ballot, Seconds, Tokens

KINDS = {kind: common_pb2.AnswerKind.Value(f"ANSWER_KIND_{kind.name}") for kind in Kind}
STATUSES = {one: common_pb2.BallotStatus.Value(f"BALLOT_STATUS_{one.name}") for one in Status}


def response_of(event: Event) -> coordinator_pb2.AskStreamResponse:
    """Write one event of a stream."""
    if isinstance(event, Token):  # by far the most frequent
        ballot_id = f"{event.part_id}/{event.seat.id}"
        token = coordinator_pb2.BallotToken(ballot_id=ballot_id, text=event.text)
        return coordinator_pb2.AskStreamResponse(token=token)
    if isinstance(event, Cast | Decided | Finished | Planned):
        return _whole(event)
    if isinstance(event, Routing):
        step = responses_plan.step_of(event.step)
        return coordinator_pb2.AskStreamResponse(plan_step=step)
    if isinstance(event, Moved):
        return coordinator_pb2.AskStreamResponse(residency=responses_plan.moved_of(event))
    return _progress(event)


def _whole(event: Cast | Decided | Finished | Planned) -> coordinator_pb2.AskStreamResponse:
    if isinstance(event, Cast):
        return coordinator_pb2.AskStreamResponse(ballot=ballot_of(event.ballot))
    if isinstance(event, Decided):
        return coordinator_pb2.AskStreamResponse(part=part_of(event.decision))
    if isinstance(event, Planned):
        return coordinator_pb2.AskStreamResponse(planned=plan_of(event.plan))
    return coordinator_pb2.AskStreamResponse(final=result_of(event.result))


def _progress(
    event: Started | Leading | Retracted | Certified | Merging,
) -> coordinator_pb2.AskStreamResponse:
    if isinstance(event, Started):
        started = coordinator_pb2.BallotStarted(
            ballot_id=f"{event.part_id}/{event.seat.id}",
            part_id=event.part_id,
            node=event.seat.node,
            model=event.seat.model,
        )
        return coordinator_pb2.AskStreamResponse(started=started)
    if isinstance(event, Leading):
        provisional = coordinator_pb2.Provisional(
            part_id=event.part_id,
            answer=event.answer,
            standings=[_standing(standing) for standing in event.standings],
            outstanding=event.outstanding,
        )
        return coordinator_pb2.AskStreamResponse(provisional=provisional)
    if isinstance(event, Retracted):
        retraction = coordinator_pb2.Retraction(**event._asdict())
        return coordinator_pb2.AskStreamResponse(retraction=retraction)
    if isinstance(event, Certified):
        return coordinator_pb2.AskStreamResponse(certificate=_certificate(event.certificate))
    if isinstance(event, Merging):
        synthesis = coordinator_pb2.SynthesisText(text=event.text, restart=event.restart)
        return coordinator_pb2.AskStreamResponse(synthesis=synthesis)
    assert_never(event)


def plan_of(plan: Plan) -> coordinator_pb2.PlanMade:
    """Write a plan: who works on what, and why."""
    return coordinator_pb2.PlanMade(
        question_id=plan.question_id,
        subtasks=[_subtask(part, plan.kinds[part.id]) for part in plan.subtasks],
        assignments=responses_plan.assignments_of(plan),
        reason=plan.reason,
        routing=responses_plan.routing_of(plan.steps),
        decomposed_by=plan.decomposed_by,
    )


def ballot_of(ballot: Ballot) -> common_pb2.Ballot:
    """Write a ballot with its provenance."""
    written = common_pb2.Ballot(
        ballot_id=ballot.id,
        part_id=ballot.part_id,
        node=ballot.node,
        model=ballot.seat.model,
        model_sha256=ballot.sha256,
        sample=ballot.seat.sample,
        status=STATUSES[ballot.status],
        text=ballot.text,
        confidence=ballot.confidence,
        calibrated=ballot.calibrated,
        mean_logprob=ballot.mean_logprob,
        weight=ballot.weight,
        usage=_usage(ballot.tokens),
        timings=_timings(ballot.seconds),
        seed=ballot.seed & 0xFFFFFFFF,
        round=ballot.seat.round,
        ranking=[answer.text for answer in ballot.ranking],
        verified=ballot.verified,
        answer=None if ballot.answer is None else _answer(ballot.answer),
    )
    if ballot.error is not None:
        written.failure.CopyFrom(failure_of(ballot.error))
    return written


def part_of(decision: Decision) -> coordinator_pb2.Part:
    """Write a decided part."""
    part = coordinator_pb2.Part(
        subtask=_subtask(decision.subtask, decision.kind),
        answer="" if decision.withheld else decision.answer,
        kind=_kind(decision.kind),
        text="" if decision.withheld else decision.text,
        confidence=decision.confidence,
        agreement=decision.agreement,
        quorum=coordinator_pb2.Quorum(asked=len(decision.ballots), answered=decision.answered),
        standings=[_standing(standing) for standing in decision.standings],
        ballots=[ballot_of(ballot) for ballot in _in_rounds(decision)],
        rounds=[_round(held) for held in decision.rounds],
        tie_break=decision.tie_break,
        explanation=decision.explanation,
        topic=decision.topic,
        effective_votes=decision.effective_votes,
        calibrated=decision.calibrated,
        error=decision.risk,
        withheld=decision.withheld,
        tokens_saved=decision.tokens_saved,
        stopped_by=decision.stopped_by,
    )
    if decision.certificate is not None:
        part.certificate.CopyFrom(_certificate(decision.certificate))
    if decision.error is not None:
        part.failure.CopyFrom(failure_of(decision.error))
    return part


def result_of(result: Result) -> coordinator_pb2.Result:
    """Write the whole answer: as sure, and as agreed, as its weakest part."""
    decisions = result.decisions
    tokens = result.merged.tokens.plus(result.planning)
    for decision in decisions:
        for ballot in (*decision.others, *decision.ballots):
            tokens = tokens.plus(ballot.tokens)
    return coordinator_pb2.Result(
        question_id=result.question_id,
        answer=result.merged.text,
        strategy=result.strategy,
        confidence=min(decision.confidence for decision in decisions),
        calibrated=all(decision.calibrated for decision in decisions),
        abstained=any(decision.withheld for decision in decisions),
        agreement=min(decision.agreement for decision in decisions),
        quorum=coordinator_pb2.Quorum(
            asked=sum(len(decision.ballots) for decision in decisions),
            answered=sum(decision.answered for decision in decisions),
        ),
        parts=[part_of(decision) for decision in decisions],
        reason=result.reason,
        synthesis=result.merged.method,
        usage=_usage(tokens),
        timings=_timings(result.seconds),
        seed=result.seed,
        tokens_saved=sum(decision.tokens_saved for decision in decisions),
        plan_steps=map(responses_plan.step_of, result.steps),
    )


def circuit_of(circuit: Circuit) -> coordinator_pb2.Circuit:
    """Write a circuit that is not closed."""
    return coordinator_pb2.Circuit(
        model=circuit.place.model,
        state=coordinator_pb2.CircuitState.Value(f"CIRCUIT_STATE_{circuit.state.name}"),
        retry_after_seconds=circuit.seconds,
    )


def _certificate(certificate: Certificate) -> coordinator_pb2.Certificate:
    return coordinator_pb2.Certificate(**certificate._asdict())


def _in_rounds(decision: Decision) -> list[Ballot]:
    """List counted ballots and those of other rounds: by round, then by seat."""
    if not decision.others:
        return list(decision.ballots)
    every = [*decision.others, *decision.ballots]
    return sorted(every, key=lambda ballot: (ballot.seat.round, ballot.seat))


def _round(held: Round) -> coordinator_pb2.Round:
    return coordinator_pb2.Round(
        round=held.number,
        answer=held.answer,
        agreement=held.agreement,
        standings=[_standing(standing) for standing in held.standings],
    )


def _subtask(part: Subtask, kind: Kind | None) -> coordinator_pb2.Subtask:
    return coordinator_pb2.Subtask(
        id=part.id,
        text=part.text,
        depends_on=part.depends_on,
        task_type=part.task_type,
        kind=_kind(kind),
        estimated_tokens=part.estimated_tokens,
        difficulty=part.difficulty,
    )


def _answer(answer: Answer) -> common_pb2.Answer:
    return common_pb2.Answer(kind=KINDS[answer.kind], text=answer.text, rule=answer.rule)


def _kind(kind: Kind | None) -> common_pb2.AnswerKind.ValueType:
    return common_pb2.ANSWER_KIND_UNSPECIFIED if kind is None else KINDS[kind]


def _standing(standing: Standing) -> coordinator_pb2.Standing:
    return coordinator_pb2.Standing(
        answer=standing.answer, votes=standing.votes, score=standing.score
    )


def _usage(tokens: Tokens) -> common_pb2.Usage:
    return common_pb2.Usage(
        prompt_tokens=tokens.prompt,
        completion_tokens=tokens.completion,
        cached_prompt_tokens=tokens.cached,
    )


def _timings(seconds: Seconds) -> common_pb2.Timings:
    return common_pb2.Timings(
        queue_seconds=seconds.queue,
        time_to_first_token_seconds=seconds.first_token,
        total_seconds=seconds.total,
    )
