"""Answers and events, out of protobuf."""

from __future__ import annotations

from quorate.client import results
from quorate.client.enums import enum_text, kind_text
from quorate.client.plan_from_proto import plan, residency, step, subtask
from quorate.v1 import common_pb2, coordinator_pb2


def failure(wire: common_pb2.Failure) -> results.Failure:
    """Read a failure that did not end the call."""
    return results.Failure(
        kind=wire.kind,
        message=wire.message,
        retryable=wire.retryable,
        retry_after_seconds=wire.retry_after_seconds or None,
    )


def _usage(wire: common_pb2.Usage) -> results.Usage:
    return results.Usage(wire.prompt_tokens, wire.completion_tokens, wire.cached_prompt_tokens)


def _timings(wire: common_pb2.Timings) -> results.Timings:
    return results.Timings(wire.queue_seconds, wire.time_to_first_token_seconds, wire.total_seconds)


def _quorum(wire: coordinator_pb2.Quorum) -> results.Quorum:
    return results.Quorum(wire.asked, wire.answered)


def ballot(wire: common_pb2.Ballot) -> results.Ballot:
    """Read a ballot."""
    return results.Ballot(
        ballot_id=wire.ballot_id,
        part_id=wire.part_id,
        node=wire.node,
        model=wire.model,
        status=results.BallotStatus(enum_text(common_pb2.BallotStatus.DESCRIPTOR, wire.status)),
        answer=wire.answer.text if wire.HasField("answer") else None,
        kind=kind_text(wire.answer.kind),
        rule=wire.answer.rule,
        text=wire.text,
        sample=wire.sample,
        model_sha256=wire.model_sha256,
        confidence=wire.confidence,
        calibrated=wire.calibrated,
        mean_logprob=wire.mean_logprob,
        weight=wire.weight,
        usage=_usage(wire.usage),
        timings=_timings(wire.timings),
        failure=failure(wire.failure) if wire.HasField("failure") else None,
        seed=wire.seed,
        round=wire.round,
        ranking=tuple(wire.ranking),
        verified=wire.verified if wire.HasField("verified") else None,
    )


def _standing(wire: coordinator_pb2.Standing) -> results.Standing:
    return results.Standing(wire.answer, wire.votes, wire.score)


def part(wire: coordinator_pb2.Part) -> results.Part:
    """Read a decided part."""
    return results.Part(
        subtask=subtask(wire.subtask),
        answer=wire.answer,
        kind=kind_text(wire.kind),
        text=wire.text,
        confidence=wire.confidence,
        calibrated=wire.calibrated,
        agreement=wire.agreement,
        quorum=_quorum(wire.quorum),
        standings=tuple(_standing(standing) for standing in wire.standings),
        ballots=tuple(ballot(one) for one in wire.ballots),
        tie_break=wire.tie_break,
        failure=failure(wire.failure) if wire.HasField("failure") else None,
        effective_votes=wire.effective_votes,
        explanation=wire.explanation,
        topic=wire.topic,
        certificate=_certificate(wire.certificate) if wire.HasField("certificate") else None,
        error=wire.error if wire.HasField("error") else None,
        withheld=wire.withheld,
        rounds=tuple(_round(held) for held in wire.rounds),
        tokens_saved=wire.tokens_saved,
        stopped_by=wire.stopped_by,
    )


def _round(wire: coordinator_pb2.Round) -> results.Round:
    standings = tuple(_standing(standing) for standing in wire.standings)
    return results.Round(wire.round, wire.answer, wire.agreement, standings)


def _certificate(wire: coordinator_pb2.Certificate) -> results.Certificate:
    return results.Certificate(wire.part_id, wire.answer, wire.delta, wire.e_value)


def answer(wire: coordinator_pb2.Result) -> results.Answer:
    """Read the whole answer."""
    return results.Answer(
        question_id=wire.question_id,
        answer=wire.answer,
        strategy=wire.strategy,
        confidence=wire.confidence,
        calibrated=wire.calibrated,
        agreement=wire.agreement,
        quorum=_quorum(wire.quorum),
        parts=tuple(part(one) for one in wire.parts),
        abstained=wire.abstained,
        reason=wire.reason,
        synthesis=wire.synthesis,
        usage=_usage(wire.usage),
        timings=_timings(wire.timings),
        seed=wire.seed,
        tokens_saved=wire.tokens_saved,
        plan_steps=tuple(step(one) for one in wire.plan_steps),
    )


def strategy(wire: coordinator_pb2.Strategy) -> results.Strategy:
    """Read a strategy."""
    return results.Strategy(wire.name, tuple(wire.aliases), wire.description)


def event(wire: coordinator_pb2.AskStreamResponse) -> results.Event | None:
    """Read one event; None is one that a newer coordinator tells and this client does not know."""
    match wire.WhichOneof("event"):
        case "planned":
            return plan(wire.planned)
        case "ballot":
            return ballot(wire.ballot)
        case "part":
            return part(wire.part)
        case "final":
            return answer(wire.final)
        case _:
            return _progress(wire)


def _progress(wire: coordinator_pb2.AskStreamResponse) -> results.Event | None:
    match wire.WhichOneof("event"):
        case "started":
            begun = wire.started
            return results.BallotStarted(begun.ballot_id, begun.part_id, begun.node, begun.model)
        case "token":
            return results.BallotToken(wire.token.ballot_id, wire.token.text)
        case "plan_step":
            return step(wire.plan_step)
        case "residency":
            return residency(wire.residency)
        case "synthesis":
            return results.SynthesisText(wire.synthesis.text, wire.synthesis.restart)
        case _:
            return _leading(wire)


def _leading(wire: coordinator_pb2.AskStreamResponse) -> results.Event | None:
    match wire.WhichOneof("event"):
        case "provisional":
            now = wire.provisional
            standings = tuple(_standing(standing) for standing in now.standings)
            return results.Provisional(now.part_id, now.answer, standings, now.outstanding)
        case "retraction":
            gone = wire.retraction
            return results.Retraction(gone.part_id, gone.withdrawn, gone.answer, gone.ballot_id)
        case "certificate":
            return _certificate(wire.certificate)
        case _:
            return None
