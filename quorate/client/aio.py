"""The asynchronous client of a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack

from quorate.channel import Peers
from quorate.client import (
    from_proto,
    local_mesh,
    mesh_from_proto,
    mesh_results,
    plan_from_proto,
    to_proto,
)
from quorate.client.learned import learned as read_learned
from quorate.client.question import Asked, Options, question_of
from quorate.identity import Role
from quorate.v1 import coordinator_pb2 as wire
from quorate.v1 import coordinator_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path
    from types import TracebackType

    from quorate.client import plans, results
    from quorate.client.learned import Learned
    from quorate.config import TlsSettings

TIMEOUT_SECONDS = 300.0
MARGIN_SECONDS = 10.0


class AsyncClient:
    """Asks a coordinator.

        async with AsyncClient.from_mesh() as client:
            answer = await client.ask("What is 10% of 1000?")

    `address` is the coordinator's host:port. `tls` is the caller's identity; None needs
    `insecure`, which a coordinator accepts on loopback alone. `coordinator` is the name in the
    coordinator's certificate; None talks to any coordinator of the mesh. `timeout_seconds` bounds
    every call. All methods raise errors of `quorate.errors` only.
    """

    def __init__(
        self,
        address: str,
        tls: TlsSettings | None = None,
        *,
        insecure: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
        coordinator: str | None = None,
    ) -> None:
        self.address = address
        self.timeout_seconds = timeout_seconds
        self._peers = Peers(tls, insecure=insecure)
        self._peer = (Role.COORDINATOR, coordinator) if coordinator else Role.COORDINATOR

    @classmethod
    def from_mesh(
        cls,
        home: Path | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        *,
        admin: bool = False,
    ) -> Self:
        """Give a client of the mesh that `quorate up` runs on this machine.

        `home` is the mesh's home directory; None is $QUORATE_HOME or the usual place. `admin` calls
        as its administrator. Raises NoMesh when none runs there.
        """
        mesh = local_mesh.running(home or local_mesh.default_home())
        return cls(
            mesh.coordinator,
            mesh.admin if admin else mesh.tls,
            insecure=mesh.insecure,
            coordinator=mesh.coordinator_name,
            timeout_seconds=timeout_seconds,
        )

    async def __aenter__(self) -> Self:
        await self._peers.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._peers.__aexit__(kind, error, trace)

    @property
    def _stub(self) -> coordinator_pb2_grpc.CoordinatorServiceAsyncStub:
        # The channel is asked for at every call: Peers swaps it when certificates are renewed.
        channel = self._peers.channel(self.address, self._peer)
        return coordinator_pb2_grpc.CoordinatorServiceStub(channel)

    async def ask(self, asked: Asked, **options: Unpack[Options]) -> results.Answer:
        """Answer a question.

        Raises NoQuorum when no usable ballot arrived, NoNodes, UnknownStrategy, DeadlineExceeded.
        """
        request = wire.AskRequest(question=to_proto.question(question_of(asked, options)))
        response = await self._stub.Ask(request, timeout=self.timeout_seconds)
        return from_proto.answer(response.result)

    async def stream(
        self, asked: Asked, *, omit_tokens: bool = False, **options: Unpack[Options]
    ) -> AsyncGenerator[results.Event]:
        """Answer a question and tell all that happens on the way; an Answer comes last.

        Leaving the loop early cancels the question, down to the engines. Raises as `ask`.
        """
        request = wire.AskStreamRequest(
            question=to_proto.question(question_of(asked, options)),
            omit_tokens=omit_tokens,
            batched=True,
        )
        call = self._stub.AskStream(request, timeout=self.timeout_seconds)
        try:
            async for response in call:
                for one in response.batch.events or (response,):
                    if (event := from_proto.event(one)) is not None:
                        yield event
        finally:
            call.cancel()

    async def plan(
        self, asked: Asked, *, pareto: bool = False, **options: Unpack[Options]
    ) -> plans.Plan:
        """Give the subtasks and their models without running them.

        `pareto` wants the plans, too, that no other beats in reliability, tokens and seconds.
        """
        request = wire.PlanRequest(
            question=to_proto.question(question_of(asked, options)), pareto=pareto
        )
        response = await self._stub.Plan(request, timeout=self.timeout_seconds)
        return plan_from_proto.plan(response.plan, response.frontier)

    async def submit_batch(
        self, questions: Sequence[Asked], *, name: str = "", idempotency_key: str = ""
    ) -> mesh_results.Batch:
        """Queue questions; a repeated idempotency key gives the first batch again."""
        request = wire.SubmitBatchRequest(
            questions=[to_proto.question(question_of(asked, {})) for asked in questions],
            name=name,
            idempotency_key=idempotency_key,
        )
        response = await self._stub.SubmitBatch(request, timeout=self.timeout_seconds)
        return mesh_from_proto.batch(response.batch)

    async def batch(self, batch_id: str) -> mesh_results.Batch:
        """Give the state of a batch; raises NotFound."""
        request = wire.GetBatchRequest(batch_id=batch_id)
        response = await self._stub.GetBatch(request, timeout=self.timeout_seconds)
        return mesh_from_proto.batch(response.batch)

    async def batches(
        self, *, page_size: int = 100, page_token: str = ""
    ) -> mesh_results.BatchPage:
        """Give a page of batches, newest first."""
        request = wire.ListBatchesRequest(page_size=page_size, page_token=page_token)
        response = await self._stub.ListBatches(request, timeout=self.timeout_seconds)
        batches = tuple(mesh_from_proto.batch(batch) for batch in response.batches)
        return mesh_results.BatchPage(batches, response.next_page_token)

    async def cancel_batch(self, batch_id: str) -> mesh_results.Batch:
        """Cancel a batch; finished results stay. Raises NotFound."""
        request = wire.CancelBatchRequest(batch_id=batch_id)
        response = await self._stub.CancelBatch(request, timeout=self.timeout_seconds)
        return mesh_from_proto.batch(response.batch)

    async def batch_results(
        self, batch_id: str, *, from_position: int = 0
    ) -> AsyncGenerator[mesh_results.BatchResult]:
        """Give a batch's results as they are finished, from a position on, without a time limit."""
        request = wire.StreamBatchResultsRequest(batch_id=batch_id, from_position=from_position)
        call = self._stub.StreamBatchResults(request)
        try:
            async for response in call:
                yield mesh_from_proto.batch_result(response)
        finally:
            call.cancel()

    async def feedback(
        self, question_id: str, *, ground_truth: str = "", correct: bool | None = None
    ) -> tuple[str, ...]:
        """Say whether an answer was right; gives the models whose reliability changed."""
        request = wire.FeedbackRequest(question_id=question_id, ground_truth=ground_truth)
        if correct is not None:
            request.correct = correct
        response = await self._stub.Feedback(request, timeout=self.timeout_seconds)
        return tuple(response.models)

    async def learned(self, topic: str | None = None) -> Learned:
        """Give what was learned of the models, on one topic or (None) on all."""
        request = wire.GetLearnedRequest(topic=topic)
        response = await self._stub.GetLearned(request, timeout=self.timeout_seconds)
        return read_learned(response)

    async def reset_learned(self, model: str = "") -> int:
        """Forget a model, or everything for ""; gives how many rows. Needs an admin."""
        request = wire.ResetLearnedRequest(model=model)
        response = await self._stub.ResetLearned(request, timeout=self.timeout_seconds)
        return response.rows

    async def export_learned(self) -> str:
        """Give all that was learned as JSON. Needs an admin."""
        response = await self._stub.ExportLearned(
            wire.ExportLearnedRequest(), timeout=self.timeout_seconds
        )
        return response.state

    async def import_learned(self, state: str) -> int:
        """Put exported JSON in the place of all that was learned. Needs an admin.

        Gives how many rows it holds; raises InvalidRequest, and then changes nothing.
        """
        request = wire.ImportLearnedRequest(state=state)
        response = await self._stub.ImportLearned(request, timeout=self.timeout_seconds)
        return response.rows

    async def record(self, question_id: str) -> str:
        """Give the record of an answer as JSON; raises NotFound. Needs an admin."""
        request = wire.GetRecordRequest(question_id=question_id)
        response = await self._stub.GetRecord(request, timeout=self.timeout_seconds)
        return response.record

    async def nodes(self) -> tuple[mesh_results.Node, ...]:
        """Give the live nodes in order of their names."""
        response = await self._stub.ListNodes(wire.ListNodesRequest(), timeout=self.timeout_seconds)
        return tuple(mesh_from_proto.node(node) for node in response.nodes)

    async def drain_node(self, node: str, *, timeout_seconds: float = 30.0) -> int:
        """Drain a node; gives how many requests still ran when the timeout passed.

        Needs an admin's certificate: others get NotPermitted.
        """
        request = wire.DrainNodeRequest(node=node, timeout_seconds=timeout_seconds)
        response = await self._stub.DrainNode(request, timeout=timeout_seconds + MARGIN_SECONDS)
        return response.abandoned

    async def strategies(self) -> tuple[results.Strategy, ...]:
        """Give the voting strategies in order of their names."""
        response = await self._stub.ListStrategies(
            wire.ListStrategiesRequest(), timeout=self.timeout_seconds
        )
        return tuple(from_proto.strategy(strategy) for strategy in response.strategies)
