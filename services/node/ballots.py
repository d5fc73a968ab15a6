"""Between the contract's deliberations and the node's own types; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from quorate.answers import Kind
from quorate.errors import InvalidRequest
from quorate.rpc_status import failure_of
from quorate.v1 import common_pb2, node_pb2
from services.node import convert
from services.node.seats import DeliberateDraft

if TYPE_CHECKING:
    from quorate.answers import Answer
    from services.node.verdict import Ballot, Verdict, Voice

KINDS: Final[Mapping[int, Kind]] = {
    common_pb2.AnswerKind.Value(f"ANSWER_KIND_{kind.name}"): kind for kind in Kind
}
NUMBERS: Final = {kind: common_pb2.AnswerKind.ValueType(number) for number, kind in KINDS.items()}


def draft(request: node_pb2.DeliberateRequest) -> DeliberateDraft:
    """Read a request to deliberate; only the type of answer is checked, for want of a value."""
    if request.kind != common_pb2.ANSWER_KIND_UNSPECIFIED and request.kind not in KINDS:
        raise InvalidRequest.field(
            "kind", request.kind, "it is no known type of answer", "Leave it unset to infer it."
        )
    return DeliberateDraft(
        models=tuple(request.models),
        turns=convert.turns(request.messages),
        sampling=convert.sampling_draft(request.sampling),
        kind=KINDS.get(request.kind),
        model_sha256=dict(request.model_sha256),
        priority=request.priority,
    )


def progress(model: str, generated: node_pb2.GenerateResponse) -> node_pb2.DeliberateResponse:
    """Say that a model's generation went on."""
    return node_pb2.DeliberateResponse(
        progress=node_pb2.DeliberateProgress(model=model, generated=generated)
    )


def cast(node: str, ballot: Ballot) -> node_pb2.DeliberateResponse:
    """Say that a ballot was cast."""
    return node_pb2.DeliberateResponse(ballot=_ballot(node, ballot))


def _ballot(node: str, cast: Ballot) -> common_pb2.Ballot:
    voice = cast.voice
    said = common_pb2.Ballot(
        ballot_id=f"{node}/{voice.model}/0",
        node=node,
        model=voice.model,
        model_sha256=voice.sha256,
        status=common_pb2.BallotStatus.Value(f"BALLOT_STATUS_{cast.status.name}"),
        text=voice.text,
        confidence=voice.confidence,
        usage=_usage(voice),
        timings=_timings(voice),
        seed=voice.seed,
    )
    if voice.finished is not None:
        said.mean_logprob = voice.finished.mean_logprob
    if cast.answer is not None:
        said.weight = 1.0
        said.answer.CopyFrom(_answer(cast.answer))
    if voice.error is not None:
        said.failure.CopyFrom(failure_of(voice.error))
    return said


def verdict(node: str, reached: Verdict) -> node_pb2.DeliberateResponse:
    """Describe the node's vote."""
    return node_pb2.DeliberateResponse(
        verdict=node_pb2.DeliberateVerdict(
            agreed=reached.agreed,
            answer=None if reached.answer is None else _answer(reached.answer),
            ballots=[_ballot(node, ballot) for ballot in reached.ballots],
            explanation=reached.explanation,
        )
    )


def _answer(answer: Answer) -> common_pb2.Answer:
    return common_pb2.Answer(kind=NUMBERS[answer.kind], text=answer.text, rule=answer.rule)


def _usage(voice: Voice) -> common_pb2.Usage:
    if voice.finished is not None:
        return convert.usage(voice.finished)
    return common_pb2.Usage(prompt_tokens=voice.prompt_tokens, completion_tokens=voice.tokens)


def _timings(voice: Voice) -> common_pb2.Timings:
    if voice.finished is not None:
        return convert.timings(voice.finished)
    return common_pb2.Timings(total_seconds=voice.seconds)
