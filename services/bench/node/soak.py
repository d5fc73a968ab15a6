"""`python -m services.bench.node.soak`: send one node many requests, and watch its memory.

At first every slot is filled to its last cell, so that memory which an engine sets aside when it
loads, and the kernel hands out when it is used, does not count as growth. The requests then are as
different as callers are: lengths, samples, temperatures, alternatives, and some that are given up
midway. Writes results/node-soak.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from quorate.channel import Peers
from quorate.identity import Role
from quorate.models import pocket_models
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc
from services.bench import figures
from services.bench.node import servers
from services.bench.node.cores import Cores, asking_from, divide
from services.bench.node.ending import conclude
from services.bench.node.memory import own_megabytes

MODEL: Final = "abacus"
REQUESTS: Final = 100_000
CLIENTS: Final = 16
WARM_UP_SHARE: Final = 0.1
"""Share of the requests after which memory counts: allocators and tables have their size."""
READINGS: Final = 200
WINDOW: Final = 10
"""Readings whose median is compared, after the warm-up and at the end."""
ABANDONED_SHARE: Final = 0.02
GOAL: Final = "<= 1.01"
CONTEXT_TOKENS: Final = 256
FILLINGS: Final = 4
"""How often every slot is filled; the steps of each time are made up differently."""
FILLING_NUMBERS: Final = (5, 40)
"""Fewest and most numbers in a prompt that fills a slot: the longest take most of the context."""
BAN_THE_END: Final = {2: -100.0}
"""The token that ends a pocket model's turn."""


def request(draw: random.Random) -> node_pb2.GenerateRequest:
    """Draw a request."""
    numbers = (str(draw.randint(0, 99)) for _ in range(draw.randint(1, 8)))
    return node_pb2.GenerateRequest(
        model=MODEL,
        messages=[common_pb2.ChatMessage(content=f"What is {' + '.join(numbers)}?")],
        n=draw.choice((1, 1, 1, 3)),
        sampling=common_pb2.Sampling(
            temperature=draw.choice((0.0, 0.7)),
            max_tokens=draw.randint(1, 4),
            top_logprobs=draw.choice((0, 0, 3)),
            stop=draw.choice(((), ("=",))),
        ),
    )


async def ask(node: node_pb2_grpc.NodeServiceAsyncStub, draw: random.Random) -> None:
    """Send one request, and read its answer or give it up."""
    given_up = draw.random() < ABANDONED_SHARE
    call = node.Generate(request(draw))
    async for _ in call:
        if given_up:
            call.cancel()
            return


async def fill(node: node_pb2_grpc.NodeServiceAsyncStub, slots: int, draw: random.Random) -> None:
    """Have all slots at once compute until their cells are full."""
    async with asyncio.TaskGroup() as group:
        for _ in range(slots):
            group.create_task(_fill_slot(node, draw))


async def _fill_slot(node: node_pb2_grpc.NodeServiceAsyncStub, draw: random.Random) -> None:
    numbers = (str(draw.randint(0, 99)) for _ in range(draw.randint(*FILLING_NUMBERS)))
    sampling = common_pb2.Sampling(
        temperature=draw.choice((0.0, 1.0)),
        max_tokens=CONTEXT_TOKENS,
        top_logprobs=draw.choice((0, 3)),
        logit_bias=BAN_THE_END,
    )
    filling = node_pb2.GenerateRequest(model=MODEL, prompt=" + ".join(numbers), sampling=sampling)
    async for event in node.Generate(filling):
        reason = event.finished.reason
        if event.HasField("finished") and reason != common_pb2.FINISH_REASON_CONTEXT_FULL:
            name = common_pb2.FinishReason.Name(reason)
            raise RuntimeError(f"a slot was to be filled, but its sample ended with {name}")


class Readings:
    """Own memory of the node and of its engine in MB, read as the requests go on."""

    def __init__(self, process: psutil.Process) -> None:
        self._processes = {"node": process, "engine": process.children()[0]}
        self.megabytes: Mapping[str, list[float]] = {name: [] for name in self._processes}

    def take(self) -> None:
        """Read both."""
        for name, process in self._processes.items():
            self.megabytes[name].append(own_megabytes(process))

    def figures(self, requests: int) -> Iterator[figures.Figure]:
        """Compare the end with what was held after the warm-up."""
        for name, readings in self.megabytes.items():
            warm = readings[round(len(readings) * WARM_UP_SHARE) :][:WINDOW]
            yield figures.compare(
                f"memory of the {name} after {requests:,} requests",
                "MB",
                [statistics.median(readings[-WINDOW:])],
                "after the warm-up",
                [statistics.median(warm)],
                GOAL,
            )


async def soak(
    node: node_pb2_grpc.NodeServiceAsyncStub, readings: Readings, requests: int, bar: Progress
) -> float:
    """Send the requests; gives how many were answered in a second."""
    task = bar.add_task("requests", total=requests)
    started, every = time.perf_counter(), max(1, requests // READINGS)
    waiting = iter(range(requests))

    async def client(seed: int) -> None:
        draw = random.Random(seed)
        for number in waiting:
            await ask(node, draw)
            bar.advance(task)
            if number % every == every - 1:
                readings.take()

    async with asyncio.TaskGroup() as group:
        for seed in range(CLIENTS):
            group.create_task(client(seed))
    return requests / (time.perf_counter() - started)


async def _measure(
    place: servers.Place, requests: int, console: Console
) -> Sequence[figures.Figure]:
    models = {MODEL: pocket_models()[MODEL]}
    with servers.node(place, models, context_tokens=CONTEXT_TOKENS) as running:
        async with Peers(place.identity) as peers:
            channel = peers.channel(running.address, (Role.NODE, servers.NODE))
            readings = Readings(psutil.Process(running.process.pid))
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
                stub = node_pb2_grpc.NodeServiceStub(channel)
                for seed in range(FILLINGS):
                    await fill(stub, servers.SLOTS, random.Random(seed))
                speed = await soak(stub, readings, requests, bar)
    console.print(f"{speed:.0f} requests/s")
    return list(readings.figures(requests))


def _run(requests: int, cores: Cores, console: Console) -> Sequence[figures.Figure]:
    with tempfile.TemporaryDirectory() as scratch, asking_from(cores):
        return asyncio.run(_measure(servers.place(Path(scratch), cores), requests, console))


def main() -> int:
    """Run the soak and publish what it found."""
    parser = argparse.ArgumentParser(description="Send a node many requests, watch its memory.")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="at least 1000")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the result")
    arguments = parser.parse_args()
    if arguments.requests < 1000:
        parser.error(f"--requests is {arguments.requests}; fewer than 1000 say nothing of growth")
    console, cores = Console(stderr=True), divide(frozenset(os.sched_getaffinity(0)))
    return conclude(
        "node-soak",
        lambda: _run(arguments.requests, cores, console),
        arguments.out,
        cores,
        console,
    )


if __name__ == "__main__":
    sys.exit(main())
