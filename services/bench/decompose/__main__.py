"""`python -m services.bench.decompose`: split every labelled question in every mode on a mesh."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from quorate.channel import Peers
from quorate.errors import QuorateError
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc
from services.bench import figures, local_mesh
from services.bench.decompose import corpus
from services.bench.decompose.scoring import Found, Part, Scored, score, table

if TYPE_CHECKING:
    from services.bench.decompose.corpus import Labelled

PLANNERS: Final = ("abacus", "atlas", "scribe", "forge", "compass", "marshal")
PLANNER: Final = "marshal"
"""The pocket model that practised splitting most."""
MODES: Final = ("rules", "model", "auto")
PLAN_SECONDS: Final = 60.0
SETUP: Final = (
    "a mesh of three nodes with two pocket models each, one question at a time; "
    f"{PLANNER} is the model that is asked"
)


async def split(
    stub: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
    labelled: Labelled,
    mode: str,
    planner: str,
) -> Found:
    """Ask the mesh how it would split a question."""
    message = common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=labelled.question)
    question = coordinator_pb2.Question(
        messages=[message],
        decompose=coordinator_pb2.DecomposeMode.Value(f"DECOMPOSE_MODE_{mode.upper()}"),
        planner=planner,
    )
    started = time.perf_counter()
    request = coordinator_pb2.PlanRequest(question=question)
    plan = (await stub.Plan(request, timeout=PLAN_SECONDS)).plan
    seconds = time.perf_counter() - started
    # A plan lists parents before children; numbers tell the order of the question.
    listed = sorted(plan.subtasks, key=lambda part: int(part.id.removeprefix("t")))
    places = {part.id: number for number, part in enumerate(listed, 1)}
    parts = tuple(
        Part(part.text, tuple(sorted(places[parent] for parent in part.depends_on)))
        for part in listed
    )
    return Found(parts, plan.reason, plan.decomposed_by, seconds)


async def run(
    stub: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
    questions: Sequence[Labelled],
    mode: str,
    planner: str,
    console: Console,
) -> list[Scored]:
    """Split every question in one mode, one after the other, and tell what is wrong."""
    scored = [score(one, await split(stub, one, mode, planner)) for one in questions]
    for one in scored:
        if one.broken or (one.split and not one.right):
            parts = [tuple(part) for part in one.found.parts]
            text = f"{mode}: {one.labelled.question!r} → {parts}"
            console.print(text, markup=False, style="red" if one.broken else None)
    return scored


async def measure(
    stub: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
    planners: Sequence[str],
    console: Console,
) -> tuple[list[figures.Figure], dict[str, Any]]:
    """Measure the modes with one model, and the mode "model" with each of them."""
    questions, later = corpus.everything(), set(corpus.read(corpus.WRITTEN_AFTER))
    by_mode = {mode: await run(stub, questions, mode, PLANNER, console) for mode in MODES}
    others = [planner for planner in planners if planner != PLANNER]
    by_planner = {PLANNER: by_mode["model"], **await _together(stub, questions, others, console)}
    modes = [table(mode, scored) for mode, scored in by_mode.items()]
    sections = {
        "modes": modes,
        "later": [
            table(mode, [one for one in scored if one.labelled in later])
            for mode, scored in by_mode.items()
        ],
        "planners": [table(planner, scored) for planner, scored in by_planner.items()],
        "misses": {mode: _misses(scored) for mode, scored in by_mode.items()},
    }
    return headline(modes), sections


async def _together(
    stub: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
    questions: Sequence[Labelled],
    planners: Sequence[str],
    console: Console,
) -> dict[str, list[Scored]]:
    """Ask several models at once: each has its own engine, and nobody is timed here."""
    async with asyncio.TaskGroup() as group:
        tasks = {
            planner: group.create_task(run(stub, questions, "model", planner, console))
            for planner in planners
        }
    return {planner: task.result() for planner, task in tasks.items()}


def _misses(scored: Sequence[Scored]) -> list[dict[str, str]]:
    """List the questions with parts that were not found, and why."""
    return [
        {"question": one.labelled.question, "reason": one.found.reason}
        for one in scored
        if not one.labelled.whole and not one.right
    ]


def headline(modes: Sequence[dict[str, Any]]) -> list[figures.Figure]:
    """Compare each mode with rules alone; what must stay whole, with all of it."""
    made = []
    rules = modes[0]
    for row in modes:
        name, kept = row["mode"], row["kept"]["value"]
        goal = ">= 1.00"
        made.append(figures.compare(f"{name}: kept whole", "", [kept], "all", [1.0], goal))
        for share in ("precision", "recall"):
            if row[share] and rules[share]:
                ours, theirs = row[share]["value"], rules[share]["value"]
                made.append(
                    figures.compare(f"{name}: {share} of splits", "", [ours], "rules", [theirs])
                )
    return made


async def _measured(
    home: Path, coordinator: str, planners: Sequence[str], console: Console
) -> tuple[list[figures.Figure], dict[str, Any]]:
    async with Peers(local_mesh.identity(home)) as peers:
        stub = coordinator_pb2_grpc.CoordinatorServiceStub(peers.channel(coordinator))
        return await measure(stub, planners, console)


def main() -> int:
    """Measure and publish; gives the exit status, 0 whatever the figures say."""
    parser = argparse.ArgumentParser(description="Measure how questions are split.")
    parser.add_argument("--quick", action="store_true", help=f"ask {PLANNER} only")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the result")
    arguments = parser.parse_args()
    planners = (PLANNER,) if arguments.quick else PLANNERS
    console = Console(stderr=True, width=150)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with local_mesh.running(Path(folder)) as state:
                work = _measured(Path(folder), state.coordinator, planners, console)
                found, sections = asyncio.run(work)
        except QuorateError as error:
            console.print(f"{error}", markup=False)
            return 1
    path = figures.publish("decompose", found, arguments.out, SETUP, sections)
    console.print(f"Written to {path}. `make docs` writes docs/planning.md from it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
