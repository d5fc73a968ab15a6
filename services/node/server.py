"""NodeService: the contract's messages in, orders to the engines out, tokens back as they come."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias

from quorate.errors import NotImplementedYet
from quorate.server import Server, Service
from quorate.telemetry import SpanName
from quorate.v1 import node_pb2, node_pb2_grpc
from services.node import convert
from services.node.requests import Range, check_generate, check_number, check_text

if TYPE_CHECKING:
    import grpc.aio

    from quorate.telemetry import Telemetry
    from services.node.engine.messages import Finished, Progress
    from services.node.status import StatusSource
    from services.node.supervisor import Supervisor

Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"
SERVICE: Final = "quorate.v1.NodeService"
DEFAULT_DRAIN_SECONDS: Final = 30.0
DEFAULT_INTERVAL_SECONDS: Final = 5.0


class NodeServicer(node_pb2_grpc.NodeServiceServicer):
    """Serves one node's models. `server` is set once there is one, before the first call.

    Streams are written rather than yielded, though that is not what the generated types say: gRPC
    sends about twice as many messages a second that way, and ends with a cancel at once.
    """

    def __init__(self, supervisor: Supervisor, status: StatusSource, telemetry: Telemetry) -> None:
        self._supervisor = supervisor
        self._status = status
        self._telemetry = telemetry
        self.server: Server

    async def Generate(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.GenerateRequest, context: Context
    ) -> None:
        """Stream n samples of one prompt, one message for each decode step."""
        arrived = time.monotonic()
        facts = self._supervisor.facts(request.model)
        order = check_generate(convert.draft(request), facts, lambda: secrets.randbits(32))
        deadline = _deadline(context, arrived)
        meter = _Meter(self._telemetry, order.model, arrived)
        told = False
        with self._telemetry.span(SpanName.GENERATE, model=order.model, samples=order.samples):
            async with aclosing(self._supervisor.generate(order, deadline)) as stream:
                async for progress in stream:
                    if progress.prompt_tokens and not told:
                        told = True
                        await context.write(
                            convert.started(order, facts.sha256, progress.prompt_tokens)
                        )
                    meter.add(progress)
                    for response in convert.responses(progress):
                        await context.write(response)

    async def Tokenize(  # noqa: N802
        self, request: node_pb2.TokenizeRequest, context: Context
    ) -> node_pb2.TokenizeResponse:
        """Give the tokens of a text or a conversation."""
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
        """Belongs to a later version."""
        raise NotImplementedYet("deliberation of two models is not part of this version")

    async def Score(  # noqa: N802
        self, request: node_pb2.ScoreRequest, context: Context
    ) -> node_pb2.ScoreResponse:
        """Belongs to a later version."""
        raise NotImplementedYet("scoring of candidates is not part of this version")

    async def Embed(  # noqa: N802
        self, request: node_pb2.EmbedRequest, context: Context
    ) -> node_pb2.EmbedResponse:
        """Belongs to a later version."""
        raise NotImplementedYet("embeddings are not part of this version")

    async def LoadModel(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.LoadModelRequest, context: Context
    ) -> None:
        """Belongs to a later version."""
        raise NotImplementedYet("loading of models at run time is not part of this version")

    async def UnloadModel(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.UnloadModelRequest, context: Context
    ) -> None:
        """Belongs to a later version."""
        raise NotImplementedYet("unloading of models at run time is not part of this version")


def _deadline(context: Context, now_seconds: float) -> float | None:
    # The stubs say float, but a call without a deadline has None.
    left: float | None = context.time_remaining()
    return None if left is None else now_seconds + left


class _Meter:
    """Measures one request for the metrics; `arrived` is a reading of the monotonic clock."""

    def __init__(self, telemetry: Telemetry, model: str, arrived: float) -> None:
        self._metrics = telemetry.metrics
        self._model = model
        self._arrived = arrived
        self._speaking = False

    def add(self, progress: Progress) -> None:
        """Count what one step did."""
        if progress.deltas and not self._speaking:
            self._speaking = True
            first = self._metrics.generate_time_to_first_token_seconds.labels(self._model)
            first.observe(time.monotonic() - self._arrived)
        for finished in progress.finished:
            self._finish(finished)

    def _finish(self, finished: Finished) -> None:
        tokens = self._metrics.tokens
        tokens.labels(self._model, "prompt").inc(finished.prompt_tokens)
        tokens.labels(self._model, "completion").inc(finished.completion_tokens)
        tokens.labels(self._model, "cached").inc(finished.cached_prompt_tokens)
        seconds = self._metrics.generate_seconds.labels(self._model)
        seconds.observe(time.monotonic() - self._arrived)


def service(servicer: NodeServicer) -> Service:
    """Make the service known to a server."""
    return Service(
        SERVICE, lambda server: node_pb2_grpc.add_NodeServiceServicer_to_server(servicer, server)
    )
