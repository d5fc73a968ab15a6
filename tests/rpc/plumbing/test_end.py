"""A server ends without cutting off what runs, and says in its health what it is up to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from quorate.channel import Peers
from quorate.errors import Draining, NotFound, PeerUnreachable
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc

pytestmark = pytest.mark.anyio

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
NODE_SERVICE = "quorate.v1.NodeService"


class Steps:
    """A stream that goes on when told to."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Semaphore(0)

    async def generate(self, request: object, context: object) -> Any:
        for _ in range(3):
            await self.may_go_on.acquire()
            yield node_pb2.GenerateResponse()

    async def watch(self, request: object, context: Any) -> None:
        await context.write(node_pb2.WatchStatusResponse())
        await asyncio.Event().wait()

    async def get_status(self, request: object, context: object) -> object:
        return node_pb2.GetStatusResponse()

    async def tokenize(self, request: object, context: object) -> object:
        return node_pb2.TokenizeResponse()


@pytest.fixture
async def node(serve_node: Any, peers: Peers) -> Any:
    steps = Steps()
    methods = {
        "Generate": steps.generate,
        "WatchStatus": steps.watch,
        "GetStatus": steps.get_status,
        "Tokenize": steps.tokenize,
    }
    async with serve_node("atlas", {"probe_port": 0}, **methods) as running:
        running.steps = steps
        running.stub = node_pb2_grpc.NodeServiceStub(peers.channel(running.address))
        yield running


