"""Two models of one node at once, beside one after the other, on the same cores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from services.bench import figures
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import OurNode, our_node
from services.bench.node.load import Burst, burst
from services.bench.node.prompts import Prompts

PAIR: Final = ("135m", "135m-b")
STREAMS: Final = {1: ">= 1.50", 4: ""}
"""Streams of each model, and how much faster both must be at once than one after the other."""
NEVER_SLOWER: Final = ">= 1.00"
EACH: Final = 4
"""Requests that a stream sends one after the other."""
SLOT_TOKENS: Final = 256
"""Room of a slot: prompt and answer fit twice."""


async def _load(node: OurNode, model: str, prompts: Prompts, streams: int) -> Burst:
    await node.of(model)(prompts.draw())
    asked = prompts.draw_several(streams * EACH)
    return await burst(node.of(model), asked, streams)


def _speed(bursts: Sequence[Burst], seconds: float) -> float:
    return sum(sample.tokens for one in bursts for sample in one.samples) / seconds


async def _in_turn(node: OurNode, prompts: Prompts, streams: int) -> float:
    """Give tokens per second of A, then B."""
    bursts = []
    for model in PAIR:
        bursts.append(await _load(node, model, prompts, streams))
        await asyncio.sleep(REST_SECONDS)
    return _speed(bursts, sum(one.seconds for one in bursts))


async def _at_once(node: OurNode, prompts: Prompts, streams: int) -> float:
    """Give tokens per second of A ∥ B, until the slower one is done."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_load(node, model, prompts, streams)) for model in PAIR]
    bursts = [task.result() for task in tasks]
    await asyncio.sleep(REST_SECONDS)
    return _speed(bursts, max(one.seconds for one in bursts))


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Measure with one stream each, and with several."""
    paths = {name: bench.model(name) for name in PAIR}
    prompts = Prompts(paths[PAIR[0]])
    made: list[figures.Figure] = []
    async with our_node(bench.place, paths, context_tokens=SLOT_TOKENS) as node:
        for streams, goal in STREAMS.items():
            at_once, in_turn = [], []
            for _ in range(bench.passes):
                in_turn.append(await _in_turn(node, prompts, streams))
                at_once.append(await _at_once(node, prompts, streams))
            made += _compare(streams, at_once, in_turn, goal)
    return made


def _compare(
    streams: int, at_once: Sequence[float], in_turn: Sequence[float], goal: str
) -> Sequence[figures.Figure]:
    name = f"two models at once, {streams} stream{'s' * (streams > 1)} each: tokens/s"
    pairs = list(zip(at_once, in_turn, strict=True))
    worst = min(pairs, key=lambda pair: pair[0] / pair[1])
    peer = "one after the other"
    return [
        figures.compare(name, "tok/s", at_once, peer, in_turn, goal),
        figures.compare(
            f"{name}, the worst pass", "tok/s", worst[:1], peer, worst[1:], NEVER_SLOWER
        ),
    ]
