"""`python -m services.bench.node`: measure a node beside its peers, and write results/node.json."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from services.bench import figures
from services.bench.node import (
    large_pages,
    long_prompt,
    memory,
    peers,
    second_turn,
    servers,
    throughput,
    two_models,
    vote,
)
from services.bench.node.bench import Bench
from services.bench.node.cores import Cores, asking_from, divide
from services.bench.node.ending import conclude

Part = Callable[[Bench], Awaitable[Sequence[figures.Figure]]]
PARTS: Final[Mapping[str, Part]] = {
    "throughput": throughput.measure,
    "long-prompt": long_prompt.measure,
    "vote": vote.measure,
    "two-models": two_models.measure,
    "second-turn": second_turn.measure,
    "large-pages": large_pages.measure,
    "memory": memory.measure,
}
SHAPES: Final = ("135m", "0.5b")
PASSES: Final = 5
QUICK_PASSES: Final = 2


def _listed(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        for one in chosen:
            if one not in known:
                raise argparse.ArgumentTypeError(f"{one!r} is none of {', '.join(known)}")
        return chosen

    return read


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a node beside llama.cpp's own server.")
    parts, clients = tuple(PARTS), tuple(map(str, throughput.GOALS))
    parser.add_argument("--only", type=_listed(parts), default=parts, help=", ".join(parts))
    parser.add_argument("--models", type=_listed(SHAPES), default=SHAPES, help=", ".join(SHAPES))
    parser.add_argument("--clients", type=_listed(clients), default=clients, help="such as 1,16")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter passes")
    parser.add_argument("--passes", type=int, help="how often ours and the peer take turns")
    parser.add_argument(
        "--out", type=Path, help="folder of node.json; a run of all parts writes to results"
    )
    arguments = parser.parse_args()
    if arguments.passes is not None and arguments.passes < 1:
        parser.error(f"--passes is {arguments.passes}; it must be at least 1")
    whole = (arguments.only, arguments.models, arguments.clients) == (parts, SHAPES, clients)
    arguments.out = arguments.out or (Path("results") if whole else peers.cache() / "results")
    return arguments


async def _measure(bench: Bench, parts: Sequence[str]) -> Sequence[figures.Figure]:
    made: list[figures.Figure] = []
    for part in parts:
        bench.console.rule(part)
        made += await PARTS[part](bench)
    return made


def _run(arguments: argparse.Namespace, cores: Cores, console: Console) -> Sequence[figures.Figure]:
    folder = peers.cache()
    brought = peers.bring(folder, console)
    console.print(cores.describe())
    with tempfile.TemporaryDirectory() as scratch, asking_from(cores):
        bench = Bench(
            peers=brought,
            place=servers.place(Path(scratch), cores),
            folder=folder,
            passes=arguments.passes or (QUICK_PASSES if arguments.quick else PASSES),
            quick=arguments.quick,
            shapes=arguments.models,
            clients=[int(clients) for clients in arguments.clients],
            console=console,
        )
        return asyncio.run(_measure(bench, arguments.only))


def main() -> int:
    """Bring the peers, measure, publish; gives the exit status, 0 whatever the figures say."""
    arguments = _arguments()
    console = Console(stderr=True, width=150)
    cores = divide(frozenset(os.sched_getaffinity(0)))
    return conclude("node", lambda: _run(arguments, cores, console), arguments.out, cores, console)


if __name__ == "__main__":
    sys.exit(main())
