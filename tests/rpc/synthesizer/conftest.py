"""A real synthesizer over mTLS, and nodes whose models follow a script instead of a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc.aio
import pytest

from quorate import authorization, errors, server
from quorate.channel import Peers
from quorate.config import NodeSettings, SynthesizerSettings, TelemetrySettings, TlsSettings
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import (
    common_pb2,
    node_pb2,
    node_pb2_grpc,
    synthesizer_pb2,
    synthesizer_pb2_grpc,
)
from services.synthesizer.service import synthesizer

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Behaviour: TypeAlias = Callable[[node_pb2.GenerateRequest, Context], Awaitable[None]]
IssueTls: TypeAlias = Callable[..., TlsSettings]
Model: TypeAlias = synthesizer_pb2.SynthesisModel


def _step(text: str) -> node_pb2.GenerateResponse:
    delta = node_pb2.SampleDelta(sample=0, text=text)
    return node_pb2.GenerateResponse(step=node_pb2.GenerateStep(deltas=[delta]))


@dataclass(frozen=True)
class Script:
    """The words of which scripts are made."""

    @staticmethod
    def says(
        *pieces: str,
        reason: common_pb2.FinishReason.ValueType = common_pb2.FINISH_REASON_STOP,
    ) -> Behaviour:
        """Say a text piece by piece, and end."""

        async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
            for piece in pieces:
                await context.write(_step(piece))
            usage = common_pb2.Usage(
                prompt_tokens=7, completion_tokens=len(pieces), cached_prompt_tokens=2
            )
            finished = node_pb2.SampleFinished(sample=0, reason=reason, usage=usage)
            await context.write(node_pb2.GenerateResponse(finished=finished))

        return behave

    @staticmethod
    def hangs(*pieces: str) -> Behaviour:
        """Say a text and then nothing more, without end."""

        async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
            for piece in pieces:
                await context.write(_step(piece))
            await asyncio.Event().wait()

        return behave

    @staticmethod
    def fails(error: errors.QuorateError, *pieces: str) -> Behaviour:
        """Say a text, then fail."""

        async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
            for piece in pieces:
                await context.write(_step(piece))
            raise error

        return behave

    @staticmethod
    def stops(*pieces: str) -> Behaviour:
        """Say a text, then end the stream without saying that it is complete."""

        async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
            for piece in pieces:
                await context.write(_step(piece))

        return behave


@dataclass
class ScriptedNode(node_pb2_grpc.NodeServiceServicer):
    """A node that does as told, and remembers what it was asked."""

    models: dict[str, Behaviour]
    requests: list[node_pb2.GenerateRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def Generate(self, request: node_pb2.GenerateRequest, context: Context) -> None:  # noqa: N802
        self.requests.append(request)
        try:
            await self.models[request.model](request, context)
        except asyncio.CancelledError:
            async with self.changed:
                self.cancelled.append(request.model)
                self.changed.notify_all()
            raise

    async def until_cancelled(self, *models: str) -> None:
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: self.cancelled == list(models))


@dataclass
class RunningNode:
    """A scripted node that serves; `model` names one of its models to the synthesizer."""

    name: str
    script: ScriptedNode
    server: server.Server

    def model(self, name: str, node: str = "") -> Model:
        return Model(address=self.server.address, node=node or self.name, model=name)

    @property
    def prompts(self) -> list[str]:
        return [request.messages[-1].content for request in self.script.requests]


class Desk:
    """One synthesizer, any number of scripted nodes, and a coordinator that calls it."""

    def __init__(self, tls: IssueTls, stack: AsyncExitStack) -> None:
        self._tls = tls
        self._stack = stack
        self.address = ""
        self.client: synthesizer_pb2_grpc.SynthesizerServiceAsyncStub

    async def start(self, **settings: object) -> None:
        made = SynthesizerSettings(
            name="s1",
            tls=self._tls(Role.SYNTHESIZER, "s1"),
            drain_seconds=0.0,
            **settings,  # type: ignore[arg-type]
        )
        running = await self._stack.enter_async_context(synthesizer(made))
        self.address = running.address
        self.client = await self.client_of(Role.COORDINATOR, "c1")

    async def client_of(
        self, role: Role, name: str
    ) -> synthesizer_pb2_grpc.SynthesizerServiceAsyncStub:
        peers = await self._stack.enter_async_context(Peers(self._tls(role, name)))
        channel = peers.channel(self.address, Role.SYNTHESIZER)
        return synthesizer_pb2_grpc.SynthesizerServiceStub(channel)

    async def node(self, name: str, /, **models: Behaviour) -> RunningNode:
        script = ScriptedNode(models)
        settings = NodeSettings(
            name=name,
            tls=self._tls(Role.NODE, name),
            drain_seconds=0.0,
            models=[{"name": "x"}],  # type: ignore[list-item]
        )
        service = server.Service(
            authorization.NODE,
            lambda to: node_pb2_grpc.add_NodeServiceServicer_to_server(script, to),
        )
        telemetry = Telemetry(TelemetrySettings(), "node", name)
        built = server.build(settings, Role.NODE, [service], telemetry)
        serving = await self._stack.enter_async_context(built)
        await serving.start()
        return RunningNode(name, script, serving)

    async def synthesize(
        self, parts: list[synthesizer_pb2.SynthesisPart], *models: Model, **options: object
    ) -> Heard:
        request = synthesizer_pb2.SynthesizeRequest(
            question="all of it", parts=parts, models=models
        )
        heard = Heard()
        async for response in self.client.Synthesize(request, **options):
            heard.add(response)
        return heard

    async def judge(self, answer: str, *models: Model) -> synthesizer_pb2.JudgeResponse:
        return await self.client.Judge(
            synthesizer_pb2.JudgeRequest(
                question="What is 2 + 2?", reference="4", answer=answer, models=models
            )
        )


@dataclass
class Heard:
    """What a caller reads: pieces, restarts, the result; and the text that is left standing."""

    pieces: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    shown: str = ""
    results: list[synthesizer_pb2.SynthesisResult] = field(default_factory=list)

    @property
    def result(self) -> synthesizer_pb2.SynthesisResult:
        (result,) = self.results
        return result

    def add(self, response: synthesizer_pb2.SynthesizeResponse) -> None:
        assert not self.results, "nothing follows the result"
        match response.WhichOneof("event"):
            case "text":
                self.pieces.append(response.text)
                self.shown += response.text
            case "restart":
                self.restarts.append(response.restart.reason)
                self.shown = ""
            case "result":
                self.results.append(response.result)
                assert response.result.text == self.shown


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def bare_desk(tls: IssueTls) -> AsyncIterator[Desk]:
    """A desk whose synthesizer is not started yet."""
    async with AsyncExitStack() as stack:
        yield Desk(tls, stack)


@pytest.fixture
async def desk(bare_desk: Desk) -> Desk:
    await bare_desk.start()
    return bare_desk


@pytest.fixture
def parts() -> list[synthesizer_pb2.SynthesisPart]:
    """Two answered parts."""
    return [
        synthesizer_pb2.SynthesisPart(part_id="t1", question="What is 2 + 2?", answer="4"),
        synthesizer_pb2.SynthesisPart(
            part_id="t2", question="What is the capital of France?", answer="Paris"
        ),
    ]
