"""The synchronous client: the asynchronous one, run in a thread of its own."""

from __future__ import annotations

import queue
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from anyio.from_thread import BlockingPortal, start_blocking_portal

from quorate.client.aio import TIMEOUT_SECONDS, AsyncClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
    from pathlib import Path
    from types import TracebackType

    from quorate.client import mesh_results, plans, results
    from quorate.client.learned import Learned
    from quorate.client.question import Asked, Options
    from quorate.config import TlsSettings

Item = TypeVar("Item")
Given = TypeVar("Given")


class Client:
    """Asks a coordinator, blocking until it answers.

        with Client.from_mesh() as client:
            print(client.ask("What is 10% of 1000?"))

    Parameters, methods and errors are those of AsyncClient. Threads may share one client.
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
        self._make: Callable[[], AsyncClient] = lambda: AsyncClient(
            address,
            tls,
            insecure=insecure,
            timeout_seconds=timeout_seconds,
            coordinator=coordinator,
        )
        self._resources = ExitStack()
        self._open: tuple[BlockingPortal, AsyncClient] | None = None

    @classmethod
    def from_mesh(
        cls,
        home: Path | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        *,
        admin: bool = False,
    ) -> Self:
        """Give a client of the mesh that `quorate up` runs on this machine; raises NoMesh."""
        client = cls.__new__(cls)
        client._make = lambda: AsyncClient.from_mesh(home, timeout_seconds, admin=admin)
        client._resources = ExitStack()
        client._open = None
        return client

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            portal = opening.enter_context(start_blocking_portal())
            client = portal.call(self._make_inside)
            opening.enter_context(portal.wrap_async_context_manager(client))
            self._resources = opening.pop_all()
        self._open = portal, client
        return self

    async def _make_inside(self) -> AsyncClient:
        return self._make()  # grpc.aio binds to the loop that it is made in

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = None
        self._resources.__exit__(kind, error, trace)

    def _opened(self) -> tuple[BlockingPortal, AsyncClient]:
        if self._open is None:
            raise RuntimeError("the client is closed; use it in a with statement")
        return self._open

    def _call(self, method: Callable[[AsyncClient], Awaitable[Given]]) -> Given:
        portal, client = self._opened()
        return portal.call(method, client)

    def _iterate(
        self, method: Callable[[AsyncClient], AsyncGenerator[Item]]
    ) -> Generator[Item, None, None]:
        """Pump an asynchronous iterator; closing this one cancels that one."""
        portal, client = self._opened()
        arrived: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async with aclosing(method(client)) as items:
                    async for item in items:
                        arrived.put(item)
            finally:
                arrived.put(_End())

        task = portal.start_task_soon(pump)
        try:
            while not isinstance(item := arrived.get(), _End):
                yield item
            task.result()
        finally:
            task.cancel()

    def ask(self, asked: Asked, **options: Unpack[Options]) -> results.Answer:
        """Answer a question."""
        return self._call(lambda client: client.ask(asked, **options))

    def stream(
        self, asked: Asked, *, omit_tokens: bool = False, **options: Unpack[Options]
    ) -> Generator[results.Event, None, None]:
        """Answer a question and tell all that happens; closing the iterator cancels it."""
        return self._iterate(
            lambda client: client.stream(asked, omit_tokens=omit_tokens, **options)
        )

    def plan(self, asked: Asked, *, pareto: bool = False, **options: Unpack[Options]) -> plans.Plan:
        """Give the subtasks and their models without running them."""
        return self._call(lambda client: client.plan(asked, pareto=pareto, **options))

    def submit_batch(
        self, questions: Sequence[Asked], *, name: str = "", idempotency_key: str = ""
    ) -> mesh_results.Batch:
        """Queue questions; a repeated idempotency key gives the first batch again."""
        return self._call(
            lambda client: client.submit_batch(
                questions, name=name, idempotency_key=idempotency_key
            )
        )

    def batch(self, batch_id: str) -> mesh_results.Batch:
        """Give the state of a batch."""
        return self._call(lambda client: client.batch(batch_id))

    def batches(self, *, page_size: int = 100, page_token: str = "") -> mesh_results.BatchPage:
        """Give a page of batches, newest first."""
        return self._call(lambda client: client.batches(page_size=page_size, page_token=page_token))

    def cancel_batch(self, batch_id: str) -> mesh_results.Batch:
        """Cancel a batch; finished results stay."""
        return self._call(lambda client: client.cancel_batch(batch_id))

    def batch_results(
        self, batch_id: str, *, from_position: int = 0
    ) -> Generator[mesh_results.BatchResult, None, None]:
        """Give a batch's results as they are finished, from a position on."""
        return self._iterate(
            lambda client: client.batch_results(batch_id, from_position=from_position)
        )

    def feedback(
        self, question_id: str, *, ground_truth: str = "", correct: bool | None = None
    ) -> tuple[str, ...]:
        """Say whether an answer was right; gives the models whose reliability changed."""
        return self._call(
            lambda client: client.feedback(question_id, ground_truth=ground_truth, correct=correct)
        )

    def learned(self, topic: str | None = None) -> Learned:
        """Give what was learned of the models, on one topic or (None) on all."""
        return self._call(lambda client: client.learned(topic))

    def reset_learned(self, model: str = "") -> int:
        """Forget a model, or everything for ""; gives how many rows."""
        return self._call(lambda client: client.reset_learned(model))

    def export_learned(self) -> str:
        """Give all that was learned as JSON."""
        return self._call(lambda client: client.export_learned())

    def import_learned(self, state: str) -> int:
        """Put exported JSON in the place of all that was learned; gives how many rows."""
        return self._call(lambda client: client.import_learned(state))

    def record(self, question_id: str) -> str:
        """Give the record of an answer as JSON."""
        return self._call(lambda client: client.record(question_id))

    def nodes(self) -> tuple[mesh_results.Node, ...]:
        """Give the live nodes in order of their names."""
        return self._call(lambda client: client.nodes())

    def drain_node(self, node: str, *, timeout_seconds: float = 30.0) -> int:
        """Drain a node; gives how many requests still ran when the timeout passed."""
        return self._call(lambda client: client.drain_node(node, timeout_seconds=timeout_seconds))

    def strategies(self) -> tuple[results.Strategy, ...]:
        """Give the voting strategies in order of their names."""
        return self._call(lambda client: client.strategies())


class _End:
    """Marks that an iterator has ended."""
