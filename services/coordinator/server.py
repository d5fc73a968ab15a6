"""CoordinatorService: from the wire to the story in `ask`, and back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from quorate import voting
from quorate.authorization import known_peer
from quorate.calls import time_left
from quorate.errors import InvalidRequest, NotImplementedYet, QuorateError
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc
from services.coordinator import ask, responses_plan
from services.coordinator.events import NOBODY, Listener
from services.coordinator.learning_server import LearningServer
from services.coordinator.limits import DAY_SECONDS
from services.coordinator.requests import question_of
from services.coordinator.responses import circuit_of, plan_of, result_of
from services.coordinator.telling import Told, tell

if TYPE_CHECKING:
    import grpc.aio

    from quorate.config import CoordinatorSettings
    from services.coordinator.breaker import Circuit
    from services.coordinator.means import Means
    from services.coordinator.nodes import NodeCaller
    from services.coordinator.question import Question
    from services.coordinator.registry import Lease, Registry

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

MOST_EVENTS_WAITING: Final = 256
"""Events between the models and a slow reader; then the models wait, and memory stays bounded."""
DRAIN_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Clocks:
    """Monotonic seconds for leases and deadlines, and the time of day as seconds since 1970."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]


class CoordinatorServer(LearningServer, coordinator_pb2_grpc.CoordinatorServiceServicer):
    """Serves questions and the table of nodes."""

    def __init__(
        self,
        means: Means,
        registry: Registry,
        caller: NodeCaller,
        settings: CoordinatorSettings,
        clocks: Clocks,
    ) -> None:
        self._means = means
        self.memory = means.memory
        self._registry = registry
        self._caller = caller
        self._settings = settings
        self._clocks = clocks

    async def Ask(  # noqa: N802
        self, request: coordinator_pb2.AskRequest, context: Context
    ) -> coordinator_pb2.AskResponse:
        """Answer a question."""
        question = self._question(request.question, context)
        result = await ask.answer(self._means, question, NOBODY)
        return coordinator_pb2.AskResponse(result=result_of(result))

    async def AskStream(  # type: ignore[override]  # noqa: N802
        self, request: coordinator_pb2.AskStreamRequest, context: Context
    ) -> None:
        """Answer a question and stream what happens; the reader's cancel reaches every node."""
        question = self._question(request.question, context)
        events: asyncio.Queue[Told] = asyncio.Queue(MOST_EVENTS_WAITING)
        listener = Listener(events.put, tokens=not request.omit_tokens)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_into(events, question, listener))
            await tell(events, context.write, batched=request.batched)

    async def _answer_into(
        self, events: asyncio.Queue[Told], question: Question, listener: Listener
    ) -> None:
        try:
            await ask.answer(self._means, question, listener)
        except QuorateError as error:
            # Behind the events that led to it: the reader sees both.
            await events.put(error)
        await events.put(None)

    async def Plan(  # noqa: N802
        self, request: coordinator_pb2.PlanRequest, context: Context
    ) -> coordinator_pb2.PlanResponse:
        """Say how a question would be split and who would vote."""
        question = self._question(request.question, context)
        made, frontier = await ask.plan(self._means, question, pareto=request.pareto)
        points = map(responses_plan.point_of, frontier)
        return coordinator_pb2.PlanResponse(plan=plan_of(made), frontier=points)

    async def ListNodes(  # noqa: N802
        self, request: coordinator_pb2.ListNodesRequest, context: Context
    ) -> coordinator_pb2.ListNodesResponse:
        """List the live nodes as of their last heartbeat."""
        now = self._clocks.monotonic()
        circuits = self._means.traffic.circuits()
        nodes = [self._node(lease, now, circuits) for lease in self._registry.leases(now)]
        return coordinator_pb2.ListNodesResponse(nodes=nodes)

    def _node(self, lease: Lease, now: float, circuits: Sequence[Circuit]) -> coordinator_pb2.Node:
        node = coordinator_pb2.Node(
            address=lease.node.address,
            group=lease.node.group,
            circuits=[circuit_of(one) for one in circuits if one.place.node == lease.node.name],
        )
        node.status.MergeFromString(lease.node.report)
        if lease.drain:
            node.status.state = common_pb2.NODE_STATE_DRAINING
        age = now - self._registry.last_heartbeat(lease)
        node.last_heartbeat.FromNanoseconds(int((self._clocks.wall() - age) * 1e9))
        return node

    async def DrainNode(  # noqa: N802
        self, request: coordinator_pb2.DrainNodeRequest, context: Context
    ) -> coordinator_pb2.DrainNodeResponse:
        """Ask no more of a node, and let it finish what it has."""
        seconds = request.timeout_seconds
        if not 0.0 <= seconds <= DAY_SECONDS or math.isnan(seconds):
            raise InvalidRequest.field(
                "timeout_seconds", seconds, f"it must lie in [0, {DAY_SECONDS}]", "0 means 30."
            )
        node = self._registry.drain(request.node, self._clocks.monotonic())
        abandoned = await self._caller.drain(node, seconds or DRAIN_SECONDS)
        return coordinator_pb2.DrainNodeResponse(abandoned=abandoned)

    async def ListStrategies(  # noqa: N802
        self, request: coordinator_pb2.ListStrategiesRequest, context: Context
    ) -> coordinator_pb2.ListStrategiesResponse:
        """List the voting strategies by name."""
        table = sorted(voting.STRATEGIES.values(), key=lambda strategy: strategy.name)
        strategies = [
            coordinator_pb2.Strategy(
                name=strategy.name, aliases=strategy.aliases, description=strategy.description
            )
            for strategy in table
        ]
        return coordinator_pb2.ListStrategiesResponse(strategies=strategies)

    async def SubmitBatch(  # noqa: N802
        self, request: coordinator_pb2.SubmitBatchRequest, context: Context
    ) -> coordinator_pb2.SubmitBatchResponse:
        """Refuse: batches come later."""
        _later("Batch jobs")

    async def GetBatch(  # noqa: N802
        self, request: coordinator_pb2.GetBatchRequest, context: Context
    ) -> coordinator_pb2.GetBatchResponse:
        """Refuse: batches come later."""
        _later("Batch jobs")

    async def ListBatches(  # noqa: N802
        self, request: coordinator_pb2.ListBatchesRequest, context: Context
    ) -> coordinator_pb2.ListBatchesResponse:
        """Refuse: batches come later."""
        _later("Batch jobs")

    async def CancelBatch(  # noqa: N802
        self, request: coordinator_pb2.CancelBatchRequest, context: Context
    ) -> coordinator_pb2.CancelBatchResponse:
        """Refuse: batches come later."""
        _later("Batch jobs")

    async def StreamBatchResults(  # type: ignore[override]  # noqa: N802
        self, request: coordinator_pb2.StreamBatchResultsRequest, context: Context
    ) -> None:
        """Refuse: batches come later."""
        _later("Batch jobs")

    def _question(self, asked: coordinator_pb2.Question, context: Context) -> Question:
        peer = known_peer(context)
        return question_of(
            asked,
            self._settings.strategy,
            time_left(self._clocks.monotonic()),
            f"{peer.role}/{peer.name}" if peer else "",
        )


def _later(feature: str) -> NoReturn:
    raise NotImplementedYet(f"{feature}: this comes with a later version.")
