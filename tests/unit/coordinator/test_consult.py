"""Who splits and plans, and that asking it leaves most of a question's time."""

from __future__ import annotations

import asyncio

import pytest

from quorate.errors import DeadlineExceeded, UnknownModel
from services.coordinator.consult import Consultant, planner_of
from services.coordinator.question import Member, Message, Tokens
from services.coordinator.said import Ending, Said
from services.coordinator.work import Call

pytestmark = pytest.mark.anyio
SMALL = Member("n1", "small", "", memory_bytes=10)
LARGE = Member("n2", "large", "", memory_bytes=20)
ABSENT = Member("n3", "absent", "", memory_bytes=90, resident=False)
ASKED = [Message("user", "split")]


class Caller:
    """Replies at once, and notes the seconds it was given."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def generate(self, call: Call, said: Said) -> None:
        self.calls.append(call)
        said.add(0, "{}", 1)
        said.end(0, Ending(Tokens(5, 1)))


def consultant(caller: Caller, deadline: float, bring=None) -> Consultant:
    clock = asyncio.get_running_loop().time
    return Consultant(caller, SMALL, 1, clock() + deadline, clock, bring=bring)


def test_the_named_one_plans_or_the_largest_in_memory() -> None:
    everyone = [SMALL, LARGE, ABSENT]
    assert planner_of(everyone, "") is LARGE
    assert planner_of(everyone, "absent") is ABSENT
    assert planner_of([ABSENT], "") is None
    with pytest.raises(UnknownModel, match="Did you mean 'small'"):
        planner_of(everyone, "smallx")


async def test_a_reply_has_a_quarter_of_the_time_and_its_tokens_are_counted() -> None:
    caller = Caller()
    asking = consultant(caller, 8.0)
    assert await asking.ask(ASKED, '{"type": "object"}') == "{}"
    assert caller.calls[0].seconds == pytest.approx(2.0, abs=0.1)
    await asking.draw(ASKED, caller.calls[0].drawing, 0.5)
    assert caller.calls[1].seconds == 0.5
    assert asking.tokens == Tokens(10, 2)


async def test_a_load_that_hangs_leaves_most_of_the_time() -> None:
    caller = Caller()
    with pytest.raises(DeadlineExceeded, match="small was not loaded on n1"):
        await consultant(caller, 0.2, asyncio.Event().wait).ask(ASKED, "{}")
    assert caller.calls == []


async def test_without_any_time_nobody_is_asked() -> None:
    caller = Caller()
    with pytest.raises(DeadlineExceeded, match="no time is left to ask small"):
        await consultant(caller, 0.0).ask(ASKED, "{}")
    assert caller.calls == []
