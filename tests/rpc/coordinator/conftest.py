"""A real coordinator over mTLS, and nodes whose models follow a script instead of a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import grpc.aio
import pytest

from quorate import authorization, errors, server
from quorate.channel import Peers
from quorate.config import CoordinatorSettings, NodeSettings, TelemetrySettings, TlsSettings
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import (
    common_pb2,
    coordinator_pb2,
    coordinator_pb2_grpc,
    node_pb2,
    node_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
)
from services.coordinator.service import coordinator
from tests.rpc.coordinator.real_nodes import nodes

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Behaviour: TypeAlias = Callable[[node_pb2.GenerateRequest, Context], Awaitable[None]]
IssueTls: TypeAlias = Callable[..., TlsSettings]


def step(text: str, sample: int = 0, logprob: float = -0.1) -> node_pb2.GenerateResponse:
    token = common_pb2.TokenLogprob(token=1, text=text, logprob=logprob)
    delta = node_pb2.SampleDelta(sample=sample, text=text, tokens=[token])
    return node_pb2.GenerateResponse(step=node_pb2.GenerateStep(deltas=[delta]))


def ended(sample: int = 0, tokens: int = 3, logprob: float = -0.1) -> node_pb2.GenerateResponse:
    finished = node_pb2.SampleFinished(
        sample=sample,
        reason=common_pb2.FINISH_REASON_STOP,
        usage=common_pb2.Usage(prompt_tokens=5, completion_tokens=tokens),
        mean_logprob=logprob,
    )
    return node_pb2.GenerateResponse(finished=finished)


def says(*pieces: str, logprob: float = -0.1, when: asyncio.Event | None = None) -> Behaviour:
    """Say some text, for each sample; `when` holds the end back."""

    async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
        started = node_pb2.GenerateStarted(model=request.model, seed=request.sampling.seed)
        await context.write(node_pb2.GenerateResponse(started=started))
        for sample in range(request.n):
            for piece in pieces:
                await context.write(step(piece, sample, logprob))
            if when is not None:
                await when.wait()
            await context.write(ended(sample, len(pieces), logprob))

    return behave


def reads(answer: Callable[[str], str]) -> Behaviour:
    """Answer from what was asked."""

    async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
        await says(answer(request.messages[-1].content))(request, context)

    return behave


def hangs(*pieces: str) -> Behaviour:
    """Say something, then never end."""
    return says(*pieces, when=asyncio.Event())


def fails(error: errors.QuorateError, *pieces: str) -> Behaviour:
    """Say something, then fail."""

    async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
        for piece in pieces:
            await context.write(step(piece))
        raise error

    return behave


def then(*behaviours: Behaviour) -> Behaviour:
    """Behave differently on each call; the last one stays."""
    left = list(behaviours)

    async def behave(request: node_pb2.GenerateRequest, context: Context) -> None:
        behaviour = left.pop(0) if len(left) > 1 else left[0]
        await behaviour(request, context)

    return behave


@dataclass
class ScriptedNode(node_pb2_grpc.NodeServiceServicer):
    """A node that does as told, and remembers what it was asked."""

    models: dict[str, Behaviour]
    requests: list[node_pb2.GenerateRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    drained_seconds: float | None = None
    prefers: Callable[[node_pb2.ScoreRequest, str], float] | None = None
    scored: list[node_pb2.ScoreRequest] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    load_problems: dict[str, errors.QuorateError] = field(default_factory=dict)

    async def Score(  # noqa: N802
        self, request: node_pb2.ScoreRequest, context: Context
    ) -> node_pb2.ScoreResponse:
        self.scored.append(request)
        if self.prefers is None:
            raise errors.NotImplementedYet("Score: the server behind this node cannot")
        scores = [
            node_pb2.CandidateScore(logprob=self.prefers(request, one), tokens=1)
            for one in request.candidates
        ]
        return node_pb2.ScoreResponse(scores=scores)

    async def Generate(self, request: node_pb2.GenerateRequest, context: Context) -> None:  # noqa: N802
        async with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
        try:
            await self.models[request.model](request, context)
        except asyncio.CancelledError:
            async with self.changed:
                self.cancelled.append(request.model)
                self.changed.notify_all()
            raise

    async def LoadModel(  # noqa: N802
        self, request: node_pb2.LoadModelRequest, context: Context
    ) -> None:
        self.loads.append(request.model)
        if problem := self.load_problems.get(request.model):
            raise problem
        await context.write(node_pb2.LoadModelResponse(fraction=1.0))

    async def Drain(  # noqa: N802
        self, request: node_pb2.DrainRequest, context: Context
    ) -> node_pb2.DrainResponse:
        self.drained_seconds = request.timeout_seconds
        return node_pb2.DrainResponse(abandoned=2)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(condition)


@dataclass
class RunningNode:
    """A scripted node that serves and holds a lease."""

    script: ScriptedNode
    server: server.Server
    lease: Any
    granted: registry_pb2.LeaseResponse

    async def kill(self) -> None:
        """Break all its connections at once, as a killed process does."""
        await self.server.stop()


class Mesh:
    """One coordinator, any number of scripted nodes, and a client."""

    def __init__(self, tls: IssueTls, stack: AsyncExitStack) -> None:
        self._tls = tls
        self._stack = stack
        self._leases: list[Any] = []
        self.address = ""
        self.running: server.Server
        self.peers: Peers
        self.last_peers: Peers
        self.client: coordinator_pb2_grpc.CoordinatorServiceAsyncStub

    async def start(self, **settings: object) -> None:
        settings = {
            "lease_seconds": 60.0,
            "ballot_seconds": 20.0,
            "database": "sqlite://",
            **settings,
        }
        made = CoordinatorSettings(
            name="c1",
            tls=self._tls(Role.COORDINATOR, "c1"),
            **settings,  # type: ignore[arg-type]
        )
        running = await self._stack.enter_async_context(coordinator(made))
        self.running = running
        self.address = running.address
        self.peers = await self._stack.enter_async_context(Peers(self._tls(Role.CLIENT, "someone")))
        self.client = coordinator_pb2_grpc.CoordinatorServiceStub(
            self.peers.channel(self.address, Role.COORDINATOR)
        )

    async def keep(self, resource: Any) -> None:
        """Enter an asynchronous context that ends with the mesh."""
        await self._stack.enter_async_context(resource)

    async def enter(self, resource: Any) -> Any:
        """Enter an asynchronous context that ends with the mesh, and give what it gives."""
        return await self._stack.enter_async_context(resource)

    async def peers_of(self, role: Role, name: str) -> Peers:
        return await self._stack.enter_async_context(Peers(self._tls(role, name)))

    async def admin(self) -> coordinator_pb2_grpc.CoordinatorServiceAsyncStub:
        """Give a stub of an administrator."""
        peers = await self.peers_of(Role.ADMIN, "boss")
        return coordinator_pb2_grpc.CoordinatorServiceStub(
            peers.channel(self.address, Role.COORDINATOR)
        )

    async def node(self, name: str, /, weight: float = 0.0, **models: Behaviour) -> RunningNode:
        """Start a scripted node and register it."""
        tls = self._tls(Role.NODE, name)
        script = ScriptedNode(models)
        settings = NodeSettings(
            name=name,
            tls=tls,
            drain_seconds=0.0,
            models=[{"name": "x"}],  # type: ignore[list-item]
        )
        service = server.Service(
            authorization.NODE,
            lambda to: node_pb2_grpc.add_NodeServiceServicer_to_server(script, to),
        )
        telemetry = Telemetry(TelemetrySettings(), "node", name)
        serving = server.build(settings, Role.NODE, [service], telemetry)
        serving = await self._stack.enter_async_context(serving)
        await serving.start()
        status = status_of(name, models, weight=weight)
        lease, granted = await self.register(name, serving.address, status)
        return RunningNode(script, serving, lease, granted)

    async def register(
        self, name: str, address: str, status: common_pb2.NodeStatus
    ) -> tuple[Any, registry_pb2.LeaseResponse]:
        peers = self.last_peers = await self.peers_of(Role.NODE, name)
        stub = registry_pb2_grpc.RegistryServiceStub(peers.channel(self.address))
        lease = stub.Lease()
        await lease.write(registry_pb2.LeaseRequest(address=address, status=status))
        granted = await lease.read()
        self._leases.append(lease)  # a call that nobody holds ends
        return lease, granted

    async def ask(self, text: str, **options: object) -> coordinator_pb2.Result:
        response = await self.client.Ask(
            coordinator_pb2.AskRequest(question=asked(text, **options))
        )
        return response.result

    async def stream(
        self, text: str, *, omit_tokens: bool = False, **options: object
    ) -> list[coordinator_pb2.AskStreamResponse]:
        call = self.client.AskStream(
            coordinator_pb2.AskStreamRequest(
                question=asked(text, **options), omit_tokens=omit_tokens
            )
        )
        return [event async for event in call]

    async def nodes(self) -> list[str]:
        response = await self.client.ListNodes(coordinator_pb2.ListNodesRequest())
        return [node.status.node for node in response.nodes]

    async def until_nodes_are(self, *names: str) -> None:
        async with asyncio.timeout(5):
            while await self.nodes() != list(names):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def status_of(
    name: str, models: Sequence[str] | dict[str, Behaviour], weight: float = 0.0
) -> common_pb2.NodeStatus:
    return common_pb2.NodeStatus(
        node=name,
        state=common_pb2.NODE_STATE_SERVING,
        models=[
            common_pb2.ModelInfo(name=model, state=common_pb2.MODEL_STATE_READY, weight=weight)
            for model in models
        ],
    )


def asked(text: str, **options: object) -> coordinator_pb2.Question:
    message = common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=text)
    return coordinator_pb2.Question(**{"messages": [message], **options})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Script:
    """The words of which scripts are made."""

    says = staticmethod(says)
    reads = staticmethod(reads)
    hangs = staticmethod(hangs)
    fails = staticmethod(fails)
    then = staticmethod(then)
    step = staticmethod(step)
    ended = staticmethod(ended)
    asked = staticmethod(asked)
    status_of = staticmethod(status_of)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def make_mesh(tls: IssueTls) -> Callable[[AsyncExitStack], Mesh]:
    """Make further meshes, which end with the stack that is given."""
    return lambda stack: Mesh(tls, stack)


@pytest.fixture
async def bare_mesh(tls: IssueTls) -> AsyncIterator[Mesh]:
    """A mesh whose coordinator is not started yet."""
    async with AsyncExitStack() as stack:
        yield Mesh(tls, stack)


@pytest.fixture
async def mesh(bare_mesh: Mesh) -> Mesh:
    """A mesh with a coordinator and no nodes."""
    await bare_mesh.start()
    return bare_mesh


@pytest.fixture
async def pocket_mesh(bare_mesh: Mesh, tls: IssueTls, tmp_path: Path) -> AsyncIterator[Mesh]:
    """A coordinator and two real nodes with two pocket models each, all ready to vote."""
    await bare_mesh.start(heartbeat_seconds=0.2)
    async with nodes(bare_mesh, tls, tmp_path):
        yield bare_mesh
