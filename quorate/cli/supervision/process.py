"""One service as a child process: started, waited for until it can be called, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from quorate.client.local_mesh import ProcessState
from quorate.config import RESERVED
from quorate.errors import NotReady

if TYPE_CHECKING:
    from asyncio.subprocess import Process

LOOK_SECONDS = 0.02
TAIL_LINES = 15


class Ready(NamedTuple):
    """What a service reports once it can be called."""

    address: str
    metrics_port: int | None
    probe_port: int | None


class Command(NamedTuple):
    """How a service is started, and the files it writes."""

    key: str
    module: str
    settings_file: Path
    ready_file: Path
    log_file: Path


class Child:
    """A running service."""

    def __init__(self, command: Command, process: Process) -> None:
        self.command = command
        self.process = process
        self.state = ProcessState.of(process.pid)

    @classmethod
    async def start(cls, command: Command, environment: Mapping[str, str]) -> Child:
        """Start a service in a session of its own, so that a terminal's Ctrl-C is ours to pass on.

        Must be called from the main thread: the kernel ties the child to the thread that made it.
        """
        command.ready_file.unlink(missing_ok=True)
        with command.log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "quorate.cli.launcher", str(os.getpid()),
                command.module, "--settings", str(command.settings_file),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=passed_on(environment),
            )  # fmt: skip
        return cls(command, process)

    @property
    def alive(self) -> bool:
        """Say whether it is running."""
        return self.process.returncode is None

    async def ready(self, limit_seconds: float) -> Ready:
        """Wait until the service can be called.

        Raises NotReady with the end of its log when it dies or takes longer than the limit.
        """
        try:
            async with asyncio.timeout(limit_seconds):
                while not self.command.ready_file.exists():
                    self.check()
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError as late:
            raise NotReady(
                self._obituary(f"could not be called within {limit_seconds:.0f} s")
            ) from late
        told = json.loads(self.command.ready_file.read_text(encoding="utf-8"))
        return Ready(told["address"], told.get("metrics_port"), told.get("probe_port"))

    def check(self) -> None:
        """Raise NotReady with the end of its log when the service has died."""
        if not self.alive:
            raise NotReady(self._obituary(ending(self.process.returncode or 0)))

    def _obituary(self, what: str) -> str:
        return f"{self.command.key} {what}. The end of its log, {self.command.log_file}:\n" + tail(
            self.command.log_file
        )

    def descendants(self) -> list[psutil.Process]:
        """Give the processes that the service has started."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    async def end(self, grace_seconds: float) -> None:
        """Ask the service to end, and kill it and all that it started if it does not."""
        started = self.descendants()
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(grace_seconds):
                await self.process.wait()
        except TimeoutError:
            self.kill()
        await self.process.wait()
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def kill(self) -> None:
        """Kill the service and all that it started."""
        for process in self.descendants():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a service: without the variables that are the command line's own."""
    return {name: value for name, value in environment.items() if name not in RESERVED}


def ending(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Give the last lines of a log; lines of JSON are cut down to level and message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"  (it cannot be read: {error.strerror})"
    shown = [_line(line) for line in text.splitlines()[-lines:] if line.strip()]
    return "\n".join(f"  {line}" for line in shown) or "  (it is empty)"


def _line(line: str) -> str:
    try:
        record = json.loads(line)
        return f"{record.get('level', '')} {record['message']}".strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return line.rstrip()
