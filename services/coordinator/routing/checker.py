"""Whether a plan keeps to memory, electorate and deadline, and what it is worth: from scratch.

Plain integers and exactly rounded sums, none of the solvers' arrays: what is wrong there cannot be
wrong here in the same way. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Assignment, Option, Problem, Task

DEADLINE_TOLERANCE: Final = 1e-6
"""How far past a deadline, as a share of it, still counts as kept: a solver's rounding."""


class Verdict(NamedTuple):
    """What a plan is worth and what it breaks.

    `violations` are sentences with numbers, none when `feasible`. `objective` is minus infinity for
    a plan that is not even well-formed. `used_bytes` is by pool, over what the plan has in memory
    and can end; `load_seconds` by machine, loads one after the other.
    """

    feasible: bool
    objective: float
    violations: tuple[str, ...]
    used_bytes: Mapping[str, int]
    load_seconds: Mapping[str, float]


def check(problem: Problem, assignment: Assignment) -> Verdict:
    """Check an assignment.

    Memory is counted for everything in `loaded` but pinned options, whose bytes no plan has. A
    resident model that is not in `loaded` is not counted: it can be ended.
    """
    broken = tuple(_malformed(problem, assignment))
    if broken:
        return Verdict(False, -math.inf, broken, {}, {})
    used, loads = _used_bytes(problem, assignment), _load_seconds(problem, assignment)
    violations = (
        *_electorate(problem, assignment),
        *_memory(problem, used),
        *_late(problem, assignment, loads),
    )
    return Verdict(not violations, _objective(problem, assignment), violations, used, loads)


def name_of(option: Option) -> str:
    """Name an option in a message: its node and its model."""
    return f"{option.node}/{option.model}"


def load_seconds_of(option: Option) -> float:
    """Give the seconds until an option is in memory: none when it is there already."""
    return 0.0 if option.resident or option.pinned else float(option.load_seconds)


def copies_allowed(problem: Problem, voters: int) -> int:
    """Give how many options with the same model may work on a task that wants `voters`.

    The problem's `copies`, or as many more as it takes where there are too few different models.
    """
    counts = Counter(option.model for option in problem.options)
    most = max(counts.values(), default=0)
    allowed = problem.copies or most
    while allowed < most and sum(min(allowed, count) for count in counts.values()) < voters:
        allowed += 1
    return allowed


def _malformed(problem: Problem, assignment: Assignment) -> Iterator[str]:
    """Find what keeps an assignment from being read at all: its shape, and unknown options."""
    if len(assignment.workers) != len(problem.tasks):
        yield f"{len(assignment.workers)} tasks are assigned, but there are {len(problem.tasks)}"
    known = range(len(problem.options))
    for task, workers in zip(problem.tasks, assignment.workers, strict=False):
        for worker in workers:
            if worker not in known:
                yield f"task {task.id}: there is no option {worker}, only {len(known)}"
    for member in sorted(assignment.loaded):
        if member not in known:
            yield f"loaded: there is no option {member}, only {len(known)}"


def _electorate(problem: Problem, assignment: Assignment) -> Iterator[str]:
    for task, workers in zip(problem.tasks, assignment.workers, strict=True):
        if len(workers) != task.voters:
            yield f"task {task.id}: {len(workers)} work on it, but it wants {task.voters}"
        if list(workers) != sorted(set(workers)):
            yield f"task {task.id}: its options are {list(workers)}, not distinct and ascending"
        for worker in set(workers) - assignment.loaded:
            name = name_of(problem.options[worker])
            yield f"task {task.id}: {name} works on it, but is not in memory"
        yield from _repeated(problem, task, workers)
    working = {worker for workers in assignment.workers for worker in workers}
    for member in sorted(assignment.loaded - working):
        option = problem.options[member]
        if not (option.resident or option.pinned):
            yield f"{name_of(option)} is loaded, but works on nothing"


def _repeated(problem: Problem, task: Task, workers: Sequence[int]) -> Iterator[str]:
    if not problem.copies:
        return
    allowed = copies_allowed(problem, task.voters)
    for model, count in Counter(problem.options[worker].model for worker in workers).items():
        if count > allowed:
            yield f"task {task.id}: {count} copies of {model} work on it, but at most {allowed} may"


def _memory(problem: Problem, used: Mapping[str, int]) -> Iterator[str]:
    for pool in problem.pools:
        if used[pool.name] > pool.budget_bytes:
            yield (
                f"pool {pool.name}: {used[pool.name]} bytes are planned, but it has "
                f"{pool.budget_bytes}, {used[pool.name] - pool.budget_bytes} too few"
            )


def _late(problem: Problem, assignment: Assignment, loads: Mapping[str, float]) -> Iterator[str]:
    if problem.deadline_seconds is None:
        return
    work: dict[int, list[float]] = {}
    for task, workers in enumerate(assignment.workers):
        for worker in workers:
            work.setdefault(worker, []).append(float(problem.seconds[worker, task]))
    for worker, seconds in sorted(work.items()):
        option = problem.options[worker]
        done = loads[option.machine] + math.fsum(seconds) / option.slots
        if done > problem.deadline_seconds * (1.0 + DEADLINE_TOLERANCE):
            yield (
                f"{name_of(option)}: done after {done:.3f} s ({loads[option.machine]:.3f} s of "
                f"loads on {option.machine}), but the deadline is {problem.deadline_seconds:g} s"
            )


def _used_bytes(problem: Problem, assignment: Assignment) -> dict[str, int]:
    used = {pool.name: 0 for pool in problem.pools}
    for member in assignment.loaded:
        option = problem.options[member]
        for pool in () if option.pinned else set(option.pools):
            used[pool] += int(option.memory_bytes)
    return used


def _load_seconds(problem: Problem, assignment: Assignment) -> dict[str, float]:
    loads: dict[str, list[float]] = {option.machine: [] for option in problem.options}
    for member in sorted(assignment.loaded):
        option = problem.options[member]
        loads[option.machine].append(load_seconds_of(option))
    return {machine: math.fsum(seconds) for machine, seconds in loads.items()}


def _objective(problem: Problem, assignment: Assignment) -> float:
    """Sum P - λ_token·C over who works, less λ_switch·S for every one that must be loaded."""
    terms: list[float] = []
    for task, workers in enumerate(assignment.workers):
        for worker in workers:
            terms.append(float(problem.reliability[worker, task]))
            terms.append(-problem.lambda_token * float(problem.token_cost[worker, task]))
    for worker in {worker for workers in assignment.workers for worker in workers}:
        option = problem.options[worker]
        if not option.resident:
            terms.append(-problem.lambda_switch * float(option.switch_cost))
    return math.fsum(terms)
