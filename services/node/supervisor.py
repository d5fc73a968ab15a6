"""The models of a node: their engines, which one takes a request, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from quorate.errors import ModelCrashed
from services.node import room
from services.node.backends.remote import RemoteEngine, RemoteModel
from services.node.engine.cores import private_directory
from services.node.ledger import Ledger
from services.node.locks import Turn
from services.node.model import Model
from services.node.replica import Changes, State
from services.node.requests import ModelFacts, Order, check_name
from services.node.residency import Residency

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.child import Child
    from services.node.engine.messages import ChatTurn, Embedded, Progress, Scored, Tokens
    from services.node.machine import Machine
    from services.node.score_embed import EmbedOrder, ScoreOrder

AnswerT = TypeVar("AnswerT")
RESTART_SECONDS: Final = 30.0
"""How long a request whose engine died waits for the next one, when it has no deadline."""


AnyModel: TypeAlias = Model | RemoteModel
"""A model in engines of the node, or one behind another engine's API."""


class Supervisor:
    """All models of a node. `run` keeps them going; requests come in beside it.

    `memory` is the most bytes that they may use together; None sets no limit but the machine's.
    """

    def __init__(
        self, models: Sequence[ModelSettings], machine: Machine, memory: int | None = None
    ) -> None:
        self.changes = Changes()
        directory = private_directory(machine.runtime_directory)
        turn = Turn(directory / "loading")
        self.own: Mapping[str, Model] = {
            settings.name: Model(settings, machine, self.changes, turn)
            for settings in models
            if settings.backend == "llama.cpp"
        }
        self.models: Mapping[str, AnyModel] = {
            settings.name: self.own.get(settings.name) or self._remote(settings, machine)
            for settings in models
        }
        self.residency = Residency(
            self.own, Ledger(directory), partial(room.look, memory), room.held, self.changes
        )
        self._started = False

    def _remote(self, settings: ModelSettings, machine: Machine) -> RemoteModel:
        # Not before it is needed: a node whose models are all its own has no use for HTTP (6 MB).
        from services.node.backends import making

        observe = partial(machine.observe, settings.name)
        return making.make(settings, machine.environment, self.changes, observe)

    async def run(self) -> None:
        """Keep all models going until cancelled; their processes end with it."""
        async with asyncio.TaskGroup() as group:
            for model in self.models.values():
                group.create_task(model.run())
            group.create_task(self.residency.run())
            for own in self.own.values():
                await own.prepare()
                if own.settings.load == "eager" and own.file is not None:
                    await self._load(own)
            self._started = True
            self.changes.tell()

    async def _load(self, model: Model) -> None:
        """Begin to load a model, and wait until its memory is promised: earlier ones get it first.

        One that does not fit has failed: nothing that this node does by itself would change that.
        """
        job = self.residency.load(model, evict=False)
        while not job.finished and not model.replicas:
            await self.changes.wait()
        if job.error is not None and model.state is not State.FAILED:
            model.fail(job.error)

    async def wait_settled(self) -> None:
        """Wait until every model can answer, waits to be wanted, or it is plain that it cannot."""
        while not self._started:
            await self.changes.wait()
        for model in self.models.values():
            if isinstance(model, Model):
                await model.wait_loaded()
            else:
                await model.wait_settled()

    async def bring(self, name: str, deadline: float | None) -> AnyModel:
        """Give a model that can be asked, loading it first where it is known but not loaded.

        Raises InvalidRequest or UnknownModel for a name that is none, and what hinders the model.
        """
        model = self.models[check_name(name, self.models)]
        if isinstance(model, Model):
            await self.residency.bring(model, deadline)
        return model

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
        model = await self.bring(order.model, deadline)
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

    async def tokenize(
        self, name: str, turns: Sequence[ChatTurn], text: str, deadline: float | None = None
    ) -> Tokens:
        """Tokenize a conversation or a text with a model's vocabulary."""
        return await (await self.bring(name, deadline)).choose().tokenize(turns, text)

    async def score(self, order: ScoreOrder, deadline: float | None) -> Scored:
        """Score candidates; an engine that dies is tried once more, as in `generate`."""
        return await self._ask_twice(
            order.model, lambda child: child.score(order, deadline), deadline
        )

    async def embed(self, order: EmbedOrder, deadline: float | None) -> Embedded:
        """Embed texts; an engine that dies is tried once more, as in `generate`."""
        return await self._ask_twice(
            order.model, lambda child: child.embed(order, deadline), deadline
        )

    async def _ask_twice(
        self,
        name: str,
        ask: Callable[[Child | RemoteEngine], Awaitable[AnswerT]],
        deadline: float | None,
    ) -> AnswerT:
        model = await self.bring(name, deadline)
        try:
            return await ask(model.choose())
        except ModelCrashed:
            await self._wait_for_another(model)
        return await ask(model.choose())