async def check(node: Any, service: str = "") -> Any:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{node.probe_port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        return (await health.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_a_drain_refuses_new_calls_and_lets_running_streams_end(node: Any) -> None:
    stream = node.stub.Generate(node_pb2.GenerateRequest())
    node.steps.may_go_on.release()
    await stream.read()
    assert (node.in_flight, node.draining) == (1, False)
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(node.drain(20))
        await node.wait_draining()
        assert node.draining
        with pytest.raises(Draining) as refused:
            await node.stub.Generate(node_pb2.GenerateRequest()).read()
        assert refused.value.retry_after_seconds == 20
        assert refused.value.retryable
        await node.stub.GetStatus(node_pb2.GetStatusRequest())  # looking is still allowed
        assert not draining.done()
        node.steps.may_go_on.release()
        node.steps.may_go_on.release()
        assert len([message async for message in stream]) == 2
    assert draining.result() is True
    assert node.in_flight == 0


async def test_a_drain_gives_up_when_its_time_is_over(node: Any) -> None:
    stream = node.stub.Generate(node_pb2.GenerateRequest())
    node.steps.may_go_on.release()
    await stream.read()
    assert await node.drain(0.05) is False
    assert node.in_flight == 1


async def test_a_drain_does_not_wait_for_watchers(node: Any) -> None:
    watch = node.stub.WatchStatus(node_pb2.WatchStatusRequest())
    await watch.read()
    assert node.in_flight == 0
    assert await node.drain(20) is True
    watch.cancel()


async def test_stopping_ends_what_is_left(node: Any) -> None:
    watch = node.stub.WatchStatus(node_pb2.WatchStatusRequest())
    await watch.read()
    async with asyncio.timeout(10):
        await node.stop()
        await node.stop()
        await node.wait()
    with pytest.raises(PeerUnreachable):
        await watch.read()


async def test_health_on_the_probe_port_follows_the_state(node: Any) -> None:
    assert await check(node) == SERVING
    assert await check(node, NODE_SERVICE) == SERVING
    await node.set_serving(serving=False)
    assert await check(node, NODE_SERVICE) == NOT_SERVING
    await node.set_serving(serving=True)
    assert await check(node) == SERVING
    await node.drain(1)
    assert await check(node) == NOT_SERVING
    await node.set_serving(serving=True)
    assert await check(node) == NOT_SERVING


async def test_the_probe_port_serves_nothing_but_health(node: Any) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{node.probe_port}") as channel:
        stub = node_pb2_grpc.NodeServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetStatus(node_pb2.GetStatusRequest())
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_health_over_tls_knows_the_services(node: Any, peers: Peers) -> None:
    health = health_pb2_grpc.HealthStub(peers.channel(node.address))
    request = health_pb2.HealthCheckRequest(service=NODE_SERVICE)
    assert (await health.Check(request)).status == SERVING
    with pytest.raises(NotFound, match="Oracle"):
        await health.Check(health_pb2.HealthCheckRequest(service="Oracle"))
    unknown = health.Watch(health_pb2.HealthCheckRequest(service="Oracle"))
    assert (await unknown.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_every_watcher_of_health_hears_of_a_change(node: Any, peers: Peers) -> None:
    health = health_pb2_grpc.HealthStub(peers.channel(node.address))
    first, second = (health.Watch(health_pb2.HealthCheckRequest()) for _ in range(2))
    assert (await first.read()).status == SERVING
    assert (await second.read()).status == SERVING
    first.cancel()
    async with asyncio.timeout(5):
        await check(node)  # gives the server a turn to notice
        await node.set_serving(serving=False)
        assert (await second.read()).status == NOT_SERVING


@pytest.mark.parametrize("role", list(Role))
async def test_any_role_may_reflect(node: Any, tls: Any, role: Role) -> None:
    async with Peers(tls(role, "reflecting")) as anybody:
        stub = reflection_pb2_grpc.ServerReflectionStub(anybody.channel(node.address))
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        await call.done_writing()
        (answer,) = [message async for message in call]
    names = {service.name for service in answer.list_services_response.service}
    assert {NODE_SERVICE, "grpc.health.v1.Health"} <= names


PROGRAM = """
import asyncio, sys
from pathlib import Path
from quorate import authorization, server
from quorate.config import ServiceSettings, load
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import node_pb2, node_pb2_grpc

class Slow(node_pb2_grpc.NodeServiceServicer):
    async def Generate(self, request, context):
        yield node_pb2.GenerateResponse()
        await asyncio.sleep(float(request.model))
        yield node_pb2.GenerateResponse()

async def main():
    settings = load(ServiceSettings, Path(sys.argv[1]), {})
    add = lambda to: node_pb2_grpc.add_NodeServiceServicer_to_server(Slow(), to)
    services = [server.Service(authorization.NODE, add)]
    telemetry = Telemetry(settings.telemetry, "node", settings.name)
    async with server.build(settings, Role.NODE, services, telemetry) as running:
        await running.start()
        await running.wait()
    print("outlived the server", flush=True)

server.run(main)
"""


@pytest.fixture
async def program(tls: Any, tmp_path: Path) -> Any:
    """Run a node as a program of its own; give the process and its address."""
    ready = tmp_path / "ready"
    paths = {key: str(path) for key, path in tls(Role.NODE, "atlas").model_dump().items()}
    settings = {"name": "atlas", "tls": paths, "ready_file": str(ready), "drain_seconds": 20}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, tmp_path / "program.py", tmp_path / "settings.yaml"],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        async with asyncio.timeout(30):
            while not ready.exists():
                assert process.poll() is None, process.communicate()
                await asyncio.sleep(0.05)
        process.address = json.loads(ready.read_text())["address"]
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_program_finish_its_streams(
    program: Any, peers: Peers, number: signal.Signals
) -> None:
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(program.address))
    stream = stub.Generate(node_pb2.GenerateRequest(model="0.5"))
    await stream.read()
    program.send_signal(number)
    assert len([message async for message in stream]) == 1
    out, errors = await asyncio.to_thread(program.communicate, timeout=20)
    assert program.returncode == 0
    assert out == ""  # it was told to end, and did not go on after its server
    assert "Traceback" not in errors


async def test_a_second_signal_does_not_wait_for_streams(program: Any, peers: Peers) -> None:
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(program.address))
    stream = stub.Generate(node_pb2.GenerateRequest(model="100"))
    await stream.read()
    program.send_signal(signal.SIGTERM)

    async def call_until_refused() -> None:
        while True:
            await stub.Generate(node_pb2.GenerateRequest(model="0")).read()

    with pytest.raises(Draining):
        await call_until_refused()
    program.send_signal(signal.SIGTERM)
    await asyncio.to_thread(program.communicate, timeout=10)
    assert program.returncode == 0


async def test_a_program_that_may_not_start_says_why_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("name: atlas\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, tmp_path / "program.py", tmp_path / "settings.yaml"],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: node atlas has no certificate")
    assert ended.stderr.count("\n") == 1
