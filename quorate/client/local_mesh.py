"""Where a local mesh keeps its things, and whether it is running.

`quorate up` writes `mesh.json` into its home directory; everything else on the machine finds the
mesh by it. A process id alone proves nothing after a reboot, so it is kept with the time at which
the process began.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import NamedTuple

import platformdirs
import psutil

from quorate import config
from quorate.config import Address, Settings, TlsSettings
from quorate.errors import NoMesh

HOME_VARIABLE = "QUORATE_HOME"
BEGAN_TOLERANCE_SECONDS = 1.0


class Home(NamedTuple):
    """The directory of one local mesh."""

    path: Path

    @property
    def certificates(self) -> Path:
        """The development authority and its leaves."""
        return self.path / "certs"

    @property
    def run(self) -> Path:
        """Settings, ready files and the lock of the running mesh."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file of each service."""
        return self.run / "logs"

    @property
    def state(self) -> Path:
        """What the running mesh tells about itself."""
        return self.path / "mesh.json"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the mesh."""
        return self.run / "lock"


class ProcessState(Settings):
    """A process: its id, and when it began in seconds since 1970, for ids are used again."""

    pid: int
    began: float

    def alive(self) -> bool:
        """Say whether this very process is running."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < BEGAN_TOLERANCE_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @classmethod
    def of(cls, pid: int) -> ProcessState:
        """Describe a running process; raises psutil.NoSuchProcess."""
        return cls(pid=pid, began=psutil.Process(pid).create_time())


class ServiceState(Settings):
    """One running service of a local mesh."""

    key: str
    role: str
    name: str
    process: ProcessState
    address: Address
    log: Path
    metrics_port: int | None = None
    probe_port: int | None = None
    restarts: int = 0


class MeshState(Settings):
    """A local mesh: who runs it, how to call it, and what it consists of.

    `tls` is a client's identity and `admin` an administrator's; both None when insecure. `ready`
    turns true once every node is registered and every model can answer.
    """

    supervisor: ProcessState
    coordinator: Address
    coordinator_name: str
    tls: TlsSettings | None = None
    admin: TlsSettings | None = None
    insecure: bool = False
    ready: bool = False
    topology: str = ""
    services: tuple[ServiceState, ...] = ()


def default_home() -> Path:
    """Give $QUORATE_HOME, or the usual place for a program's state."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_state_path("quorate")


def find(home: Path) -> MeshState | None:
    """Give the mesh that runs in a home directory, or None."""
    try:
        data = json.loads(Home(home).state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    mesh = config.validate(MeshState, data, str(Home(home).state))
    return mesh if mesh.supervisor.alive() else None


def running(home: Path) -> MeshState:
    """Give the mesh that runs in a home directory; raises NoMesh."""
    mesh = find(home)
    if mesh is None:
        raise missing(home)
    return mesh


def missing(home: Path) -> NoMesh:
    """Describe that no mesh runs in a home directory, with the command that starts one."""
    start = f"quorate up --detach{home_option(home)}"
    return NoMesh(f"no mesh is running in {home}. Start one with: {start}")


def home_option(home: Path) -> str:
    """Give what a command about the mesh of a home directory needs, with a space before it."""
    return "" if home == default_home() else f" --home {shlex.quote(str(home))}"


def write(home: Path, mesh: MeshState) -> None:
    """Publish the state of a mesh, whole or not at all."""
    path = Home(home).state
    partial = path.with_suffix(".partial")
    partial.write_text(mesh.model_dump_json(indent=2), encoding="utf-8")
    partial.replace(path)
