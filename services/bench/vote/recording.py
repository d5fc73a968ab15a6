"""Records ballots on a running mesh: once for each item, and again only what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from quorate.v1 import coordinator_pb2
from services.bench.load import each
from services.bench.vote.asking import Asker, Way

if TYPE_CHECKING:
    from rich.console import Console

    from services.bench.suites.suite import Item
    from services.bench.vote.records import Record, Records

CALIBRATION: Final = Way("calibration/members")
TEST: Final = Way("test/members")
SAMPLES: Final = 8
"""Of the best model; as many of them count as the members' tokens on the item allow."""
TEMPERATURE: Final = 0.7
SAMPLED: Final = "test/samples"
VOTES_OF_EACH: Final = 3
ELECTORATE: Final = Way("test/electorate", {"samples": VOTES_OF_EACH}, {"temperature": TEMPERATURE})
"""Several samples of every member: a larger electorate, in which stopping early saves more."""
STOPS: Final[dict[str, dict[str, Any]]] = {
    "exact": {"stop_rule": coordinator_pb2.STOP_RULE_EXACT},
    "risk 5 %": {"stop_rule": coordinator_pb2.STOP_RULE_RISK, "risk": 0.05},
    "adaptive": {"stop_rule": coordinator_pb2.STOP_RULE_ADAPTIVE},
}
ORCHESTRATED: Final[dict[str, dict[str, Any]]] = {
    "debate": {"strategy": "debate", "rounds": 2},
    "universal": {"strategy": "universal"},
    "moa": {"strategy": "moa"},
    "pacore": {"strategy": "pacore", "widths": [4]},
    "borda": {"strategy": "borda"},
    "best_of_n": {"strategy": "best_of_n"},
    "cascade": {"cascade": True},
}
"""Strategies that ask again, so that recorded ballots are not enough."""


@dataclass(frozen=True)
class Job:
    """One item, asked in one way."""

    way: Way
    item: Item


def samples_of(model: str) -> Way:
    """Ask one model for several samples."""
    return Way(SAMPLED, {"models": [model], "samples": SAMPLES}, {"temperature": TEMPERATURE})


def live_ways() -> Sequence[Way]:
    """Give the ways that are tried on some items only."""
    stops = [Way(f"live/stop-{name}", fields) for name, fields in STOPS.items()]
    drawn = {"pacore": {"temperature": TEMPERATURE}}  # its candidates have to differ
    again = [
        Way(f"live/{name}", fields, drawn.get(name, {})) for name, fields in ORCHESTRATED.items()
    ]
    return [*again, *stops]


async def record(
    asker: Asker, records: Records, jobs: Iterable[Job], clients: int, console: Console
) -> None:
    """Do what is missing of the jobs, with a bar for each way."""
    missing = [job for job in jobs if not records.has(job.way.name, job.item.id)]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        counts: dict[str, int] = defaultdict(int)
        for job in missing:
            counts[job.way.name] += 1
        bars = {name: progress.add_task(name, total=count) for name, count in counts.items()}

        def keep(record: Record) -> None:
            records.add(record)
            progress.advance(bars[record.way])

        await each(missing, lambda job: asker.ask(job.way, job.item), keep, clients)


def best_model(records: Iterable[Record]) -> str:
    """Name the model with the most right ballots; the first by name where several have as many."""
    right: dict[str, int] = defaultdict(int)
    for one in records:
        for ballot in one.ballots:
            right[ballot.model] += ballot.right
    return min(right, key=lambda model: (-right[model], model))
