"""Which cores serve and which ask: every engine is held to the same ones, its clients to the rest.

Two cores serve where the machine has them. Where it has no more, clients share them, for all alike.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

SERVING_CORES: Final = 2
"""Cores, and threads of every engine."""
END_SECONDS: Final = 10.0
"""How long a process may take to leave by itself."""


class Cores(NamedTuple):
    """Numbers of the cores that serve, and of those that ask."""

    serving: frozenset[int]
    asking: frozenset[int]

    def describe(self) -> str:
        """Say in words who runs where."""
        shared = " (shared: there are no others)" if self.serving & self.asking else ""
        serving, asking = (", ".join(map(str, sorted(some))) for some in self)
        return f"servers on cores {serving}; clients on cores {asking}{shared}"


def divide(usable: frozenset[int]) -> Cores:
    """Divide the cores that this process may use."""
    ordered = sorted(usable)
    serving = frozenset(ordered[:SERVING_CORES])
    return Cores(serving, usable - serving or serving)


@contextlib.contextmanager
def asking_from(cores: Cores) -> Iterator[None]:
    """Hold this thread, and the threads that it starts in the block, to the asking cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.asking)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def started(
    command: Sequence[str],
    cores: Cores,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on the serving cores for the block; what it prints goes to `log`."""
    with log.open("wb") as output:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores.serving)  # a process inherits them from the thread
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        finally:
            os.sched_setaffinity(0, before)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process: ask, then kill."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class ServerFailed(Exception):
    """Raised when a server under test ends or is not ready in time; holds the end of its log."""

    def __init__(self, name: str, log: Path) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        super().__init__(f"{name} failed. The end of its log:\n" + "\n".join(lines))
