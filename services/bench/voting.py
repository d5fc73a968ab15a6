"""`python -m services.bench.voting`: how fast votes are decided, on one core and without a network.

Ballots per second of rules that count heads or add weights, the slowest hundredth of votes of nine
voters under every rule, over answers of all kinds, and what large electorates cost that are counted
ballot by ballot.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from rich.console import Console

from quorate import voting
from quorate.answers import Kind, extract
from quorate.errors import InvalidRequest
from services.bench import figures, folding

VOTERS: Final = 9
RATE_GOAL: Final = 100_000.0
P99_GOAL_MILLISECONDS: Final = 2.0
PLURALITY: Final = ("majority", "weighted")
"""Rules that add up what single votes are worth."""
SAID: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.NUMBER: ("Answer: 18", "It is 18.0 in all.", "Answer: 21", "Answer: 1,000", "about 12"),
    Kind.CHOICE: ("B", "The answer is (C).", "A) Paris", "D."),
    Kind.BOOLEAN: ("Answer: yes", "No.", "Yes, it is."),
    Kind.JSON: ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', '{"a": 1}', "[1, 2]"),
    Kind.CODE: ("def f(a):\n    return a", "def g(b):\n    return b", "def f(a):\n    return -a"),
    Kind.TEXT: ("Paris", "the city of Paris", "Rome", "Lisbon is it", "I think Madrid"),
}


def elections(count: int, seed: int) -> list[list[voting.Vote]]:
    """Draw votes of nine members with answers of every kind; their texts are extracted already.

    Each vote has an answer of its own, as it would come from another machine.
    """
    random = Random(seed)
    made = []
    for number in range(count):
        kind = list(SAID)[number % len(SAID)]
        texts = SAID[kind]
        favourite = random.choice(texts)
        said = [favourite if random.random() < 0.6 else random.choice(texts) for _ in range(VOTERS)]
        made.append(
            [
                voting.Vote(f"n{place}/m{place}", extract(text, kind), random.random())
                for place, text in enumerate(said)
            ]
        )
    return made


def seconds_of(strategy: str, drawn: Sequence[Sequence[voting.Vote]]) -> list[float]:
    """Time every single vote."""
    taken = []
    for votes in drawn:
        started = time.perf_counter()
        voting.decide(strategy, votes)
        taken.append(time.perf_counter() - started)
    return taken


def rate(strategy: str, drawn: Sequence[Sequence[voting.Vote]]) -> float:
    """Give ballots per second, all votes one after the other."""
    started = time.perf_counter()
    for votes in drawn:
        voting.decide(strategy, votes)
    return VOTERS * len(drawn) / (time.perf_counter() - started)


def measure(count: int, runs: int, console: Console) -> list[figures.Figure]:
    """Measure every rule that decides on ballots alone."""
    drawn = elections(count, 1)
    # What was drawn beforehand is not looked through for garbage again and again.
    gc.collect()
    gc.freeze()
    made = []
    for name in PLURALITY:
        rates = [rate(name, drawn) for _ in range(runs)]
        goal = [RATE_GOAL] * runs
        made.append(figures.compare(f"{name}: ballots/s", "/s", rates, "accepted", goal, ">= 1.00"))
    fewer = max(3, runs // 3)
    for name, strategy in voting.STRATEGIES.items():
        if strategy.orchestrated:
            continue
        try:
            seconds_of(name, drawn[:20])
        except InvalidRequest as error:
            console.print(f"{name} is left out: {error.message}", markup=False)
            continue
        slowest = []
        for _ in range(fewer):
            ordered = sorted(seconds_of(name, drawn[: max(100, count // 3)]))
            slowest.append(ordered[int(0.99 * len(ordered))] * 1e3)
        limit = [P99_GOAL_MILLISECONDS] * fewer
        figure = figures.compare(
            f"{name}: p99 of a vote of {VOTERS}", "ms", slowest, "accepted", limit, "<= 1.00"
        )
        made.append(figure)
        console.print(f"{name}: {median(slowest):.3f} ms")
    return made


def main() -> int:
    """Measure and publish; gives the exit status, 0 whatever the figures say."""
    parser = argparse.ArgumentParser(description="Measure how fast votes are decided.")
    parser.add_argument("--votes", type=int, default=3_000, help="votes of nine in each run")
    parser.add_argument("--runs", type=int, default=15, help="of the rates; a third for the rest")
    parser.add_argument("--out", type=Path, default=Path("results"), help="of voting.json")
    arguments = parser.parse_args()
    if min(arguments.votes, arguments.runs) < 1:
        parser.error("--votes and --runs must be at least 1")
    console = Console(stderr=True, width=150)
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    rate(PLURALITY[0], elections(200, 2))  # what is loaded at first use is loaded now
    made = measure(arguments.votes, arguments.runs, console)
    made += folding.measure(max(3, arguments.runs // 3))
    setup = "one process on one core that it does not leave, no network; medians of the runs"
    figures.publish("voting", made, arguments.out, setup)
    return 0


if __name__ == "__main__":
    sys.exit(main())
