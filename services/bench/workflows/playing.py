"""Does jobs on a running mesh, step by step, each step with what came of the steps before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.bench.load import each
from services.bench.suites.workflow import item_of
from services.bench.vote.asking import Asker, Way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from services.bench.suites.workflow import Job, Step
    from services.bench.vote.records import Records

CALIBRATION: Final = Way("calibration/steps")
STEPS: Final = Way("test/steps")
"""Every step with its parents' right results before it: all members' ballots."""
VOTE: Final = "vote"
WayOf = Callable[["Step"], Way]
"""How a step is asked."""


def alone(model: str) -> WayOf:
    """Ask one model for every step."""
    way = Way(f"alone/{model}", {"models": [model]})
    return lambda step: way


def vote(step: Step) -> Way:
    """Let all members vote on every step."""
    return Way(VOTE, {"strategy": "majority"})


def specialists(best: Mapping[str, str]) -> WayOf:
    """Ask for every step the model that is best at steps of its type."""
    name = specialists_name(best)
    return lambda step: Way(name, {"models": [best[step.task_type]]})


def specialists_name(best: Mapping[str, str]) -> str:
    """Name the way of these specialists: with others it is another."""
    return "specialists/" + ",".join(f"{task}={model}" for task, model in sorted(best.items()))


class Player:
    """Puts steps to the mesh and keeps what was said; what is known already is not asked again."""

    def __init__(self, suite: str, asker: Asker, records: Records) -> None:
        self._suite = suite
        self._asker = asker
        self._records = records

    async def steps(self, job: Job, way: Way) -> None:
        """Ask for every step on its own, with its parents' right results before it."""
        for step in job.subtasks:
            item = item_of(self._suite, job, step.id)
            if not self._records.has(way.name, item.id):
                self._records.add(await self._asker.ask(way, item))

    async def whole(self, job: Job, way_of: WayOf) -> None:
        """Do a job from its first step to its last, each with the answers that came before.

        A step whose parent has no answer is not asked.
        """
        answers: dict[str, str] = {}
        for step in job.subtasks:
            if not all(answers.get(parent) for parent in step.depends_on):
                continue
            way = way_of(step)
            item = item_of(self._suite, job, step.id)
            if not self._records.has(way.name, item.id):
                asked = item._replace(question=job.asked(step.id, answers))
                self._records.add(await self._asker.ask(way, asked))
            answers[step.id] = self._records.one(way.name, item.id).answer


async def play(
    jobs: Sequence[Job],
    name: str,
    work: Callable[[Job], Awaitable[None]],
    clients: int,
    console: Console,
) -> None:
    """Work on jobs, so many at once, with a bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(name, total=len(jobs))
        await each(jobs, work, lambda _: progress.advance(bar), clients)
