"""Pythons of their own for the peers: made once, kept in the bench's folder, never ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.bench.node.peers import PeerMissing

if TYPE_CHECKING:
    from rich.console import Console

REQUIREMENTS: Final = {"ray": "ray[serve]", "litellm": "litellm"}
INSTALL_SECONDS: Final = 600.0


def bring(name: str, folder: Path, console: Console) -> Path:
    """Give a Python that has the peer, installed where it is not there yet. Raises PeerMissing."""
    home = folder / "peers" / name
    python = home / "bin" / "python"
    marker = home / "installed"
    if not marker.exists():
        console.print(f"Installing {REQUIREMENTS[name]} in a Python of its own, once; minutes.")
        venv.create(home, with_pip=True, clear=True)
        _install(python, REQUIREMENTS[name])
        marker.touch()
    return python


def version(python: Path, name: str) -> str:
    """Give the version of the peer."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _install(python: Path, requirement: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, requirement],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerMissing(f"{requirement} took longer than {INSTALL_SECONDS:.0f} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise PeerMissing(f"{requirement} cannot be installed with {sys.executable}: {last}")
