"""A real node program on loopback, with real certificates and pocket models, and calls to it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import yaml

from quorate.channel import Peers
from quorate.config import TlsSettings
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc

START_SECONDS = 60
PAUSE_SECONDS = 0.02
BAN_THE_END = {2: -100.0}
"""Pocket models end their turn with token 2: without it they speak until max_tokens."""


@dataclass
class RunningNode:
    """A node process: where it is called, its engines, and what it wrote."""

    name: str
    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def engines(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


StartNode = Callable[..., "RunningNode"]


@contextmanager
def running_node(
    directory: Path, tls: TlsSettings, name: str, settings: Mapping[str, object]
) -> Iterator[RunningNode]:
    """Start `python -m services.node` and end it; no engine may outlive it."""
    ready, log = directory / f"{name}.ready", directory / f"{name}.log"
    content = {
        "name": name,
        "tls": {key: str(path) for key, path in tls},
        "ready_file": str(ready),
        "runtime_directory": str(directory / "runtime"),
        **settings,
    }
    path = directory / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.node", "--settings", str(path)], stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            subprocess.run(["sleep", str(PAUSE_SECONDS)], check=True)
        address = json.loads(ready.read_text())["address"]
        yield RunningNode(name, process, address, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def start_node(tmp_path_factory, tls) -> Callable[..., object]:
    """Give `with start_node(models=[…]) as node`."""

    def start(name: str = "n1", **settings: object):
        directory = tmp_path_factory.mktemp(name)
        return running_node(directory, tls(Role.NODE, name), name, settings)

    return start


@pytest.fixture(scope="session")
def shared_node(start_node) -> Iterator[RunningNode]:
    """Give a node with two models that tests share; they must leave it idle."""
    with start_node("shared", models=[{"name": "abacus"}, {"name": "atlas"}]) as node:
        yield node


@pytest.fixture
async def peers(tls) -> AsyncIterator[Peers]:
    """Give channels of a bench."""
    async with Peers(tls(Role.BENCH, "tester")) as channels:
        yield channels


@dataclass
class Heard:
    """A whole generation: texts, tokens and summaries by sample."""

    started: node_pb2.GenerateStarted | None = None
    texts: dict[int, str] = field(default_factory=dict)
    tokens: dict[int, list[common_pb2.TokenLogprob]] = field(default_factory=dict)
    finished: dict[int, node_pb2.SampleFinished] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def add(self, message: node_pb2.GenerateResponse) -> None:
        kind = message.WhichOneof("event")
        self.order.append(kind)
        if kind == "started":
            self.started = message.started
        elif kind == "finished":
            self.finished[message.finished.sample] = message.finished
        for delta in message.step.deltas:
            self.texts[delta.sample] = self.texts.get(delta.sample, "") + delta.text
            self.tokens.setdefault(delta.sample, []).extend(delta.tokens)


class Caller:
    """Calls one node."""

    def __init__(self, peers: Peers, node: RunningNode) -> None:
        self.node = node
        self.stub = node_pb2_grpc.NodeServiceStub(
            peers.channel(node.address, (Role.NODE, node.name))
        )

    def stream(self, prompt: str = "", question: str = "", model: str = "abacus", **options):
        """Begin a generation; `options` are fields of the request and of its sampling."""
        known = {f.name for f in common_pb2.Sampling.DESCRIPTOR.fields}
        sampling = {key: options.pop(key) for key in list(options) if key in known}
        messages = [common_pb2.ChatMessage(content=question)] if question else []
        messages = options.pop("messages", messages)
        return self.stub.Generate(
            node_pb2.GenerateRequest(
                model=model,
                prompt=prompt,
                messages=messages,
                sampling=common_pb2.Sampling(**sampling),
                **options,
            )
        )

    async def generate(self, **options) -> Heard:
        """Generate to the end."""
        heard = Heard()
        async for message in self.stream(**options):
            heard.add(message)
        return heard

    async def status(self) -> common_pb2.NodeStatus:
        return (await self.stub.GetStatus(node_pb2.GetStatusRequest())).status

    async def engine(self, model: str = "abacus") -> common_pb2.EngineStatus:
        return next(e for e in (await self.status()).engines if e.model == model)

    async def until(self, holds: Callable[[common_pb2.NodeStatus], bool]) -> common_pb2.NodeStatus:
        """Ask for the status until something holds of it."""
        async with asyncio.timeout(20):
            while not holds(status := await self.status()):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)
            return status

    async def serves_on(self) -> None:
        """Make sure that a good request is answered."""
        heard = await self.generate(question="What is 12 + 30?", max_tokens=4)
        assert heard.finished[0].usage.completion_tokens >= 1


@pytest.fixture
async def caller(peers: Peers, shared_node: RunningNode) -> Caller:
    """Call the shared node. Channels are made inside the loop that they belong to."""
    return Caller(peers, shared_node)


@pytest.fixture(scope="session")
def caller_of() -> type[Caller]:
    """Give what makes a caller: `caller_of(peers, node)`."""
    return Caller
