"""A memory that is cancelled, full or broken: whose answers are lost, and who hears of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from quorate.errors import ConfigurationError, NotFound, Unavailable
from quorate.memory_settings import MemorySettings
from quorate.metrics import Metrics
from services.coordinator.decompose.dag import Subtask
from services.coordinator.outcome import Decision, Merged, Result
from services.coordinator.question import Message, Question, Seconds
from services.coordinator.state.backing import Backing
from services.coordinator.state.memory import Memory
from services.coordinator.state.store import Store
from services.coordinator.state.topics import Rules

pytestmark = pytest.mark.anyio
QUESTION = Question((Message("user", "What is 6 + 12?"),), "majority")
DECISION = Decision(Subtask("t1", "What is 6 + 12?"), None, "18", "18", 1.0, 1.0, (), ())
RESULT = Result("q0", Merged("18", "single"), "majority", [DECISION], "", 7, Seconds())
LOST = "quorate_learning_lost_total"


class Gate:
    """Holds the thread of a memory up until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def wait(self, store: Store) -> None:
        self.reached.set()
        assert self.open.wait(10)


def made() -> tuple[Memory, CollectorRegistry]:
    registry = CollectorRegistry()
    store = Store("sqlite://", 50.0)
    return Memory(store, MemorySettings(), Rules(), Metrics(registry), lambda: 1.0), registry


async def hold(memory: Memory, gate: Gate, group: asyncio.TaskGroup) -> None:
    group.create_task(memory.backing.run(gate.wait))
    async with asyncio.timeout(5):
        while not gate.reached.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_caller_that_leaves_its_flush_takes_nobody_elses_answers_with_it() -> None:
    memory, registry = made()
    gate = Gate()
    async with memory, asyncio.TaskGroup() as group:
        await hold(memory, gate, group)
        for number in range(3):
            await memory.remember(QUESTION, (), replace(RESULT, question_id=f"q{number}"))
        flushing = group.create_task(memory.flush())
        await asyncio.sleep(0.01)
        flushing.cancel()
        await asyncio.wait([flushing])
        assert flushing.cancelled()
        gate.open.set()
        for number in range(3):
            assert f'"q{number}"'.encode() in await memory.record(f"q{number}")
    assert registry.get_sample_value(LOST) == 0


async def test_what_waits_is_written_when_the_memory_ends() -> None:
    memory, registry = made()
    kept: list[object] = []
    async with memory:
        await memory.remember(QUESTION, (), RESULT)
        closing = memory.backing.store.close
        memory.backing.store.close = lambda: (  # type: ignore[method-assign]
            kept.append(memory.backing.store.record("q0")), closing(),
        )  # fmt: skip
    assert kept[0]
    assert registry.get_sample_value(LOST) == 0


async def test_a_defect_of_ours_is_logged_with_its_trace_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory, registry = made()

    def defect(store: Store) -> None:
        raise KeyError("forgotten column")

    async with memory:
        with caplog.at_level(logging.ERROR):
            assert await memory.backing.attempt(defect, "what answers teach", 3) is None
        assert registry.get_sample_value(LOST) == 3
        assert "what answers teach is lost (3), by a defect" in caplog.text
        assert "forgotten column" in caplog.text
        assert any(record.exc_info for record in caplog.records)
        # The thread lives: what comes after is kept.
        await memory.remember(QUESTION, (), RESULT)
        assert await memory.record("q0")


async def test_a_defect_in_one_answers_record_ends_neither_answers_nor_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory, registry = made()
    broken = replace(RESULT, question_id="spoilt", seed=object())  # type: ignore[arg-type]
    async with memory:
        await memory.remember(QUESTION, (), broken)
        await memory.flush()
        assert registry.get_sample_value(LOST) == 1
        await memory.remember(QUESTION, (), RESULT)
        assert await memory.record("q0")
        with pytest.raises(NotFound):
            await memory.record("spoilt")
    assert "by a defect" in caplog.text


async def test_errors_of_the_catalogue_are_counted_and_mistakes_in_settings_are_raised() -> None:
    registry = CollectorRegistry()
    backing = Backing(Store("sqlite://", 50.0), Metrics(registry).learning_lost)

    def away(store: Store) -> None:
        raise Unavailable("the database is away")

    def mistaken(store: Store) -> None:
        raise ConfigurationError("a database of another version")

    assert await backing.attempt(away, "a record", 2) is None
    assert registry.get_sample_value(LOST) == 2
    with pytest.raises(ConfigurationError):
        await backing.attempt(mistaken, "a record", 1)
    assert registry.get_sample_value(LOST) == 2
    backing.close()


async def test_cancelling_whoever_waits_is_no_failure() -> None:
    memory, registry = made()
    gate = Gate()
    async with memory, asyncio.TaskGroup() as group:
        await hold(memory, gate, group)
        waiting = group.create_task(memory.backing.attempt(lambda store: 1, "nothing", 1))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
        gate.open.set()
        assert waiting.cancelled()
    assert registry.get_sample_value(LOST) == 0
