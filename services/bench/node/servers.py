"""The servers under test, each with one model or more: our node program, and llama-server."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from quorate.identity import Role, create_authority, issue
from services.bench.node.cores import SERVING_CORES, Cores, ServerFailed, started

if TYPE_CHECKING:
    import subprocess

    from quorate.config import TlsSettings

READY_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 0.05
NODE: Final = "bench"
SLOTS: Final = 32
QUEUE: Final = 256


@dataclass(frozen=True)
class Place:
    """Where the bench keeps what lives as long as a run, and which cores it uses."""

    folder: Path
    cores: Cores
    identity: TlsSettings

    def log(self, name: str) -> Path:
        """Give the place of a server's log."""
        return self.folder / f"{name}.log"


def place(folder: Path, cores: Cores) -> Place:
    """Make certificates for the node and for the bench."""
    now = datetime.now(UTC)
    create_authority(folder, now=now)
    issue(folder, Role.NODE, NODE, now=now)
    return Place(folder, cores, issue(folder, Role.BENCH, "bench", now=now))


class Running(NamedTuple):
    """A server that can be called at host:port."""

    address: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def node(
    place: Place,
    models: Mapping[str, Path],
    *,
    context_tokens: int,
    slots: int = SLOTS,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run `python -m services.node` for the block. Raises ServerFailed.

    `environment` is its own and its engines', None that of the bench.
    """
    names = "-".join(models)
    ready = place.folder / f"{names}.ready"
    ready.unlink(missing_ok=True)
    room = {"context_tokens": context_tokens, "slots": slots, "queue": QUEUE}
    served = [{"name": name, "path": str(path), **room} for name, path in models.items()]
    settings = place.folder / f"{names}.yaml"
    settings.write_text(yaml.safe_dump(_settings(place, ready, served)), encoding="utf-8")
    command = [sys.executable, "-m", "services.node", "--settings", str(settings)]
    log = place.log(f"node-{names}")
    with started(command, place.cores, log, environment) as process:
        _wait(ready.exists, process, "the node", log)
        address = json.loads(ready.read_text(encoding="utf-8"))["address"]
        yield Running(address, process)


def _settings(
    place: Place, ready: Path, models: Sequence[Mapping[str, object]]
) -> Mapping[str, object]:
    tls = issue(place.folder, Role.NODE, NODE, now=datetime.now(UTC))
    return {
        "name": NODE,
        "tls": {key: str(path) for key, path in tls},
        "cores": SERVING_CORES,
        "ready_file": str(ready),
        "runtime_directory": str(place.folder / "runtime"),
        "models": list(models),
    }


class Layout(NamedTuple):
    """How llama-server holds its key-value cells: slots, and whether they share one pool."""

    slots: int
    unified: bool

    def __str__(self) -> str:
        return f"-np {self.slots}" + (" -kvu" if self.unified else "")


@contextlib.contextmanager
def llama_server(
    place: Place, program: Path, model: Path, layout: Layout, *, slot_tokens: int
) -> Iterator[Running]:
    """Run llama-server for the block. Raises ServerFailed.

    `slot_tokens` is what each slot may hold. Its prompt cache in memory is off: with prompts that
    have nothing in common it only costs time.
    """
    port = _free_port()
    name = f"llama-server {layout}"
    command = [
        str(program), "--model", str(model), "--host", "127.0.0.1", "--port", str(port),
        "--threads", str(SERVING_CORES), "--threads-batch", str(SERVING_CORES),
        "--parallel", str(layout.slots), "--kv-unified" if layout.unified else "--no-kv-unified",
        "--ctx-size", str(layout.slots * slot_tokens), "--cache-ram", "0", "--offline",
        "--log-verbosity", "1",
    ]  # fmt: skip
    log = place.log(f"{name}-{model.stem}".replace(" ", ""))
    with started(command, place.cores, log) as process:
        _wait(lambda: _healthy(port), process, name, log)
        yield Running(f"127.0.0.1:{port}", process)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _wait(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path
) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(name, log)
        time.sleep(PAUSE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
