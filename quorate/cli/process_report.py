"""What the processes of a mesh take: memory and time, as the system tells."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState, ProcessState, ServiceState


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
