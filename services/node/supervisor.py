"""The models of a node: their engines, which one takes a request, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from quorate.errors import ModelCrashed, ModelLoading, ModelUnusable, QuorateError
from quorate.models.gguf import Identity
from services.node.backends import making
from services.node.backends.remote import RemoteEngine, RemoteModel
from services.node.budget import Budget
from services.node.engine.messages import (
    ChatTurn,
    Counters,
    Embedded,
    Load,
    Loaded,
    Progress,
    Scored,
    Tokens,
)
from services.node.model_file import ModelFile, inspect
from services.node.replica import Changes, Replica, State
from services.node.requests import ModelFacts, Order, check_name

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.child import Child
    from services.node.score_embed import EmbedOrder, ScoreOrder

AnswerT = TypeVar("AnswerT")
RESTART_SECONDS: Final = 30.0
"""How long a request whose engine died waits for the next one, when it has no deadline."""


def _ignore(_model: str, _before: Counters, _after: Counters) -> None:
    pass


@dataclass(frozen=True)
class Machine:
    """What the engines of all models share: cores, the directory of their locks, variables.

    `cores` of the machine's `all_cores` may be used. `observe` is told of every step of an engine:
    the model's name, and the engine's counters before and after.
    """

    cores: int
    all_cores: int
    runtime_directory: Path
    environment: Mapping[str, str]
    observe: Callable[[str, Counters, Counters], None] = _ignore


class Model:
    """One model and its replicas. Owned by the node's event loop."""

    def __init__(self, settings: ModelSettings, machine: Machine, changes: Changes) -> None:
        self.settings = settings
        self.file: ModelFile | None = None
        self.replicas: Sequence[Replica] = ()
        self._machine = machine
        self._changes = changes
        self._problem = ""

    @property
    def state(self) -> State:
        """READY when any replica is; FAILED when none can be."""
        if self._problem:
            return State.FAILED
        states = {replica.state for replica in self.replicas}
        for state in (State.READY, State.RESTARTING, State.LOADING):
            if state in states:
                return state
        return State.FAILED if states else State.LOADING

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty otherwise."""
        if self.state is not State.FAILED:
            return ""
        return self._problem or self.replicas[0].problem

    async def prepare(self, budget: Budget) -> None:
        """Look at the file and take memory for the engines; what hinders becomes the problem."""
        try:
            file = await asyncio.to_thread(inspect, self.settings)
            budget.reserve(self.settings.name, file.memory_bytes * self.settings.replicas)
            self.file = file
        except QuorateError as error:
            self._problem = error.message
            self._changes.tell()

    async def run(self) -> None:
        """Keep the engines running until cancelled; ends at once when it was found unusable."""
        if self.file is None:
            return
        load = self._load(self.file)
        self.replicas = [
            Replica(
                self.settings.name,
                load,
                self._machine.environment,
                self._accept,
                self._changes,
                partial(self._machine.observe, self.settings.name),
            )
            for _ in range(self.settings.replicas)
        ]
        async with asyncio.TaskGroup() as group:
            for replica in self.replicas:
                group.create_task(replica.run())

    def facts(self) -> ModelFacts:
        """Give what requests are checked against; raises what hinders the model from answering."""
        if self.file is None:
            raise self._not_ready()
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
            raise self._not_ready()
        return min(running, key=lambda child: child.samples_in_flight)

    @property
    def running(self) -> Sequence[Child]:
        """Its engines that can take requests."""
        children = (replica.child for replica in self.replicas)
        return [child for child in children if child is not None and not child.lost]

    async def wait_running(self) -> None:
        """Wait until an engine can take requests, or it is plain that none will."""
        while not self.running and self.state is not State.FAILED:
            await self._changes.wait()

    async def wait_settled(self) -> None:
        """Wait until every engine of it can answer, or it is plain which cannot."""
        while not self._settled:
            await self._changes.wait()

    @property
    def _settled(self) -> bool:
        states = {replica.state for replica in self.replicas}
        return bool(self._problem) or bool(states and states <= {State.READY, State.FAILED})

    def _not_ready(self) -> QuorateError:
        name = self.settings.name
        if self.state is State.FAILED:
            return ModelUnusable(f"model {name!r} cannot be used: {self.problem}")
        return ModelLoading(
            f"model {name!r} is {self.state.value}; try again shortly", retry_after_seconds=1.0
        )

    def _load(self, file: ModelFile) -> Load:
        return Load(
            path=str(file.header.path),
            context_tokens=file.context_tokens,
            pool_tokens=file.pool_tokens,
            split=file.split,
            cache_type=self.settings.cache_type,
            slots=self.settings.slots,
            queue=self.settings.queue,
            gpu_layers=self.settings.gpu_layers,
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


AnyModel: TypeAlias = Model | RemoteModel
"""A model in engines of the node, or one behind another engine's API."""


