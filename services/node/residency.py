"""Which models are in memory: loads and unloads as jobs that go on when their callers leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from quorate.errors import ModelLoading, Overloaded, QuorateError
from services.node import placement
from services.node.eviction import Resident, choose_victims
from services.node.ledger import Amounts, Ledger, Shortage
from services.node.replica import Changes, State

if TYPE_CHECKING:
    from services.node.model import Model
    from services.node.room import Room

MARGIN_SECONDS: Final = 0.2
"""A request with a deadline is told before it that its model is still being loaded."""
RETURN_SECONDS: Final = 10.0
"""How long memory may take to come back after an engine's process is gone."""
LOOK_SECONDS: Final = 0.05
log = logging.getLogger(__name__)


class Kind(Enum):
    """What a job does."""

    LOAD = "load"
    UNLOAD = "unload"


@dataclass
class Job:
    """One load or unload; it ends with an `error` or well. All callers of one share it."""

    kind: Kind
    model: Model
    evict: bool = False
    error: QuorateError | None = None
    finished: bool = False
    returned_bytes: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Residency:
    """Loads and unloads one node's models. Owned by its event loop; works while `run` does.

    `look` measures what is free, `held` what processes hold, in bytes; both may take milliseconds.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        ledger: Ledger,
        look: Callable[[], Awaitable[Room]],
        held: Callable[[Sequence[int]], Awaitable[int]],
        changes: Changes,
    ) -> None:
        self._models = models
        self._ledger = ledger
        self._look = look
        self._held = held
        self._changes = changes
        self._jobs: dict[str, Job] = {}
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Own the jobs until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                while True:
                    change = self._changes.next()
                    for name in set(self._ledger.mine) - set(self._jobs):
                        await self._give_back(self._models[name])
                    await change.wait()
        finally:
            self._ledger.close()

    async def _give_back(self, model: Model) -> None:
        """Take the promise of a model back whose engines have all failed for good."""
        if model.state is State.FAILED:
            await model.stop()
            self._ledger.release(model.settings.name)

    def load(self, model: Model, *, evict: bool) -> Job:
        """Begin to load a model, or join the job that does; one that is loaded is done at once."""
        job = self._jobs.get(model.settings.name)
        if job is not None and job.kind is Kind.LOAD:
            job.evict = job.evict or evict
            return job
        if job is None and model.running:
            return Job(Kind.LOAD, model, finished=True)
        return self._begin(Job(Kind.LOAD, model, evict), after=job)

    def unload(self, model: Model) -> Job:
        """Begin to unload a model, or join the job that does; one that is not loaded is done."""
        job = self._jobs.get(model.settings.name)
        if job is not None and job.kind is Kind.UNLOAD:
            return job
        if job is None and not model.replicas:
            return Job(Kind.UNLOAD, model, finished=True)
        return self._begin(Job(Kind.UNLOAD, model), after=job)

    async def wait(self, job: Job) -> None:
        """Wait for a job; raises its error."""
        while not job.finished:
            await self._changes.wait()
        if job.error is not None:
            raise job.error

    async def bring(self, model: Model, deadline: float | None) -> None:
        """Have a model in memory for a request, which counts as waiting until then.

        A model that is known but not loaded is loaded, and idle ones make room. `deadline` is a
        reading of the monotonic clock. Raises ModelLoading when the load takes longer, Overloaded
        when too many wait, and what hinders the load.
        """
        now = asyncio.get_running_loop().time()
        model.usage.add(now)
        model.check_file(now)
        if model.running:
            return
        job = self._jobs.get(model.settings.name)
        loading = job is not None and job.kind is Kind.LOAD
        if not loading and model.state is not State.AVAILABLE:
            raise model.not_ready()
        if model.waiting >= model.settings.slots + model.settings.queue:
            raise Overloaded(
                f"{model.waiting} requests already wait for {model.settings.name!r} to be loaded",
                retry_after_seconds=1.0,
            )
        job = self.load(model, evict=True)
        model.waiting += 1
        try:
            async with asyncio.timeout_at(None if deadline is None else deadline - MARGIN_SECONDS):
                await self.wait(job)
        except TimeoutError:
            raise _still_loading(model, now, asyncio.get_running_loop().time()) from None
        finally:
            model.waiting -= 1

    def _begin(self, job: Job, after: Job | None) -> Job:
        self._jobs[job.model.settings.name] = job
        # Before anything is awaited: no request may slip in.
        job.model.unloading = job.kind is Kind.UNLOAD
        job.task = self._group.create_task(self._carry_out(job, after))
        return job

    async def _carry_out(self, job: Job, after: Job | None) -> None:
        """Do a job once the one before it has ended; an unload ends a load that goes on."""
        try:
            if after is not None and after.task is not None:
                if job.kind is Kind.UNLOAD:
                    after.task.cancel()  # a load that nobody wants any more
                await asyncio.wait([after.task])
            if job.kind is Kind.LOAD:
                await self._load(job)
            else:
                await self._unload(job)
        except QuorateError as error:
            job.error = error
        except asyncio.CancelledError:
            job.error = ModelLoading(
                f"the {job.kind.value} of {job.model.settings.name!r} was given up",
                retry_after_seconds=1.0,
            )
            raise
        finally:
            job.finished = True
            if self._jobs.get(job.model.settings.name) is job:
                del self._jobs[job.model.settings.name]
            self._changes.tell()

    async def _load(self, job: Job) -> None:
        model = job.model
        if model.state is State.FAILED:
            await self._give_back(model)
        if model.file is None or model.state is State.FAILED:
            await model.prepare()
        if model.file is None:
            raise model.not_ready()
        started = asyncio.get_running_loop().time()
        if not model.replicas:  # else its engines are being restarted
            await self._start(job)
        await model.wait_loaded()
        if model.state is State.FAILED:
            await self._give_back(model)
            raise model.not_ready()
        model.load_seconds = asyncio.get_running_loop().time() - started
        held = await self._held([replica.pid for replica in model.replicas])
        self._ledger.keep(model.settings.name, Amounts(held))

    async def _start(self, job: Job) -> None:
        """Make room, promise it, and begin to load."""
        model = job.model
        file, settings = model.file, model.settings
        assert file is not None  # noqa: S101
        while True:
            room = await self._look()
            layers = placement.fit_layers(
                settings.gpu_layers,
                file.header.layers,
                lambda count: file.estimate(settings, count),
                room.cards,
            )
            estimate = file.estimate(settings, layers)
            need = placement.amounts(estimate, room.cards).times(settings.replicas)
            try:
                self._ledger.reserve(settings.name, need, room.limits)
            except Shortage as shortage:
                await self._make_room(job, shortage)
            else:
                model.start(file, layers)
                return

    async def _make_room(self, job: Job, shortage: Shortage) -> None:
        """Unload idle models; raises the shortage's error when that would not help."""
        victims = choose_victims(self._residents(), shortage.missing) if job.evict else ()
        if not victims:
            raise shortage.error
        for name in victims:
            log.info("model %s makes room for %s", name, job.model.settings.name)
            await self.wait(self.unload(self._models[name]))

    def _residents(self) -> Sequence[Resident]:
        now = asyncio.get_running_loop().time()
        return [
            Resident(
                name=name,
                holds=holds,
                requests=self._models[name].usage.faded(now),
                idle_seconds=now - self._models[name].usage.last_used,
                reload_seconds=self._models[name].load_seconds,
                in_flight=self._models[name].in_flight,
            )
            for name, holds in self._ledger.mine.items()
            if name not in self._jobs
        ]

    async def _unload(self, job: Job) -> None:
        """Let requests in flight end, then the engines, and see that their memory is back."""
        model = job.model
        self._changes.tell()
        try:
            while model.in_flight:  # noqa: ASYNC110 - nothing tells when a request has ended
                await asyncio.sleep(LOOK_SECONDS)
            pids = [replica.pid for replica in model.replicas]
            before, free = await self._held(pids), (await self._look()).limits.free
            device = self._ledger.mine.get(model.settings.name, Amounts()).device_bytes
            await model.stop()
            await self._see_returned(job, pids, before, free.device_bytes + device * 9 // 10)
        finally:
            model.unloading = False
            self._ledger.release(model.settings.name)

    async def _see_returned(
        self, job: Job, pids: Sequence[int], before: int, device_free: int
    ) -> None:
        """Watch the memory come back; that of an accelerator may take a moment longer."""
        end = asyncio.get_running_loop().time() + RETURN_SECONDS
        while asyncio.get_running_loop().time() < end:
            job.returned_bytes = before - await self._held(pids)
            self._changes.tell()
            free = (await self._look()).limits.free.device_bytes
            if job.returned_bytes >= before and free >= device_free:
                return
            await asyncio.sleep(LOOK_SECONDS)
        log.warning("not all memory of %s came back", job.model.settings.name)


def _still_loading(model: Model, asked_at: float, now: float) -> ModelLoading:
    """Say how long it may take yet, by how far it came."""
    share = model.loaded_share
    left = (now - asked_at) * (1 - share) / share if share > 0 else now - asked_at
    return ModelLoading(
        f"model {model.settings.name!r} is being loaded ({share:.0%}); the load goes on",
        retry_after_seconds=max(1.0, round(left, 1)),
    )
