"""Makes one answer of the parts': by the synthesizer where there is one, by itself otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import InternalError, QuorateError
from quorate.identity import Role
from quorate.merging import Part, deterministic
from quorate.v1 import common_pb2, synthesizer_pb2, synthesizer_pb2_grpc
from services.coordinator.events import Listener, Merging
from services.coordinator.outcome import Decision, Merged
from services.coordinator.question import Drawing, Member, Tokens

if TYPE_CHECKING:
    from services.coordinator.nodes import Channels

SINGLE: Final = "single"
DETERMINISTIC: Final = "deterministic"
MOST_WRITERS: Final = 3
"""Models that may try the merge, one after the other."""


class Merger:
    """Merges answered parts; `address` None means that no synthesizer is configured."""

    def __init__(self, channels: Channels, address: str | None) -> None:
        self._channels = channels
        self._address = address

    async def merge(
        self,
        question: str,
        decisions: Sequence[Decision],
        writers: Sequence[Member],
        drawing: Drawing,
        seconds: float,
        listener: Listener,
    ) -> Merged:
        """Give the whole answer and stream it. One part is its own answer.

        An unreachable synthesizer costs the style of the answer, never the answer: the parts are
        then listed in order, and `note` says why.
        """
        if len(decisions) == 1:
            return Merged(decisions[0].answer, SINGLE)
        if self._address is None:
            return await _listed(decisions, "", listener)
        request = _request(question, decisions, writers, drawing)
        try:
            return await self._synthesized(request, max(0.0, seconds), listener)
        except QuorateError as error:
            note = f"the synthesizer at {self._address} did not merge the parts: {error}"
            return await _listed(decisions, note, listener)

    async def _synthesized(
        self, request: synthesizer_pb2.SynthesizeRequest, seconds: float, listener: Listener
    ) -> Merged:
        channel = self._channels.channel(self._address or "", Role.SYNTHESIZER)
        stub = synthesizer_pb2_grpc.SynthesizerServiceStub(channel)
        stream = stub.Synthesize(request, timeout=seconds)
        try:
            async for response in stream:
                event = response.WhichOneof("event")
                if event == "result":
                    return _merged(response.result)
                await listener.tell(Merging(response.text, restart=event == "restart"))
        finally:
            stream.cancel()
        raise InternalError("it ended without a result")


async def _listed(decisions: Sequence[Decision], note: str, listener: Listener) -> Merged:
    text = deterministic(_parts_of(decisions))
    # What a synthesizer may have sent before it failed is withdrawn.
    await listener.tell(Merging(text, restart=bool(note)))
    return Merged(text, DETERMINISTIC, note)


def _parts_of(decisions: Sequence[Decision]) -> list[Part]:
    return [
        Part(
            decision.subtask.id,
            decision.subtask.text,
            str(decision.error) if decision.error else decision.answer,
            failed=decision.error is not None,
        )
        for decision in decisions
    ]


def _request(
    question: str, decisions: Sequence[Decision], writers: Sequence[Member], drawing: Drawing
) -> synthesizer_pb2.SynthesizeRequest:
    sampling = common_pb2.Sampling()
    if drawing.max_tokens is not None:
        sampling.max_tokens = drawing.max_tokens
    return synthesizer_pb2.SynthesizeRequest(
        question=question,
        parts=[
            synthesizer_pb2.SynthesisPart(
                part_id=part.id,
                question=part.question,
                answer=part.answer,
                confidence=decision.confidence,
                failed=part.failed,
            )
            for part, decision in zip(_parts_of(decisions), decisions, strict=True)
        ],
        models=[
            synthesizer_pb2.SynthesisModel(
                address=writer.address, node=writer.node, model=writer.model
            )
            for writer in writers[:MOST_WRITERS]
        ],
        sampling=sampling,
    )


def _merged(result: synthesizer_pb2.SynthesisResult) -> Merged:
    passed_over = "; ".join(failure.message for failure in result.failures)
    usage = result.usage
    tokens = Tokens(usage.prompt_tokens, usage.completion_tokens, usage.cached_prompt_tokens)
    return Merged(result.text, result.method, passed_over, tokens)
