"""Streaming clients, as cheap as they can be: they share the machine with what they measure."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from quorate.v1 import common_pb2, node_pb2

if TYPE_CHECKING:
    from quorate.v1 import node_pb2_grpc

NEW_TOKENS: Final = 64


class Sample(NamedTuple):
    """One request on the monotonic clock in seconds, its tokens, and when its messages came."""

    started: float
    tokens: int
    prompt_tokens: int
    arrivals: Sequence[float]

    @property
    def first(self) -> float:
        """Seconds from the request to its first token."""
        return self.arrivals[0] - self.started

    @property
    def total(self) -> float:
        """Seconds from the request to its last token."""
        return self.arrivals[-1] - self.started


Ask = Callable[[str], Awaitable[Sample]]


class WrongCount(Exception):
    """Raised when a server generated or read another number of tokens than it was asked to."""


async def ask_node(
    stub: node_pb2_grpc.NodeServiceAsyncStub,
    model: str,
    prompt: str,
    sampling: common_pb2.Sampling,
    samples: int = 1,
    arrivals: list[float] | None = None,
) -> Sample:
    """Time one Generate call; tokens are those of all samples.

    `arrivals` is filled while tokens come. Raises WrongCount.
    """
    arrivals = [] if arrivals is None else arrivals
    request = node_pb2.GenerateRequest(model=model, prompt=prompt, sampling=sampling, n=samples)
    started, tokens, prompt_tokens = time.perf_counter(), 0, 0
    async for response in stub.Generate(request):
        if response.HasField("step"):
            arrivals.append(time.perf_counter())
            tokens += sum(len(delta.tokens) for delta in response.step.deltas)
        elif response.HasField("started"):
            prompt_tokens = response.started.prompt_tokens
    return _checked(Sample(started, tokens, prompt_tokens, arrivals), sampling.max_tokens * samples)


async def ask_llama_server(
    port: int, body: Mapping[str, Any], expected: int, arrivals: list[float] | None = None
) -> Sample:
    """Time one streamed /completion call; `expected` tokens, those of all choices.

    Each call has its own connection: llama-server closes some reused ones after a stream.
    `arrivals` is filled while tokens come. Raises WrongCount.
    """
    arrivals = [] if arrivals is None else arrivals
    payload = json.dumps({**body, "stream": True, "ignore_eos": True}).encode()
    head = (
        f"POST /completion HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + payload)
        received = await _read_events(reader, arrivals)
    finally:
        writer.close()
    sample = _summary(started, received, arrivals)
    return _checked(sample, expected)


async def _read_events(reader: asyncio.StreamReader, arrivals: list[float]) -> bytes:
    """Read to the end; gives everything, and notes when data with tokens came."""
    parts = []
    while data := await reader.read(65536):
        if b"data: " in data and b'"stop":false' in data:
            arrivals.append(time.perf_counter())
        parts.append(data)
    return b"".join(parts)


def _summary(started: float, received: bytes, arrivals: Sequence[float]) -> Sample:
    lines = received.split(b"\n")
    last = [
        json.loads(line[6:])
        for line in lines
        if line.startswith(b"data: ") and b'"stop":true' in line
    ]
    if not last:
        raise WrongCount(f"llama-server answered {received[:300]!r}")
    tokens = sum(event["tokens_predicted"] for event in last)
    return Sample(started, tokens, last[0]["tokens_evaluated"], arrivals)


def _checked(sample: Sample, expected: int) -> Sample:
    if sample.tokens != expected or not sample.arrivals:
        raise WrongCount(f"{sample.tokens} tokens were generated instead of {expected}")
    return sample


class Burst(NamedTuple):
    """Requests of several clients, and the seconds from the first request to the last token."""

    samples: Sequence[Sample]
    seconds: float

    @property
    def speed(self) -> float:
        """Tokens of all clients per second."""
        return sum(sample.tokens for sample in self.samples) / self.seconds

    @property
    def firsts(self) -> Sequence[float]:
        """Seconds to the first token of each request."""
        return [sample.first for sample in self.samples]


async def burst(ask: Ask, prompts: Sequence[str], clients: int) -> Burst:
    """Let `clients` take the prompts in turn, each asking again as soon as it has its answer."""
    samples: list[Sample] = []
    waiting = iter(prompts)

    async def client() -> None:
        for prompt in waiting:
            sample = await ask(prompt)
            samples.append(sample)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return Burst(samples, time.perf_counter() - started)
