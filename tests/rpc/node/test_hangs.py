"""Engines that are stopped, crash or run out of memory under load: told, replaced, forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from quorate.errors import ModelCrashed
from quorate.v1 import common_pb2
from services.node import health

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 2000}
BOTH = [{"name": "abacus"}, {"name": "atlas"}]
STREAMS = 6
CGROUP = Path("/sys/fs/cgroup/memory")


@pytest.fixture
def node(start_node):
    with start_node("hanging", models=BOTH) as running:
        yield running


@pytest.fixture
async def caller(caller_of, peers, node):
    return caller_of(peers, node)


async def break_under_load(caller, break_engine: Callable[[int], object]) -> float:
    """Break the engine while requests speak; gives the seconds until all of them were told."""
    pid = (await caller.engine()).pid
    all_speak = asyncio.Barrier(STREAMS + 1)

    async def speak() -> bool:
        stream = caller.stream(**LONG)
        try:
            async for message in stream:
                if message.HasField("step"):
                    break
            await all_speak.wait()
            async for _ in stream:
                pass
        except ModelCrashed:
            return True
        return False

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        streams = [group.create_task(speak()) for _ in range(STREAMS)]
        await all_speak.wait()
        assert (await caller.engine()).busy_slots == STREAMS
        started = time.monotonic()
        break_engine(pid)
    assert all(stream.result() for stream in streams)
    told = time.monotonic() - started
    status = await caller.until(
        lambda s: s.models[0].state == common_pb2.MODEL_STATE_READY and s.engines[0].pid != pid
    )
    assert (status.in_flight, status.queued, status.engines[0].busy_slots) == (0, 0, 0)
    assert status.engines[0].restarts == 1
    assert status.engines[1].restarts == 0
    assert not psutil.pid_exists(pid)
    await caller.serves_on()
    return told


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_requests_of_an_engine_that_crashes_are_told_at_once(caller, number) -> None:
    assert await break_under_load(caller, lambda pid: os.kill(pid, number)) < 5


async def test_a_stopped_engine_is_replaced_and_its_requests_are_told(caller, node) -> None:
    assert await break_under_load(caller, lambda pid: os.kill(pid, signal.SIGSTOP)) < 15
    assert "it was stopped by a signal" in node.log.read_text()


async def test_a_stopped_engine_that_nobody_waits_for_is_left_alone(caller) -> None:
    pid = (await caller.engine()).pid
    os.kill(pid, signal.SIGSTOP)
    # One that is waited for would be replaced within this time.
    await asyncio.sleep(health.STOPPED_SECONDS + 2 * health.LOOK_SECONDS)
    os.kill(pid, signal.SIGCONT)
    await caller.serves_on()
    assert (await caller.engine()).pid == pid


async def test_a_request_that_a_stopped_engine_never_began_is_answered_by_the_next(caller) -> None:
    os.kill((await caller.engine()).pid, signal.SIGSTOP)
    async with asyncio.timeout(40):
        heard = await caller.generate(question="What is 12 + 30?")
    assert heard.finished
    assert (await caller.engine()).restarts == 1


async def test_an_engine_that_may_have_no_more_memory_dies_alone(caller, node) -> None:
    """Where the kernel refuses memory, llama.cpp or Python ends the process."""

    def allow_no_more(pid: int) -> None:
        held = psutil.Process(pid).memory_info().vms
        resource.prlimit(pid, resource.RLIMIT_AS, (held, held))

    pid = (await caller.engine()).pid
    allow_no_more(pid)
    with contextlib.suppress(ModelCrashed):
        # A long prompt for many samples, with candidates told: more than the heap has at hand.
        for _ in range(20):
            await caller.generate(
                prompt="What is 12 + 30? " * 60, n=8, max_tokens=400, top_logprobs=20,
                logit_bias={2: -100.0},
            )  # fmt: skip
            if (await caller.engine()).restarts:
                break
    status = await caller.until(lambda s: s.engines[0].pid not in {0, pid})
    assert status.engines[1].restarts == 0
    assert node.process.poll() is None
    await caller.serves_on()


@pytest.fixture
def tight_group() -> Iterator[Path]:
    """Make a memory cgroup that lets its processes take next to nothing more."""
    group = CGROUP / f"quorate-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(256 * 1024))
    except OSError as error:
        pytest.skip(f"memory cgroups of version 1 cannot be made here: {error}")
    yield group
    with contextlib.suppress(OSError):
        group.rmdir()


async def test_an_engine_that_the_kernel_kills_for_memory_is_restarted_and_not_the_node(
    caller, node, tight_group
) -> None:
    pid = (await caller.engine()).pid

    def squeeze(victim: int) -> None:
        (tight_group / "cgroup.procs").write_text(str(victim))

    squeeze(pid)
    failures = (tight_group / "memory.failcnt").read_text()
    with contextlib.suppress(ModelCrashed):
        async with asyncio.timeout(20):
            await caller.generate(prompt="What is 12 + 30? " * 60, n=8, max_tokens=400)
    if (tight_group / "memory.failcnt").read_text() == failures:
        pytest.skip("this kernel does not enforce memory cgroups")
    await caller.until(lambda s: s.engines[0].restarts == 1 and s.engines[0].pid not in {0, pid})
    assert node.process.poll() is None
    await caller.serves_on()
