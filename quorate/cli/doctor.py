"""`quorate doctor`: what this machine has, what is missing, and the command that mends it.

A check is a function that gives findings; a new one is one function and one row in CHECKS.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from quorate.cli import terminal
from quorate.cli.exits import Exit
from quorate.client import local_mesh
from quorate.client.local_mesh import Home
from quorate.errors import QuorateError
from quorate.identity import AUTHORITY_CERTIFICATE, describe
from quorate.models import gguf, pocket_models

if TYPE_CHECKING:
    from rich.console import Console

OLDEST_PYTHON = (3, 11)
LEAST_MEMORY = 2 * 2**30
EXPIRES_SOON = timedelta(days=14)
PROBE_SECONDS = 60.0
LLAMA_PROBE = (
    "import llama_cpp as l; print(l.__version__); print(l.llama_print_system_info().decode())"
)
INSTALL_LLAMA = "make setup"
COMPILERS = {"cc": "CC", "c++": "CXX"}


@dataclass(frozen=True)
class Finding:
    """What one check found. `mend` is a command; a finding that is not essential may be missing."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    essential: bool = True


def python(_home: Path) -> Iterator[Finding]:
    """Look whether Python is new enough."""
    found = platform.python_version()
    ok = sys.version_info >= OLDEST_PYTHON
    mend = "" if ok else install("python3.12 python3.12-venv")
    yield Finding("python", ok, f"{found} at {sys.executable}", mend)


def llama(_home: Path) -> Iterator[Finding]:
    """Look whether llama.cpp can be loaded, and for which instructions it was compiled."""
    # In a process of its own: a build for another CPU dies by SIGILL when it is loaded.
    probe = subprocess.run(
        [sys.executable, "-c", LLAMA_PROBE],
        capture_output=True, text=True, timeout=PROBE_SECONDS, check=False,
    )  # fmt: skip
    if probe.returncode == 0:
        version, _, features = probe.stdout.strip().partition("\n")
        yield Finding("llama-cpp-python", True, f"{version}; {enabled(features)}")
    else:
        reason = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        yield Finding("llama-cpp-python", False, reason, INSTALL_LLAMA)
    yield from _compiler(needed=probe.returncode != 0)


def enabled(features: str) -> str:
    """Pick what is switched on out of llama.cpp's system information."""
    switched = (item.partition("=") for item in features.replace(":", "|").split("|"))
    on = [name.strip() for name, _, value in switched if value.strip() == "1"]
    return f"compiled for {', '.join(on)}" if on else "no CPU features reported"


def _compiler(*, needed: bool) -> Iterator[Finding]:
    wanted = {name: os.environ.get(variable, name) for name, variable in COMPILERS.items()}
    missing = [name for name in wanted.values() if shutil.which(name) is None]
    if missing:
        detail = f"{' and '.join(missing)} not on PATH; llama.cpp is compiled with them"
        yield Finding("compiler", False, detail, install("build-essential"), essential=needed)
    else:
        yield Finding("compiler", True, ", ".join(wanted.values()), essential=needed)


def machine(_home: Path) -> Iterator[Finding]:
    """Look how many cores and how much memory may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", True, f"{cores} usable")
    memory = psutil.virtual_memory()
    ok = memory.available >= LEAST_MEMORY
    detail = f"{terminal.size(memory.available)} of {terminal.size(memory.total)} available"
    mend = "" if ok else "end other programs, or start fewer nodes: quorate topology show"
    yield Finding("memory", ok, detail, mend, essential=False)


def accelerators(_home: Path) -> Iterator[Finding]:
    """Look which NVIDIA cards there are."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        yield Finding("gpu", True, f"none ({error}); models run on the CPU", essential=False)
        return
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            card = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(card)
            name, free, total = pynvml.nvmlDeviceGetName(card), int(memory.free), int(memory.total)
            detail = f"{name}, {terminal.size(free)} of {terminal.size(total)} free"
            yield Finding(f"gpu {index}", True, detail, essential=False)
    finally:
        pynvml.nvmlShutdown()


