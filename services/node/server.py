"""NodeService: the contract's messages in, orders to the engines out, tokens back as they come."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from quorate.calls import shrink
from quorate.server import Server, Service
from quorate.telemetry import Operation
from quorate.v1 import node_pb2, node_pb2_grpc
from services.node import ballots, convert, jobs, scores, spans
from services.node.deliberation import Deliberation
from services.node.gathering import MOST_SECONDS, Gathering
from services.node.requests import Range, check_generate, check_number, check_text
from services.node.score_embed import check_embed, check_score
from services.node.seats import check_deliberate
from services.node.speaking import Call, Speaking
from services.node.verdict import asked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    from quorate.telemetry import Telemetry
    from services.node.context import Context
    from services.node.meter import Meters
    from services.node.status import StatusSource
    from services.node.supervisor import Supervisor

SERVICE: Final = "quorate.v1.NodeService"
DEFAULT_DRAIN_SECONDS: Final = 30.0
DEFAULT_INTERVAL_SECONDS: Final = 5.0


class NodeServicer(node_pb2_grpc.NodeServiceServicer):
    """Serves one node's models. `server` is set once there is one, before the first call.

    Streams are written rather than yielded, though that is not what the generated types say: gRPC
    sends about twice as many messages a second that way, and ends with a cancel at once.
    """

    def __init__(
        self, supervisor: Supervisor, status: StatusSource, telemetry: Telemetry, meters: Meters
    ) -> None:
        self._supervisor = supervisor
        self._status = status
        self._telemetry = telemetry
        self._meters = meters
        self._speaking = Speaking(supervisor, meters, telemetry)
        self.server: Server

    async def Generate(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.GenerateRequest, context: Context
    ) -> None:
        """Stream n samples of one prompt, one message for each decode step, or gathered."""
        call = _call(context)
        with self._meters.errors(request.model):
            facts = self._supervisor.facts(request.model)
            order = check_generate(convert.draft(request), facts, _draw_seed)
            delay = request.max_delay_seconds
            check_number("max_delay_seconds", delay, Range(0, MOST_SECONDS))
            if delay == 0.0:
                await self._speaking.run(order, facts.sha256, call, context.write)
                return
            async with Gathering(context.write, delay, time.monotonic) as gathering:
                await self._speaking.run(order, facts.sha256, call, gathering.write)

    async def Tokenize(  # noqa: N802
        self, request: node_pb2.TokenizeRequest, context: Context
    ) -> node_pb2.TokenizeResponse:
        """Give the tokens of a text or a conversation."""
        with self._meters.errors(request.model):
            self._supervisor.facts(request.model)
            turns = convert.turns(request.messages)
            check_text(turns, request.text, "text")
            tokens = await self._supervisor.tokenize(request.model, turns, request.text)
        return node_pb2.TokenizeResponse(tokens=tokens.tokens, text=tokens.text)

    async def ListModels(  # noqa: N802
        self, request: node_pb2.ListModelsRequest, context: Context
    ) -> node_pb2.ListModelsResponse:
        """List the node's models."""
        models = [convert.model_info(model) for model in self._supervisor.models.values()]
        return node_pb2.ListModelsResponse(models=models)

    async def GetStatus(  # noqa: N802
        self, request: node_pb2.GetStatusRequest, context: Context
    ) -> node_pb2.GetStatusResponse:
        """Give the status now."""
        return node_pb2.GetStatusResponse(status=await self._status.read())

    async def WatchStatus(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.WatchStatusRequest, context: Context
    ) -> None:
        """Stream the status at once, when a model changes its state, and every interval."""
        interval = request.interval_seconds or DEFAULT_INTERVAL_SECONDS
        check_number("interval_seconds", interval, Range(0.1, 3600))
        while True:
            draining = self.server.draining
            change = self._supervisor.changes.next()
            await context.write(node_pb2.WatchStatusResponse(status=await self._status.read()))
            if draining:
                return
            try:
                async with asyncio.timeout(interval):
                    await change.wait()
            except TimeoutError:
                continue

    async def Drain(  # noqa: N802
        self, request: node_pb2.DrainRequest, context: Context
    ) -> node_pb2.DrainResponse:
        """Take nothing new, and answer when what runs has ended or the time is over."""
        seconds = request.timeout_seconds or DEFAULT_DRAIN_SECONDS
        check_number("timeout_seconds", seconds, Range(0, 3600, above=True))
        await self.server.drain(seconds)
        return node_pb2.DrainResponse(abandoned=self.server.in_flight)

    async def Deliberate(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.DeliberateRequest, context: Context
    ) -> None:
        """Stream what several models say to one prompt, their ballots, and the node's vote."""
        call = _call(context, shrink)  # what is left is for saying who did not answer in time
        with self._meters.errors():
            draft = ballots.draft(request)
            known = tuple(self._supervisor.models)
            seats = check_deliberate(draft, known, self._supervisor.facts, _draw_seed())
        about = asked(draft.turns, draft.kind)
        await Deliberation(self._status.node, self._speaking, context, call).run(seats, about)

    async def Score(  # noqa: N802
        self, request: node_pb2.ScoreRequest, context: Context
    ) -> node_pb2.ScoreResponse:
        """Give the joint log-probability of each candidate continuation."""
        call = _call(context)
        with self._meters.errors(request.model):
            facts = self._supervisor.facts(request.model)
            order = check_score(scores.score_draft(request), facts)
            with self._model_span(Operation.SCORE, order.model) as span:
                found = await self._supervisor.score(order, call.deadline)
                span.set_attributes(spans.scored(order.model, found))
        self._meters.of(order.model).candidates.inc(len(found.scores))
        return scores.scored(found, facts.sha256)

    async def Embed(  # noqa: N802
        self, request: node_pb2.EmbedRequest, context: Context
    ) -> node_pb2.EmbedResponse:
        """Give a vector of unit length for each text."""
        call = _call(context)
        with self._meters.errors(request.model):
            facts = self._supervisor.facts(request.model)
            order = check_embed(scores.embed_draft(request), facts)
            with self._model_span(Operation.EMBEDDINGS, order.model) as span:
                vectors = await self._supervisor.embed(order, call.deadline)
                span.set_attributes(spans.embedded(order.model, vectors))
        self._meters.of(order.model).texts.inc(len(vectors.vectors))
        return scores.embedded(vectors, facts.sha256)

    async def LoadModel(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.LoadModelRequest, context: Context
    ) -> None:
        """Load a model, and stream how far it is; the load goes on when the caller leaves."""
        await jobs.load(self._supervisor, request, context)

    async def UnloadModel(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.UnloadModelRequest, context: Context
    ) -> None:
        """Unload a model, and stream what came back of its memory."""
        await jobs.unload(self._supervisor, request, context)

    def _model_span(self, operation: Operation, model: str) -> AbstractContextManager[Span]:
        backend = self._supervisor.models[model].settings.backend
        return self._telemetry.model_span(operation, model, {spans.PROVIDER: backend})


def _call(context: Context, shorten: Callable[[float], float] = lambda left: left) -> Call:
    """Say when a call arrived, which is now, and when it must end; `shorten` the time left."""
    now = time.monotonic()
    # The stubs say float, but a call without a deadline has None.
    left: float | None = context.time_remaining()
    return Call(now, None if left is None else now + shorten(left))


def _draw_seed() -> int:
    return secrets.randbits(32)


def service(servicer: NodeServicer) -> Service:
    """Make the service known to a server."""
    return Service(
        SERVICE, lambda server: node_pb2_grpc.add_NodeServiceServicer_to_server(servicer, server)
    )
