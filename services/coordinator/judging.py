"""Has a model judge answers of which nobody knows the right one, by way of the synthesizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import UnusableReply
from quorate.identity import Role
from quorate.v1 import synthesizer_pb2, synthesizer_pb2_grpc
from services.coordinator.orchestrate.floor import Mark

if TYPE_CHECKING:
    from services.coordinator.nodes import Channels
    from services.coordinator.question import Member

MOST_JUDGES: Final = 3
"""Models that may try one judgement, one after the other."""


class SynthesizerJudge:
    """Asks the synthesizer at an address for marks."""

    def __init__(self, channels: Channels, address: str) -> None:
        self._channels = channels
        self._address = address

    async def mark(
        self, question: str, answer: str, judges: Sequence[Member], seconds: float
    ) -> Mark:
        """Give a mark in [0, 1] of the first of these models that judges, the best first.

        Raises errors of the catalogue when none of them does, or nobody can be asked.
        """
        channel = self._channels.channel(self._address, Role.SYNTHESIZER)
        stub: synthesizer_pb2_grpc.SynthesizerServiceAsyncStub
        stub = synthesizer_pb2_grpc.SynthesizerServiceStub(channel)
        request = synthesizer_pb2.JudgeRequest(
            question=question,
            answer=answer,
            models=[
                synthesizer_pb2.SynthesisModel(
                    address=judge.address, node=judge.node, model=judge.model
                )
                for judge in judges[:MOST_JUDGES]
            ],
        )
        response = await stub.Judge(request, timeout=seconds)
        if not 0.0 <= response.score <= 1.0:  # also true for NaN
            raise UnusableReply(f"the synthesizer gave {response.score} as a mark in [0, 1]")
        return Mark(response.score, f"{response.model.node}/{response.model.model}")
