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
from services.bench.node import peers, servers, throughput
from services.bench.node.bench import Bench
from services.bench.node.cores import ServerFailed, ask_from, divide
from services.bench.node.peers import PeerMissing

Part = Callable[[Bench], Awaitable[Sequence[figures.Figure]]]
PARTS: Final[Mapping[str, Part]] = {"throughput": throughput.measure}
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
    parts = tuple(PARTS)
    parser.add_argument("--only", type=_listed(parts), default=parts, help=", ".join(parts))
    parser.add_argument("--models", type=_listed(SHAPES), default=SHAPES, help=", ".join(SHAPES))
    clients = tuple(map(str, throughput.GOALS))
    parser.add_argument("--clients", type=_listed(clients), default=clients, help="such as 1,16")
    parser.add_argument("--quick", action="store_true", help="two passes instead of five")
    parser.add_argument("--passes", type=int, help="how often ours and the peer take turns")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of node.json")
    return parser.parse_args()


async def _measure(bench: Bench, parts: Sequence[str]) -> Sequence[figures.Figure]:
    made: list[figures.Figure] = []
    for part in parts:
        bench.console.rule(part)
        made += await PARTS[part](bench)
    return made


def main() -> int:
    """Bring the peers, measure, publish."""
    arguments = _arguments()
    console = Console(stderr=True, width=150)
    cores = divide(frozenset(os.sched_getaffinity(0)))
    folder = peers.cache()
    try:
        brought = peers.bring(folder, console)
        ask_from(cores)
        console.print(cores.describe())
        with tempfile.TemporaryDirectory() as scratch:
            place = servers.place(Path(scratch), cores)
            passes = arguments.passes or (QUICK_PASSES if arguments.quick else PASSES)
            bench = Bench(
                brought,
                place,
                folder,
                passes,
                arguments.quick,
                arguments.models,
                [int(clients) for clients in arguments.clients],
                console,
            )
            made = asyncio.run(_measure(bench, arguments.only))
    except (PeerMissing, ServerFailed) as error:
        console.print(str(error), markup=False, highlight=False)
        return 1
    path = figures.publish("node", made, arguments.out)
    console.print(f"Written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
