"""What a workflow suite is: jobs of several steps that need each other's results, all with gold.

A job's steps are a question's parts as the mesh knows them: the same ids, texts and parents, so
that a plan can be made of them, and a gold answer for each, so that every step can be scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from quorate import prompts
from quorate.errors import InvalidRequest, nearest
from services.bench.suites import scoring
from services.bench.suites.suite import Item, Split

if TYPE_CHECKING:
    from quorate.answers import Kind

JOBS_PER_ITEM = 20
"""Give up on new steps after so many jobs for each that was asked for."""
Shape = Literal["chain", "fan-out", "fan-in", "diamond", "branches", "mixed"]


class Step(NamedTuple):
    """One step of a job: what is asked, whose results it reads, and the right answer.

    `text` is one line and speaks of its parents as "the result", "the ages" and so on: whoever
    answers reads their results before it (`prompts.with_results`). `task_type` is one of
    `prompts.TASK_TYPES`. `estimated_tokens` is what an answer needs, `difficulty` easy, medium or
    hard. `checks` are Python assertions about code.
    """

    id: str
    text: str
    depends_on: tuple[str, ...]
    task_type: str
    gold: str
    kind: Kind
    estimated_tokens: int
    difficulty: str
    checks: tuple[str, ...] = ()


class Job(NamedTuple):
    """One job: its steps, parents before children, and the same as one question in words.

    `id` is the same on every machine, in every run and for every seed. Jobs of one `cluster` have
    the same content in other words. Steps are named t1, t2, … in their order.
    """

    id: str
    template: str
    cluster: str
    question: str
    subtasks: tuple[Step, ...]

    @property
    def gold(self) -> str:
        """The right answer of the last step."""
        return self.subtasks[-1].gold

    @property
    def finals(self) -> tuple[str, ...]:
        """The steps whose results no other step reads: what the job is done for."""
        read = {parent for step in self.subtasks for parent in step.depends_on}
        return tuple(step.id for step in self.subtasks if step.id not in read)

    @property
    def shape(self) -> Shape:
        """How the steps hang together."""
        return _shape(self)

    def step(self, step_id: str) -> Step:
        """Give a step by its id; raises KeyError for one that is not there."""
        return {step.id: step for step in self.subtasks}[step_id]

    def asked(self, step_id: str, results: Mapping[str, str]) -> str:
        """Write what a step asks when its parents answered so, as the mesh does.

        Raises KeyError when a parent's result is missing.
        """
        step = self.step(step_id)
        known = [prompts.Part(self.step(one).text, results[one]) for one in step.depends_on]
        return prompts.with_results(step.text, known)


class WorkflowSuite(Protocol):
    """Jobs of several steps with gold answers; one more is one class and a row in the registry."""

    name: str
    description: str
    licence: str
    task_types: tuple[str, ...]
    templates: tuple[str, ...]

    def stream(self, split: Split, seed: int) -> Iterator[Job]:
        """Yield different jobs, the same ones for the same seed, until there are no more."""
        ...

    def jobs(self, split: Split, count: int, seed: int) -> Sequence[Job]:
        """Draw that many different jobs, the first of the stream.

        Raises InvalidRequest when there are not so many.
        """
        ...

    def right(self, job: Job, step_id: str, reply: str) -> bool:
        """Say whether a reply, or an answer that was voted for, is right for a step."""
        ...


def item_of(suite: str, job: Job, step_id: str) -> Item:
    """Give a step as a question of its own, its parents' right results before it."""
    step = job.step(step_id)
    return Item(
        id=f"{job.id}/{step_id}",
        task=step.task_type,
        question=job.asked(step_id, {one.id: one.gold for one in job.subtasks}),
        gold=step.gold,
        kind=step.kind,
        cluster=f"{suite}|{job.cluster}|{step_id}",
        checks=step.checks,
    )


def _shape(job: Job) -> Shape:
    children: dict[str, list[str]] = {step.id: [] for step in job.subtasks}
    for step in job.subtasks:
        for parent in step.depends_on:
            children[parent].append(step.id)
    roots = [step.id for step in job.subtasks if not step.depends_on]
    sinks = len(job.finals)
    if _components(job) > 1:
        return "branches"
    if all(len(step.depends_on) <= 1 and len(children[step.id]) <= 1 for step in job.subtasks):
        return "chain"
    if len(roots) == 1:
        return "diamond" if sinks == 1 else "fan-out"
    return "fan-in" if sinks == 1 else "mixed"


def _components(job: Job) -> int:
    """Count the parts of a job that have no step in common."""
    groups: list[set[str]] = []
    for step in job.subtasks:
        own = {step.id, *step.depends_on}
        touched = [group for group in groups if group & own]
        groups = [group for group in groups if not group & own]
        groups.append(own.union(*touched))
    return len(groups)


class StepsOf:
    """The steps of a workflow suite as questions of their own: its tasks are its task types."""

    def __init__(self, workflow: WorkflowSuite) -> None:
        self._workflow = workflow
        self.name = workflow.name
        self.description = f"{workflow.description}; each step a question of its own"
        self.licence = workflow.licence
        self.tasks: tuple[str, ...] = workflow.task_types

    def items(self, task: str, split: Split, count: int, seed: int) -> Sequence[Item]:
        """Draw different steps of one task type, with their parents' right results before them.

        Raises InvalidRequest for an unknown task type or when there are not so many.
        """
        if task not in self.tasks:
            hint = nearest(task, self.tasks)
            raise InvalidRequest.field("task", task, f"{self.name} has no such task", hint)
        found: dict[str, Item] = {}
        for job in islice(self._workflow.stream(split, seed), count * JOBS_PER_ITEM):
            for step in job.subtasks:
                if step.task_type == task and len(found) < count:
                    item = item_of(self.name, job, step.id)
                    found.setdefault(item.question, item)
        if len(found) < count:
            raise InvalidRequest.field(
                "items", count, f"{task} has about {len(found)} for {split}", "Ask for fewer."
            )
        return list(found.values())

    def right(self, item: Item, reply: str) -> bool:
        """Say whether a reply is right, by its item's kind."""
        return scoring.right(item, reply)
