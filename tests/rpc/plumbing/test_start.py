"""What makes a server refuse to start, and what it tells once it has."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from quorate import identity, server
from quorate.config import ServiceSettings, TelemetrySettings
from quorate.errors import ConfigurationError
from quorate.identity import Role
from quorate.telemetry import Telemetry

pytestmark = pytest.mark.anyio


def build(role: Role = Role.NODE, services: Any = (), **settings: Any) -> server.Server:
    chosen = ServiceSettings(**{"name": "atlas", **settings})
    return server.build(chosen, role, services, Telemetry(chosen.telemetry, role, chosen.name))


async def test_no_certificate_refuses_to_start() -> None:
    with pytest.raises(ConfigurationError, match=r"quorate certs issue node atlas"):
        build()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "10.0.0.5:0", "example.org:0"])
async def test_insecure_refuses_to_start_off_loopback(listen: str) -> None:
    with pytest.raises(ConfigurationError, match="anybody could call it"):
        build(insecure=True, listen=listen)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0", "127.1.2.3:0"])
async def test_insecure_starts_on_loopback(listen: str) -> None:
    async with build(insecure=True, listen=listen) as running:
        await running.start()
        assert not running.address.endswith(":0")


async def test_tls_and_insecure_together_refuse_to_start(tls: Any) -> None:
    with pytest.raises(ConfigurationError, match="both tls and insecure"):
        build(tls=tls(Role.NODE, "atlas"), insecure=True)


async def test_a_method_without_roles_refuses_to_start(tls: Any) -> None:
    unlisted = server.Service(
        "opentelemetry.proto.collector.trace.v1.TraceService",
        lambda to: trace_service_pb2_grpc.add_TraceServiceServicer_to_server(
            trace_service_pb2_grpc.TraceServiceServicer(), to
        ),
    )
    with pytest.raises(ConfigurationError, match=r"no roles are given for /opentelemetry.*Export"):
        build(services=[unlisted], tls=tls(Role.NODE, "atlas"))


async def test_an_unknown_service_refuses_to_start(tls: Any) -> None:
    nothing = server.Service("quorate.v1.Oracle", lambda _to: None)
    with pytest.raises(ConfigurationError, match=r"no loaded proto.*Oracle"):
        build(services=[nothing], tls=tls(Role.NODE, "atlas"))


@pytest.mark.parametrize(
    ("role", "name", "domain"),
    [
        (Role.NODE, "scribe", "quorate.local"),
        (Role.CLIENT, "atlas", "quorate.local"),
        (Role.NODE, "atlas", "other.mesh"),
    ],
)
async def test_a_certificate_of_another_peer_refuses_to_start(
    tls: Any, role: Role, name: str, domain: str
) -> None:
    with pytest.raises(ConfigurationError, match="no peer would believe it"):
        build(tls=tls(role, name), trust_domain=domain)


async def test_an_expired_certificate_refuses_to_start_and_says_how_to_renew(
    authority: Path,
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=100)
    expired = identity.issue(authority, Role.NODE, "old", days=90, now=long_ago)
    with pytest.raises(ConfigurationError, match=r"expired.*quorate certs renew"):
        build(name="old", tls=expired)


async def test_a_second_server_on_a_port_gets_a_clear_error(tls: Any, free_port: int) -> None:
    settings = {"tls": tls(Role.NODE, "atlas"), "listen": f"127.0.0.1:{free_port}"}
    async with build(**settings) as first:
        await first.start()
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{free_port}: the port is in use"):
            build(**settings)


async def test_a_taken_probe_port_gets_a_clear_error(tls: Any) -> None:
    async with build(tls=tls(Role.NODE, "atlas"), probe_port=0) as first:
        await first.start()
        with pytest.raises(ConfigurationError, match=r"Set probe_port"):
            build(tls=tls(Role.NODE, "atlas"), probe_port=first.probe_port)


async def test_a_taken_metrics_port_gets_a_clear_error(tls: Any, tmp_path: Path) -> None:
    certificate = tls(Role.NODE, "atlas")
    async with build(tls=certificate, telemetry=TelemetrySettings(metrics_port=0)) as first:
        await first.start()
        port = first.metrics_port
        ready = tmp_path / "ready"
        telemetry = TelemetrySettings(metrics_port=port)
        async with build(tls=certificate, telemetry=telemetry, ready_file=ready) as second:
            with pytest.raises(ConfigurationError, match=f"metrics cannot be served on .*:{port}"):
                await second.start()
        assert not ready.exists()


async def test_the_ready_file_tells_where_the_server_is_until_it_stops(
    tls: Any, tmp_path: Path
) -> None:
    path = tmp_path / "atlas.ready"
    telemetry = TelemetrySettings(metrics_port=0)
    certificate = tls(Role.NODE, "atlas")
    async with build(
        tls=certificate, telemetry=telemetry, ready_file=path, probe_port=0
    ) as running:
        assert not path.exists()
        await running.start()
        await running.start()
        assert json.loads(path.read_text()) == {
            "address": running.address,
            "pid": os.getpid(),
            "metrics_port": running.metrics_port,
            "probe_port": running.probe_port,
        }
    assert not path.exists()
    assert not os.listdir(tmp_path)


async def test_the_advertised_address_is_the_one_that_settings_give(tls: Any) -> None:
    certificate = tls(Role.NODE, "atlas")
    async with build(tls=certificate, advertise="atlas.example:7000") as running:
        assert running.address == "atlas.example:7000"
    async with build(tls=certificate, advertise="10.0.0.5:0", listen="127.0.0.1:0") as running:
        host, port = running.address.split(":")
        assert (host, int(port) > 0) == ("10.0.0.5", True)
    async with build(tls=certificate, listen="0.0.0.0:0") as running:
        assert not running.address.startswith("0.0.0.0")


async def test_waiting_for_a_server_that_was_not_started_is_a_mistake(tls: Any) -> None:
    async with build(tls=tls(Role.NODE, "atlas")) as running:
        with pytest.raises(RuntimeError, match="not started"):
            await running.wait()
