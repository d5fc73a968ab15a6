"""A vote through a real coordinator, of the node's own engine and a model behind a server."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory, tls) -> Iterator[str]:
    """Run a coordinator; gives its address."""
    directory = tmp_path_factory.mktemp("coordinator")
    ready: Path = directory / "ready"
    settings = {
        "name": "coordinator",
        "tls": {key: str(path) for key, path in tls(Role.COORDINATOR, "coordinator")},
        "ready_file": str(ready),
        "heartbeat_seconds": 0.2,
    }
    path = directory / "coordinator.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "services.coordinator", "--settings", str(path)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        for _ in range(1000):
            if ready.exists():
                break
            assert process.poll() is None, (directory / "log").read_text()
            subprocess.run(["sleep", "0.02"], check=True)
        yield json.loads(ready.read_text())["address"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


async def test_an_own_model_and_a_servers_model_vote_together(
    coordinator, servers, key_file, start_node, peers
) -> None:
    remote = {"name": "remote", "backend": "openai", "dialect": "llama.cpp",
              "url": servers["chat"].url, "api_key_file": str(key_file)}  # fmt: skip
    settings = {"models": [{"name": "marshal"}, remote], "coordinators": [coordinator]}
    with start_node("voters", **settings):
        stub = coordinator_pb2_grpc.CoordinatorServiceStub(
            peers.channel(coordinator, Role.COORDINATOR)
        )
        await _until_two_are_ready(stub)
        question = coordinator_pb2.Question(
            messages=[common_pb2.ChatMessage(content="What is 12 + 30?")],
            sampling=common_pb2.Sampling(max_tokens=64),
            stop_rule=coordinator_pb2.STOP_RULE_NEVER,
        )
        async with asyncio.timeout(60):
            answer = (await stub.Ask(coordinator_pb2.AskRequest(question=question))).result
    ballots = {ballot.model: ballot for ballot in answer.parts[0].ballots}
    assert set(ballots) == {"marshal", "remote"}
    assert answer.quorum.asked == answer.quorum.answered == 2
    own, behind = ballots["marshal"], ballots["remote"]
    assert behind.answer.text == "42"
    assert len(own.model_sha256) == 64
    assert behind.model_sha256 == ""  # the API does not tell it
    assert 0 < behind.confidence <= 1
    assert behind.usage.completion_tokens > 0


async def _until_two_are_ready(stub: coordinator_pb2_grpc.CoordinatorServiceStub) -> None:
    async with asyncio.timeout(30):
        while True:
            response = await stub.ListNodes(coordinator_pb2.ListNodesRequest())
            states = [model.state for node in response.nodes for model in node.status.models]
            if states == [common_pb2.MODEL_STATE_READY] * 2:
                return
            await asyncio.sleep(0.05)
