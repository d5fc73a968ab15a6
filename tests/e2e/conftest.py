"""One real mesh for all end-to-end tests: three nodes, six models, as `quorate up` starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorate.client.local_mesh import MeshState, running

QUORATE = (sys.executable, "-m", "quorate.cli")


def quorate(home: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line against the mesh in `home`."""
    command, *rest = arguments
    return subprocess.run(
        [*QUORATE, command, "--home", str(home), *rest],
        check=check,
        capture_output=True,
        text=True,
        timeout=90,
    )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the home directory of a running mesh."""
    directory = tmp_path_factory.mktemp("mesh")
    quorate(directory, "up", "--detach")
    try:
        yield directory
    finally:
        quorate(directory, "down")


@pytest.fixture
def mesh(home: Path) -> MeshState:
    """Give the state of the running mesh."""
    return running(home)


@pytest.fixture
def command(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command against the mesh: `command("ask", "What is 1 + 1?")`; raises when it fails."""
    return lambda *arguments: quorate(home, *arguments)


@pytest.fixture
def ask(home: Path) -> Callable[..., dict[str, Any]]:
    """Ask with --json and give the object: `ask("What is 1 + 1?", "--seed", "7")`."""

    def run(question: str, *options: str) -> dict[str, Any]:
        finished = quorate(home, "ask", question, "--json", *options, check=False)
        assert finished.stdout.strip(), finished.stderr
        answer: dict[str, Any] = json.loads(finished.stdout)
        return answer

    return run
