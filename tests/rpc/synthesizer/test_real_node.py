"""A synthesizer with a real node and its pocket models."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from quorate.identity import Role
from quorate.v1 import synthesizer_pb2

pytestmark = pytest.mark.anyio
START_SECONDS = 60


@pytest.fixture
async def address(tmp_path: Path, tls) -> AsyncIterator[str]:
    """Run `python -m services.node` with the pocket models that merge and judge."""
    ready = tmp_path / "n1.ready"
    settings = {
        "name": "n1",
        "tls": {key: str(path) for key, path in tls(Role.NODE, "n1")},
        "ready_file": str(ready),
        "runtime_directory": str(tmp_path / "runtime"),
        "models": [{"name": "compass"}, {"name": "marshal"}],
    }
    path = tmp_path / "n1.yaml"
    path.write_text(yaml.safe_dump(settings))
    with (tmp_path / "n1.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.node", "--settings", str(path), stderr=log
        )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not ready.exists():
                assert process.returncode is None, (tmp_path / "n1.log").read_text()
                await asyncio.sleep(0.02)
        yield json.loads(ready.read_text())["address"]
    finally:
        process.terminate()
        await process.wait()


async def test_every_answer_survives_whatever_the_pocket_models_write(desk, parts, address) -> None:
    models = [
        synthesizer_pb2.SynthesisModel(address=address, node="n1", model=name)
        for name in ("compass", "marshal")
    ]
    heard = await desk.synthesize(parts, *models)
    assert heard.result.method in ("model", "deterministic")
    assert heard.result.usage.completion_tokens > 0
    assert heard.shown.index("4") < heard.shown.index("Paris")
