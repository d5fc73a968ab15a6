"""`python -m services.bench.vote`: record ballots on a mesh, replay every strategy, report."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from quorate.channel import Peers
from quorate.errors import QuorateError
from quorate.v1 import coordinator_pb2_grpc
from services.bench import figures, local_mesh
from services.bench.suites import registry
from services.bench.vote import recording, report
from services.bench.vote.asking import Asker
from services.bench.vote.recording import Job
from services.bench.vote.records import Records
from services.bench.vote.study import Study, pocket_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quorate.client.local_mesh import MeshState
    from services.bench.suites.suite import Item
    from services.bench.vote.asking import Way

SETUP: Final = "a mesh of three nodes with two pocket models each, eight questions at once"
STOPPED: Final = 130
"""Exit status of a command that Ctrl-C ended."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the strategies on the pocket mesh.")
    parser.add_argument("--suite", default="pocket", help=", ".join(registry.suites()))
    parser.add_argument("--tasks", type=lambda text: tuple(text.split(",")), help="default: all")
    parser.add_argument("--items", type=int, default=500, help="held-out items of each task")
    parser.add_argument("--calibration", type=int, default=300, help="items of each to learn from")
    parser.add_argument("--live", type=int, default=30, help="items of each for what asks again")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--clients", type=int, default=8, help="questions at once")
    parser.add_argument("--quick", action="store_true", help="40 items of each task, 5 live")
    parser.add_argument("--replay", action="store_true", help="ask nobody; all is recorded")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of vote.json")
    arguments = parser.parse_args()
    for name, least in (("items", 1), ("calibration", 1), ("live", 0), ("clients", 1)):
        if getattr(arguments, name) < least:
            parser.error(f"--{name} is {getattr(arguments, name)}; it must be at least {least}")
    if arguments.quick:
        arguments.items, arguments.calibration, arguments.live = 40, 40, 5
    return arguments


def _study(arguments: argparse.Namespace) -> Study:
    tasks = arguments.tasks or registry.find(arguments.suite).tasks
    return Study(
        arguments.suite,
        tasks,
        arguments.items,
        arguments.calibration,
        arguments.live,
        arguments.seed,
    )


async def _record(
    study: Study, records: Records, state: MeshState, home: Path, clients: int, console: Console
) -> None:
    """Record what is missing: calibration first, for it says which model is the best."""
    async with Peers(local_mesh.identity(home)) as peers:
        stub = coordinator_pb2_grpc.CoordinatorServiceStub(peers.channel(state.coordinator))
        asker = Asker(stub, registry.find(study.suite), study.seed)

        async def record(way: Way, items: Sequence[Item]) -> None:
            jobs = [Job(way, item) for item in items]
            await recording.record(asker, records, jobs, clients, console)

        test = [item for items in study.items("test").values() for item in items]
        calibration = [item for items in study.items("calibration").values() for item in items]
        await record(recording.CALIBRATION, calibration)
        await record(recording.TEST, test)
        known = records.of(recording.CALIBRATION.name)
        best = recording.best_model(known[item.id] for item in calibration)
        await record(recording.samples_of(best), test)
        await record(recording.ELECTORATE, study.larger_items())
        for way in recording.live_ways():
            await record(way, study.live_items())


def _report(study: Study, records: Records, out: Path, console: Console) -> None:
    """Work everything out from what is recorded, and write vote.json."""
    material = report.gather(study, registry.find(study.suite), records)
    made = report.Report(material, pocket_hashes(), console.print)
    sections = made.sections()
    path = figures.publish("vote", report.headline(sections), out, SETUP, sections)
    console.print(sections["verdict"], markup=False)
    console.print(f"Written to {path}. `make docs` writes docs/quality.md from it.")


def main() -> int:
    """Record, replay, publish; gives the exit status, 0 whatever the figures say."""
    arguments = _arguments()
    console = Console(stderr=True, width=120)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what runs is ended, as by Ctrl-C
    study = _study(arguments)
    with Records(study.ballots()) as records, tempfile.TemporaryDirectory() as folder:
        console.print(f"Ballots are kept in {study.ballots()}")
        try:
            if not arguments.replay:
                with local_mesh.running(Path(folder)) as state:
                    asyncio.run(
                        _record(study, records, state, Path(folder), arguments.clients, console)
                    )
            _report(study, records, arguments.out, console)
        except KeyboardInterrupt:
            console.print("Stopped. The same command goes on from here.")
            return STOPPED
        except QuorateError as error:
            console.print(f"{error}", markup=False)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
