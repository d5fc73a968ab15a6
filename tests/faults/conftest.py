"""Gives the tests of faults the real nodes that the tests of the node's calls are made with."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

PAUSE_SECONDS = 0.05
GAUGES = {"quorate_engine_queue", "quorate_requests_in_flight", "quorate_rpc_in_flight"}


def _fixtures_of_the_node():
    """Load them from their file: tests are no package that could be imported."""
    path = Path(__file__).parents[1] / "rpc" / "node" / "conftest.py"
    spec = importlib.util.spec_from_file_location("fixtures_of_the_node", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


_NODE = _fixtures_of_the_node()
start_node, peers, caller_of = _NODE.start_node, _NODE.peers, _NODE.caller_of


def _busy(page: str) -> dict[str, float]:
    """Give the gauges of work in progress that are not 0."""
    return {
        f"{sample.name}{sample.labels}": sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.value
        and (
            sample.name in GAUGES
            or (sample.name == "quorate_engine_slots" and sample.labels["state"] == "busy")
        )
    }


@pytest.fixture(scope="session")
def until_idle() -> Callable[..., Awaitable[None]]:
    """Give `await until_idle(node)`: waits until Prometheus would see no work in progress."""

    async def wait(node) -> None:
        port = json.loads((node.log.parent / f"{node.name}.ready").read_text())["metrics_port"]

        def read() -> dict[str, float]:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
                return _busy(page.read().decode())

        busy = await asyncio.to_thread(read)
        for _ in range(100):
            if not busy:
                return
            await asyncio.sleep(PAUSE_SECONDS)
            busy = await asyncio.to_thread(read)
        raise AssertionError(f"still busy: {busy}")

    return wait
