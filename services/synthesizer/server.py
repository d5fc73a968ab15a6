"""SynthesizerService: streams merged answers and judges answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from quorate import prompts
from quorate.calls import time_left
from quorate.errors import NoQuorum, QuorateError
from quorate.rpc_status import failure_of
from quorate.telemetry import SpanName
from quorate.v1 import common_pb2, synthesizer_pb2, synthesizer_pb2_grpc
from services.synthesizer import judge, merge
from services.synthesizer.requests import check_judge, parts_of
from services.synthesizer.writing import Channels, Writer

if TYPE_CHECKING:
    import grpc.aio

    from quorate.telemetry import Telemetry

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Response: TypeAlias = synthesizer_pb2.SynthesizeResponse

SHARE_OF_DEADLINE: Final = 0.8
"""How much of what is left of the deadline one model may use; the rest is for the fallback."""
JUDGEMENT_TOKENS: Final = 200


class SynthesizerServer(synthesizer_pb2_grpc.SynthesizerServiceServicer):
    """Merges and judges with the models that each request names; keeps nothing between requests."""

    def __init__(
        self,
        channels: Channels,
        telemetry: Telemetry,
        model_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._channels = channels
        self._telemetry = telemetry
        self._model_seconds = model_seconds
        self._clock = clock

    async def Synthesize(  # type: ignore[override]  # noqa: N802
        self, request: synthesizer_pb2.SynthesizeRequest, context: Context
    ) -> None:
        """Stream one answer: a single part as it is, a model's merge, or the plain list."""
        parts = parts_of(request)
        with self._telemetry.span(SpanName.SYNTHESIZE, parts=len(parts)):
            async with aclosing(self._merged(request, parts)) as responses:
                async for response in responses:
                    if response.HasField("result"):
                        self._telemetry.metrics.synthesis.labels(response.result.method).inc()
                    await context.write(response)

    async def _merged(
        self, request: synthesizer_pb2.SynthesizeRequest, parts: Sequence[merge.Part]
    ) -> AsyncGenerator[Response, None]:
        if len(parts) == 1:
            yield Response(text=merge.said(parts[0]))
            yield _result(merge.said(parts[0]), "single")
            return
        failures: list[common_pb2.Failure] = []
        for model in request.models:
            writer, text = Writer(self._channels, model), ""
            try:
                prompt = merge.prompt(request.question, parts)
                async for piece in writer.write(prompt, request.sampling, self._seconds()):
                    text += piece
                    yield Response(text=piece)
                _check(writer, parts, text)
            except QuorateError as error:
                failures.append(failure_of(error))
                yield Response(restart=synthesizer_pb2.SynthesisRestart(reason=error.message))
                continue
            yield _result(text, "model", failures, writer)
            return
        text = merge.deterministic(parts)
        yield Response(text=text)
        yield _result(text, "deterministic", failures)

    async def Judge(  # noqa: N802
        self, request: synthesizer_pb2.JudgeRequest, context: Context
    ) -> synthesizer_pb2.JudgeResponse:
        """Score an answer with the first model that gives a judgement."""
        check_judge(request)
        prompt = prompts.judge(request.question, request.reference, request.answer)
        sampling = common_pb2.Sampling(max_tokens=JUDGEMENT_TOKENS, json_schema=judge.SCHEMA)
        reasons = []
        with self._telemetry.span(SpanName.JUDGE):
            for model in request.models:
                writer, text = Writer(self._channels, model), ""
                try:
                    async for piece in writer.write(prompt, sampling, self._seconds()):
                        text += piece
                except QuorateError as error:
                    reasons.append(f"{writer.name}: {error.message}")
                    continue
                judgement = judge.read(text)
                if judgement is not None:
                    return synthesizer_pb2.JudgeResponse(
                        score=judgement.score, rationale=judgement.rationale, model=model
                    )
                reasons.append(f"{writer.name}: {text[:80]!r} is no judgement")
        raise NoQuorum(f"no model gave a judgement: {'; '.join(reasons)}")

    def _seconds(self) -> float:
        left = time_left(self._clock())
        return (
            self._model_seconds
            if left is None
            else min(self._model_seconds, left * SHARE_OF_DEADLINE)
        )


def _check(writer: Writer, parts: Sequence[merge.Part], text: str) -> None:
    """Raise NoQuorum when a model's merge does not say what the parts say."""
    missing = merge.left_out(parts, text)
    if missing is not None:
        raise NoQuorum(f"{writer.name} left out the answer to part {missing.id}")


def _result(
    text: str,
    method: str,
    failures: Sequence[common_pb2.Failure] = (),
    writer: Writer | None = None,
) -> Response:
    result = synthesizer_pb2.SynthesisResult(text=text, method=method, failures=failures)
    if writer is not None:
        result.model.CopyFrom(writer.model)
        result.usage.CopyFrom(writer.usage)
    return Response(result=result)
