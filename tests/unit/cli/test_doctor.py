"""The doctor finds what is missing and names the command that mends it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorate import models as model_files
from quorate.cli import doctor
from quorate.cli.doctor import Finding
from quorate.cli.exits import Exit
from quorate.client import local_mesh
from quorate.client.local_mesh import Home, MeshState, ProcessState, ServiceState
from quorate.identity import Role, create_authority, issue

NOW = datetime.now(UTC)


def only(findings: Any) -> Finding:
    (finding,) = findings
    assert isinstance(finding, Finding)
    return finding


def test_this_machine_has_what_is_essential(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.examine(tmp_path, as_json=True) is Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    names = {check["name"] for check in told["checks"]}
    assert names >= {"python", "llama-cpp-python", "compiler", "cores", "memory", "certificates",
                     "ports", "mesh"}  # fmt: skip
    assert all(set(check) == {"name", "ok", "detail", "mend", "essential"}
               for check in told["checks"])  # fmt: skip


def test_every_line_of_the_report_says_ok_or_what_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor.examine(tmp_path, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(("MISSING", "absent")):
            assert "mend it with: " in following
        else:
            assert line.startswith("OK ") or "mend it with: " in line


def test_missing_compiler_is_told_with_the_packages_that_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    found = only(doctor._compiler(needed=True))
    assert not found.ok
    assert found.essential
    assert "apt-get install -y build-essential" in found.mend


def test_a_llama_that_cannot_be_loaded_makes_the_compiler_essential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = subprocess.CompletedProcess([], -4, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: broken)
    library, compiler = doctor.llama(Path())
    assert (library.ok, library.mend) == (False, "make setup")
    assert "-4" in library.detail
    assert compiler.essential


def test_cpu_features_are_those_that_are_switched_on() -> None:
    assert doctor.enabled("CPU : SSE3 = 1 | AVX = 1 | NEON = 0 | ") == "compiled for SSE3, AVX"
    assert doctor.enabled("") == "no CPU features reported"


def test_certificates_that_ended_or_end_soon_are_told(tmp_path: Path) -> None:
    directory = Home(tmp_path).certificates
    assert only(doctor.certificates(tmp_path)).ok
    old = NOW - timedelta(days=85)
    create_authority(directory, now=old)
    issue(directory, Role.CLIENT, "ended", now=old, days=80)
    issue(directory, Role.CLIENT, "soon", now=old, days=90)
    (directory / "client-bad.pem").write_text("no certificate")
    found = {finding.name: finding for finding in doctor.certificates(tmp_path)}
    assert found["certificate ca"].ok
    assert not found["certificate client-ended"].ok
    assert "quorate certs renew" in found["certificate client-ended"].mend
    assert found["certificate client-soon"].ok
    assert "soon" in found["certificate client-soon"].detail
    assert not found["certificate client-bad"].ok


def test_a_loopback_that_cannot_be_bound_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", refuse)
    found = only(doctor.ports(Path()))
    assert (found.ok, found.mend) == (False, "ip link set lo up")


def test_damaged_and_absent_pocket_models_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "POCKET_DIRECTORY", tmp_path)
    assert only(doctor.models(Path())).mend == "make pocket-models"
    (tmp_path / "abacus.gguf").write_text("damaged")
    found = only(doctor.models(Path()))
    assert not found.ok
    assert str(tmp_path / "abacus.gguf") in found.detail


def test_a_mesh_with_a_dead_service_is_told(tmp_path: Path) -> None:
    assert only(doctor.mesh(tmp_path)).mend == f"quorate up --detach --home {tmp_path}"
    mine = ProcessState.of(os.getpid())
    gone = ProcessState(pid=2**22 + 1, began=0)

    def running(process: ProcessState) -> None:
        service = ServiceState(
            key="node-n1", role="node", name="n1", process=process, address="127.0.0.1:1",
            log=tmp_path / "x.log",
        )  # fmt: skip
        mesh = MeshState(
            supervisor=mine, coordinator="127.0.0.1:7", coordinator_name="c", services=(service,)
        )
        local_mesh.write(tmp_path, mesh)

    running(mine)
    assert only(doctor.mesh(tmp_path)).ok
    running(gone)
    found = only(doctor.mesh(tmp_path))
    assert not found.ok
    assert "node-n1" in found.detail
