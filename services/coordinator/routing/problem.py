"""The routing problem: parts, models that may work on them, memory, and what everything is worth.

maximise  Σ x[i,m]·(P[i,m] - λ_token·C[i,m]) - λ_switch·Σ S[i]·y[i]
subject to  Σ_i x[i,m] = voters[m],  x[i,m] ≤ y[i],  Σ_{i in pool} bytes[i]·y[i] ≤ budget[pool],
and, with a deadline T, for every option i on a machine k:
Σ_{j on k} load[j]·y[j] + Σ_m seconds[i,m]·x[i,m] / slots[i] ≤ T,
x, y ∈ {0, 1}: model i works on task m, model i is in memory. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from quorate.errors import InvalidRequest, nearest
from services.coordinator.question import LAMBDA_SWITCH, LAMBDA_TOKEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]

MOST_LAMBDA: Final = 1_000.0


class Pool(NamedTuple):
    """Memory that several models share: a node's budget, or a whole machine's; in bytes.

    Models that cannot be ended, because others use them, are taken off `budget_bytes` already.
    """

    name: str
    budget_bytes: int


class Option(NamedTuple):
    """A model on a node that may work.

    `pools` are where its `memory_bytes` count. `switch_cost` is what loading it costs in the
    objective (0 when `resident`), `load_seconds` how long that takes; loads on one `machine` go one
    after the other. `slots` are the sequences that it decodes at once. A `pinned` one is in use:
    it is in memory whatever the plan says, costs the plan no memory, and cannot be ended. One that
    may not leave (`may_leave` False) is not ended either, though it counts where it works.
    """

    node: str
    model: str
    machine: str
    pools: tuple[str, ...] = ()
    memory_bytes: int = 0
    resident: bool = False
    load_seconds: float = 0.0
    switch_cost: float = 0.0
    slots: int = 1
    pinned: bool = False
    may_leave: bool = True


class Task(NamedTuple):
    """A part that wants `voters` different options to work on it."""

    id: str
    voters: int = 1
    task_type: str = ""
    tokens: int = 0


@dataclass(frozen=True, eq=False)
class Problem:
    """One routing problem.

    `reliability`, `token_cost` and `seconds` have the shape (options, tasks): P(right) in [0, 1],
    the relative cost of the tokens (at least 0), and seconds that the work takes on a loaded model.
    `deadline_seconds` None is no deadline. At most `copies` options with the same model work on one
    task, since a copy says the same again; 0 is no limit, and it gives way where there are fewer
    different models than voters. Options come in the order of preference: among plans of
    equal value the one with earlier options wins. Raises InvalidRequest for anything that is not
    finite, negative, out of range, or of another shape, and for a pool that is not there.
    """

    tasks: tuple[Task, ...]
    options: tuple[Option, ...]
    pools: tuple[Pool, ...]
    reliability: Matrix
    token_cost: Matrix
    seconds: Matrix
    lambda_token: float = LAMBDA_TOKEN
    lambda_switch: float = LAMBDA_SWITCH
    deadline_seconds: float | None = None
    copies: int = 0

    def __post_init__(self) -> None:
        shape = (len(self.options), len(self.tasks))
        for name in ("reliability", "token_cost", "seconds"):
            _check_matrix(name, getattr(self, name), shape)
        if self.reliability.size and float(self.reliability.max()) > 1.0:
            raise _refused(
                "reliability", float(self.reliability.max()), "a probability is at most 1"
            )
        for name, weight in (
            ("lambda_token", self.lambda_token),
            ("lambda_switch", self.lambda_switch),
        ):
            if not 0.0 <= weight <= MOST_LAMBDA:
                raise _refused(name, weight, f"it must lie in [0, {MOST_LAMBDA:g}]")
        if self.deadline_seconds is not None and not 0.0 < self.deadline_seconds < math.inf:
            raise _refused("deadline_seconds", self.deadline_seconds, "it must be above 0")
        if self.copies < 0:
            raise _refused("copies", self.copies, "it is at least 0")
        _check_tasks(self.tasks)
        _check_options(self.options, self.pools)

    @cached_property
    def utility(self) -> Matrix:
        """Give P - λ_token·C for every option and task."""
        return self.reliability - self.lambda_token * self.token_cost

    @cached_property
    def opening(self) -> NDArray[np.float64]:
        """Give λ_switch·S: what having each option in memory costs; nothing for resident ones."""
        return self.lambda_switch * np.array(
            [0.0 if option.resident else option.switch_cost for option in self.options]
        )


class Assignment(NamedTuple):
    """Who works on what: for each task the numbers of its options, ascending.

    `loaded` are the options that the plan counts on having in memory: all that work, and perhaps
    more that are resident and may stay.
    """

    workers: tuple[tuple[int, ...], ...]
    loaded: frozenset[int]


class Solution(NamedTuple):
    """What a solver found.

    `status` is "optimal" (proved), "time_limit" (the best so far; `gap` says how near), or
    "feasible" (a rule of thumb's). `bound` is a proved upper bound of the objective, infinite when
    none is known, and `gap` (bound - objective) / max(1, |objective|). `note` says what a person
    should know, such as which solver failed before.
    """

    assignment: Assignment
    objective: float
    bound: float
    gap: float
    solver: str
    status: str
    seconds: float
    note: str = ""


class Solver(Protocol):
    """Solves a problem within about `limit_seconds`; one more is a function and a row in the table.

    Raises NoPlan when no assignment is feasible.
    """

    def __call__(self, problem: Problem, limit_seconds: float, seed: int) -> Solution:
        """Solve."""
        ...


def objective_of(problem: Problem, assignment: Assignment) -> float:
    """Compute an assignment's objective from scratch: only options that work are paid for."""
    working = {i for workers in assignment.workers for i in workers}
    gained = math.fsum(
        float(problem.utility[i, m])
        for m, workers in enumerate(assignment.workers)
        for i in workers
    )
    return gained - math.fsum(float(problem.opening[i]) for i in working)


def _check_matrix(name: str, matrix: Matrix, shape: tuple[int, int]) -> None:
    if matrix.shape != shape:
        raise _refused(name, matrix.shape, f"its shape is (options, tasks) = {shape}")
    wrong = matrix[~(np.isfinite(matrix) & (matrix >= 0.0))]
    if wrong.size:
        raise _refused(name, float(wrong[0]), "estimates are finite and at least 0")


def _check_tasks(tasks: Sequence[Task]) -> None:
    if not tasks:
        raise _refused("tasks", 0, "there is at least one")
    for task in tasks:
        if task.voters < 1:
            raise _refused(f"{task.id}.voters", task.voters, "at least one works on a task")


def _check_options(options: Sequence[Option], pools: Sequence[Pool]) -> None:
    names = {pool.name for pool in pools}
    for pool in pools:
        if pool.budget_bytes < 0:
            raise _refused(f"memory of {pool.name}", pool.budget_bytes, "bytes are at least 0")
    for option in options:
        _check_option(option, names)


def _check_option(option: Option, pools: Collection[str]) -> None:
    whose = f"{option.node}/{option.model}"
    for name, value in (
        ("memory_bytes", option.memory_bytes),
        ("load_seconds", option.load_seconds),
        ("switch_cost", option.switch_cost),
    ):
        if not 0.0 <= value < math.inf:
            raise _refused(f"{whose}.{name}", value, "it is finite and at least 0")
    if option.slots < 1:
        raise _refused(f"{whose}.slots", option.slots, "there is at least one")
    for name in option.pools:
        if name not in pools:
            raise _refused(f"{whose}.pools", name, f"no pool has it.{nearest(name, pools)}")


def _refused(field: str, value: object, limit: str) -> InvalidRequest:
    return InvalidRequest.field(f"routing.{field}", value, limit, "Correct the estimate.")
