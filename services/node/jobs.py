"""LoadModel and UnloadModel: the progress of a job, for as long as its caller listens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest
from quorate.v1 import node_pb2
from services.node import convert
from services.node.requests import check_name

if TYPE_CHECKING:
    from services.node.context import Context
    from services.node.model import Model
    from services.node.residency import Job
    from services.node.supervisor import Supervisor

TELL_SECONDS: Final = 0.1


async def load(
    supervisor: Supervisor, request: node_pb2.LoadModelRequest, context: Context
) -> None:
    """Begin or join a load, and write how far it is until it has ended; raises its error."""
    model = _own(supervisor, request.model)
    job = supervisor.residency.load(model, evict=request.evict)
    told = -1.0
    while not job.finished:
        if model.loaded_share != told:
            told = model.loaded_share
            # All weights are there before the cache is: 1 is for a model that answers.
            await _write_load(model, min(told, 0.99), context)
        await _pause(job, supervisor)
    await supervisor.residency.wait(job)
    await _write_load(model, 1.0, context)


async def unload(
    supervisor: Supervisor, request: node_pb2.UnloadModelRequest, context: Context
) -> None:
    """Begin or join an unload, and write what came back until all has; raises its error."""
    model = _own(supervisor, request.model)
    job = supervisor.residency.unload(model)
    while not job.finished:
        await _write_unload(model, job, context)
        await _pause(job, supervisor)
    await supervisor.residency.wait(job)
    await _write_unload(model, job, context)


async def _pause(job: Job, supervisor: Supervisor) -> None:
    end = asyncio.get_running_loop().time() + TELL_SECONDS
    try:
        async with asyncio.timeout_at(end):
            while not job.finished:
                await supervisor.changes.wait()
    except TimeoutError:
        return


async def _write_load(model: Model, fraction: float, context: Context) -> None:
    await context.write(
        node_pb2.LoadModelResponse(fraction=fraction, model=convert.model_info(model))
    )


async def _write_unload(model: Model, job: Job, context: Context) -> None:
    await context.write(
        node_pb2.UnloadModelResponse(
            model=convert.model_info(model), returned_bytes=job.returned_bytes
        )
    )


def _own(supervisor: Supervisor, name: str) -> Model:
    """Give a model whose engines are this node's own."""
    check_name(name, supervisor.models)
    if name not in supervisor.own:
        raise InvalidRequest.field(
            "model",
            name,
            "its engine is not this node's own",
            "Load and unload it at the server where it runs.",
        )
    return supervisor.own[name]
