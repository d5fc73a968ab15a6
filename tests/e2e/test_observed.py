"""What an operator sees of a question: one trace through every service, and metrics of each."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oteltest.sink import GrpcSink, RequestHandler
from prometheus_client.parser import text_string_to_metric_families

from quorate.client import local_mesh

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState

QUORATE = (sys.executable, "-m", "quorate.cli")
EXPORTED_WITHIN_SECONDS = 20.0


class Spans(RequestHandler):  # type: ignore[misc]
    """Keeps the spans that arrive: trace id, service and name."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, str, str]] = []

    def handle_trace(self, request: Any, headers: Any) -> None:
        for resource in request.resource_spans:
            service = next(
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.seen += [(span.trace_id, service, span.name) for span in scope.spans]

    def handle_metrics(self, request: Any, headers: Any) -> None:
        """Metrics are scraped, not pushed."""

    def handle_logs(self, request: Any, headers: Any) -> None:
        """Logs go to files."""


@pytest.fixture
def spans(free_port: int, tmp_path: Path) -> Iterator[tuple[Spans, Path]]:
    """Run a mesh that exports to a receiver of this test's own."""
    handler = Spans()
    sink = GrpcSink(handler, logging.getLogger("sink"), port=free_port)
    sink.start()
    environment = {
        **os.environ,
        "QUORATE_TELEMETRY__OTLP_ENDPOINT": f"http://127.0.0.1:{free_port}",
    }
    home = ("--home", str(tmp_path))
    subprocess.run([*QUORATE, "up", "--detach", *home], env=environment, check=True)
    try:
        yield handler, tmp_path
    finally:
        subprocess.run([*QUORATE, "down", *home], check=True)
        sink.stop()


def test_one_trace_runs_through_every_service(spans: tuple[Spans, Path]) -> None:
    handler, home = spans
    question = "What is 2 + 3? And what is the capital of France?"
    asked = subprocess.run(
        [*QUORATE, "ask", question, "--json", "--home", str(home)], check=True, capture_output=True
    )
    ballots = len(json.loads(asked.stdout)["ballots"])
    wanted = {"quorate-coordinator", "quorate-node", "quorate-synthesizer"}
    deadline = time.monotonic() + EXPORTED_WITHIN_SECONDS
    names: Counter[str] = Counter()
    while time.monotonic() < deadline:
        trace = {trace for trace, _, name in handler.seen if name == "ask"}
        of_ask = [(service, name) for t, service, name in handler.seen if t in trace]
        names = Counter(name for _, name in of_ask)
        if {service for service, _ in of_ask} == wanted and names["ballot"] >= ballots:
            break
        time.sleep(0.1)
    assert names["ask"] == names["synthesize"] - 1 == 1  # the coordinator's and the synthesizer's
    assert names["ballot"] == ballots
    assert names["vote"] == 2


def test_every_service_serves_its_metrics(mesh: MeshState, home: Path) -> None:
    assert local_mesh.running(home)
    question = "What is 2 + 3? And what is the capital of France?"
    subprocess.run([*QUORATE, "ask", question, "--home", str(home)], check=True)
    found: dict[str, set[str]] = {}
    for service in mesh.services:
        url = f"http://127.0.0.1:{service.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            families = list(text_string_to_metric_families(page.read().decode()))
        found[service.role] = {family.name for family in families if family.samples}
    assert {
        "quorate_generate_time_to_first_token_seconds",
        "quorate_tokens",
        "quorate_engine_queue",
        "quorate_resident_memory_bytes",
    } <= found["node"]
    assert {"quorate_ask_seconds", "quorate_ballots", "quorate_nodes_live"} <= found["coordinator"]
    assert "quorate_rpc_seconds" in found["synthesizer"]
