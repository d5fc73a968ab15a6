"""One engine of a model: kept running, restarted with growing pauses when it dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quorate.errors import ModelCrashed, QuorateError
from services.node import health
from services.node.child import Child, engine_environment
from services.node.engine.messages import Counters, Load, Loaded

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 10.0
STABLE_SECONDS: Final = 30.0
"""After so long without dying, the next pause is short again."""
MOST_CRASHES_AT_LOAD: Final = 3
log = logging.getLogger(__name__)


class State(Enum):
    """How far an engine or a model is from answering."""

    AVAILABLE = "not loaded"
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
    UNLOADING = "being unloaded"
    FAILED = "failed"


class Changes:
    """Lets any number of tasks wait until something has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    def next(self) -> asyncio.Event:
        """Give the event of the next change; take it before looking, so that none is missed."""
        return self._event

    async def wait(self) -> None:
        """Wait for the next change."""
        await self._event.wait()


@dataclass(frozen=True)
class Surroundings:
    """What a replica needs of its model.

    `accept` makes sure of what was loaded; `turn` is entered while a load goes on, so that loads on
    a machine follow one another; `observe` learns of every step.
    """

    environment: Mapping[str, str]
    accept: Callable[[Loaded], Awaitable[None]]
    turn: Callable[[], AbstractAsyncContextManager[None]]
    changes: Changes
    observe: Callable[[Counters, Counters], None]


def _file_bytes(load: Load) -> int:
    try:
        return Path(load.path).stat().st_size
    except OSError:  # the engine will say that it is not there
        return 0


class Replica:
    """Keeps one engine process running. Owned by the node's event loop."""

    def __init__(self, name: str, load: Load, around: Surroundings) -> None:
        self._name = name
        self._load = load
        self._around = around
        self._crashes_at_load = 0
        self._loading: Child | None = None
        self.child: Child | None = None
        self.state = State.LOADING
        self.problem = ""
        self.restarts = 0

    @property
    def counters(self) -> Counters:
        """Its engine's counters; zeros while it is not running."""
        return self.child.counters if self.child else Counters()

    @property
    def loaded_share(self) -> float:
        """How much of its load is done, in [0, 1]."""
        if self.state is State.READY:
            return 1.0
        return self._loading.loaded_share if self._loading else 0.0

    @property
    def pid(self) -> int:
        """The engine's process, loading or running; 0 when there is none."""
        child = self.child or self._loading
        return child.pid if child else 0

    async def run(self) -> None:
        """Keep the engine running until cancelled, or until it is plain that it cannot run."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = loop.time()
            try:
                ending = await self._run_once()
            except OSError as error:  # no process could be started: the machine is short of them
                ending = f"it could not be started: {error}"
                self._become(State.RESTARTING)
            if self.state is State.FAILED:
                log.error("model %s cannot be used: %s", self._name, self.problem)
                return
            if loop.time() - started > STABLE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("the engine of %s died (%s); restart in %.1f s", self._name, ending, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self.restarts += 1

    async def _run_once(self) -> str:
        """Run one engine process to its end; gives how it ended."""
        environment = engine_environment(self._around.environment, _file_bytes(self._load))
        child = await Child.start(environment, self._around.observe)
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(child.wait())
            watching = group.create_task(self._watch(child))
            try:
                await self._load_into(child)
                self._crashes_at_load = 0
                self._become(State.READY, child)
                await asyncio.wait([ending])
            except ModelCrashed:
                self._count_crash_at_load(await ending)
            except QuorateError as error:
                self.problem = error.message
                self._become(State.FAILED)
            finally:
                if self.state is not State.FAILED:
                    self._become(State.RESTARTING)
                watching.cancel()
                await child.stop()
        return ending.result()

    async def _load_into(self, child: Child) -> None:
        async with self._around.turn():
            self._loading = child
            try:
                await self._around.accept(await child.load(self._load))
            finally:
                self._loading = None

    async def _watch(self, child: Child) -> None:
        """Kill the engine when it hangs while it loads, or while requests wait for it."""
        loop = asyncio.get_running_loop()
        watch = health.Watch(loop.time())
        while not child.lost:
            await asyncio.sleep(health.LOOK_SECONDS)
            awaited = self._loading is child or child.requests_in_flight > 0
            pulse = health.read_pulse(child.pid, child.events) if awaited else None
            if problem := watch.look(pulse, loop.time(), awaited=awaited):
                child.kill(problem)
                return

    def _count_crash_at_load(self, ending: str) -> None:
        self._crashes_at_load += 1
        if self._crashes_at_load == MOST_CRASHES_AT_LOAD:
            self.problem = f"its engine died {MOST_CRASHES_AT_LOAD} times while loading ({ending})"
            self._become(State.FAILED)

    def _become(self, state: State, child: Child | None = None) -> None:
        self.state = state
        self.child = child
        self._around.changes.tell()
