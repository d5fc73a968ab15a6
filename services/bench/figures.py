"""The one shape of every benchmark's result: figures beside their peers, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

VERSIONED = ("quorate", "llama-cpp-python", "grpcio", "protobuf", "numpy")


@dataclass(frozen=True)
class Figure:
    """One measured figure beside the peer measured in the same run.

    `value` and `peer_value` are medians over `runs` in `unit`; `ratio` is the median of the paired
    ratios value/peer, `min` and `max` the extremes of `value`. `goal` is the bound on the ratio as
    text, such as "<= 1.10"; `holds` is None when no goal is set.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    ratio: float
    goal: str
    holds: bool | None
    runs: int
    min: float
    max: float


def compare(
    name: str, unit: str, ours: Sequence[float], peer: str, theirs: Sequence[float], goal: str = ""
) -> Figure:
    """Make a figure from paired runs: `ours[i]` and `theirs[i]` were measured side by side."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    return Figure(
        name=name,
        value=statistics.median(ours),
        unit=unit,
        peer=peer,
        peer_value=statistics.median(theirs),
        ratio=ratio,
        goal=goal,
        holds=_holds(ratio, goal) if goal else None,
        runs=len(ours),
        min=min(ours),
        max=max(ours),
    )


def _holds(ratio: float, goal: str) -> bool:
    relation, bound = goal.split()
    return ratio <= float(bound) if relation == "<=" else ratio >= float(bound)


def machine() -> Mapping[str, object]:
    """Describe the machine and the versions that a result belongs to."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: metadata.version(package) for package in VERSIONED},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def readable(value: float) -> str:
    """Write a value with three digits, or with all before the point where there are more."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def publish(
    benchmark: str,
    figures: Sequence[Figure],
    folder: Path = Path("results"),
    setup: str = "",
    sections: Mapping[str, object] | None = None,
) -> Path:
    """Print the figures as a table and write them to `folder`/`benchmark`.json.

    `setup` says in words what the machine and the versions do not, such as who ran on which cores.
    `sections` stand beside the figures in the file: tables that are no figure beside a peer.
    """
    table = Table(title=f"bench-{benchmark}")
    for column in ("figure", "value", "peer", "peer's value", "ratio", "goal", "runs"):
        table.add_column(column, justify="left" if column in ("figure", "peer") else "right")
    for figure in figures:
        holds = {True: " holds", False: " MISSED", None: ""}[figure.holds]
        table.add_row(
            figure.name,
            f"{readable(figure.value)} {figure.unit}",
            figure.peer,
            f"{readable(figure.peer_value)} {figure.unit}",
            f"{figure.ratio:.3f}",
            figure.goal + holds,
            str(figure.runs),
        )
    Console(width=150).print(table)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{benchmark}.json"
    described = {**machine(), **({"setup": setup} if setup else {})}
    listed = [asdict(figure) for figure in figures]
    document = {"machine": described, "figures": listed, **(sections or {})}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path
