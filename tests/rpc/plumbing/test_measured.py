"""What a server measures is served to Prometheus, and its spans reach an OTLP receiver."""

from __future__ import annotations

import asyncio
import logging
import threading
import urllib.request
from typing import Any

import pytest
from oteltest.sink import GrpcSink
from oteltest.sink.handler import RequestHandler
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from quorate.channel import Peers
from quorate.config import TelemetrySettings
from quorate.errors import NotPermitted, Overloaded
from quorate.identity import Role
from quorate.metrics import metric_names
from quorate.telemetry import SpanName, Telemetry
from quorate.v1 import coordinator_pb2, coordinator_pb2_grpc, node_pb2, node_pb2_grpc

pytestmark = pytest.mark.anyio

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"


def scrape(port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        text = response.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(samples: Any, method: str, code: str) -> float:
    labels = {"service": "quorate.v1.NodeService", "method": method, "code": code}
    return samples.get(("quorate_rpc_seconds_count", tuple(sorted(labels.items()))), 0.0)


async def status(request: object, context: object) -> object:
    return node_pb2.GetStatusResponse()


async def full(request: object, context: object) -> Any:
    yield node_pb2.GenerateResponse()
    raise Overloaded("full")


async def broken(request: object, context: object) -> object:
    raise ValueError("bug")


async def test_calls_are_measured_by_method_and_code(
    serve_node: Any, peers: Peers, tls: Any
) -> None:
    settings = {"telemetry": TelemetrySettings(metrics_port=0)}
    methods = {"GetStatus": status, "Generate": full, "Tokenize": broken}
    async with serve_node("atlas", settings, **methods) as node:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))
        for _ in range(3):
            await stub.GetStatus(node_pb2.GetStatusRequest())
        with pytest.raises(Overloaded):
            async for _ in stub.Generate(node_pb2.GenerateRequest()):
                pass
        with pytest.raises(Exception, match="internal error"):
            await stub.Tokenize(node_pb2.TokenizeRequest())
        async with Peers(tls(Role.CLIENT, "ann")) as clients:
            forbidden = node_pb2_grpc.NodeServiceStub(clients.channel(node.address))
            with pytest.raises(NotPermitted):
                await forbidden.GetStatus(node_pb2.GetStatusRequest())
        samples = scrape(node.metrics_port)
    assert counted(samples, "GetStatus", "OK") == 3, [
        k for k in samples if "rpc_seconds_count" in k[0]
    ]
    assert counted(samples, "GetStatus", "PERMISSION_DENIED") == 1
    assert counted(samples, "Generate", "RESOURCE_EXHAUSTED") == 1
    assert counted(samples, "Tokenize", "INTERNAL") == 1


async def test_cancelled_and_expired_calls_are_told_apart(serve_node: Any, peers: Peers) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(request: object, context: Any) -> None:
        await context.write(node_pb2.GenerateResponse())
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    settings = {"telemetry": TelemetrySettings(metrics_port=0)}
    async with serve_node("atlas", settings, Generate=hang) as node:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))
        for timeout in (None, 0.2):
            started.clear()
            ended.clear()
            call = stub.Generate(node_pb2.GenerateRequest(), timeout=timeout)
            await started.wait()
            in_flight = ("quorate_rpc_in_flight", (("method", "/quorate.v1.NodeService/Generate"),))
            assert scrape(node.metrics_port)[in_flight] == 1
            if timeout is None:
                call.cancel()
            await ended.wait()
        samples = scrape(node.metrics_port)
    assert counted(samples, "Generate", "CANCELLED") == 1
    assert counted(samples, "Generate", "DEADLINE_EXCEEDED") == 1
    assert samples[in_flight] == 0


async def test_methods_that_are_not_served_make_no_series(serve_node: Any, peers: Peers) -> None:
    settings = {"telemetry": TelemetrySettings(metrics_port=0)}
    async with serve_node("atlas", settings) as node:
        channel = peers.channel(node.address)
        for number in range(5):
            with pytest.raises(Exception, match="not found"):
                await channel.unary_unary(f"/quorate.v1.NodeService/Made{number}Up")(b"")
        assert not [name for name, _ in scrape(node.metrics_port) if "rpc" in name]


