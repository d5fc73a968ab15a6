"""Topics by the embeddings of a real pocket model, on a real node."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2
from services.bench.suites.pocket import items

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

LABELS = {
    "arithmetic": "math",
    "facts": "facts",
    "extraction": "extraction",
    "python": "code",
    "yes_no": "reasoning",
}
EACH = 24
FLOOR = 0.6
"""Seven topics to choose from: chance is 0.14, and one topic for all gets 0.2."""
MODEL = "atlas"


async def test_embeddings_tell_the_topics_of_held_out_pocket_items(
    bare_mesh, tls, tmp_path: Path, caplog
) -> None:
    mesh = bare_mesh
    await mesh.start(topics="embedding", topic_model=MODEL)
    settings = {
        "name": "n1",
        "coordinators": [mesh.address],
        "models": [{"name": MODEL}],
        "drain_seconds": 0.5,
        "runtime_directory": str(tmp_path),
        "tls": {key: str(file) for key, file in tls(Role.NODE, "n1").model_dump().items()},
    }
    path = tmp_path / "n1.yaml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.node", "--settings", str(path)
    )
    try:
        await until_ready(mesh)
        told = {
            task: [
                await topic_of(mesh, item.prompt) == topic for item in items(task, "test", 21, EACH)
            ]
            for task, topic in LABELS.items()
        }
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    right = {task: sum(found) for task, found in told.items()}
    overall = sum(right.values()) / (EACH * len(LABELS))
    print(f"topics by embedding with {MODEL}: {overall:.3f} of {EACH * len(LABELS)}, {right}")
    assert "told by rules" not in caplog.text
    assert overall >= FLOOR


async def topic_of(mesh, text: str) -> str:
    """Ask for one token, and read the part, which has its topic with or without an answer."""
    question = coordinator_pb2.Question(
        messages=[common_pb2.ChatMessage(content=text)],
        sampling=common_pb2.Sampling(max_tokens=1),
        decompose=coordinator_pb2.DECOMPOSE_MODE_NONE,
    )
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    async with asyncio.timeout(20):
        async for event in call:
            if event.WhichOneof("event") == "part":
                call.cancel()
                return str(event.part.topic)
    raise AssertionError("no part was decided")


async def until_ready(mesh) -> None:
    async with asyncio.timeout(60):
        while True:
            response = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
            states = [model.state for node in response.nodes for model in node.status.models]
            if states == [common_pb2.MODEL_STATE_READY]:
                return
            await asyncio.sleep(0.05)
