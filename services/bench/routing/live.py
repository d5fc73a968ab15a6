"""Runs the arms: every job in every arm, the arms in an order drawn anew for each job."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from quorate.channel import Peers
from quorate.identity import Role
from quorate.models import pocket_models
from quorate.v1 import coordinator_pb2, coordinator_pb2_grpc, node_pb2_grpc
from services.bench import local_mesh
from services.bench.load import each
from services.bench.routing import facts
from services.bench.routing.arms import MIXES, WORKFLOW
from services.bench.routing.asking import ArmAsker, Scorer
from services.bench.routing.study import SUITE, step_of
from services.bench.suites.workflow import item_of

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from services.bench.routing.arms import Arm
    from services.bench.routing.facts import Facts
    from services.bench.routing.outcome import Outcome
    from services.bench.routing.study import Study
    from services.bench.suites.suite import Item
    from services.bench.suites.workflow import Step
    from services.bench.vote.records import Keeper

AT_ONCE: Final = 2
"""Jobs at once, each in another arm: two engines with two threads each fill four cores."""
COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeRemainingColumn(),
)


class Turn(NamedTuple):
    """One job's turn in one arm: its name, its steps, and by step what is right."""

    arm: str
    job: str
    text: str
    parts: Sequence[Step]
    items: Mapping[str, Item]


def workflow_turns(study: Study) -> Iterator[Turn]:
    """Give the turns of the jobs; in each, the arms come in an order of its own."""
    for job in study.jobs(study.live):
        items = {step.id: item_of(SUITE, job, step.id) for step in job.subtasks}
        for name in _shuffled([arm.name for arm in WORKFLOW], f"{study.seed}/{job.id}"):
            yield Turn(name, job.id, job.question, job.subtasks, items)


def mix_turns(study: Study) -> Iterator[Turn]:
    """Give the turns of the single questions, each arm in its own order of questions."""
    orders = {mixed.arm.name: study.mix(mixed.mix) for mixed in MIXES}
    for place in range(study.mixed):
        for name in _shuffled(list(orders), f"{study.seed}/{place}"):
            item = orders[name][place]
            yield Turn(name, item.id, item.question, [step_of(item)], {"t1": item})


def _shuffled(names: list[str], seed: str) -> list[str]:
    return Random(seed).sample(names, len(names))


@contextlib.asynccontextmanager
async def askers(
    arms: Sequence[Arm], home: Path, seed: int, console: Console
) -> AsyncIterator[dict[str, ArmAsker]]:
    """Run a mesh for each arm; all have loaded every model once, and have none in memory."""
    scorer, running = Scorer(), dict[str, ArmAsker]()
    async with contextlib.AsyncExitStack() as stack:
        with Progress(*COLUMNS, console=console) as progress:
            for arm in progress.track(arms, description="meshes"):
                running[arm.name] = await _asker(arm, home, seed, scorer, stack)
            bar = progress.add_task("every model once", total=len(arms))

            async def warm(asker: ArmAsker) -> None:
                await asker.warm(list(pocket_models()))

            await each(running.values(), warm, lambda _: progress.advance(bar), AT_ONCE)
        yield running


async def _asker(
    arm: Arm, home: Path, seed: int, scorer: Scorer, stack: contextlib.AsyncExitStack
) -> ArmAsker:
    own = home / arm.name.replace(" ", "-").replace(",", "")
    own.mkdir()
    topology = own / "topology.yaml"
    topology.write_text(yaml.safe_dump(arm.topology()), encoding="utf-8")
    # Blocking on purpose: meshes start one after the other, and nothing else runs yet.
    state = stack.enter_context(local_mesh.running(own, topology, quiet=True))
    peers = await stack.enter_async_context(Peers(local_mesh.identity(own)))
    boss = await stack.enter_async_context(Peers(state.admin))
    stub = coordinator_pb2_grpc.CoordinatorServiceStub(peers.channel(state.coordinator))
    listed = await stub.ListNodes(coordinator_pb2.ListNodesRequest())
    # Only an administrator may unload.
    channel = boss.channel(listed.nodes[0].address, (Role.NODE, "n1"))
    return ArmAsker(arm, stub, node_pb2_grpc.NodeServiceStub(channel), scorer, seed)


async def play(
    turns: Sequence[Turn], running: dict[str, ArmAsker], kept: Keeper[Outcome], console: Console
) -> None:
    """Take the turns that are missing, and keep what came of each at once."""
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task("turns", total=len(turns))

        async def take(turn: Turn) -> None:
            asker = running[turn.arm]
            async with asker.turn:  # in one arm one job follows the other
                kept.add(await asker.ask(turn.text, turn.parts, turn.job, turn.items))

        await each(turns, take, lambda _: progress.advance(bar), AT_ONCE)


def missing(turns: Iterator[Turn], kept: Keeper[Outcome]) -> list[Turn]:
    """Keep the turns that were not taken yet."""
    return [turn for turn in turns if not kept.has(turn.arm, turn.job)]


async def look(study: Study, asker: ArmAsker) -> Facts:
    """Ask one arm's coordinator for its estimates while nothing is in memory."""
    parts = study.kinds()
    found, status = await asker.estimates(parts), await asker.status()
    memory = {model.name: max(model.memory_bytes, 0) for model in status.models}
    return facts.facts_of(parts, found, status.memory_budget_bytes, memory)
