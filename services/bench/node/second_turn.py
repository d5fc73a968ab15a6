"""The second turn of a conversation: its time to the first token beside the first turn's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from services.bench import figures
from services.bench.node.bench import REST_SECONDS, Bench
from services.bench.node.calls import Asking, llama_server, our_node
from services.bench.node.prompts import Prompts
from services.bench.node.servers import Layout

MODEL: Final = "135m"
SHARED_TOKENS: Final = 1000
NEW_TOKENS: Final = 32
"""What the second turn adds to the prompt."""
ANSWER_TOKENS: Final = 16
GOAL: Final = "<= 0.25"
LAYOUT: Final = Layout(8, unified=True)
SLOT_TOKENS: Final = 2048


async def _turns(ask: Asking, prompts: Prompts) -> tuple[float, float]:
    """Give the milliseconds to the first token of both turns."""
    told = prompts.draw(SHARED_TOKENS)
    first = await ask(told, new_tokens=ANSWER_TOKENS)
    await asyncio.sleep(REST_SECONDS)
    second = await ask(told + prompts.draw(NEW_TOKENS), new_tokens=ANSWER_TOKENS)
    await asyncio.sleep(REST_SECONDS)
    return first.first * 1e3, second.first * 1e3


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Let our node and llama-server take turns at conversations that have nothing in common."""
    path = bench.model(MODEL)
    prompts = Prompts(path)
    ours, theirs = [], []
    async with our_node(bench.place, {MODEL: path}, context_tokens=SLOT_TOKENS) as node:
        with llama_server(bench, path, LAYOUT, slot_tokens=SLOT_TOKENS) as server:
            await node.of(MODEL)(prompts.draw())
            for _ in range(bench.passes):
                ours.append(await _turns(node.of(MODEL), prompts))
                theirs.append(await _turns(server.ask, prompts))
    name = f"first token of a second turn, {SHARED_TOKENS} shared tokens"
    made = []
    for title, turns, goal in ((name, ours, GOAL), (f"{name}, llama-server", theirs, "")):
        firsts, seconds = zip(*turns, strict=True)
        made.append(figures.compare(title, "ms", seconds, "the first turn", firsts, goal))
    return made
