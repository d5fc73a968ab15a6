"""`python -m services.bench.coordinator`: what the coordinator adds to five calls, and its peers.

All systems ask five voters that answer at once, wait for all, and take the answer of most: ours
over mTLS with streamed tokens, the bare calls likewise and with no logic, Ray Serve over its own
handles, LiteLLM's Router over plain HTTP. They take turns in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from services.bench import figures
from services.bench.coordinator import environments, systems
from services.bench.coordinator.question import CLIENTS
from services.bench.node.cores import Cores, asking_from, divide
from services.bench.node.ending import conclude
from services.bench.node.peers import PeerMissing, cache

if TYPE_CHECKING:
    from services.bench.coordinator.question import Turn

OURS: Final = ("Ask", "AskStream")
BARE: Final = "the bare calls"
PEERS: Final = {"ray": "Ray Serve", "litellm": "LiteLLM Router"}
ADDED_MILLISECONDS: Final = 5.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what the coordinator adds.")
    parser.add_argument("--turns", type=int, default=4, help="how often each system has its turn")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each turn, per load")
    parser.add_argument("--quick", action="store_true", help="two turns of a second")
    parser.add_argument("--out", type=Path, default=Path("results"), help="of coordinator.json")
    arguments = parser.parse_args()
    if arguments.turns < 1 or not arguments.seconds > 0:
        parser.error("--turns must be at least 1, and --seconds above 0")
    if arguments.quick:
        arguments.turns, arguments.seconds = 2, 1.0
    return arguments


class Missing(dict[str, str]):
    """Peers that are not there, with the reason."""


async def _measure(
    folder: Path, cores: Cores, turns: int, seconds: float, console: Console
) -> tuple[Mapping[str, Sequence[Turn]], Missing]:
    """Let all systems take turns; gives their turns by name."""
    missing = Missing()
    async with AsyncExitStack() as stack:
        served = stack.enter_context(systems.serve(folder, cores))
        takers = {
            OURS[0]: await stack.enter_async_context(systems.ours(served, streamed=False)),
            OURS[1]: await stack.enter_async_context(systems.ours(served, streamed=True)),
            BARE: await stack.enter_async_context(systems.bare(served)),
        }
        port = stack.enter_context(systems.instant_http(cores, folder / "backend.log"))
        arguments = {"ray": list[str](), "litellm": [str(port)]}
        for name, title in PEERS.items():
            try:
                python = environments.bring(name, cache(), console)
            except PeerMissing as error:
                missing[title] = str(error)
                continue
            log = folder / f"{name}.log"
            run = systems.peer(
                python, f"{name}_peer", arguments[name], log, cores.serving | cores.asking
            )
            found = f"{title} {environments.version(python, name)}"
            takers[found] = stack.enter_context(run)
        taken: dict[str, list[Turn]] = {name: [] for name in takers}
        for turn in range(turns):
            console.print(f"turn {turn + 1} of {turns}")
            for name, take in takers.items():
                taken[name].append(await take(seconds))
    return taken, missing


def compared(taken: Mapping[str, Sequence[Turn]], missing: Missing) -> list[figures.Figure]:
    """Turn the turns into figures: what ours adds, and how much it does beside the others."""
    made = []
    for name in OURS:
        ours, floor = taken[name], taken[BARE]
        added = [
            (one.p50_seconds - bare.p50_seconds) * 1e3
            for one, bare in zip(ours, floor, strict=True)
        ]
        limit = [ADDED_MILLISECONDS] * len(added)
        made.append(
            figures.compare(
                f"{name}: added p50, 1 client", "ms", added, "accepted", limit, "<= 1.00"
            )
        )
        for other, theirs in taken.items():
            if other not in OURS:
                made += _beside(name, ours, other, theirs)
    made += [_absent(title, reason) for title, reason in missing.items()]
    return made


def _beside(
    name: str, ours: Sequence[Turn], other: str, theirs: Sequence[Turn]
) -> list[figures.Figure]:
    return [
        figures.compare(
            f"{name}: p50, 1 client",
            "ms",
            [turn.p50_seconds * 1e3 for turn in ours],
            other,
            [turn.p50_seconds * 1e3 for turn in theirs],
        ),
        figures.compare(
            f"{name}: questions/s, {CLIENTS} clients",
            "/s",
            [turn.per_second for turn in ours],
            other,
            [turn.per_second for turn in theirs],
            goal=">= 0.40" if other == BARE else ">= 5.00",
        ),
    ]


def _absent(title: str, reason: str) -> figures.Figure:
    """Say by name that a peer could not be measured; nothing holds that was not measured."""
    nothing = figures.compare(f"not measured: {reason}", "", [1.0], title, [1.0])
    return replace(nothing, value=0.0, peer_value=0.0, ratio=0.0, runs=0, min=0.0, max=0.0)


def main() -> int:
    """Measure and publish; gives the exit status, 0 whatever the figures say."""
    arguments = _arguments()
    console = Console(stderr=True, width=150)
    cores = divide(frozenset(os.sched_getaffinity(0)))

    def measured() -> Sequence[figures.Figure]:
        with tempfile.TemporaryDirectory() as folder, asking_from(cores):
            taken, missing = asyncio.run(
                _measure(Path(folder), cores, arguments.turns, arguments.seconds, console)
            )
        return compared(taken, missing)

    return conclude("coordinator", measured, arguments.out, cores, console)


if __name__ == "__main__":
    sys.exit(main())
