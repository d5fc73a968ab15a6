"""Carries plans out at the nodes: unloads, then loads, one after the other on each machine.

What a running question works with is in use and is never unloaded. What is about to leave is not
offered to other questions. So no two plans evict each other's models.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from quorate.errors import (
    Cancelled,
    DeadlineExceeded,
    InternalError,
    PeerUnreachable,
    QuorateError,
)
from services.coordinator.routing.foreseen import after
from services.coordinator.routing.moves import Move, Place

if TYPE_CHECKING:
    from types import TracebackType

    from quorate.metrics import Metrics
    from services.coordinator.question import Node
    from services.coordinator.said import Said
    from services.coordinator.work import Call, Caller

log = logging.getLogger(__name__)
REPORT_SECONDS = 5.0
"""By then a node has reported what a move changed, and a failed load may be tried again."""


class Mover(Protocol):
    """Reaches the nodes; the adapter over gRPC is `services.coordinator.moving`."""

    async def look(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """Read nodes as they are at this moment."""
        ...

    async def load(self, place: Place, address: str, *, evict: bool = False) -> None:
        """Load a model; raises errors of the catalogue."""
        ...

    async def unload(self, place: Place, address: str) -> None:
        """Unload a model once its requests have ended; raises errors of the catalogue."""
        ...


@dataclass
class Job:
    """A move under way; `seconds` is what it took, `error` why it failed."""

    move: Move
    done: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.0
    error: QuorateError | None = None
    patience: asyncio.Timeout | None = None

    async def wait(self) -> None:
        """Wait for the end; raises the error."""
        await self.done.wait()
        if self.error is not None:
            raise self.error


class Loading:
    """The loads and unloads of one coordinator, for as long as the block lasts.

    Whoever plans notes `begun` before looking at the nodes, and then asks whether the plan `holds`
    still: from there to `using` and `start` nothing may be awaited.
    """

    def __init__(self, mover: Mover, metrics: Metrics) -> None:
        self.begun = 0
        self._mover = mover
        self._metrics = metrics
        self._used: Counter[Place] = Counter()
        self._late: list[tuple[Move, float]] = []
        self._failed: dict[Place, tuple[QuorateError, float]] = {}
        self._jobs: dict[Place, Job] = {}
        self._machines: dict[str, asyncio.Lock] = {}
        self._owner = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._owner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A load goes on at its node; nobody here waits for it any more.
        for task in self._running:
            task.cancel()
        await self._owner.__aexit__(None, None, None)

    @contextmanager
    def using(self, places: Iterable[Place]) -> Iterator[None]:
        """Keep models from being unloaded for the block."""
        kept = list(places)
        self._used.update(kept)
        try:
            yield
        finally:
            self._used.subtract(kept)
            self._used += Counter()  # drops those that nobody uses
            self._tell_released()

    def in_use(self, node: str, model: str) -> bool:
        """Say whether a question works with a model, or has it loaded."""
        return self._used[Place(node, model)] > 0 or Place(node, model) in self._jobs

    def holds(self, moves: Sequence[Move], workers: Iterable[Place], begun: int) -> bool:
        """Say whether a plan can be carried out that was made when `begun` moves had begun.

        It cannot where others have begun to move models meanwhile and it moves some as well, where
        somebody uses by now what is to leave, or where one of its workers is about to leave.
        """
        if moves and begun != self.begun:
            return False
        if any(not move.load and self.in_use(*move.place) for move in moves):
            return False
        leaving = {move.place for move in self._leaving()}
        return not any(place in leaving for place in workers)

    @property
    def release(self) -> asyncio.Event:
        """Set when a question gives models back, or a move ends, from this moment on.

        Whoever waits for memory takes it before looking for some, and so misses nothing.
        """
        return self._released

    def _tell_released(self) -> None:
        self._released.set()
        self._released = asyncio.Event()

    def give_up(self, node: str) -> None:
        """End the moves of a node whose lease ran out: nobody waits for one that hangs."""
        for place, job in self._jobs.items():
            if place.node == node and job.patience is not None:
                job.patience.reschedule(asyncio.get_running_loop().time())

    async def look(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """Read nodes as they are at this moment, without what is about to leave.

        What leaves while they are read may be in one's answer still, and is left out as well.
        """
        before = self._leaving()
        seen = await self._mover.look(nodes)
        return _without(seen, [*before, *self._leaving()])

    async def bring(self, place: Place, address: str) -> None:
        """Load a model for a moment's use; others make room unless questions work on its node.

        Raises why it cannot be.
        """
        crowded = any(used.node == place.node for used in self._used)
        await self._mover.load(place, address, evict=not crowded)

    def seen(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """Show nodes as they are after the moves of late, which not all have reported yet.

        What is about to leave is gone already: it could be asked only by loading it again.
        """
        now = time.monotonic()
        self._late = [(move, end) for move, end in self._late if end > now]
        self._failed = {place: one for place, one in self._failed.items() if one[1] > now}
        return _without(nodes, [move for move, _ in self._late] + self._leaving())

    def _leaving(self) -> list[Move]:
        return [job.move for job in self._jobs.values() if not job.move.load]

    def start(self, moves: Sequence[Move]) -> list[Job]:
        """Begin a plan's moves and give all of them; one that is under way already is joined.

        On each machine the unloads come first, then the loads in the order given.
        """
        jobs, new = list[Job](), list[Job]()
        for move in sorted(moves, key=lambda move: move.load):
            known = self._jobs.get(move.place)
            if known is None or known.move.load != move.load:
                known = self._jobs[move.place] = Job(move)
                self._failed.pop(move.place, None)
                self.begun += 1
                new.append(known)
            jobs.append(known)
        for machine in dict.fromkeys(job.move.machine for job in new):
            queue = [job for job in new if job.move.machine == machine]
            task = self._owner.create_task(self._work(machine, queue))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return jobs

    def concerns(self, node: str, model: str) -> bool:
        """Say whether a model is, or was lately, to be loaded or unloaded."""
        place = Place(node, model)
        return place in self._jobs or place in self._failed

    async def ready(self, node: str, model: str) -> None:
        """Wait until a model is loaded that is being loaded; raises why that failed.

        For a moment after a failure it is raised again: asked all the same, the node would load
        the model by evicting what another plan counts on.
        """
        job = self._jobs.get(Place(node, model))
        if job is not None and job.move.load:
            await job.wait()
        elif (failed := self._failed.get(Place(node, model))) and failed[1] > time.monotonic():
            raise failed[0]

    async def _work(self, machine: str, queue: Sequence[Job]) -> None:
        """Do the moves of one machine in turn; a failed unload fails the loads behind it."""
        lock = self._machines.setdefault(machine, asyncio.Lock())
        failed: QuorateError | None = None
        try:
            async with lock:
                for job in queue:
                    job.error = failed
                    if failed is None:
                        await self._do(job)
                    failed = failed or (None if job.move.load else job.error)
        finally:
            for job in queue:
                if not job.done.is_set():
                    job.error = job.error or failed or Cancelled("the coordinator stops")
                    self._finish(job)

    async def _do(self, job: Job) -> None:
        move, started = job.move, time.monotonic()
        carry_out = self._mover.load if move.load else self._mover.unload
        try:
            async with asyncio.timeout(None) as job.patience:
                await carry_out(move.place, move.address)
        except TimeoutError:
            job.error = PeerUnreachable(
                f"{move.place.node} stopped sending heartbeats while {move.place.model} was moved"
            )
        except QuorateError as error:
            job.error = error
        except Exception as error:  # a defect costs this plan its model, not the coordinator
            log.exception("moving %s on %s", move.place.model, move.place.node)
            job.error = InternalError(f"moving {move.place.model} on {move.place.node}: {error!r}")
        job.seconds = time.monotonic() - started
        kind = "load" if move.load else "unload"
        self._metrics.plan_moves.labels(kind, "failed" if job.error else "done").inc()
        self._finish(job)

    def _finish(self, job: Job) -> None:
        if self._jobs.get(job.move.place) is job:
            del self._jobs[job.move.place]
            end = time.monotonic() + REPORT_SECONDS
            if job.error is None:
                self._late = [one for one in self._late if one[0].place != job.move.place]
                self._late.append((job.move, end))
            elif job.move.load:
                self._failed[job.move.place] = job.error, end
        job.done.set()
        self._tell_released()


def _without(nodes: Sequence[Node], moves: Sequence[Move]) -> Sequence[Node]:
    return after(nodes, moves) if moves else nodes


class LoadedFirst:
    """Reaches models once they are loaded that a plan has loaded; in the place of their caller."""

    def __init__(self, caller: Caller, loading: Loading, clock: Callable[[], float]) -> None:
        self._caller = caller
        self._loading = loading
        self._clock = clock

    async def generate(self, call: Call, said: Said) -> None:
        """Wait for the model and generate with the time that is left; raises why it is not there.

        Raises DeadlineExceeded when the load takes all the time; it goes on at its node.
        """
        if not self._loading.concerns(call.member.node, call.member.model):  # as a rule
            await self._caller.generate(call, said)
            return
        began = self._clock()
        try:
            async with asyncio.timeout(call.seconds):
                await self._loading.ready(call.member.node, call.member.model)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"{call.member.model} was not loaded on {call.member.node} within"
                f" {call.seconds:.1f} s; the load goes on"
            ) from error
        said.load_seconds = self._clock() - began
        await self._caller.generate(call._replace(seconds=call.seconds - said.load_seconds), said)
