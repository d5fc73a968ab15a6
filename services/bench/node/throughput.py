"""Tokens per second and time to first token: ours, llama-server at its best, the native limit."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.bench import figures
from services.bench.node import native
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import llama_server, our_node
from services.bench.node.load import Ask, Burst, burst
from services.bench.node.prompts import Prompts
from services.bench.node.servers import Layout

GOALS: Final[Mapping[int, str]] = {1: ">= 1.00", 4: ">= 1.00", 16: ">= 1.05", 32: ">= 1.05"}
"""By clients, for tokens/s beside llama-server."""
NATIVE_GOAL: Final = ">= 0.90"
FIRST_GOAL: Final = "<= 1.00"
LAYOUTS: Final = tuple(Layout(slots, unified) for slots in (16, 32) for unified in (False, True))
QUICK_LAYOUTS: Final[Mapping[int, Layout]] = {
    1: Layout(16, unified=False),
    4: Layout(16, unified=True),
    16: Layout(16, unified=False),
    32: Layout(32, unified=False),
}
"""The fastest when last tried: a quick run does not try them all."""
TRIALS: Final = 3
SLOT_TOKENS: Final = 256
"""Room of a slot of either server: prompt and answer fit twice."""


@dataclass
class Series:
    """Paired turns at one number of clients; `native` in tokens per second."""

    ours: list[Burst] = field(default_factory=list)
    theirs: list[Burst] = field(default_factory=list)
    native: list[float] = field(default_factory=list)


@dataclass
class Turns:
    """The servers that take turns, each idle while another is asked."""

    bench: Bench
    name: str
    prompts: Prompts
    ours: Ask
    theirs: Mapping[Layout, Ask]

    async def turn(self, ask: Ask, clients: int) -> Burst:
        """Ask one server, warmed by a request that is not counted."""
        await ask(self.prompts.draw())
        each = {1: 4, 4: 2}.get(clients, 1 if self.bench.quick else 2)
        result = await burst(ask, self.prompts.draw_several(clients * each), clients)
        await asyncio.sleep(REST_SECONDS)
        return result

    async def best_layout(self, clients: int) -> Layout:
        """Find llama-server's fastest layout for a number of clients."""
        if self.bench.quick:
            return QUICK_LAYOUTS[clients]
        speeds: dict[Layout, list[float]] = {layout: [] for layout in self.theirs}
        for _ in range(TRIALS):
            for layout, ask in self.theirs.items():
                speeds[layout].append((await self.turn(ask, clients)).speed)
        medians = {layout: statistics.median(several) for layout, several in speeds.items()}
        told = ", ".join(f"{layout} {speed:.0f}" for layout, speed in medians.items())
        self.bench.console.print(f"{self.name}, {clients} at once, llama-server tok/s: {told}")
        return max(medians, key=medians.__getitem__)

    async def add_pass(self, clients: int, layout: Layout, series: Series) -> None:
        """Let all three take a turn, ours first in every other pass: the machine drifts."""
        turns = [(self.ours, series.ours), (self.theirs[layout], series.theirs)]
        for ask, kept in turns if len(series.ours) % 2 == 0 else reversed(turns):
            kept.append(await self.turn(ask, clients))
        limit = await asyncio.to_thread(self._native, clients)
        series.native.append(limit.speed)
        self.bench.console.print(
            f"{self.name}, {clients} at once, tok/s: ours {series.ours[-1].speed:.0f}, "
            f"llama-server {layout} {series.theirs[-1].speed:.0f}, native {limit.speed:.0f}"
        )
        await asyncio.sleep(REST_SECONDS)

    def _native(self, clients: int) -> native.Native:
        bench = self.bench
        # Streams of their own are never slower where all of them are busy: quick runs trust that.
        return native.best(
            bench.peers.batched_bench,
            bench.model(self.name),
            clients,
            bench.place,
            layouts=(False,) if bench.quick else (False, True),
        )


@contextlib.asynccontextmanager
async def all_servers(bench: Bench, name: str) -> AsyncIterator[Turns]:
    """Run our node and llama-server in every layout that is tried, for the block."""
    path = bench.model(name)
    layouts = [QUICK_LAYOUTS[clients] for clients in bench.clients] if bench.quick else LAYOUTS
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(
            our_node(bench.place, {name: path}, context_tokens=SLOT_TOKENS)
        )
        theirs: dict[Layout, Ask] = {}
        for layout in dict.fromkeys(layouts):
            server = llama_server(bench, path, layout, slot_tokens=SLOT_TOKENS)
            theirs[layout] = stack.enter_context(server).ask
        yield Turns(bench, name, Prompts(path), ours.of(name), theirs)


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Measure every shape at every number of clients that was asked for."""
    made: list[figures.Figure] = []
    for name in bench.shapes:
        async with all_servers(bench, name) as turns:
            best = {clients: await turns.best_layout(clients) for clients in bench.clients}
            series = {clients: Series() for clients in bench.clients}
            for _ in range(bench.passes):
                for clients, one in series.items():
                    await turns.add_pass(clients, best[clients], one)
        for clients, one in series.items():
            peer = f"llama-server {best[clients]}"
            made += compare(f"{name}, {clients} at once", GOALS[clients], one, peer)
    return made


def compare(title: str, goal: str, series: Series, peer: str) -> Sequence[figures.Figure]:
    """Turn the turns at one number of clients into figures."""
    name, unit = f"{title}: tokens/s", "tok/s"
    ours = [turn.speed for turn in series.ours]
    theirs = [turn.speed for turn in series.theirs]
    return [
        figures.compare(name, unit, ours, peer, theirs, goal),
        figures.compare(name, unit, ours, "native limit", series.native, NATIVE_GOAL),
        *(
            figures.compare(
                f"{title}: first token p{percent}",
                "ms",
                first_milliseconds(series.ours, percent),
                peer,
                first_milliseconds(series.theirs, percent),
                FIRST_GOAL,
            )
            for percent in (50, 95)
        ),
    ]


def first_milliseconds(turns: Sequence[Burst], percent: int) -> Sequence[float]:
    """Give a percentile of the time to first token for each turn."""
    return [float(np.percentile(turn.firsts, percent)) * 1e3 for turn in turns]
