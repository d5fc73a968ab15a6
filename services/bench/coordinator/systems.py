"""The systems that take turns: ours, the bare floor, and the peers; each is started once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import yaml

from quorate.channel import Peers
from quorate.identity import Role, create_authority, issue
from quorate.v1 import (
    common_pb2,
    coordinator_pb2,
    coordinator_pb2_grpc,
    node_pb2,
    node_pb2_grpc,
)
from services.bench.coordinator import question
from services.bench.coordinator.question import MODEL, QUESTION, Turn
from services.bench.node.cores import Cores, ServerFailed, started

if TYPE_CHECKING:
    from quorate.config import TlsSettings

READY_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.05
COORDINATOR: Final = "c1"
MARK: Final = "@bench "

Ask = Callable[[], Awaitable[None]]
"""Asks once."""
TakeTurn = Callable[[float], Awaitable[Turn]]
"""Lets a system take a turn with so many seconds for each number of clients."""


@dataclass(frozen=True)
class Served:
    """A coordinator and its five nodes, and who may call them."""

    coordinator: str
    nodes: dict[str, str]
    client: TlsSettings
    bench: TlsSettings


@contextlib.contextmanager
def serve(folder: Path, cores: Cores, profile: Path | None = None) -> Iterator[Served]:
    """Run a coordinator and five instant nodes for the block. Raises ServerFailed.

    With `profile` the coordinator runs under cProfile, which writes there at its end.
    """
    now = datetime.now(UTC)
    authority = folder / "authority"
    create_authority(authority, now=now)
    settings = folder / "coordinator.yaml"
    ready = folder / "ready"
    tls = issue(authority, Role.COORDINATOR, COORDINATOR, now=now)
    written = {
        "name": COORDINATOR,
        "tls": {key: str(path) for key, path in tls},
        "ready_file": str(ready),
        "lease_seconds": 600.0,  # the nodes send no heartbeats
        "database": f"sqlite:///{folder / 'state.sqlite'}",
    }
    settings.write_text(yaml.safe_dump(written), encoding="utf-8")
    profiled = ["-m", "cProfile", "-o", str(profile)] if profile else []
    service = ["-m", "services.coordinator", "--settings", str(settings)]
    program = [sys.executable, *profiled, *service]
    with started(program, cores, folder / "coordinator.log") as process:
        _wait(ready, process, "the coordinator", folder / "coordinator.log")
        address = json.loads(ready.read_text(encoding="utf-8"))["address"]
        voters = [sys.executable, "-m", "services.bench.coordinator.nodes", str(authority), address]
        with started(voters, cores, folder / "nodes.log") as process:
            _wait(authority / "nodes.json", process, "the nodes", folder / "nodes.log")
            nodes = json.loads((authority / "nodes.json").read_text(encoding="utf-8"))
            client = issue(authority, Role.CLIENT, "someone", now=now)
            yield Served(address, nodes, client, issue(authority, Role.BENCH, "bench", now=now))


def _wait(file: Path, process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(name, log)
        time.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def asking(served: Served, *, streamed: bool) -> AsyncIterator[Ask]:
    """Ask the coordinator over mTLS; it waits for all five votes, as the others do."""
    async with Peers(served.client) as peers:
        channel = peers.channel(served.coordinator, (Role.COORDINATOR, COORDINATOR))
        stub = coordinator_pb2_grpc.CoordinatorServiceStub(channel)
        numbers = itertools.count()

        def asked() -> coordinator_pb2.Question:
            # Each is another question, so that nothing can be remembered of the one before.
            message = common_pb2.ChatMessage(content=f"What is {next(numbers)} + 9?")
            return coordinator_pb2.Question(
                messages=[message], stop_rule=coordinator_pb2.STOP_RULE_NEVER
            )

        async def ask() -> None:
            await stub.Ask(coordinator_pb2.AskRequest(question=asked()))

        async def stream() -> None:
            request = coordinator_pb2.AskStreamRequest(  # as the client library asks
                question=asked(), omit_tokens=True, batched=True
            )
            async for _ in stub.AskStream(request):
                pass

        yield stream if streamed else ask


@contextlib.asynccontextmanager
async def ours(served: Served, *, streamed: bool) -> AsyncIterator[TakeTurn]:
    """Let the coordinator take turns."""
    async with asking(served, streamed=streamed) as ask:
        yield lambda seconds: question.turn(ask, seconds)


@contextlib.asynccontextmanager
async def bare(served: Served) -> AsyncIterator[TakeTurn]:
    """Make the same five calls over mTLS with no logic at all: the floor."""
    async with Peers(served.bench) as peers:
        request = node_pb2.GenerateRequest(
            model=MODEL,
            messages=[common_pb2.ChatMessage(content=QUESTION)],
            max_delay_seconds=0.1,  # as the coordinator asks: one message for each answer
        )
        stubs = [
            node_pb2_grpc.NodeServiceStub(peers.channel(address, (Role.NODE, name)))
            for name, address in served.nodes.items()
        ]

        async def one(stub: node_pb2_grpc.NodeServiceAsyncStub) -> None:
            async for _ in stub.Generate(request):
                pass

        async def ask() -> None:
            async with asyncio.TaskGroup() as group:
                for stub in stubs:
                    group.create_task(one(stub))

        yield lambda seconds: question.turn(ask, seconds)


@contextlib.contextmanager
def peer(
    python: Path, script: str, arguments: list[str], log: Path, usable: frozenset[int]
) -> Iterator[TakeTurn]:
    """Run a peer's script with a Python of its own for the block. Raises ServerFailed.

    It may use all the cores that ours and its client use together.
    """
    root = Path(__file__).parents[3]
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, usable)  # a process inherits them from the thread
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [str(python), "-m", f"services.bench.coordinator.{script}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
    os.sched_setaffinity(0, before)
    try:
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError(f"{script} was started without pipes")
        _reported(process.stdout, script, log)  # it is ready
        yield _turns(process.stdin, process.stdout, script, log)
    finally:
        process.terminate()
        process.wait()


def _turns(entry: IO[str], out: IO[str], script: str, log: Path) -> TakeTurn:
    async def take(seconds: float) -> Turn:
        entry.write(f"{seconds}\n")
        entry.flush()
        report = await asyncio.to_thread(_reported, out, script, log)
        return Turn(report["p50_seconds"], report["per_second"])

    return take


def _reported(out: IO[str], script: str, log: Path) -> dict[str, float]:
    for line in out:
        if line.startswith(MARK):
            report: dict[str, float] = json.loads(line.removeprefix(MARK))
            return report
    raise ServerFailed(script, log)


@contextlib.contextmanager
def instant_http(cores: Cores, log: Path) -> Iterator[int]:
    """Run the peers' backend for the block; gives its port. Raises ServerFailed."""
    program = [sys.executable, "-m", "services.bench.coordinator.instant_http"]
    with started(program, cores, log) as process:
        deadline = time.monotonic() + READY_SECONDS
        while not (said := log.read_text(encoding="utf-8")).endswith("\n"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed("the peers' backend", log)
            time.sleep(PAUSE_SECONDS)
        yield int(said)
