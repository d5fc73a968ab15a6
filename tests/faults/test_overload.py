"""Ten times the work that a node can do: it does as much as ever, and refuses the rest at once."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field

import pytest

from quorate.errors import Overloaded

pytestmark = pytest.mark.anyio
SLOTS = 4
QUEUE = 8
MODEL = {"name": "abacus", "slots": SLOTS, "queue": QUEUE}
ASK = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 200}
WINDOW_SECONDS = 0.5
CROWDED = (False, True, True, False) * 6
"""Whether a window has ten times the load. They alternate, so that what other work on the machine
takes, and its drift, falls on both kinds alike."""
TIMES = 10
LEAST_GOODPUT = 0.7
"""Of the peak. The goal is 0.9; beside other work on four cores 0.77 to 0.99 was measured."""
SLOWEST_REFUSAL_SECONDS = 0.05
RETRY_SECONDS = 0.05


@dataclass
class Load:
    """What became of the requests; `over` ends the steady ones."""

    sent: int = 0
    tokens: int = 0
    answered: int = 0
    refused: list[Overloaded] = field(default_factory=list)
    refusal_seconds: list[float] = field(default_factory=list)
    over: bool = False

    async def ask(self, caller) -> None:
        """Send one request: it is refused before its first token, or answered to the end."""
        began, heard = time.monotonic(), 0
        self.sent += 1
        try:
            async for message in caller.stream(**ASK):
                tokens = sum(len(delta.tokens) for delta in message.step.deltas)
                heard += tokens
                self.tokens += tokens
        except Overloaded as refusal:
            assert not heard, "a request was refused after it had been begun"
            self.refused.append(refusal)
            self.refusal_seconds.append(time.monotonic() - began)
        else:
            assert heard == ASK["max_tokens"]
            self.answered += 1

    async def keep_asking(self, caller) -> None:
        """Send one request after another, until the load is over."""
        while not self.over:
            refused = len(self.refused)
            await self.ask(caller)
            if len(self.refused) > refused:
                await asyncio.sleep(RETRY_SECONDS)


async def window(
    group: asyncio.TaskGroup, caller, load: Load, requests_per_second: float = 0.0
) -> float:
    """Send more requests at a steady rate, whatever becomes of them; gives tokens a second.

    A machine that is busy with other work as well gets them later, but gets all of them.
    """
    start, tokens, sent = time.monotonic(), load.tokens, 0
    due = int(WINDOW_SECONDS * requests_per_second)
    while (elapsed := time.monotonic() - start) < WINDOW_SECONDS or sent < due:
        for _ in range(min(due, int(elapsed * requests_per_second)) - sent):
            group.create_task(load.ask(caller))
            sent += 1
        await asyncio.sleep(0.002)
    return (load.tokens - tokens) / (time.monotonic() - start)


async def alternate(caller, load: Load) -> tuple[float, float]:
    """Keep all slots busy, at times with ten times the load; gives tokens a second without, with.

    As many requests as slots, and as many again, always wait for their answers or for a place.
    """
    peaks, goodputs, offered = [], [], []
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(2 * SLOTS):
            group.create_task(load.keep_asking(caller))
        await window(group, caller, load)  # the engine finds its threads
        assert not load.refused
        for crowded in CROWDED:
            rate = TIMES * max(peaks) / ASK["max_tokens"] if crowded else 0.0
            began, sent = time.monotonic(), load.sent
            (goodputs if crowded else peaks).append(await window(group, caller, load, rate))
            if crowded:
                offered.append((load.sent - sent) / (time.monotonic() - began))
        load.over = True
    peak = statistics.median(peaks)
    most = peak / ASK["max_tokens"]
    assert statistics.median(offered) >= 0.9 * TIMES * most, "the load was not that large"
    return peak, statistics.median(goodputs)


async def test_ten_times_the_load_costs_no_work_and_is_refused_at_once_with_when_to_retry(
    start_node, caller_of, peers, until_idle
) -> None:
    with start_node("crowded", models=[MODEL], telemetry={"metrics_port": 0}) as node:
        caller = caller_of(peers, node)
        await caller.serves_on()
        load = Load()
        peak, goodput = await alternate(caller, load)
        slow = statistics.quantiles(load.refusal_seconds, n=20)
        print(
            f"goodput {goodput / peak:.2f} of {peak:.0f} tokens/s; {load.answered} "
            f"answered, {len(load.refused)} refused in {slow[9] * 1e3:.1f} ms p50, "
            f"{slow[18] * 1e3:.1f} ms p95"
        )
        assert goodput >= LEAST_GOODPUT * peak
        assert load.answered + len(load.refused) == load.sent
        assert len(load.refused) > 0.8 * load.sent
        assert all(refusal.retry_after_seconds for refusal in load.refused)
        assert statistics.median(load.refusal_seconds) < SLOWEST_REFUSAL_SECONDS
        await until_idle(node)
        status = await caller.status()
        assert (status.in_flight, status.queued, status.engines[0].busy_slots) == (0, 0, 0)
        assert status.engines[0].restarts == 0
        await caller.serves_on()
