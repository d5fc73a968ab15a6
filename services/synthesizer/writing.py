"""Lets a model on a node write: one greedy generation, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc, synthesizer_pb2

if TYPE_CHECKING:
    import grpc.aio

    from quorate.channel import Peer


class Channels(Protocol):
    """Gives channels to named peers; `quorate.channel.Peers` does."""

    def channel(self, address: str, peer: Peer = None) -> grpc.aio.Channel:
        """Give the channel to a peer; calls on it raise errors of the catalogue."""
        ...


class Writer:
    """One model on one node. `usage` counts the tokens of all that it wrote."""

    def __init__(self, channels: Channels, model: synthesizer_pb2.SynthesisModel) -> None:
        self.model = model
        self.usage = common_pb2.Usage()
        channel = channels.channel(model.address, (Role.NODE, model.node))
        self._node: node_pb2_grpc.NodeServiceAsyncStub = node_pb2_grpc.NodeServiceStub(channel)

    @property
    def name(self) -> str:
        """Name the model for people."""
        return f"{self.model.model} on {self.model.node}"

    async def write(
        self, prompt: str, sampling: common_pb2.Sampling, seconds: float
    ) -> AsyncIterator[str]:
        """Stream what the model writes; raises errors of the catalogue. Leaving early cancels."""
        request = node_pb2.GenerateRequest(
            model=self.model.model,
            messages=[common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=prompt)],
            sampling=sampling,
        )
        call = self._node.Generate(request, timeout=seconds)
        try:
            async for response in call:
                for delta in response.step.deltas:
                    yield delta.text
                if response.HasField("finished"):
                    self.usage.MergeFrom(response.finished.usage)
        finally:
            call.cancel()
