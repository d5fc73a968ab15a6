"""The one question of the bench, its five voters, and the shape in which a peer reports."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from services.bench.load import closed_loop

QUESTION: Final = "What is 9 + 9?"
ANSWER: Final = "Answer: 18"
MODEL: Final = "instant"
NODES: Final = ("n0", "n1", "n2", "n3", "n4")
CLIENTS: Final = 16
WARM_UP_SECONDS: Final = 0.5


class Turn(NamedTuple):
    """What one system did in one turn: p50 at one client in seconds, questions/s at 16 clients."""

    p50_seconds: float
    per_second: float


async def turn(ask: Callable[[], Awaitable[object]], seconds: float) -> Turn:
    """Measure one system: alone and then with 16 clients, each for that long."""
    await closed_loop(ask, 1, WARM_UP_SECONDS)
    alone = await closed_loop(ask, 1, seconds)
    await closed_loop(ask, CLIENTS, WARM_UP_SECONDS)
    many = await closed_loop(ask, CLIENTS, seconds)
    return Turn(alone.percentile(0.5), many.per_second)


async def take_turns(ask: Callable[[], Awaitable[object]]) -> None:
    """Take a turn for every line of standard input, which holds its seconds, and report each.

    The first line out says that the system is ready.
    """
    _say({"ready": True})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _say((await turn(ask, float(line)))._asdict())


def majority(answers: list[str]) -> str:
    """Give the most frequent answer, as a peer without a voting library would."""
    return max(sorted(set(answers)), key=answers.count)


def _say(report: object) -> None:
    # A peer's library may print, too: what is meant for the bench is marked.
    sys.stdout.write(f"@bench {json.dumps(report)}\n")
    sys.stdout.flush()
