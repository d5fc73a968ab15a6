"""Calls from outside with `buf curl`, as a user of grpcurl makes them: reflection over mTLS."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quorate.client.local_mesh import Home, MeshState
from quorate.config import TlsSettings
from quorate.identity import Role, create_authority, issue, server_name

ROOT = Path(__file__).resolve().parents[2]
BUF = ROOT / "node_modules" / ".bin" / "buf"

pytestmark = pytest.mark.skipif(
    not BUF.exists() or shutil.which("node") is None,
    reason="buf is not installed: install Node.js with npm, then run make test again",
)

Curl = Callable[..., subprocess.CompletedProcess[str]]


def curl(
    address: str, host: str, tls: TlsSettings, *arguments: str, with_key: bool = True
) -> subprocess.CompletedProcess[str]:
    credentials = ["--cacert", str(tls.authorities), "--servername", host]
    if with_key:
        credentials += ["--cert", str(tls.certificate), "--key", str(tls.key)]
    *options, method = arguments or ("--list-methods", "")
    return subprocess.run(
        [BUF, "curl", "--protocol", "grpc", *credentials, *options, f"https://{address}{method}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def leaf(home: Path, role: str) -> TlsSettings:
    certificates = Home(home).certificates
    return TlsSettings(
        certificate=certificates / f"{role}-local.pem",
        key=certificates / f"{role}-local.key",
        authorities=certificates / "ca.pem",
    )


@pytest.fixture
def node(mesh: MeshState) -> tuple[str, str]:
    """Give a node's address and the host name in its certificate."""
    service = next(service for service in mesh.services if service.key == "node-n1")
    return service.address, server_name(Role.NODE, service.name)


@pytest.fixture
def coordinator(mesh: MeshState) -> tuple[str, str]:
    """Give the coordinator's address and the host name in its certificate."""
    return mesh.coordinator, server_name(Role.COORDINATOR, mesh.coordinator_name)


def objects(text: str) -> list[dict[str, Any]]:
    """Read the JSON objects that buf prints one after another."""
    decoder, found, position = json.JSONDecoder(), [], 0
    text = text.strip()
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        found.append(value)
        position = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def test_reflection_lists_the_services(home: Path, node: tuple[str, str]) -> None:
    listed = curl(*node, leaf(home, "admin"), "--list-services", "").stdout
    assert "quorate.v1.NodeService" in listed
    assert "grpc.health.v1.Health" in listed


def test_generate_streams(home: Path, node: tuple[str, str]) -> None:
    request = {
        "model": "abacus",
        "messages": [{"role": "CHAT_ROLE_USER", "content": "What is 47 + 38?"}],
    }
    done = curl(
        *node, leaf(home, "admin"),
        "--data", json.dumps(request), "/quorate.v1.NodeService/Generate",
    )  # fmt: skip
    messages = objects(done.stdout)
    assert "started" in messages[0]
    assert "finished" in messages[-1]
    deltas = [d for m in messages for d in m.get("step", {}).get("deltas", [])]
    assert "85" in "".join(delta.get("text", "") for delta in deltas)


def test_a_long_answer_comes_in_many_messages(home: Path, node: tuple[str, str]) -> None:
    # Tokens of some milliseconds travel together, and without its end token the model goes on.
    request = {
        "model": "abacus",
        "prompt": "Once",
        "sampling": {"maxTokens": 500, "logitBias": {"2": -100.0}},
    }
    done = curl(
        *node, leaf(home, "admin"),
        "--data", json.dumps(request), "/quorate.v1.NodeService/Generate",
    )  # fmt: skip
    messages = objects(done.stdout)
    deltas = [d for m in messages for d in m.get("step", {}).get("deltas", [])]
    assert sum(len(delta["tokens"]) for delta in deltas) == 500
    assert len(messages) > 5


def test_ask_stream_streams(home: Path, coordinator: tuple[str, str]) -> None:
    request = {"question": {"messages": [{"content": "What is 47 + 38?"}]}}
    done = curl(
        *coordinator, leaf(home, "client"),
        "--data", json.dumps(request), "/quorate.v1.CoordinatorService/AskStream",
    )  # fmt: skip
    events = [next(iter(message)) for message in objects(done.stdout)]
    assert events[0] == "planned"
    assert events[-1] == "final"
    assert {"started", "token", "ballot", "part"} <= set(events)


def test_an_error_has_rich_details(home: Path, coordinator: tuple[str, str]) -> None:
    request = {"question": {"messages": [{"content": "Hi?"}], "strategy": "majorty"}}
    done = curl(
        *coordinator, leaf(home, "client"),
        "--data", json.dumps(request), "/quorate.v1.CoordinatorService/Ask",
    )  # fmt: skip
    assert done.returncode != 0
    error = json.loads(done.stderr)
    assert error["code"] == "invalid_argument"
    assert "majority" in error["message"]
    assert any("ErrorInfo" in detail["type"] for detail in error["details"])


def test_no_certificate_is_refused(home: Path, node: tuple[str, str]) -> None:
    refused = curl(*node, leaf(home, "admin"), "--list-services", "", with_key=False)
    assert refused.returncode != 0
    assert "NodeService" not in refused.stdout


def test_a_foreign_authority_is_refused(home: Path, node: tuple[str, str], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    create_authority(tmp_path / "foreign", now=now)
    foreign = issue(tmp_path / "foreign", Role.ADMIN, "mallory", now=now)
    trusting = foreign.model_copy(update={"authorities": leaf(home, "admin").authorities})
    refused = curl(*node, trusting, "--list-services", "")
    assert refused.returncode != 0
    assert "NodeService" not in refused.stdout


def test_the_wrong_role_is_refused(home: Path, node: tuple[str, str]) -> None:
    request = {"model": "abacus", "prompt": "1 + 1"}
    refused = curl(
        *node, leaf(home, "client"),
        "--data", json.dumps(request), "/quorate.v1.NodeService/Generate",
    )  # fmt: skip
    assert refused.returncode != 0
    error = json.loads(refused.stderr)
    assert error["code"] == "permission_denied"
    assert "coordinator" in error["message"]
