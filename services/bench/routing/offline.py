"""Replays jobs in every way of planning, and records what that needs and was not recorded yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from rich.progress import Progress

from quorate.channel import Peers
from quorate.v1 import coordinator_pb2_grpc
from services.bench import local_mesh
from services.bench.routing import asked
from services.bench.routing.arms import BASELINE, UNEVEN_ROOM
from services.bench.routing.facts import Facts
from services.bench.routing.live import COLUMNS
from services.bench.routing.outcome import Reply
from services.bench.routing.replay_report import Replays, Tables
from services.bench.routing.replaying import MODES, UNEVEN, Bench, planner
from services.bench.routing.study import SUITE
from services.bench.vote.records import Keeper, Records
from services.bench.workflows.study import Study as Steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from services.bench.routing.asked import Ask
    from services.bench.routing.study import Study
    from services.bench.suites.workflow import Job

NO_CALIBRATION: Final = 1


class Offline(NamedTuple):
    """What is replayed, and the files of what was said."""

    study: Study
    jobs: Sequence[Job]
    records: Records
    replies: Keeper[Reply]
    console: Console

    @property
    def facts(self) -> Facts:
        """Give what plans rest on."""
        return msgspec.json.decode((self.study.folder() / "facts.json").read_bytes(), type=Facts)

    async def replay(self, ask: Ask | None) -> Replays:
        """Plan all jobs in all modes; raises NotAsked for a reply that is not there."""
        right = asked.rights(self.jobs, self.records)
        bench = Bench(self.facts, right)
        uneven = Bench(msgspec.structs.replace(self.facts, budget_bytes=UNEVEN_ROOM), right)
        reply = asked.recorded(self.replies, ask)
        own, same, others = {}, {}, {}
        with Progress(*COLUMNS, console=self.console) as progress:
            bar = progress.add_task("plans", total=2 * len(MODES) + len(UNEVEN) + 1)
            for mode in MODES:
                own[mode] = await bench.all_jobs(self.jobs, planner(mode, reply))
                progress.advance(bar)
            before = {one.job: one.before for one in own[BASELINE]}
            for mode in MODES:
                same[mode] = await bench.all_jobs(self.jobs, planner(mode, reply), before)
                progress.advance(bar)
            for mode in UNEVEN:
                others[mode] = await uneven.all_jobs(self.jobs, planner(mode))
                progress.advance(bar)
            hindsight = await bench.all_jobs(self.jobs, bench.hindsight())
            progress.advance(bar)
        return Replays(own, same, hindsight, others)

    async def record(self) -> Replays:
        """Replay with a mesh at hand on which all models are in memory."""
        with TemporaryDirectory() as folder:
            async with _mesh(Path(folder)) as (stub, peers):
                await asked.ballots(self.study, self.jobs, stub, self.records, self.console)
                return await self.replay(await asked.reach(stub, peers))

    def tables(self, replays: Replays) -> Mapping[str, Any]:
        """Work out the tables."""
        right = asked.rights(self.jobs, self.records)
        return Tables(self.jobs, right, replays, self.study.seed).sections()


def replayed(study: Study, console: Console, *, ask: bool) -> Mapping[str, Any]:
    """Give the tables of replayed jobs; without `ask` nobody is asked anything.

    Raises NotAsked where something is missing then.
    """
    jobs = study.jobs(study.replayed)
    steps = Steps(SUITE, study.replayed, NO_CALIBRATION, study.seed)
    with ExitStack() as stack:
        # Ballots are shared with the benchmark of workflows: the same steps, asked the same way.
        records = stack.enter_context(Records(steps.records()))
        replies = stack.enter_context(Keeper(study.folder() / "replies.jsonl", Reply))
        offline = Offline(study, jobs, records, replies, console)
        complete = asked.complete(jobs, records)
        if not complete and not ask:
            raise asked.NotAsked("ballots of all models on all steps")
        try:
            if not complete:
                raise asked.NotAsked
            found = asyncio.run(offline.replay(None))
        except asked.NotAsked:
            if not ask:
                raise
            found = asyncio.run(offline.record())
        return offline.tables(found)


@asynccontextmanager
async def _mesh(
    home: Path,
) -> AsyncIterator[tuple[coordinator_pb2_grpc.CoordinatorServiceAsyncStub, Peers]]:
    """Run a mesh with room for all models."""
    with local_mesh.running(home, quiet=True) as state:
        async with Peers(local_mesh.identity(home)) as peers:
            yield (
                coordinator_pb2_grpc.CoordinatorServiceStub(peers.channel(state.coordinator)),
                peers,
            )
