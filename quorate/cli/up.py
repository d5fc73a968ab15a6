"""`quorate up`: a local mesh in the foreground, or handed to a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from quorate import models
from quorate import topology as topologies
from quorate.cli import tables, terminal
from quorate.cli.exits import Exit
from quorate.cli.supervision import credentials, lock
from quorate.cli.supervision.interrupts import Interrupts
from quorate.cli.supervision.plan import Site, check_places
from quorate.cli.supervision.report import LineReporter, reporter
from quorate.cli.supervision.supervisor import Supervisor, running
from quorate.client.local_mesh import Home, find, home_option
from quorate.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console


def ready_message(home: Path, *, detached: bool) -> str:
    """Say how a mesh that is ready is asked and ended."""
    there = home_option(home)
    ask = f'quorate ask{there} "What is 47 + 38?"'
    if detached:
        return f"The mesh is ready. Ask it: {ask}. End it: quorate down{there}"
    return f"The mesh is ready. In another terminal: {ask}. Ctrl-C ends it."


class Wanted(NamedTuple):
    """Which mesh to start, and where; `topology` None is the default one."""

    home: Path
    topology: Path | None = None
    insecure: bool = False


def read_topology(wanted: Wanted) -> topologies.Topology:
    """Give the topology, checked against this machine.

    Raises ConfigurationError, and UnknownModel or ModelUnusable for a model that is not here.
    """
    topology = topologies.read(wanted.topology) if wanted.topology else topologies.default()
    missing = topologies.missing_files(topology)
    if missing:
        files = ", ".join(map(str, missing))
        raise ConfigurationError(f"{wanted.topology} names model files that do not exist: {files}")
    topology = models.placed(topology)
    own = {address.address for found in psutil.net_if_addrs().values() for address in found}
    check_places(topology, own, insecure=wanted.insecure)
    return topology


@asynccontextmanager
async def mesh(
    wanted: Wanted, console: Console, interrupts: Interrupts
) -> AsyncIterator[Supervisor]:
    """Run a mesh for the block, showing how it starts.

    Signals end the block by cancelling its task. Raises AlreadyExists, NotReady,
    ConfigurationError.
    """
    topology = read_topology(wanted)
    home = Home(wanted.home.absolute())
    with lock.held(home):
        leaves = None
        if not wanted.insecure:
            leaves = credentials.provide(home.certificates, topology, datetime.now(UTC))
        site = Site(home, topology, leaves)
        supervisor = Supervisor(site, LineReporter(console), os.environ)
        with interrupts.handled(supervisor.kill):
            async with AsyncExitStack() as stack:
                with reporter(console) as starting:
                    supervisor.reporter = starting
                    await stack.enter_async_context(running(supervisor))
                supervisor.reporter = LineReporter(console)
                yield supervisor


def foreground(wanted: Wanted, *, detached: bool = False) -> Exit:
    """Run a mesh until a signal ends it.

    `detached` is how `launch_detached` runs it: once it is ready, its output goes to a log, so that
    the reader of the pipe sees the end of it.
    """
    ready = False
    interrupts = Interrupts()

    async def run() -> None:
        nonlocal ready
        console = terminal.console()
        async with mesh(wanted, console, interrupts) as supervisor:
            async with supervisor.client() as client:
                console.print(tables.nodes(await client.nodes()))
            ready = True
            if detached:
                _redirect(Home(wanted.home).logs / "up.log")
            else:
                console.print(
                    ready_message(wanted.home, detached=False), markup=False, soft_wrap=True
                )
            await supervisor.watch()

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        with suppress(OSError):  # the terminal may be what has gone
            sys.stdout.write("The mesh has ended.\n")
    return Exit.OK if ready and not interrupts.by_user else Exit.INTERRUPTED


def _redirect(log: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def launch_detached(wanted: Wanted) -> Exit:
    """Start a mesh in a process of its own and return once it is ready.

    Its lines are passed on while it starts. Ctrl-C ends what has been started.
    """
    command = [sys.executable, "-m", "quorate.cli", "up", "--supervise"]
    command += ["--home", str(wanted.home.absolute())]
    if wanted.topology:
        command += ["--topology", str(wanted.topology.absolute())]
    if wanted.insecure:
        command += ["--insecure"]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        for line in child.stdout or ():
            sys.stdout.write(line.decode(errors="replace"))
            sys.stdout.flush()
        started = find(wanted.home.absolute())  # the pipe closes when it is ready, or has failed
        if started and started.ready and started.supervisor.pid == child.pid:
            sys.stdout.write(f"{ready_message(wanted.home, detached=True)}\n")
            return Exit.OK
        code = child.wait()
        return Exit(code) if code in list(Exit) else Exit.FAILED
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
