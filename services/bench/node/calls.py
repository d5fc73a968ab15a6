"""Ways to ask the servers under test for the same thing: our node, and llama-server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from quorate.channel import Peers
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2_grpc
from services.bench.node import servers
from services.bench.node.load import NEW_TOKENS, Sample, ask_llama_server, ask_node

if TYPE_CHECKING:
    import subprocess

    from services.bench.node.bench import Bench
    from services.bench.node.servers import Layout, Place, Running


class Asking(Protocol):
    """Asks one model of one server, with one streamed request.

    `arrivals` is where the times go at which tokens come: it is filled while they come.
    """

    def __call__(
        self,
        prompt: str,
        *,
        new_tokens: int = NEW_TOKENS,
        temperature: float = 0,
        samples: int = 1,
        arrivals: list[float] | None = None,
    ) -> Awaitable[Sample]:
        """Give the whole answer; tokens are those of all samples."""


class OurNode:
    """A running node, called over mTLS by one client process with one channel."""

    def __init__(
        self, stub: node_pb2_grpc.NodeServiceAsyncStub, process: subprocess.Popen[bytes]
    ) -> None:
        self._stub = stub
        self.process = process

    def of(self, model: str) -> Asking:
        """Give the way to ask one of its models."""

        async def ask(
            prompt: str,
            *,
            new_tokens: int = NEW_TOKENS,
            temperature: float = 0,
            samples: int = 1,
            arrivals: list[float] | None = None,
        ) -> Sample:
            sampling = common_pb2.Sampling(temperature=temperature, max_tokens=new_tokens)
            name = served_name(model)
            return await ask_node(self._stub, name, prompt, sampling, samples, arrivals)

        return ask


class LlamaServer:
    """A running llama-server, called over its own HTTP."""

    def __init__(self, running: Running) -> None:
        self._port = int(running.address.rpartition(":")[2])
        self.process = running.process

    async def ask(
        self,
        prompt: str,
        *,
        new_tokens: int = NEW_TOKENS,
        temperature: float = 0,
        samples: int = 1,
        arrivals: list[float] | None = None,
    ) -> Sample:
        """Time one streamed completion, with the server's own defaults but for the temperature."""
        body: dict[str, Any] = {"prompt": prompt, "n_predict": new_tokens}
        body["temperature"] = temperature
        if samples > 1:
            body["n_cmpl"] = samples
        return await ask_llama_server(self._port, body, new_tokens * samples, arrivals)


def served_name(model: str) -> str:
    """Give the name that a node knows a model by: a point may not stand in it."""
    return f"random-{model}".replace(".", "-")


@contextlib.asynccontextmanager
async def our_node(
    place: Place,
    models: Mapping[str, Path],
    *,
    context_tokens: int,
    slots: int = servers.SLOTS,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[OurNode]:
    """Run a node with these models for the block, see `servers.node`. Raises ServerFailed."""
    named = {served_name(name): path for name, path in models.items()}
    with servers.node(
        place, named, context_tokens=context_tokens, slots=slots, environment=environment
    ) as running:
        async with Peers(place.identity) as peers:
            channel = peers.channel(running.address, (Role.NODE, servers.NODE))
            yield OurNode(node_pb2_grpc.NodeServiceStub(channel), running.process)


@contextlib.contextmanager
def llama_server(
    bench: Bench, model: Path, layout: Layout, *, slot_tokens: int
) -> Iterator[LlamaServer]:
    """Run llama-server for the block. Raises ServerFailed."""
    program = bench.peers.server
    with servers.llama_server(
        bench.place, program, model, layout, slot_tokens=slot_tokens
    ) as running:
        yield LlamaServer(running)
