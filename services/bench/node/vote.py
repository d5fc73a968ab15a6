"""Eight samples of one prompt: beside one sample, the native limit, and llama-server's two ways."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from services.bench import figures
from services.bench.node import native
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import Asking, llama_server, our_node
from services.bench.node.load import burst
from services.bench.node.prompts import Prompts
from services.bench.node.servers import Layout

MODEL: Final = "135m"
SAMPLES: Final = 8
ONE_GOAL: Final = "<= 2.90"
NATIVE_GOAL: Final = "<= 1.05"
KINDS: Final[Mapping[str, float]] = {"greedy": 0.0, "sampled": 0.7}
"""Temperatures: a vote samples; greedily all samples are the same, which leaves only decoding."""
LAYOUTS: Final = (Layout(16, unified=False), Layout(16, unified=True))
SLOT_TOKENS: Final = 256

Way = Callable[[str, float], Awaitable[float]]


async def _one_request(ask: Asking, samples: int, prompt: str, temperature: float) -> float:
    return (await ask(prompt, temperature=temperature, samples=samples)).total


async def _requests(ask: Asking, prompt: str, temperature: float) -> float:
    alike = partial(ask, temperature=temperature)
    return (await burst(alike, [prompt] * SAMPLES, SAMPLES)).seconds


def _native(bench: Bench) -> float:
    limits = (
        native.run(
            bench.peers.batched_bench,
            bench.model(MODEL),
            SAMPLES,
            bench.place,
            unified=unified,
            shared_prompt=True,
        ).seconds
        for unified in (False, True)
    )
    return min(limits)


async def _take_turns(
    bench: Bench, ways: Mapping[str, Way], prompts: Prompts, temperature: float
) -> Mapping[str, Sequence[float]]:
    """Give milliseconds by way, pass by pass; the first pass warms and does not count."""
    times: dict[str, list[float]] = {name: [] for name in (*ways, "native")}
    for turn in range(bench.passes + 1):
        taken = {}
        for name, way in ways.items():
            taken[name] = await way(prompts.draw(), temperature)
            await asyncio.sleep(REST_SECONDS)
        taken["native"] = await asyncio.to_thread(_native, bench)
        await asyncio.sleep(REST_SECONDS)
        if turn:
            for name, seconds in taken.items():
                times[name].append(seconds * 1e3)
    return times


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Measure greedily and sampled."""
    path = bench.model(MODEL)
    made: list[figures.Figure] = []
    async with contextlib.AsyncExitStack() as stack:
        place = bench.place
        node = await stack.enter_async_context(
            our_node(place, {MODEL: path}, context_tokens=SLOT_TOKENS)
        )
        ways: dict[str, Way] = {
            "one": partial(_one_request, node.of(MODEL), 1),
            "vote": partial(_one_request, node.of(MODEL), SAMPLES),
        }
        for layout in LAYOUTS:
            server = llama_server(bench, path, layout, slot_tokens=SLOT_TOKENS)
            ask = stack.enter_context(server).ask
            ways[f"{layout} one"] = partial(_one_request, ask, 1)
            ways[f"{layout} n"] = partial(_one_request, ask, SAMPLES)
            ways[f"{layout} requests"] = partial(_requests, ask)
        for kind, temperature in KINDS.items():
            made += _compare(kind, await _take_turns(bench, ways, Prompts(path), temperature))
    return made


def _compare(kind: str, times: Mapping[str, Sequence[float]]) -> Sequence[figures.Figure]:
    name = f"{SAMPLES} samples of one prompt, {kind}"
    made = [
        figures.compare(name, "ms", times["vote"], "one sample", times["one"], ONE_GOAL),
        figures.compare(name, "ms", times["vote"], "native limit", times["native"], NATIVE_GOAL),
    ]
    for layout in LAYOUTS:
        one = times[f"{layout} one"]
        made += [
            figures.compare(
                f"{name}, llama-server {layout} n={SAMPLES}",
                "ms",
                times[f"{layout} n"],
                "its one sample",
                one,
            ),
            figures.compare(
                f"{name}, llama-server {layout}, {SAMPLES} requests",
                "ms",
                times[f"{layout} requests"],
                "its one sample",
                one,
            ),
        ]
    return made
