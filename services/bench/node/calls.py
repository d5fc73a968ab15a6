"""Ways to ask the servers under test for the same thing: our node, and llama-server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.channel import Peers
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2_grpc
from services.bench.node import servers
from services.bench.node.load import NEW_TOKENS, Sample, ask_llama_server, ask_node

if TYPE_CHECKING:
    import subprocess

    from services.bench.node.servers import Place


class OurNode:
    """A running node, called over mTLS by one client process with one channel."""

    def __init__(
        self, stub: node_pb2_grpc.NodeServiceAsyncStub, process: subprocess.Popen[bytes]
    ) -> None:
        self.stub = stub
        self.process = process

    async def ask(
        self,
        model: str,
        prompt: str,
        *,
        new_tokens: int = NEW_TOKENS,
        temperature: float = 0,
        samples: int = 1,
    ) -> Sample:
        """Time one Generate call."""
        sampling = common_pb2.Sampling(temperature=temperature, max_tokens=new_tokens)
        return await ask_node(self.stub, served_name(model), prompt, sampling, samples)


class LlamaServer:
    """A running llama-server, called over its own HTTP."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(
        self,
        prompt: str,
        *,
        new_tokens: int = NEW_TOKENS,
        temperature: float = 0,
        samples: int = 1,
    ) -> Sample:
        """Time one streamed completion."""
        body: dict[str, Any] = {"prompt": prompt, "n_predict": new_tokens}
        body["temperature"] = temperature
        if samples > 1:
            body["n_cmpl"] = samples
        return await ask_llama_server(self._port, body, new_tokens * samples)


def served_name(model: str) -> str:
    """Give the name that a node knows a model by: a point may not stand in it."""
    return f"random-{model}".replace(".", "-")


@contextlib.asynccontextmanager
async def our_node(
    place: Place, models: Mapping[str, Path], *, context_tokens: int
) -> AsyncIterator[OurNode]:
    """Run a node with these models for the block. Raises ServerFailed."""
    named = {served_name(name): path for name, path in models.items()}
    with servers.node(place, named, context_tokens=context_tokens) as running:
        async with Peers(place.identity) as peers:
            channel = peers.channel(running.address, (Role.NODE, servers.NODE))
            yield OurNode(node_pb2_grpc.NodeServiceStub(channel), running.process)
