"""Nodes as programs, with pocket models, at a coordinator under test."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import yaml

from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAIRS = {"n1": ("abacus", "atlas"), "n2": ("scribe", "marshal")}


@asynccontextmanager
async def program(
    settings: dict[str, object], path: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a node for as long as the block lasts."""
    path.write_text(yaml.safe_dump(settings), "utf-8")  # noqa: ASYNC240
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.node", "--settings", str(path)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def settings_of(mesh, tls, folder: Path, name: str, models: object) -> dict[str, object]:
    return {
        "name": name,
        "coordinators": [mesh.address],
        "models": models,
        "drain_seconds": 0.5,
        "runtime_directory": str(folder),
        "tls": {key: str(file) for key, file in tls(Role.NODE, name).model_dump().items()},
    }


@asynccontextmanager
async def nodes(mesh, tls, folder: Path) -> AsyncIterator[dict[str, asyncio.subprocess.Process]]:
    """Run two nodes with two models each, until all four vote."""
    async with AsyncExitStack() as stack:
        running = {}
        for name, models in PAIRS.items():
            named = [{"name": model} for model in models]
            settings = settings_of(mesh, tls, folder, name, named)
            process = program(settings, folder / f"{name}.yaml")
            running[name] = await stack.enter_async_context(process)
        await until_ready(mesh, 4)
        yield running


async def until_ready(mesh, models: int) -> None:
    async with asyncio.timeout(60):
        while await ready(mesh) < models:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def ready(mesh) -> int:
    response = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    return sum(
        model.state == common_pb2.MODEL_STATE_READY
        for node in response.nodes
        for model in node.status.models
    )