class Supervisor:
    """All models of a node. `run` keeps them going; requests come in beside it.

    `memory` is the most bytes that they may use together, by estimate; None sets no limit.
    """

    def __init__(
        self, models: Sequence[ModelSettings], machine: Machine, memory: int | None = None
    ) -> None:
        self.changes = Changes()
        self._budget = Budget(memory)
        self.models: Mapping[str, AnyModel] = {
            settings.name: self._make(settings, machine) for settings in models
        }

    def _make(self, settings: ModelSettings, machine: Machine) -> AnyModel:
        if settings.backend == "llama.cpp":
            return Model(settings, machine, self.changes)
        observe = partial(machine.observe, settings.name)
        return making.make(settings, machine.environment, self.changes, observe)

    async def run(self) -> None:
        """Keep all models going until cancelled; their processes end with it."""
        async with asyncio.TaskGroup() as group:
            for model in self.models.values():  # in order: earlier ones get the memory first
                if isinstance(model, Model):
                    await model.prepare(self._budget)
                group.create_task(model.run())

    async def wait_settled(self) -> None:
        """Wait until every model can answer, or it is plain that it cannot."""
        for model in self.models.values():
            await model.wait_settled()

    def facts(self, name: str) -> ModelFacts:
        """Give what a request for a model is checked against.

        Raises InvalidRequest or UnknownModel for a name that is none, and what hinders the model.
        """
        return self.models[check_name(name, self.models)].facts()

    async def generate(self, order: Order, deadline: float | None) -> AsyncGenerator[Progress]:
        """Generate, and give what arrives; closing the iterator gives the request up.

        When the engine dies before the first token, another one is tried once. Later, and the
        second time, ModelCrashed is raised. `deadline` is a reading of the monotonic clock.
        """
        model = self.models[order.model]
        said = False
        for last_attempt in (False, True):
            generation = model.choose().generate(order, deadline)
            try:
                while (progress := await generation.read()) is not None:
                    said = said or bool(progress.deltas or progress.finished)
                    yield progress
                return
            except ModelCrashed:
                if said or last_attempt:
                    raise
            finally:
                generation.close()
            await self._wait_for_another(model)

    async def _wait_for_another(self, model: AnyModel) -> None:
        try:
            async with asyncio.timeout(RESTART_SECONDS):
                await model.wait_running()
        except TimeoutError:
            raise ModelCrashed(
                f"the engine of {model.settings.name!r} died and is not back yet",
                retry_after_seconds=1.0,
            ) from None

    async def tokenize(self, name: str, turns: Sequence[ChatTurn], text: str) -> Tokens:
        """Tokenize a conversation or a text with a model's vocabulary."""
        return await self.models[check_name(name, self.models)].choose().tokenize(turns, text)

    async def score(self, order: ScoreOrder, deadline: float | None) -> Scored:
        """Score candidates; an engine that dies is tried once more, as in `generate`."""
        return await self._ask_twice(
            order.model,
            lambda child: child.score(
                order.turns,
                order.prompt,
                order.candidates,
                priority=order.priority,
                deadline=deadline,
            ),
        )

    async def embed(self, order: EmbedOrder, deadline: float | None) -> Embedded:
        """Embed texts; an engine that dies is tried once more, as in `generate`."""
        return await self._ask_twice(
            order.model,
            lambda child: child.embed(order.texts, priority=order.priority, deadline=deadline),
        )

    async def _ask_twice(
        self, name: str, ask: Callable[[Child | RemoteEngine], Awaitable[AnswerT]]
    ) -> AnswerT:
        model = self.models[name]
        try:
            return await ask(model.choose())
        except ModelCrashed:
            await self._wait_for_another(model)
        return await ask(model.choose())
