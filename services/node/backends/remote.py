"""One model behind another engine's HTTP API, asked as any other model of the node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import error_groups
from quorate.errors import (
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    NotImplementedYet,
    Overloaded,
    PeerUnreachable,
    QuorateError,
    UnusableReply,
)
from services.node.backends.contract import pack_unit
from services.node.backends.gate import Gate
from services.node.backends.hearing import Hearing
from services.node.backends.tally import Tally
from services.node.backends.watch import Watch
from services.node.engine.messages import Embedded, Tokens
from services.node.generation import Generation
from services.node.replica import State
from services.node.requests import ModelFacts

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.backends.contract import Engine, RemoteFacts
    from services.node.engine.messages import ChatTurn, Counters, Scored
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


class RemoteEngine:
    """Sends requests to a server, as many at once as there are slots. One loop owns it.

    It has what the node asks of an engine process of its own; `tasks` hold its work. `observe` is
    told the counters before and after each piece of an answer.
    """

    def __init__(
        self,
        settings: ModelSettings,
        engine: Engine,
        watch: Watch,
        observe: Callable[[Counters, Counters], None],
    ) -> None:
        self.requests_in_flight = 0
        self.tasks: asyncio.TaskGroup
        self._settings = settings
        self._engine = engine
        self._watch = watch
        self._observe = observe
        self._gate = Gate(settings.slots, settings.queue)
        self._tally = Tally()

    @property
    def counters(self) -> Counters:
        """What went through this node; what others ask of the server is not in it."""
        return self._tally.counters(self._gate.busy, self._gate.queued)

    @property
    def samples_in_flight(self) -> int:
        """Samples that were taken and have not ended."""
        return self._gate.claimed

    def generate(self, order: Order, deadline: float | None) -> Generation:
        """Send a request; `deadline` is a reading of the monotonic clock, the event loop's."""
        facts = self._watch.ready()
        self._gate.claim(order.samples)
        self.requests_in_flight += 1

        def release(_task: asyncio.Task[None]) -> None:
            # Not in the task itself: one that is cancelled before it began runs no `finally`.
            self._gate.release(order.samples)
            self.requests_in_flight -= 1

        def cancel() -> None:
            task.cancel()

        generation = Generation(order.samples, cancel)
        task = self.tasks.create_task(self._work(Request(order, facts, generation), deadline))
        task.add_done_callback(release)
        return generation

    async def _work(self, request: Request, deadline: float | None) -> None:
        """Run all samples of one request; whatever goes wrong ends the request, and only it."""
        try:
            async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
                for sample in range(request.order.samples):
                    group.create_task(self._sample(request, sample))
        except TimeoutError:
            request.generation.fail(_too_late())
        except ExceptionGroup as group_of_errors:
            error = self._to_tell(group_of_errors)
            request.generation.fail(error)
            if not isinstance(error, InvalidRequest | Overloaded):
                self._watch.look_again()

    def _to_tell(self, group: ExceptionGroup[Exception]) -> QuorateError:
        """Give the error to tell out of a task group's; what is none of ours is a defect here."""
        error = error_groups.first(group, QuorateError)
        if isinstance(error, QuorateError):
            return error
        log.error("model %s: a request failed", self._settings.name, exc_info=group)
        return InternalError(f"the node failed to speak with the server: {group.exceptions[0]!r}")

    async def _sample(self, request: Request, sample: int) -> None:
        clock = asyncio.get_running_loop().time
        hearing = Hearing(sample, request.order.sampling.max_tokens, clock)
        await self._gate.enter(request.order.priority)
        try:
            hearing.admit()
            await self._engine.confirm(request.facts)
            await self._hear(request, hearing)
        finally:
            self._gate.leave()
            if not hearing.finished:
                self._tally.cancelled_samples += 1

    async def _hear(self, request: Request, hearing: Hearing) -> None:
        """Pass one sample on; a server that only sends signs of life counts as a silent one."""
        loop = asyncio.get_running_loop()
        silence = self._settings.silence_seconds
        stream = self._engine.stream(request.order, hearing.sample, request.facts)
        try:
            async with asyncio.timeout(silence) as quiet, aclosing(stream) as pieces:
                async for piece in pieces:
                    quiet.reschedule(loop.time() + silence)
                    progress = hearing.hear(piece)
                    before = self.counters
                    self._tally.add(progress)
                    self._observe(before, self.counters)
                    request.generation.push(progress)
        except TimeoutError:
            raise PeerUnreachable(
                f"the server of {self._settings.name!r} has sent no token for {silence:g} s; its "
                "answer is given up. Look at the server, or raise the model's `silence_seconds`.",
                retry_after_seconds=RETRY_SECONDS,
            ) from None

    async def tokenize(self, turns: Sequence[ChatTurn], text: str) -> Tokens:
        """Tokenize a conversation or a text, where the server's API can."""
        said = await self._engine.tokenize(turns, text, self._watch.ready())
        return Tokens(0, said.tokens, said.text)

    async def score(self, order: ScoreOrder, deadline: float | None) -> Scored:
        """Raise NotImplementedYet: no such API gives the probabilities of a given text."""
        raise NotImplementedYet(
            f"Score: model {self._settings.name!r} runs behind the backend "
            f"{self._settings.backend}, whose API does not give the probability of given texts. "
            "Ask a model with the backend llama.cpp."
        )

    async def embed(self, order: EmbedOrder, deadline: float | None) -> Embedded:
        """Embed texts, where the server's API can; the vectors have unit length."""
        facts = self._watch.ready()
        self._gate.claim(1)
        self.requests_in_flight += 1
        try:
            async with asyncio.timeout_at(deadline):
                return await self._embed(order, facts)
        except TimeoutError:
            raise _too_late() from None
        finally:
            self._gate.release(1)
            self.requests_in_flight -= 1

    async def _embed(self, order: EmbedOrder, facts: RemoteFacts) -> Embedded:
        await self._gate.enter(order.priority)
        try:
            await self._engine.confirm(facts)
            said = await self._engine.embed(order.texts, facts)
        finally:
            self._gate.leave()
        packed = tuple(filter(None, map(pack_unit, said.vectors)))
        if len(packed) != len(order.texts):
            raise UnusableReply(
                f"the server of {self._settings.name!r} gave {len(packed)} usable vectors for "
                f"{len(order.texts)} texts"
            )
        return Embedded(0, packed, said.prompt_tokens)


