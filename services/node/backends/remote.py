"""One model behind another engine's HTTP API, asked as any other model of the node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate.errors import (
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    ModelCrashed,
    NotImplementedYet,
    Overloaded,
    PeerUnreachable,
    QuorateError,
    UnusableReply,
)
from services.node.backends.contract import pack_unit
from services.node.backends.gate import Gate
from services.node.backends.speaking import Speaking
from services.node.backends.tally import Tally
from services.node.backends.watch import Watch
from services.node.engine.messages import Embedded, Tokens
from services.node.generation import Generation
from services.node.replica import State
from services.node.requests import ModelFacts

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.backends.contract import Engine, RemoteFacts
    from services.node.engine.messages import ChatTurn, Counters, Progress, Scored
    from services.node.replica import Changes
    from services.node.requests import Order
    from services.node.score_embed import EmbedOrder, ScoreOrder

RETRY_SECONDS: Final = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One request on its way; `facts` are what the caller's request was checked against."""

    order: Order
    facts: RemoteFacts
    generation: Generation


class RemoteModel:
    """A model that `engine` reaches. Owned by the node's event loop; works while `run` does."""

    def __init__(self, settings: ModelSettings, engine: Engine, changes: Changes) -> None:
        self.settings = settings
        self.requests_in_flight = 0
        self.watch = Watch(settings.name, engine, changes)
        self._engine = engine
        self._gate = Gate(settings.slots, settings.queue)
        self._tally = Tally()
        self._tasks: asyncio.TaskGroup

    @property
    def state(self) -> State:
        """How far it is from answering."""
        return self.watch.state

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty otherwise."""
        return self.watch.problem

    @property
    def settled(self) -> bool:
        """Whether it can answer, or it is plain that it cannot now."""
        return self.state in {State.READY, State.FAILED}

    @property
    def counters(self) -> Counters:
        """What went through this node; what others ask of the server is not in it."""
        return self._tally.counters(self._gate.busy, self._gate.queued)

    async def run(self) -> None:
        """Watch the server and serve requests until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self.watch.run()
        finally:
            await self._engine.close()

    def facts(self) -> ModelFacts:
        """Give what requests are checked against; raises what hinders the model from answering."""
        known = self.watch.ready()
        return ModelFacts(
            name=self.settings.name,
            sha256=known.sha256,
            context_tokens=known.context_tokens,
            vocabulary_tokens=known.vocabulary_tokens,
            most_samples=self.settings.slots + self.settings.queue,
            lacks=known.lacks,
        )

    async def generate(self, order: Order, deadline: float | None) -> AsyncGenerator[Progress]:
        """Generate, and give what arrives; closing the iterator gives the request up.

        `deadline` is a reading of the monotonic clock, which is the event loop's. A connection that
        breaks before a sample's first token is tried once more; later, ModelCrashed is raised.
        """
        facts = self.watch.ready()
        self._gate.claim(order.samples)
        self.requests_in_flight += 1

        def release(_task: asyncio.Task[None]) -> None:
            # Not in the task itself: one that is cancelled before it began runs no `finally`.
            self._gate.release(order.samples)
            self.requests_in_flight -= 1

        generation = Generation(order.samples, lambda: _cancel(task))
        task = self._tasks.create_task(self._work(Request(order, facts, generation), deadline))
        task.add_done_callback(release)
        try:
            while (progress := await generation.read()) is not None:
                yield progress
        finally:
            generation.close()

    async def _work(self, request: Request, deadline: float | None) -> None:
        """Run all samples of one request; whatever goes wrong ends the request, and only it."""
        try:
            async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
                for sample in range(request.order.samples):
                    group.create_task(self._sample(request, sample))
        except TimeoutError:
            request.generation.fail(_too_late())
        except ExceptionGroup as group_of_errors:
            error = self._first_of(group_of_errors)
            request.generation.fail(error)
            if not isinstance(error, InvalidRequest | Overloaded):
                self.watch.look_again()

    def _first_of(self, group: ExceptionGroup[Exception]) -> QuorateError:
        """Give the error to tell out of a task group's; what is none of ours is a defect here."""
        error: Exception = group.subgroup(QuorateError) or group
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, QuorateError):
            return error
        log.error("model %s: a request failed", self.settings.name, exc_info=group)
        return InternalError(f"the node failed to speak with the server: {error!r}")

    async def _sample(self, request: Request, sample: int) -> None:
        order = request.order
        clock = asyncio.get_running_loop().time
        speaking = Speaking(sample, order.sampling.max_tokens, clock)
        await self._gate.enter(order.priority)
        try:
            speaking.admit()
            await self._engine.confirm(request.facts)
            await self._speak(request, speaking)
        finally:
            self._gate.leave()
            if not speaking.finished:
                self._tally.cancelled_samples += 1

    async def _speak(self, request: Request, speaking: Speaking) -> None:
        try:
            await self._hear(request, speaking)
        except ModelCrashed:
            if speaking.spoke:
                raise
            await self._hear(request, speaking)

    async def _hear(self, request: Request, speaking: Speaking) -> None:
        """Pass one sample on; a server that only sends signs of life counts as a silent one."""
        loop = asyncio.get_running_loop()
        silence = self.settings.silence_seconds
        stream = self._engine.stream(request.order, speaking.sample, request.facts)
        try:
            async with asyncio.timeout(silence) as quiet, aclosing(stream) as pieces:
                async for piece in pieces:
                    quiet.reschedule(loop.time() + silence)
                    progress = speaking.hear(piece)
                    self._tally.add(progress)
                    request.generation.push(progress)
        except TimeoutError:
            raise PeerUnreachable(
                f"the server of {self.settings.name!r} has sent no token for {silence:g} s; its "
                "answer is given up. Look at the server, or raise the model's `silence_seconds`.",
                retry_after_seconds=RETRY_SECONDS,
            ) from None

    async def tokenize(self, turns: Sequence[ChatTurn], text: str) -> Tokens:
        """Tokenize a conversation or a text, where the server's API can."""
        said = await self._engine.tokenize(turns, text, self.watch.ready())
        return Tokens(0, said.tokens, said.text)

    async def score(self, _order: ScoreOrder, _deadline: float | None) -> Scored:
        """Raise NotImplementedYet: no such API gives the probabilities of a given text."""
        raise NotImplementedYet(
            f"Score: model {self.settings.name!r} runs behind the backend "
            f"{self.settings.backend}, whose API does not give the probability of given texts. "
            "Ask a model with the backend llama.cpp."
        )

    async def embed(self, order: EmbedOrder, deadline: float | None) -> Embedded:
        """Embed texts, where the server's API can; the vectors have unit length."""
        facts = self.watch.ready()
        try:
            async with asyncio.timeout_at(deadline):
                await self._engine.confirm(facts)
                said = await self._engine.embed(order, facts)
        except TimeoutError:
            raise _too_late() from None
        packed = tuple(filter(None, map(pack_unit, said.vectors)))
        if len(packed) != len(order.texts):
            raise UnusableReply(
                f"the server of {self.settings.name!r} gave {len(packed)} usable vectors for "
                f"{len(order.texts)} texts"
            )
        return Embedded(0, packed, said.prompt_tokens)


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _too_late() -> DeadlineExceeded:
    return DeadlineExceeded("the time given by the caller ended before the server's answer")
