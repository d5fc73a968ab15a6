"""Five nodes that answer at once: real gRPC over mTLS with a stream of tokens, and no model.

`python -m services.bench.coordinator.nodes FOLDER COORDINATOR` serves until it is ended, and writes
the nodes' addresses to FOLDER/nodes.json. Only the coordinator's own cost is left to be seen.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from quorate import authorization, server
from quorate.channel import Peers
from quorate.config import ModelSettings, NodeSettings, TelemetrySettings
from quorate.identity import Role, issue
from quorate.telemetry import Telemetry
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc, registry_pb2, registry_pb2_grpc
from services.bench.coordinator.question import ANSWER, MODEL, NODES

if TYPE_CHECKING:
    import grpc.aio

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

STARTED = node_pb2.GenerateResponse(started=node_pb2.GenerateStarted(model=MODEL))
STEP = node_pb2.GenerateResponse(
    step=node_pb2.GenerateStep(
        deltas=[
            node_pb2.SampleDelta(
                text=ANSWER, tokens=[common_pb2.TokenLogprob(token=1, text=ANSWER, logprob=-0.1)]
            )
        ]
    )
)
FINISHED = node_pb2.GenerateResponse(
    finished=node_pb2.SampleFinished(
        reason=common_pb2.FINISH_REASON_STOP,
        usage=common_pb2.Usage(prompt_tokens=8, completion_tokens=1),
        mean_logprob=-0.1,
    )
)
BATCH = node_pb2.GenerateResponse(batch=node_pb2.GenerateBatch(events=[STARTED, STEP, FINISHED]))


class InstantNode(node_pb2_grpc.NodeServiceServicer):
    """Streams one answer of one token, whatever it is asked."""

    async def Generate(  # type: ignore[override]  # noqa: N802
        self, request: node_pb2.GenerateRequest, context: Context
    ) -> None:
        """Answer, in one message for who allows that, as a node does."""
        for message in (BATCH,) if request.max_delay_seconds else BATCH.batch.events:
            await context.write(message)


async def _start(name: str, folder: Path, coordinator: str, stack: AsyncExitStack) -> str:
    """Serve one node and register it; gives its address."""
    tls = issue(folder, Role.NODE, name, now=datetime.now(UTC))
    settings = NodeSettings(name=name, tls=tls, models=[ModelSettings(name=MODEL)])
    service = server.Service(
        authorization.NODE,
        # The other methods answer UNIMPLEMENTED, as the base class has them.
        lambda to: node_pb2_grpc.add_NodeServiceServicer_to_server(InstantNode(), to),  # type: ignore[abstract]
    )
    telemetry = Telemetry(TelemetrySettings(), "node", name)
    serving = server.build(settings, Role.NODE, [service], telemetry)
    await stack.enter_async_context(serving)
    await serving.start()
    peers = await stack.enter_async_context(Peers(tls))
    lease = registry_pb2_grpc.RegistryServiceStub(peers.channel(coordinator)).Lease()
    model = common_pb2.ModelInfo(name=MODEL, state=common_pb2.MODEL_STATE_READY)
    status = common_pb2.NodeStatus(node=name, state=common_pb2.NODE_STATE_SERVING, models=[model])
    await lease.write(registry_pb2.LeaseRequest(address=serving.address, status=status))
    await lease.read()
    stack.callback(lease.cancel)  # holds the lease until the end: a call nobody keeps ends
    return serving.address


async def _serve(folder: Path, coordinator: str) -> None:
    async with AsyncExitStack() as stack:
        addresses = {name: await _start(name, folder, coordinator, stack) for name in NODES}
        partial = folder / "nodes.partial"
        partial.write_text(json.dumps(addresses), encoding="utf-8")
        partial.rename(folder / "nodes.json")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
