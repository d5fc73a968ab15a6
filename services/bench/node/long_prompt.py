"""What others feel when a long prompt arrives: the time between their tokens, before and during."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from services.bench import figures
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import Asking, llama_server, our_node
from services.bench.node.prompts import Prompts
from services.bench.node.servers import Layout

MODEL: Final = "135m"
STREAMS: Final = 4
LONG_TOKENS: Final = 3000
GROWTH_GOAL: Final = "<= 3.00"
CONTEXT_TOKENS: Final = 4096
SETTLE_SECONDS: Final = 2.0
"""How long the streams are watched before the prompt arrives."""
STREAM_TOKENS: Final = 512
"""More than they say in the time: they are given up when the prompt has its first token."""
MOST_SECONDS: Final = 120.0
LAYOUT: Final = Layout(8, unified=True)


@dataclass
class Felt:
    """95th percentiles of the streams' times between tokens, and the prompt's time to its first."""

    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


async def watch(ask: Asking, prompts: Prompts, felt: Felt) -> None:
    """Let streams run, send the long prompt among them, and add what they felt; milliseconds."""
    arrivals: list[list[float]] = [[] for _ in range(STREAMS)]
    async with asyncio.timeout(MOST_SECONDS), asyncio.TaskGroup() as group:
        streams = [
            group.create_task(_stream(ask, prompts.draw(), one, STREAM_TOKENS)) for one in arrivals
        ]
        while not all(arrivals):  # noqa: ASYNC110 - a client's own event for each would cost more
            await asyncio.sleep(0.01)
        await asyncio.sleep(SETTLE_SECONDS)
        long = await ask(prompts.draw(LONG_TOKENS), new_tokens=1)
        for stream in streams:
            stream.cancel()
    sent, answered = long.started, long.arrivals[0]
    felt.before.append(_p95(arrivals, lambda start, end: end < sent))
    felt.during.append(_p95(arrivals, lambda start, end: end > sent and start < answered))
    felt.first.append(long.first * 1e3)


async def _stream(ask: Asking, prompt: str, arrivals: list[float], new_tokens: int) -> None:
    await ask(prompt, new_tokens=new_tokens, arrivals=arrivals)


def _p95(arrivals: Sequence[Sequence[float]], counts: Callable[[float, float], bool]) -> float:
    """Give the 95th percentile of the gaps that count, in milliseconds."""
    gaps = [
        (end - start) * 1e3
        for one in arrivals
        for start, end in pairwise(one)
        if counts(start, end)
    ]
    return float(np.percentile(gaps, 95))


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Let our node and llama-server take turns at it."""
    path = bench.model(MODEL)
    prompts, ours, theirs = Prompts(path), Felt(), Felt()
    async with our_node(
        bench.place, {MODEL: path}, context_tokens=CONTEXT_TOKENS, slots=LAYOUT.slots
    ) as node:
        with llama_server(bench, path, LAYOUT, slot_tokens=CONTEXT_TOKENS) as server:
            for _ in range(bench.passes):
                await watch(node.of(MODEL), prompts, ours)
                await asyncio.sleep(REST_SECONDS)
                await watch(server.ask, prompts, theirs)
                await asyncio.sleep(REST_SECONDS)
    name = f"{STREAMS} streams' p95 between tokens while {LONG_TOKENS} tokens arrive"
    peer = f"llama-server {LAYOUT}"
    return [
        figures.compare(name, "ms", ours.during, "the same before", ours.before, GROWTH_GOAL),
        figures.compare(f"{name}, {peer}", "ms", theirs.during, "the same before", theirs.before),
        figures.compare(
            f"first token of a prompt of {LONG_TOKENS} tokens among {STREAMS} streams",
            "ms",
            ours.first,
            peer,
            theirs.first,
        ),
    ]