async def test_what_is_scraped_bears_the_names_of_the_table() -> None:
    telemetry = Telemetry(TelemetrySettings(metrics_port=0), "node", "atlas")
    for metric in vars(telemetry.metrics).values():
        if isinstance(metric, MetricWrapperBase):
            labels = ["x"] * len(metric._labelnames)
            child: Any = metric.labels(*labels) if labels else metric
            (child.observe if isinstance(metric, Histogram) else child.inc)(1)
    telemetry.start()
    try:
        samples = scrape(telemetry.metrics_port or 0)
    finally:
        telemetry.shutdown()
    seen = {
        name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        for name, _ in samples
        if name.startswith("quorate_")
    }
    assert seen == metric_names()
    assert telemetry.metrics_port is None


class Receiver(RequestHandler):
    """Keeps the spans that arrive."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.arrived = threading.Event()

    def handle_trace(self, request: Any, headers: object) -> None:
        for batch in request.resource_spans:
            attributes = {item.key: item.value.string_value for item in batch.resource.attributes}
            self.resources.append(attributes)
            self.spans += [span for scope in batch.scope_spans for span in scope.spans]
        self.arrived.set()

    def handle_metrics(self, request: object, headers: object) -> None:
        pytest.fail("only spans are sent by OTLP")

    def handle_logs(self, request: object, headers: object) -> None:
        pytest.fail("only spans are sent by OTLP")


@pytest.fixture
def receiver(free_port: int) -> Any:
    handler = Receiver()
    sink = GrpcSink(handler, logging.getLogger("sink"), port=free_port)
    sink.start()
    handler.endpoint = f"http://127.0.0.1:{free_port}"
    yield handler
    sink.svr.stop(grace=None).wait()


async def test_spans_of_two_hops_reach_an_otlp_receiver_as_one_trace(
    serve: Any, tls: Any, peers: Peers, receiver: Receiver
) -> None:
    settings = {"telemetry": TelemetrySettings(otlp_endpoint=receiver.endpoint)}
    telemetry = Telemetry(settings["telemetry"], "coordinator", "inner")

    async with serve(Role.NODE, "atlas", {"Generate": full}, **settings) as node:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))

        async def list_nodes(request: object, context: object) -> object:
            with telemetry.span(SpanName.BALLOT, model="atlas", n=2):
                call = stub.Generate(node_pb2.GenerateRequest())
                await call.read()
            with pytest.raises(Overloaded):
                await call.read()
            return coordinator_pb2.ListNodesResponse()

        async with (
            serve(Role.COORDINATOR, "chief", {"ListNodes": list_nodes}, **settings) as coordinator,
            Peers(tls(Role.CLIENT, "ann")) as client,
        ):
            asked = coordinator_pb2_grpc.CoordinatorServiceStub(client.channel(coordinator.address))
            parent = (("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-01"),)
            await asked.ListNodes(coordinator_pb2.ListNodesRequest(), metadata=parent)
            telemetry.shutdown()
            telemetry.shutdown()
    # Both servers have stopped, and with that sent what they had.
    spans = {span.name: span for span in receiver.spans}
    outer = spans["quorate.v1.CoordinatorService/ListNodes"]
    ballot = spans["ballot"]
    inner = spans["quorate.v1.NodeService/Generate"]
    assert {span.trace_id.hex() for span in (outer, ballot, inner)} == {TRACE_ID}
    assert outer.parent_span_id.hex() == SPAN_ID
    assert ballot.parent_span_id == outer.span_id
    assert inner.parent_span_id == ballot.span_id
    assert inner.status.message == "OVERLOADED"
    assert outer.status.message == ""
    services = {(item["service.name"], item["service.instance.id"]) for item in receiver.resources}
    assert {("quorate-node", "atlas"), ("quorate-coordinator", "chief")} <= services


async def test_a_receiver_that_is_not_there_holds_nothing_up(
    serve_node: Any, peers: Peers, free_port: int
) -> None:
    settings = {"telemetry": TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{free_port}")}
    async with serve_node("atlas", settings, GetStatus=status) as node:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))
        await stub.GetStatus(node_pb2.GetStatusRequest(), timeout=5)
