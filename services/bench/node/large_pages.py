"""What it is worth that an engine keeps its weights in large pages: a node with, one without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Final

from services.bench import figures
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import our_node
from services.bench.node.load import Ask, burst
from services.bench.node.prompts import Prompts

MODEL: Final = "135m"
WITHOUT: Final = f"{MODEL}-small-pages"
STREAMS: Final = (1, 4, 16)
SLOT_TOKENS: Final = 256
SMALL_PAGES: Final = "glibc.malloc.hugetlb=0"
"""What a user sets in GLIBC_TUNABLES has the last word."""


async def _speed(ask: Ask, prompts: Prompts, streams: int) -> float:
    """Give generated tokens per second."""
    await ask(prompts.draw())
    result = await burst(ask, prompts.draw_several(max(8, 2 * streams)), streams)
    await asyncio.sleep(REST_SECONDS)
    return result.speed


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Let two nodes with the same model take turns."""
    path = bench.model(MODEL)
    prompts = Prompts(path)
    small = {**os.environ, "GLIBC_TUNABLES": SMALL_PAGES}
    made = []
    async with (
        our_node(bench.place, {MODEL: path}, context_tokens=SLOT_TOKENS) as large_node,
        our_node(
            bench.place, {WITHOUT: path}, context_tokens=SLOT_TOKENS, environment=small
        ) as small_node,
    ):
        turns = (large_node.of(MODEL), small_node.of(WITHOUT))
        for streams in STREAMS:
            speeds: tuple[list[float], list[float]] = ([], [])
            for number in range(bench.passes):
                both = list(zip(turns, speeds, strict=True))
                for ask, kept in both if number % 2 == 0 else reversed(both):
                    kept.append(await _speed(ask, prompts, streams))
            name = f"large pages, {streams} at once: tokens/s"
            made.append(figures.compare(name, "tok/s", speeds[0], "pages of 4 KiB", speeds[1], ""))
    return made
