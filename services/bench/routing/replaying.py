"""Plans jobs in every way from one set of facts, layer by layer, without a mesh.

What is in memory carries over from layer to layer and from job to job, as on a node.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.bench.routing.study import kind_of
from services.bench.routing.timeline import OWN_PLAN
from services.bench.suites.pocket.item import stable_share
from services.coordinator.routing import residency
from services.coordinator.routing.by_model import solve_by_model
from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Option, Pool, Problem, Task, objective_of
from services.coordinator.routing.relaxed import predecessor_argmax
from services.coordinator.routing.solve import solve

if TYPE_CHECKING:
    from services.bench.routing.facts import Facts
    from services.bench.suites.workflow import Job, Step
    from services.coordinator.routing.by_model import Ask
    from services.coordinator.routing.problem import Assignment, Solution

ARGMAX: Final = "lp_argmax"
"""The relaxation, each task given to its largest fraction, as a router before this one did."""
HINDSIGHT: Final = "hindsight"
"""The exact plan of one who knows who will be right: as good as a plan of a layer can be."""
MODEL: Final = "model"
MODES: Final = ("mip", "lp_relaxed", MODEL, "greedy", "round_robin", "random", ARGMAX)
UNEVEN: Final = ("mip", "lp_relaxed", "greedy", ARGMAX)
"""Those that are replayed where the memory lies between one model and two, too."""
LIMIT_SECONDS: Final = 10.0

Right = Mapping[tuple[str, str, str], bool]
"""Whether a model is right on a step, by job, step and model."""
Memory = frozenset[str]
Plan = Callable[[Problem, str], Awaitable["Found"]]
"""Finds the plan of a layer; the text is its seed."""


class Found(NamedTuple):
    """An assignment, and whether the planning model wrote it itself."""

    assignment: Assignment
    own: bool = False


class Layer(NamedTuple):
    """What became of one layer: who worked on what, what was loaded, and what it was worth.

    `objective` is what the plan expected, `realised` the same with what was right in the place of
    the probability.
    """

    workers: Mapping[str, str]
    loads: tuple[str, ...]
    switch_cost: float
    objective: float
    realised: float
    violations: int
    own: bool


class Replayed(NamedTuple):
    """One job planned in one mode; `before` is what was in memory."""

    job: str
    before: Memory
    layers: tuple[Layer, ...]

    @property
    def workers(self) -> Mapping[str, str]:
        """Give the model of each step."""
        return {step: model for layer in self.layers for step, model in layer.workers.items()}


class Bench:
    """The problems of one set of facts."""

    def __init__(self, facts: Facts, right: Right) -> None:
        self._facts = facts
        self._worth = facts.worth()
        self._right = right

    def problem(self, steps: Sequence[Step], memory: Memory) -> Problem:
        """Write the problem of a layer; models in memory come first, as the coordinator has it."""
        facts = self._facts
        names = sorted(facts.memory_bytes, key=lambda name: (name not in memory, name))
        worths = [[self._worth[name, *kind_of(step)] for step in steps] for name in names]
        return Problem(
            tasks=tuple(Task(s.id, 1, s.task_type, s.estimated_tokens) for s in steps),
            options=tuple(self._option(name, name in memory) for name in names),
            pools=(Pool("n1", facts.budget_bytes),),
            reliability=np.array([[one.reliability for one in row] for row in worths]),
            token_cost=np.array([[one.token_cost for one in row] for row in worths]),
            seconds=np.zeros((len(names), len(steps))),
            copies=1,
        )

    def _option(self, name: str, resident: bool) -> Option:
        size, cost = self._facts.memory_bytes[name], self._facts.switch_cost[name]
        return Option(
            "n1", name, "n1", ("n1",), size, resident, switch_cost=0.0 if resident else cost
        )

    def realised(self, problem: Problem, job: str) -> Problem:
        """Put what was right in the place of the probability that it is."""
        right = [
            [float(self._right[job, task.id, option.model]) for task in problem.tasks]
            for option in problem.options
        ]
        return Problem(
            problem.tasks,
            problem.options,
            problem.pools,
            np.array(right),
            problem.token_cost,
            problem.seconds,
            copies=1,
        )

    def layer(self, problem: Problem, found: Found, job: str) -> tuple[Layer, Memory]:
        """Say what becomes of a layer, and what is in memory afterwards."""
        assignment, options = found.assignment, problem.options
        moved = residency.moves(problem, assignment)
        workers = {
            task.id: options[chosen[0]].model
            for task, chosen in zip(problem.tasks, assignment.workers, strict=True)
        }
        before = {option.model for option in options if option.resident}
        loads = tuple(options[i].model for i in moved.loads)
        layer = Layer(
            workers,
            loads,
            math.fsum(options[i].switch_cost for i in moved.loads),
            objective_of(problem, assignment),
            objective_of(self.realised(problem, job), assignment),
            len(check(problem, assignment).violations),
            found.own,
        )
        return layer, frozenset(before - {one.model for one in moved.unloads} | set(loads))

    async def job(self, job: Job, plan: Plan, before: Memory) -> tuple[Replayed, Memory]:
        """Plan a job's layers one after the other."""
        memory, layers = before, []
        for number, steps in enumerate(layers_of(job)):
            problem = self.problem(steps, memory)
            found = await plan(problem, f"{job.id}/{number}")
            layer, memory = self.layer(problem, found, job.id)
            layers.append(layer)
        return Replayed(job.id, before, tuple(layers)), memory

    async def all_jobs(
        self, jobs: Iterable[Job], plan: Plan, before: Mapping[str, Memory] | None = None
    ) -> list[Replayed]:
        """Plan jobs in turn from the memory that the last one left, or from the one given."""
        replayed, memory = [], Memory()
        for job in jobs:
            start = memory if before is None else before[job.id]
            one, memory = await self.job(job, plan, start)
            replayed.append(one)
        return replayed

    def hindsight(self) -> Plan:
        """Plan with what will be right in the place of the probability that it is."""

        async def plan(problem: Problem, seed: str) -> Found:
            known = self.realised(problem, seed.rpartition("/")[0])
            return Found(solve(known, "mip", LIMIT_SECONDS).assignment)

        return plan


def planner(mode: str, ask: Ask | None = None) -> Plan:
    """Give the way of planning of a mode; `ask` reaches the planning model."""

    async def plan(problem: Problem, seed: str) -> Found:
        if mode == ARGMAX:
            return Found(predecessor_argmax(problem))
        drawn = int(stable_share(f"{mode}/{seed}") * 2**31)

        async def exact() -> Solution:
            return solve(problem, "mip" if mode == MODEL else mode, LIMIT_SECONDS, drawn)

        if mode != MODEL:
            return Found((await exact()).assignment)
        found = await solve_by_model(problem, ask, exact)
        return Found(found.assignment, found.solver == OWN_PLAN)

    return plan


def layers_of(job: Job) -> list[list[Step]]:
    """Group a job's steps into layers: each reads results of earlier layers alone."""
    depth: dict[str, int] = {}
    for step in job.subtasks:
        depth[step.id] = 1 + max((depth[parent] for parent in step.depends_on), default=-1)
    return [
        [step for step in job.subtasks if depth[step.id] == number]
        for number in range(max(depth.values()) + 1)
    ]
