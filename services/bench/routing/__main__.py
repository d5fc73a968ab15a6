"""`python -m services.bench.routing`: what plans are worth, live and replayed, and a report."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from quorate import error_groups
from quorate.errors import QuorateError
from services.bench import figures
from services.bench.routing import asked, live, offline, report
from services.bench.routing.arms import BASELINE, MIXES, WORKFLOW
from services.bench.routing.outcome import Outcome
from services.bench.routing.study import Study
from services.bench.vote.records import Keeper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.bench.routing.arms import Arm
    from services.bench.routing.live import Turn

SETUP: Final = (
    "a coordinator and a node with two threads for each way of planning, two jobs at once"
)
STOPPED: Final = 130
"""Exit status of a command that Ctrl-C ended."""
QUICK: Final = (12, 12, 53)
LEAST: Final = 2


def _study() -> tuple[Study, argparse.Namespace]:
    parser = argparse.ArgumentParser(description="Measure what plans are worth.")
    parser.add_argument("--jobs", type=int, default=159, help="live jobs in every arm")
    parser.add_argument("--mixed", type=int, default=80, help="live questions in every arm")
    parser.add_argument("--replayed", type=int, default=318, help="jobs that are replayed")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} of these")
    parser.add_argument("--fresh", action="store_true", help="forget what was recorded before")
    parser.add_argument("--replay", action="store_true", help="ask nobody; all is recorded")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the result")
    arguments = parser.parse_args()
    for name in ("jobs", "mixed", "replayed"):
        if getattr(arguments, name) < LEAST:
            parser.error(f"--{name} is {getattr(arguments, name)}; it must be at least {LEAST}")
    counts = QUICK if arguments.quick else (arguments.jobs, arguments.mixed, arguments.replayed)
    live_jobs, mixed, replayed = counts
    return Study(live_jobs, mixed, replayed, arguments.seed), arguments


async def _live(
    study: Study,
    turns: Sequence[Turn],
    arms: Sequence[Arm],
    kept: Keeper[Outcome],
    console: Console,
) -> None:
    """Take the turns that are missing, on meshes that end with them."""
    facts = study.folder() / "facts.json"
    with tempfile.TemporaryDirectory() as folder:
        async with live.askers(arms, Path(folder), study.seed, console) as running:
            if BASELINE in running and not facts.exists():
                known = await live.look(study, running[BASELINE])
                facts.write_bytes(msgspec.json.encode(known))
            await live.play(turns, running, kept, console)


def _record(study: Study, kept: Keeper[Outcome], console: Console) -> None:
    facts = study.folder() / "facts.json"
    phases = [
        (live.missing(live.workflow_turns(study), kept), WORKFLOW),
        (live.missing(live.mix_turns(study), kept), [mixed.arm for mixed in MIXES]),
    ]
    for turns, arms in phases:
        if turns or (arms is WORKFLOW and not facts.exists()):
            asyncio.run(_live(study, turns, arms, kept, console))


def _publish(study: Study, kept: Keeper[Outcome], out: Path, console: Console, ask: bool) -> Path:
    sections = {
        "study": study.described(),
        "live": report.live(study, kept),
        "mixed": report.mixed(study, kept),
        "replayed": offline.replayed(study, console, ask=ask),
    }
    path = figures.publish("routing", report.headline(sections), out, SETUP, sections)
    (out / "routing.csv").write_text(report.table(sections), encoding="utf-8")
    return path


def _failed(console: Console, why: str) -> int:
    console.print(why, markup=False)
    return 1


def main() -> int:
    """Record what is missing, work everything out, publish; 0 whatever the figures say."""
    study, arguments = _study()
    console = Console(stderr=True, width=120)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what runs is ended, as by Ctrl-C
    console.print(f"What is recorded is kept in {study.folder()}")
    if arguments.fresh:  # the coordinator has changed, and its records with it
        shutil.rmtree(study.folder(), ignore_errors=True)
    try:
        with Keeper(study.folder() / "outcomes.jsonl", Outcome) as kept:
            if not arguments.replay:
                _record(study, kept, console)
            path = _publish(study, kept, arguments.out, console, not arguments.replay)
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from here.")
        return STOPPED
    except (KeyError, asked.NotAsked) as error:
        return _failed(console, f"{error} is not recorded. Run without --replay.")
    except QuorateError as error:
        return _failed(console, f"{error}")
    except ExceptionGroup as group:  # of jobs that were done at once
        first = error_groups.first(group, QuorateError)
        if first is group:
            raise
        return _failed(console, f"{first}")
    console.print(f"Written to {path}. `make docs` writes docs/planning.md from it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
