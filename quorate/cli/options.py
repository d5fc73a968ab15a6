"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="QUORATE_HOME",
        help="Directory of the mesh: certificates, settings, logs. Several may run side by side.",
        show_default="the user's state directory",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TopologyOption = Annotated[
    Path | None,
    typer.Option(
        "--topology", "-t", help="Topology file (YAML).", show_default="six pocket models"
    ),
]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="No certificates; everything stays on loopback.")
]


class Decompose(StrEnum):
    """How a question is split into parts."""

    NONE = "none"
    RULES = "rules"
    AUTO = "auto"
    MODEL = "model"


class StopRule(StrEnum):
    """When to stop asking further models."""

    EXACT = "exact"
    NEVER = "never"
    RISK = "risk"
    ADAPTIVE = "adaptive"
    WINDOW = "window"


class DebateTopology(StrEnum):
    """Whose answers a debater reads."""

    RING = "ring"
    FULL = "full"


def home_of(chosen: Path | None) -> Path:
    """Give the directory of the mesh that a command is about."""
    from quorate.client.local_mesh import default_home

    return chosen.expanduser().absolute() if chosen else default_home()
