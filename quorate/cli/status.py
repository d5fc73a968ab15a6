"""`quorate status` and `quorate down`: what runs, and its end."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from quorate.cli import tables, terminal
from quorate.client import Client, local_mesh

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState, ProcessState, ServiceState

CALL_SECONDS = 10.0
END_SECONDS = 40.0


@dataclass(frozen=True)
class ProcessReport:
    """A process of the mesh. Memory is what it and all that it started hold, in bytes."""

    key: str
    pid: int
    alive: bool
    address: str = ""
    memory_bytes: int = 0
    up_seconds: float = 0.0
    restarts: int = 0
    metrics_port: int | None = None
    probe_port: int | None = None
    log: str = ""


def reports(mesh: MeshState, now: float) -> Iterator[ProcessReport]:
    """Describe the processes of a mesh, the supervising one first; `now` is seconds since 1970."""
    yield _report("up", mesh.supervisor, None, now)
    for service in mesh.services:
        yield _report(service.key, service.process, service, now)


def _report(
    key: str, process: ProcessState, service: ServiceState | None, now: float
) -> ProcessReport:
    alive = process.alive()
    return ProcessReport(
        key=key,
        pid=process.pid,
        alive=alive,
        address=service.address if service else "",
        memory_bytes=_memory(process.pid, tree=service is not None) if alive else 0,
        up_seconds=max(0.0, now - process.began) if alive else 0.0,
        restarts=service.restarts if service else 0,
        metrics_port=service.metrics_port if service else None,
        probe_port=service.probe_port if service else None,
        log=str(service.log) if service else "",
    )


def _memory(pid: int, *, tree: bool) -> int:
    """Give the proportional set size of a process, with its children's, where the system tells."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for process in [first, *(first.children(recursive=True) if tree else [])]:
            with contextlib.suppress(psutil.Error):
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.rss)
    return total


def show(home: Path, *, as_json: bool) -> None:
    """Print the processes, nodes and models of the mesh; raises NoMesh."""
    mesh = local_mesh.running(home)
    processes = list(reports(mesh, time.time()))
    with Client.from_mesh(home, CALL_SECONDS) as client:
        nodes = client.nodes()
    if as_json:
        data: dict[str, Any] = {
            "home": str(home),
            "ready": mesh.ready,
            "coordinator": mesh.coordinator,
            "processes": [dataclasses.asdict(process) for process in processes],
            "nodes": [node_data(node) for node in nodes],
        }
        terminal.print_json(data)
        return
    console = terminal.console()
    console.print(f"A mesh is {'ready' if mesh.ready else 'starting'} in {home}", markup=False)
    console.print(tables.processes(processes))
    console.print(tables.nodes(nodes))


def node_data(node: Any) -> dict[str, Any]:
    """Give a node as plain data for JSON."""
    data = dataclasses.asdict(node)
    for key in ("started_at", "last_heartbeat"):
        data[key] = data[key].isoformat() if data[key] else None
    return data


def down(home: Path) -> None:
    """End the mesh and everything that belongs to it; raises NoMesh."""
    mesh = local_mesh.running(home)
    console = terminal.console()
    supervisor = psutil.Process(mesh.supervisor.pid)
    supervisor.terminate()
    try:
        supervisor.wait(END_SECONDS)
    except psutil.TimeoutExpired:
        console.print(f"It did not end within {END_SECONDS:.0f} s and is killed.")
        supervisor.kill()
    for service in mesh.services:
        if service.process.alive():  # its end is the kernel's doing, which may take a moment
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(service.process.pid).kill()
    console.print("The mesh has ended.")
