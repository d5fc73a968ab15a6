"""One generation on the wire: passed on as it comes, measured and traced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from quorate.errors import DeadlineExceeded
from services.node import convert, spans
from services.node.engine.messages import FinishReason

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from quorate.telemetry import Telemetry
    from quorate.v1 import node_pb2
    from services.node.engine.messages import Finished, Progress
    from services.node.meter import Meters
    from services.node.requests import Order
    from services.node.supervisor import Supervisor

    Write: TypeAlias = Callable[[node_pb2.GenerateResponse], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """When a call arrived and when it must end, as readings of the monotonic clock."""

    arrived: float
    deadline: float | None


@dataclass(frozen=True)
class Speaking:
    """Has models speak. Owned by the node's event loop."""

    supervisor: Supervisor
    meters: Meters
    telemetry: Telemetry

    async def run(
        self,
        order: Order,
        sha256: str,
        call: Call,
        write: Write,
        note: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        """Generate to the end; `note` learns of each step before `write` passes it on.

        Raises what ends the generation, DeadlineExceeded after all samples have been told of;
        cancelling it gives the generation up.
        """
        told = False
        finished: list[Finished] = []
        with (
            self.meters.generation(order, call.arrived) as meter,
            self._span(order) as span,
        ):
            async with aclosing(self.supervisor.generate(order, call.deadline)) as stream:
                async for progress in stream:
                    meter.add(progress)
                    note(progress)
                    if not told and (
                        progress.prompt_tokens or progress.deltas or progress.finished
                    ):
                        told = True  # a server of another kind may count the prompt at the end
                        await write(convert.started(order, sha256, progress.prompt_tokens))
                    for response in convert.responses(progress):
                        await write(response)
                    finished += progress.finished
            span.set_attributes(spans.answered(order.model, finished))
            if any(sample.reason is FinishReason.CANCELLED for sample in finished):
                # An engine gives up by itself only for the deadline, perhaps before gRPC does.
                raise DeadlineExceeded(f"the time ended before {order.model!r} had answered")

    def _span(self, order: Order) -> AbstractContextManager[Span]:
        backend = self.supervisor.models[order.model].settings.backend
        asked = spans.asked(order, backend)
        return self.telemetry.model_span(spans.operation(order), order.model, asked)
