"""`python -m services.bench.coordinator.profile`: where the coordinator's time for a question goes.

The coordinator runs under cProfile with one client; each function's own time is added up by the
part of the program it belongs to. The profiler makes Python slower and leaves C as fast as it is,
so that shares say more than milliseconds. Time spent waiting is left out, and so is the start: what
a coordinator that is asked nothing takes is subtracted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pstats
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from services.bench import figures
from services.bench.coordinator import systems
from services.bench.load import closed_loop
from services.bench.node.cores import Cores, asking_from, divide
from services.bench.node.ending import conclude

PARTS: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("answers: extraction, comparison", ("quorate/answers", "/re/", "fractions.py")),
    ("vote", ("quorate/voting",)),
    ("the store: SQL", ("sqlalchemy", "sqlite", "services/coordinator/state")),
    ("the coordinator itself", ("services/coordinator",)),
    ("plumbing: channels, interceptors, metrics", ("quorate/",)),
    ("gRPC's Python", ("grpc",)),
    ("telemetry, logs", ("opentelemetry", "prometheus_client", "logging")),
    ("asyncio", ("asyncio",)),
)
"""Parts by what a file's path holds; the first that fits."""
WAITING: Final = ("poll", "select", "acquire")
SECONDS: Final = 6.0


def _part(file: str, function: str) -> str:
    if any(word in function for word in WAITING):
        return ""
    for name, paths in PARTS:
        if any(path in file or path in function for path in paths):
            return name
    return "everything else, mostly C: protobuf, TLS, the interpreter"


def parts_of(profile: Path) -> Counter[str]:
    """Add up own seconds by part."""
    seconds: Counter[str] = Counter()
    entries = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]  # not in its stub
    for (file, _, function), (_, _, own, _, _) in entries.items():
        if part := _part(file, function):
            seconds[part] += own
    return seconds


async def _asked(served: systems.Served, seconds: float) -> int:
    """Ask for that long; gives how many questions were asked in all."""
    count = 0
    async with systems.asking(served, streamed=False) as ask:

        async def counted() -> None:
            nonlocal count
            count += 1
            await ask()

        await closed_loop(counted, 1, seconds)
    return count


def _profiled(folder: Path, cores: Cores, seconds: float) -> tuple[Counter[str], int]:
    """Profile a coordinator from start to end; gives its parts and how many questions it had."""
    folder.mkdir()
    profile = folder / "profile"
    with systems.serve(folder, cores, profile) as served:
        asked = asyncio.run(_asked(served, seconds))
    return parts_of(profile), asked


def measure(cores: Cores, seconds: float) -> list[figures.Figure]:
    """Profile the coordinator and give each part's milliseconds per question."""
    with tempfile.TemporaryDirectory() as folder, asking_from(cores):
        started, _ = _profiled(Path(folder) / "started", cores, 0.0)
        parts, asked = _profiled(Path(folder) / "asked", cores, seconds)
        parts.subtract(started)
    total = sum(parts.values()) / asked * 1e3
    return [
        figures.compare(name, "ms", [own / asked * 1e3], "all of it", [total])
        for name, own in parts.most_common()
    ]


def main() -> int:
    """Profile and publish; gives the exit status."""
    parser = argparse.ArgumentParser(description="Profile the coordinator.")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    console = Console(stderr=True, width=150)
    cores = divide(frozenset(os.sched_getaffinity(0)))

    def measured() -> Sequence[figures.Figure]:
        return measure(cores, arguments.seconds)

    return conclude("coordinator-profile", measured, arguments.out, cores, console)


if __name__ == "__main__":
    sys.exit(main())