def certificates(home: Path) -> Iterator[Finding]:
    """Look whether there are certificates, and until when they hold."""
    directory = Home(home).certificates
    if not (directory / AUTHORITY_CERTIFICATE).exists():
        detail = f"none in {directory} yet; `quorate up` makes them"
        yield Finding("certificates", True, detail, essential=False)
        return
    now = datetime.now(UTC)
    for path in sorted(directory.glob("*.pem")):
        yield _certificate(path, now)


def _certificate(path: Path, now: datetime) -> Finding:
    name = f"certificate {path.stem}"
    mend = f"quorate certs renew {path}"
    try:
        until = describe(path).not_after
    except QuorateError as error:
        return Finding(name, False, error.message, mend)
    if until <= now:
        return Finding(name, False, f"ended on {until:%Y-%m-%d}", mend)
    soon = "; soon" if until - now < EXPIRES_SOON else ""
    return Finding(name, True, f"until {until:%Y-%m-%d}{soon}", mend if soon else "")


def ports(_home: Path) -> Iterator[Finding]:
    """Look whether a loopback port can be bound."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
    except OSError as error:
        mend = "ip link set lo up"
        yield Finding("ports", False, f"no port can be bound on 127.0.0.1: {error.strerror}", mend)
        return
    yield Finding("ports", True, f"127.0.0.1:{port} could be bound")


def models(_home: Path) -> Iterator[Finding]:
    """Look whether the pocket models are there and whole."""
    found = pocket_models()
    if not found:
        yield Finding("pocket models", False, "none installed", "make pocket-models")
    for name, path in sorted(found.items()):
        try:
            header = gguf.read_header(path)
        except QuorateError as error:
            mend = f"git checkout -- {path}"
            yield Finding(f"model {name}", False, error.message, mend)
        else:
            detail = f"{terminal.size(header.file_bytes)} {header.quantization}"
            yield Finding(f"model {name}", True, detail)


def mesh(home: Path) -> Iterator[Finding]:
    """Look whether a mesh is running."""
    running = local_mesh.find(home)
    if running is None:
        start = f"quorate up --detach{local_mesh.home_option(home)}"
        yield Finding("mesh", False, f"none is running in {home}", start, essential=False)
        return
    gone = [service.key for service in running.services if not service.process.alive()]
    detail = f"coordinator at {running.coordinator}, {len(running.services)} services"
    if gone:
        yield Finding("mesh", False, f"not running: {', '.join(gone)}", "quorate status")
    else:
        yield Finding("mesh", True, detail, essential=False)


def install(packages: str) -> str:
    """Give the command that installs Debian packages."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {packages}"


CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    python,
    llama,
    machine,
    accelerators,
    certificates,
    ports,
    models,
    mesh,
)


def examine(home: Path, *, as_json: bool) -> Exit:
    """Run every check and print what it finds; fails when something essential is missing."""
    console = terminal.console()
    findings: list[Finding] = []
    for check in CHECKS:
        for finding in check(home):
            findings.append(finding)
            if not as_json:
                _show(console, finding)
    ok = all(finding.ok for finding in findings if finding.essential)
    if as_json:
        checks = [dataclasses.asdict(finding) for finding in findings]
        terminal.print_json({"ok": ok, "checks": checks})
    return Exit.OK if ok else Exit.FAILED


def _show(console: Console, finding: Finding) -> None:
    word, style = ("OK", "green") if finding.ok else ("MISSING", "bold red")
    if not finding.ok and not finding.essential:
        word, style = "absent", "yellow"
    console.print(f"[{style}]{word:<8}[/] {finding.name:<24} ", end="")
    console.print(finding.detail, markup=False, soft_wrap=True)
    if finding.mend:
        console.print(f"{'':<9}mend it with: {finding.mend}", markup=False, soft_wrap=True)
