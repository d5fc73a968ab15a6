"""One engine of a model: kept running, restarted with growing pauses when it dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Final

from quorate.errors import ModelCrashed, QuorateError
from services.node.child import Child
from services.node.engine.messages import Counters, Load, Loaded

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 10.0
STABLE_SECONDS: Final = 30.0
"""After so long without dying, the next pause is short again."""
MOST_CRASHES_AT_LOAD: Final = 3
log = logging.getLogger(__name__)


class State(Enum):
    """How far an engine or a model is from answering."""

    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
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


class Replica:
    """Keeps one engine process running. Owned by the node's event loop."""

    def __init__(
        self,
        name: str,
        load: Load,
        environment: Mapping[str, str],
        accept: Callable[[Loaded], Awaitable[None]],
        changes: Changes,
        observe: Callable[[Counters, Counters], None],
    ) -> None:
        self._name = name
        self._observe = observe
        self._load = load
        self._environment = environment
        self._accept = accept
        self._changes = changes
        self._crashes_at_load = 0
        self.child: Child | None = None
        self.state = State.LOADING
        self.problem = ""
        self.restarts = 0

    @property
    def counters(self) -> Counters:
        """Its engine's counters; zeros while it is not running."""
        return self.child.counters if self.child else Counters()

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
        child = await Child.start(self._environment, self._observe)
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(child.wait())
            try:
                await self._accept(await child.load(self._load))
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
                await child.stop()
        return ending.result()

    def _count_crash_at_load(self, ending: str) -> None:
        self._crashes_at_load += 1
        if self._crashes_at_load == MOST_CRASHES_AT_LOAD:
            self.problem = f"its engine died {MOST_CRASHES_AT_LOAD} times while loading ({ending})"
            self._become(State.FAILED)

    def _become(self, state: State, child: Child | None = None) -> None:
        self.state = state
        self.child = child
        self._changes.tell()
