"""Figures with their intervals: jobs of one template are drawn together, being much alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import pstdev
from typing import TYPE_CHECKING, Any, NamedTuple

from services.bench import stats
from services.bench.routing.arms import AHEAD

if TYPE_CHECKING:
    from services.bench.routing.outcome import Outcome
    from services.bench.suites.workflow import Job

Plain = Mapping[str, Any]


class Done(NamedTuple):
    """A job with what came of it."""

    job: Job
    outcome: Outcome

    @property
    def right(self) -> Mapping[str, bool]:
        """Say of each step whether it is right; one that nobody answered is not."""
        said = {step.step: step.right for step in self.outcome.steps}
        return {step.id: said.get(step.id, False) for step in self.job.subtasks}

    @property
    def finished(self) -> bool:
        """Whether all final steps are right: what the job is done for."""
        return all(self.right[step] for step in self.job.finals)

    @property
    def share(self) -> float:
        """Give the share of steps that are right."""
        return sum(self.right.values()) / len(self.right)

    @property
    def models(self) -> Mapping[str, str]:
        """Give the model of each step."""
        said = {step.step: step.model for step in self.outcome.steps}
        return {step.id: said.get(step.id, "") for step in self.job.subtasks}


def mean(values: Sequence[float], clusters: Sequence[str], seed: int) -> Plain:
    """Give a mean with its interval, and how many values it is of."""
    found = stats.bootstrap(values, clusters, seed=seed)
    return {**found._asdict(), "n": len(values), "clusters": found.n}


def difference(
    ours: Sequence[float], theirs: Sequence[float], clusters: Sequence[str], seed: int
) -> Plain:
    """Give a mean difference on the same jobs with its interval."""
    found = stats.paired_bootstrap(ours, theirs, clusters, seed=seed)
    return {**found._asdict(), "n": len(ours), "clusters": found.n}


def steps_right(done: Sequence[Done]) -> tuple[list[float], list[str]]:
    """Give for every step whether it is right, and its template."""
    pairs = [(float(right), one.job.template) for one in done for right in one.right.values()]
    return [right for right, _ in pairs], [template for _, template in pairs]


def row(name: str, done: Sequence[Done], seed: int) -> Plain:
    """Give the figures of one arm."""
    clusters = [one.job.template for one in done]
    outcomes = [one.outcome for one in done]

    def of(value: Callable[[Outcome], float]) -> Plain:
        return mean([value(one) for one in outcomes], clusters, seed)

    plans = sum(one.plans for one in outcomes)
    return {
        "mode": name,
        "jobs": len(done),
        "avg_score": mean(*steps_right(done), seed),
        "score_std": pstdev([one.share for one in done]),
        "done": mean([float(one.finished) for one in done], clusters, seed),
        "seconds": of(lambda one: one.seconds),
        "planning": of(lambda one: one.planning),
        "waiting": of(lambda one: one.waiting),
        "loading": of(lambda one: one.loading),
        "models_swapped_in": of(lambda one: one.swaps),
        "hidden_swaps": of(lambda one: one.hidden_swaps),
        "ahead_swaps": of(lambda one: one.ahead_swaps),
        "switch_cost": of(lambda one: one.switch_cost),
        # A plan that looks ahead counts the steps of later layers as well: no sum of a job's.
        "objective": None if name == AHEAD else of(lambda one: one.objective),
        "tokens": of(lambda one: one.tokens),
        "active_models": mean([float(len(used(one))) for one in done], clusters, seed),
        "plans": plans,
        "own_plans": sum(one.own_plans for one in outcomes),
        "vram_violation_rate": sum(_violates(one) for one in outcomes) / len(outcomes),
        "highest_bytes": max(one.held_bytes for one in outcomes),
        "failed_moves": sum(len(one.failures) for one in outcomes),
    }


def used(done: Done) -> set[str]:
    """Name the models that worked on a job."""
    return {model for model in done.models.values() if model}


def _violates(outcome: Outcome) -> bool:
    return outcome.violations > 0 or outcome.over_budget_bytes > 0


def against(ours: Sequence[Done], theirs: Sequence[Done], seed: int) -> dict[str, Any]:
    """Compare an arm with another on the same jobs; p-values are not corrected yet."""
    clusters = [one.job.template for one in ours]
    right, template = steps_right(ours)
    finished = [one.finished for one in ours], [one.finished for one in theirs]
    seconds = [one.outcome.seconds for one in ours], [one.outcome.seconds for one in theirs]
    waits = [one.outcome.waiting for one in ours], [one.outcome.waiting for one in theirs]
    swaps = [one.outcome.swaps for one in ours], [one.outcome.swaps for one in theirs]
    shares = [one.share for one in ours], [one.share for one in theirs]
    models = [
        float(model != other.models[step])
        for one, other in zip(ours, theirs, strict=True)
        for step, model in one.models.items()
    ]
    return {
        "avg_score": difference(right, steps_right(theirs)[0], template, seed),
        "done": difference(*_floats(finished), clusters, seed),
        "seconds": difference(*seconds, clusters, seed),
        "waiting": difference(*waits, clusters, seed),
        "models_swapped_in": difference(*_floats(swaps), clusters, seed),
        "jobs_won": sum(a > b for a, b in zip(*shares, strict=True)),
        "jobs_lost": sum(a < b for a, b in zip(*shares, strict=True)),
        "routing_divergence": mean(models, template, seed),
        "p": {
            "done": stats.mcnemar(*finished).p_value,
            "score": stats.wilcoxon(*shares).p_value,
            "seconds": stats.wilcoxon(*seconds).p_value,
            "waiting": stats.wilcoxon(*waits).p_value,
        },
    }


def _floats(pair: tuple[Sequence[float], Sequence[float]]) -> tuple[list[float], list[float]]:
    return [float(one) for one in pair[0]], [float(one) for one in pair[1]]


def corrected(rows: Mapping[str, dict[str, Any]]) -> None:
    """Correct the p-values of comparisons with one arm for their number, measure by measure."""
    for measure in next(iter(rows.values()))["p"] if rows else ():
        found = stats.holm({name: one["p"][measure] for name, one in rows.items()})
        for name, p_value in found.items():
            rows[name]["p"][measure] = p_value
