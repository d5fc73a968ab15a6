"""Plans carried out: order on a machine, failures, joined loads, pins, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from quorate.config import TelemetrySettings
from quorate.errors import (
    DeadlineExceeded,
    InternalError,
    OutOfMemory,
    PeerUnreachable,
    QuorateError,
)
from quorate.telemetry import Telemetry
from services.coordinator.loading import LoadedFirst, Loading
from services.coordinator.question import UNCHANGED, Member, Model, Node
from services.coordinator.routing.moves import Move, Place
from services.coordinator.said import Said
from services.coordinator.work import Call

pytestmark = pytest.mark.anyio
METRICS = Telemetry(TelemetrySettings(), "coordinator", "c1").metrics


@dataclass
class Mover:
    """Does what it is told, once `let` is set, and notes it."""

    done: list[str] = field(default_factory=list)
    problems: dict[str, Exception] = field(default_factory=dict)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    most_at_once: int = 0
    now: int = 0

    async def look(self, nodes: Sequence[Node]) -> Sequence[Node]:
        return nodes

    async def load(self, place: Place, address: str, *, evict: bool = False) -> None:
        await self._move(f"{'evict' if evict else 'load'} {place.node}/{place.model}")

    async def unload(self, place: Place, address: str) -> None:
        await self._move(f"unload {place.node}/{place.model}")

    async def _move(self, what: str) -> None:
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        await self.let.wait()
        self.now -= 1
        if problem := self.problems.get(what):
            raise problem
        self.done.append(what)


def move(model: str, *, load: bool = True, node: str = "n1", machine: str = "m1") -> Move:
    return Move(Place(node, model), f"{node}:1", machine, load, 10, 1.0)


def ready_mover(**problems: Exception) -> Mover:
    mover = Mover(problems={name.replace("_", " n1/"): one for name, one in problems.items()})
    mover.let.set()
    return mover


async def test_unloads_come_first_and_a_machine_moves_one_at_a_time() -> None:
    mover = ready_mover()
    async with Loading(mover, METRICS) as loading:
        jobs = loading.start([move("b"), move("c"), move("a", load=False)])
        for job in jobs:
            await job.wait()
    assert mover.done == ["unload n1/a", "load n1/b", "load n1/c"]
    assert mover.most_at_once == 1


async def test_machines_move_at_the_same_time() -> None:
    mover = Mover()
    async with Loading(mover, METRICS) as loading, asyncio.timeout(5):
        jobs = loading.start([move("a"), move("b", node="n2", machine="m2")])
        while mover.now < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        mover.let.set()
        for job in jobs:
            await job.wait()


async def test_a_load_under_way_is_joined() -> None:
    mover = Mover()
    async with Loading(mover, METRICS) as loading:
        first, second = loading.start([move("a")]), loading.start([move("a")])
        assert first[0] is second[0]
        assert loading.in_use("n1", "a")
        mover.let.set()
        await second[0].wait()
        assert not loading.in_use("n1", "a")
    assert mover.done == ["load n1/a"]


async def test_an_unload_that_fails_fails_the_loads_behind_it() -> None:
    broken = OutOfMemory("it stays")
    mover = ready_mover(unload_a=broken)
    async with Loading(mover, METRICS) as loading:
        jobs = loading.start([move("a", load=False), move("b")])
        for job in jobs:
            with pytest.raises(OutOfMemory, match="it stays"):
                await job.wait()
        with pytest.raises(OutOfMemory):
            await loading.ready("n1", "b")
    assert mover.done == []


@pytest.mark.parametrize(
    ("problem", "told"), [(OutOfMemory("full"), OutOfMemory), (KeyError("oops"), InternalError)]
)
async def test_a_failed_load_is_told_and_the_next_one_goes_on(
    problem: Exception, told: type[QuorateError]
) -> None:
    mover = ready_mover(load_a=problem)
    async with Loading(mover, METRICS) as loading:
        bad, good = loading.start([move("a"), move("b")])
        await good.wait()
        with pytest.raises(told):
            await bad.wait()
        with pytest.raises(told):  # for a moment nobody asks the node to load it all the same
            await loading.ready("n1", "a")
        mover.problems.clear()
        await loading.start([move("a")])[0].wait()
        await loading.ready("n1", "a")


async def test_what_leaves_is_not_shown_and_what_came_is() -> None:
    models = (Model("a", True, may_leave=True, memory_bytes=5), Model("b", False, on_demand=True))
    nodes = [Node("n1", "n1:1", models, budget_bytes=7)]
    mover = Mover()
    async with Loading(mover, METRICS) as loading:
        assert loading.seen(nodes) is nodes
        jobs = loading.start([move("a", load=False), move("b")])
        assert [model.ready for model in loading.seen(nodes)[0].models] == [False, False]
        assert loading.seen(nodes)[0].budget_bytes == 12
        mover.let.set()
        await jobs[1].wait()
        assert [model.ready for model in loading.seen(nodes)[0].models] == [False, True]


async def test_pins_are_counted_and_given_back() -> None:
    async with Loading(ready_mover(), METRICS) as loading:
        place = Place("n1", "a")
        with loading.using([place]):
            with loading.using([place, Place("n2", "b")]):
                assert loading.in_use("n1", "a")
                assert loading.in_use("n2", "b")
            assert loading.in_use("n1", "a")
            assert not loading.in_use("n2", "b")
        assert not loading.in_use("n1", "a")


async def test_a_plan_holds_until_others_move_or_use_what_it_counts_on() -> None:
    mover = Mover()
    async with Loading(mover, METRICS) as loading:
        mine, begun = [move("new"), move("old", load=False)], loading.begun
        places = [Place("n1", "new")]
        assert loading.holds(mine, places, begun)
        with loading.using([Place("n1", "old")]):
            assert not loading.holds(mine, places, begun)
        loading.start([move("other", node="n2", machine="m2")])
        assert not loading.holds(mine, places, begun)
        assert loading.holds([], places, begun)
        loading.start([move("new", load=False)])
        assert not loading.holds([], places, loading.begun)


async def test_who_waits_for_memory_misses_neither_a_pin_given_back_nor_a_move_that_ends() -> None:
    mover = ready_mover()
    async with Loading(mover, METRICS) as loading, asyncio.timeout(5):
        with loading.using([Place("n1", "a")]):
            before = loading.release
            assert not before.is_set()
        await before.wait()  # it was given back before anybody waited
        before = loading.release
        assert not before.is_set()
        loading.start([move("a")])
        await before.wait()


async def test_moves_of_a_node_that_is_gone_end_and_others_go_on() -> None:
    mover = Mover()
    async with Loading(mover, METRICS) as loading, asyncio.timeout(5):
        gone, other = loading.start([move("a"), move("b", node="n2")])
        while not mover.now:  # noqa: ASYNC110
            await asyncio.sleep(0)
        loading.give_up("n1")
        with pytest.raises(PeerUnreachable, match="n1 stopped sending heartbeats"):
            await gone.wait()
        mover.let.set()
        await other.wait()


async def test_a_planner_evicts_only_where_nobody_works() -> None:
    mover = ready_mover()
    async with Loading(mover, METRICS) as loading:
        await loading.bring(Place("n1", "planner"), "n1:1")
        with loading.using([Place("n1", "a")]):
            await loading.bring(Place("n1", "planner"), "n1:1")
    assert mover.done == ["evict n1/planner", "load n1/planner"]


async def test_the_end_waits_for_no_load_and_wakes_who_does() -> None:
    mover = Mover()
    loading = Loading(mover, METRICS)
    async with asyncio.timeout(5):
        async with loading:
            (job,) = loading.start([move("a")])
            await asyncio.sleep(0)
        with pytest.raises(QuorateError, match="stops"):
            await job.wait()


class Caller:
    """Notes the seconds that a call has left."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def generate(self, call: Call, said: Said) -> None:
        self.seconds.append(call.seconds)


async def test_a_call_waits_for_its_model_with_the_time_it_has() -> None:
    loop = asyncio.get_running_loop()
    mover, caller = Mover(), Caller()
    member = Member("n1", "a", "n1:1")
    said = Said(member, 1, loop.time, None, lambda _: None)
    async with Loading(mover, METRICS) as loading:
        reach = LoadedFirst(caller, loading, loop.time)
        loading.start([move("a")])
        late = Call(member, (), UNCHANGED, 1, 0, 0.05, "")
        with pytest.raises(DeadlineExceeded, match=r"a was not loaded on n1 within 0\.1 s"):
            await reach.generate(late, said)
        loop.call_later(0.05, mover.let.set)
        await reach.generate(late._replace(seconds=5.0), said)
        assert 0.0 < said.load_seconds < 5.0
        assert caller.seconds == [pytest.approx(5.0 - said.load_seconds)]
        said.load_seconds = 0.0
        await reach.generate(late._replace(member=Member("n2", "a", "")), said)
        assert (caller.seconds[1], said.load_seconds) == (0.05, 0.0)
