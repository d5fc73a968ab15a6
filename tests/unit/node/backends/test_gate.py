"""A gate lets as many through as there are slots, and loses none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Overloaded
from services.node.backends.gate import Gate

pytestmark = pytest.mark.anyio


async def test_higher_priority_goes_first_among_those_who_wait() -> None:
    gate, order = Gate(1, 8), []

    async def pass_through(name: str, priority: int) -> None:
        await gate.enter(priority)
        order.append(name)
        await asyncio.sleep(0)
        gate.leave()

    gate.claim(4)
    async with asyncio.TaskGroup() as group:
        for name, priority in (("first", 0), ("low", -1), ("same", 0), ("high", 5)):
            group.create_task(pass_through(name, priority))
    assert order == ["first", "high", "same", "low"]


async def test_what_does_not_fit_is_refused_whole() -> None:
    gate = Gate(2, 3)
    gate.claim(4)
    with pytest.raises(Overloaded) as caught:
        gate.claim(2)
    assert caught.value.retry_after_seconds
    gate.claim(1)
    gate.release(5)
    assert gate.queued == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30))
def test_slots_never_run_out_however_waiters_give_up(plan: Sequence[tuple[int, bool]]) -> None:
    async def play() -> None:
        gate, inside, widest = Gate(2, 100), 0, 0

        async def visit(steps: int) -> None:
            nonlocal inside, widest
            await gate.enter(0)
            inside += 1
            widest = max(widest, inside)
            try:
                for _ in range(steps):
                    await asyncio.sleep(0)
            finally:
                inside -= 1
                gate.leave()

        tasks = []
        async with asyncio.TaskGroup() as group:
            for steps, gives_up in plan:
                tasks.append(task := group.create_task(visit(steps)))
                await asyncio.sleep(0)
                if gives_up:
                    task.cancel()
        assert gate.busy == inside == 0
        assert widest <= 2

    asyncio.run(play())
