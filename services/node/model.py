"""One model in engines of the node: its file, its replicas, and how far it is from answering."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from quorate.errors import ModelLoading, ModelUnusable, QuorateError
from quorate.models import gguf
from quorate.models.gguf import Identity
from services.node.engine.messages import Load, Loaded
from services.node.eviction import Usage
from services.node.model_file import ModelFile, inspect
from services.node.replica import Changes, Replica, State, Surroundings
from services.node.requests import ModelFacts

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.child import Child
    from services.node.locks import Turn
    from services.node.machine import Machine

RETRY_SECONDS: Final = 1.0
CHECK_SECONDS: Final = 1.0
"""Time between two looks at the file of a model in use; a look costs microseconds."""


class Model:
    """A model and its engines. Owned by the node's event loop; works while `run` does."""

    def __init__(
        self, settings: ModelSettings, machine: Machine, changes: Changes, turn: Turn
    ) -> None:
        self.settings = settings
        self.file: ModelFile | None = None
        self.replicas: Sequence[Replica] = ()
        self.usage = Usage()
        self.waiting = 0
        self.load_seconds = 0.0
        self.gpu_layers = 0
        self.unloading = False
        self._machine = machine
        self._changes = changes
        self._turn = turn
        self._problem = ""
        self._check_at = 0.0
        self._group: asyncio.TaskGroup
        self._engines: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """READY when any replica is; FAILED when none can be."""
        if self.unloading:
            return State.UNLOADING
        if self._problem:
            return State.FAILED
        if self.running:
            return State.READY
        states = {replica.state for replica in self.replicas}
        if states & {State.READY, State.RESTARTING}:  # an engine that was ready may just have died
            return State.RESTARTING
        if State.LOADING in states:
            return State.LOADING
        if states:
            return State.FAILED
        return State.AVAILABLE if self.file is not None else State.LOADING

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty otherwise."""
        if self.state is not State.FAILED:
            return ""
        return self._problem or self.replicas[0].problem

    @property
    def loaded_share(self) -> float:
        """How much of its load is done, in [0, 1]."""
        if not self.replicas:
            return 0.0
        return sum(replica.loaded_share for replica in self.replicas) / len(self.replicas)

    @property
    def memory_bytes(self) -> int:
        """Estimated memory of all its engines; 0 while its file was not looked at."""
        if self.file is None:
            return 0
        one = self.file.estimate(self.settings, self.gpu_layers)
        return one.total_bytes * self.settings.replicas

    @property
    def running(self) -> Sequence[Child]:
        """Its engines that can take requests."""
        if self.unloading:
            return ()
        children = (replica.child for replica in self.replicas)
        return [child for child in children if child is not None and not child.lost]

    @property
    def in_flight(self) -> int:
        """Requests that its engines work on, or that wait for it to be loaded."""
        children = (replica.child for replica in self.replicas)
        working = sum(child.requests_in_flight for child in children if child is not None)
        return working + self.waiting

    async def prepare(self) -> None:
        """Look at the file; what hinders becomes the problem."""
        try:
            self.file = await asyncio.to_thread(inspect, self.settings)
            self._problem = ""
        except QuorateError as error:
            self.fail(error)
        self._changes.tell()

    def fail(self, error: QuorateError) -> None:
        """Have it unusable, for a reason, until it is loaded anew."""
        self._problem = error.message
        self._changes.tell()

    async def run(self) -> None:
        """Own the engines until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    def start(self, file: ModelFile, gpu_layers: int) -> None:
        """Begin to load: as many engines as there are replicas."""
        self.gpu_layers = gpu_layers
        around = Surroundings(
            self._machine.environment,
            self._accept,
            self._turn.taken,
            self._changes,
            partial(self._machine.observe, self.settings.name),
        )
        load = self._load(file, gpu_layers)
        self.replicas = [
            Replica(self.settings.name, load, around) for _ in range(self.settings.replicas)
        ]
        self._engines = self._group.create_task(self._run_engines())
        self._changes.tell()

    async def _run_engines(self) -> None:
        async with asyncio.TaskGroup() as group:
            for replica in self.replicas:
                group.create_task(replica.run())

    async def stop(self) -> None:
        """End all engines; when this returns their processes are gone. The problem stays."""
        problem = self.problem
        if self._engines is not None:
            self._engines.cancel()
            await asyncio.wait([self._engines])
            self._engines = None
        self.replicas = ()
        self._problem = problem
        self._changes.tell()

    def facts(self) -> ModelFacts:
        """Give what requests are checked against; raises what hinders the model from answering."""
        if self.file is None or self.state is State.FAILED:
            raise self.not_ready()
        return ModelFacts(
            name=self.settings.name,
            sha256=self.file.sha256,
            context_tokens=self.file.context_tokens,
            vocabulary_tokens=self.file.header.vocabulary_tokens,
            most_samples=self.settings.slots + self.settings.queue,
        )

    def choose(self) -> Child:
        """Give the running engine with the least to do; raises ModelLoading or ModelUnusable."""
        running = self.running
        if not running:
            raise self.not_ready()
        return min(running, key=lambda child: child.samples_in_flight)

    async def wait_running(self) -> None:
        """Wait until an engine can take requests, or it is plain that none will by itself."""
        while not self.running and self.state in {State.LOADING, State.RESTARTING}:
            await self._changes.wait()

    async def wait_loaded(self) -> None:
        """Wait until every engine of it can answer, or it is plain which cannot."""
        while any(replica.state not in {State.READY, State.FAILED} for replica in self.replicas):
            await self._changes.wait()

    def not_ready(self) -> QuorateError:
        """Say why it cannot answer now."""
        name = self.settings.name
        if self.state is State.FAILED:
            return ModelUnusable(f"model {name!r} cannot be used: {self.problem}")
        return ModelLoading(
            f"model {name!r} is {self.state.value}; try again shortly",
            retry_after_seconds=RETRY_SECONDS,
        )

    def check_file(self, now: float) -> None:
        """End engines whose file was written to: what they have mapped may say anything now.

        They come back with what the file holds then. A file that was replaced by another one of the
        same name is none of this: what is mapped stays as it was. `now` is in monotonic seconds.
        """
        if self.file is None or not self.running or now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        try:
            seen = gguf.identity(self.file.header.path)
        except ModelUnusable:
            return  # it was taken away: what is mapped stays as it was
        was = self.file.identity
        if seen != was and (seen.device, seen.inode) == (was.device, was.inode):
            for child in self.running:
                child.lose_link()
                child.kill("its model file was overwritten while it was in use")

    def _load(self, file: ModelFile, gpu_layers: int) -> Load:
        return Load(
            path=str(file.header.path),
            context_tokens=file.context_tokens,
            pool_tokens=file.pool_tokens,
            split=file.split,
            cache_type=self.settings.cache_type,
            slots=self.settings.slots,
            queue=self.settings.queue,
            gpu_layers=gpu_layers,
            cores=self._machine.cores,
            machine_cores=self._machine.all_cores,
            runtime_directory=str(self._machine.runtime_directory),
        )

    async def _accept(self, loaded: Loaded) -> None:
        """Make sure that what was loaded is the file whose fingerprint is told to callers."""
        what = Identity(loaded.device, loaded.inode, loaded.file_bytes, loaded.modified_ns)
        if self.file is not None and self.file.identity == what:
            return
        self.file = await asyncio.to_thread(inspect, self.settings)
        if self.file.identity != what:
            raise ModelUnusable(f"{self.file.header.path} changes while it is being loaded")


Models = Mapping[str, Model]