class RemoteModel:
    """A model of a server: watched while `run` does, and answering through one `engine`."""

    def __init__(
        self,
        settings: ModelSettings,
        engine: Engine,
        changes: Changes,
        observe: Callable[[Counters, Counters], None],
    ) -> None:
        self.settings = settings
        self.watch = Watch(settings.name, engine, changes)
        self.engine = RemoteEngine(settings, engine, self.watch, observe)
        self._connection = engine
        self._changes = changes

    @property
    def state(self) -> State:
        """How far it is from answering."""
        return self.watch.state

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty otherwise."""
        return self.watch.problem

    @property
    def running(self) -> Sequence[RemoteEngine]:
        """Its engine, while that can take requests."""
        return [self.engine] if self.state is State.READY else []

    async def run(self) -> None:
        """Watch the server and serve requests until cancelled."""
        try:
            async with asyncio.TaskGroup() as self.engine.tasks:
                await self.watch.run()
        finally:
            await self._connection.close()

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

    def choose(self) -> RemoteEngine:
        """Give its engine; raises what hinders it."""
        self.watch.ready()
        return self.engine

    async def wait_running(self) -> None:
        """Wait until it can take requests, or it is plain that it cannot now."""
        await self.wait_settled()

    async def wait_settled(self) -> None:
        """Wait until it can answer, or it is plain that it cannot now; a server may come later."""
        while self.state not in {State.READY, State.FAILED}:
            await self._changes.wait()


def _too_late() -> DeadlineExceeded:
    return DeadlineExceeded("the time given by the caller ended before the server's answer")
