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
CALIBRATION_SECONDS = 2.0
OVERLOAD_SECONDS = 3.0
TIMES = 10
ROUNDS = 2
"""Other work on the machine comes and goes: the better round of each kind counts."""
LEAST_GOODPUT = 0.7
"""Of the peak. The goal is 0.9; runs beside other work, and the load's own, gave 0.8 to 1.0."""
SLOWEST_REFUSAL_SECONDS = 0.05


@dataclass
class Load:
    """What became of the requests of one run."""

    tokens_at: list[tuple[float, int]] = field(default_factory=list)
    answered: int = 0
    refused: list[Overloaded] = field(default_factory=list)
    refusal_seconds: list[float] = field(default_factory=list)

    async def ask(self, caller) -> None:
        """Send one request; its tokens count only when it is answered to the end."""
        began, heard = time.monotonic(), []
        try:
            async for message in caller.stream(**ASK):
                tokens = sum(len(delta.tokens) for delta in message.step.deltas)
                heard.append((time.monotonic(), tokens))
        except Overloaded as refusal:
            assert not heard, "a request was refused after it had been begun"
            self.refused.append(refusal)
            self.refusal_seconds.append(time.monotonic() - began)
        else:
            assert sum(tokens for _, tokens in heard) == ASK["max_tokens"]
            self.tokens_at += heard
            self.answered += 1

    def tokens_per_second(self, start: float, end: float) -> float:
        """Tokens of whole answers that came within a time, by the second."""
        return sum(n for at, n in self.tokens_at if start <= at < end) / (end - start)


async def peak(caller) -> float:
    """Keep as many requests as it has slots, and as many in its queue; gives tokens a second."""
    load = Load()
    start = time.monotonic()
    end = start + CALIBRATION_SECONDS

    async def repeat() -> None:
        while time.monotonic() < end:
            await load.ask(caller)

    async with asyncio.TaskGroup() as group:
        for _ in range(2 * SLOTS):
            group.create_task(repeat())
    assert not load.refused
    return load.tokens_per_second(start, end)


async def overload(caller, load: Load, requests_per_second: float) -> float:
    """Send requests at a steady rate, whatever becomes of them; gives tokens a second."""
    start = time.monotonic()
    sent = 0
    async with asyncio.TaskGroup() as group:
        while (elapsed := time.monotonic() - start) < OVERLOAD_SECONDS:
            for _ in range(int(elapsed * requests_per_second) - sent):
                group.create_task(load.ask(caller))
                sent += 1
            await asyncio.sleep(0.002)
    assert sent >= 0.95 * OVERLOAD_SECONDS * requests_per_second, "the load was not that large"
    return load.tokens_per_second(start, start + OVERLOAD_SECONDS)


async def test_ten_times_the_load_costs_no_work_and_is_refused_at_once_with_when_to_retry(
    start_node, caller_of, peers, until_idle
) -> None:
    with start_node("crowded", models=[MODEL], telemetry={"metrics_port": 0}) as node:
        caller = caller_of(peers, node)
        await caller.serves_on()
        async with asyncio.timeout(60):
            peaks, goodputs, load = [], [], Load()
            for _ in range(ROUNDS):
                peaks.append(await peak(caller))
                rate = TIMES * max(peaks) / ASK["max_tokens"]
                goodputs.append(await overload(caller, load, rate))
        ratio = max(goodputs) / max(peaks)
        slow = statistics.quantiles(load.refusal_seconds, n=20)
        print(
            f"goodput {ratio:.2f} of {max(peaks):.0f} tokens/s; {load.answered} "
            f"answered, {len(load.refused)} refused in {slow[9] * 1e3:.1f} ms p50, "
            f"{slow[18] * 1e3:.1f} ms p95"
        )
        assert ratio >= LEAST_GOODPUT
        assert len(load.refused) > 2 * load.answered
        assert all(refusal.retry_after_seconds for refusal in load.refused)
        assert statistics.median(load.refusal_seconds) < SLOWEST_REFUSAL_SECONDS
        await until_idle(node)
        status = await caller.status()
        assert (status.in_flight, status.queued, status.engines[0].busy_slots) == (0, 0, 0)
        assert status.engines[0].restarts == 0
        await caller.serves_on()
