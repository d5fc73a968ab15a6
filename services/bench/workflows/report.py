"""What the records of a study of workflows say: shares of steps and of jobs, by who did them. Pure.

A step counts as right by its own gold; where a parent went wrong or has no answer, it rarely is.
A job is done when all its final steps are right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from services.bench import stats
from services.bench.suites.workflow import item_of

if TYPE_CHECKING:
    from services.bench.suites.workflow import Job, Step
    from services.bench.vote.records import Record

Told = Mapping[str, "Record"]
"""What was recorded of each step in one way, by the item's id."""


class Attempt(NamedTuple):
    """One step tried by one model, or by a vote."""

    job: Job
    step: Step
    right: bool


def by_model(suite: str, jobs: Sequence[Job], told: Told) -> Mapping[str, Sequence[Attempt]]:
    """Give every model's attempts at every step, each step on its own.

    A model without a ballot is wrong: a step that nobody could answer has none at all.
    """
    models = dict.fromkeys(ballot.model for one in told.values() for ballot in one.ballots)
    attempts: dict[str, list[Attempt]] = {model: [] for model in models}
    for job in jobs:
        for step in job.subtasks:
            ballots = told[item_of(suite, job, step.id).id].ballots
            right = {ballot.model: ballot.right for ballot in ballots}
            for model, tried in attempts.items():
                tried.append(Attempt(job, step, right.get(model, False)))
    return attempts


def answered(suite: str, jobs: Sequence[Job], told: Told) -> Sequence[Attempt]:
    """Give what was answered in the end; a step that was not asked is wrong."""
    return [
        Attempt(job, step, record.right if record else False)
        for job in jobs
        for step in job.subtasks
        for record in [told.get(item_of(suite, job, step.id).id)]
    ]


def best_by_type(attempts: Mapping[str, Sequence[Attempt]]) -> Mapping[str, str]:
    """Name for each task type the model that is right most often; the first by name of several."""
    right: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for model, tried in attempts.items():
        for one in tried:
            right[one.step.task_type][model] += one.right
    return {
        task: min(models, key=lambda model: (-models[model], model))
        for task, models in right.items()
    }


def steps_right(
    attempts: Iterable[Attempt], types: Sequence[str]
) -> Mapping[str, stats.Estimate | None]:
    """Give the share of right steps by task type and of "all"; None where none was asked."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for one in attempts:
        counts[one.step.task_type].append(one.right)
        counts["all"].append(one.right)
    return {name: share(counts[name]) for name in (*types, "all")}


def jobs_done(attempts: Iterable[Attempt]) -> Mapping[str, bool]:
    """Say of each job whether all its final steps are right."""
    done: dict[str, bool] = {}
    for one in attempts:
        if one.step.id in one.job.finals:
            done[one.job.id] = done.get(one.job.id, True) and one.right
    return done


def share(right: Sequence[bool]) -> stats.Estimate | None:
    """Give a share with Wilson's interval; None of nothing."""
    return stats.wilson(sum(right), len(right)) if right else None


def within(attempts: Iterable[Attempt], chosen: Callable[[Job], bool]) -> Sequence[Attempt]:
    """Keep the attempts at some jobs."""
    return [one for one in attempts if chosen(one.job)]
