"""Which models a plan loads and unloads: no more than it needs, and nothing that has room. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Assignment, Option, Problem


class Moves(NamedTuple):
    """Numbers of the options that are loaded, in the order of loading, and who leaves for them."""

    loads: tuple[int, ...] = ()
    unloads: tuple[Option, ...] = ()


class Use(NamedTuple):
    """A pool, what it may hold, and what it holds under a plan; bytes."""

    pool: str
    budget_bytes: int
    used_bytes: int


def moves(problem: Problem, assignment: Assignment, others: Sequence[Option] = ()) -> Moves:
    """Say what has to be loaded, and which residents give way where there is no room for all.

    `others` are residents that the question may not ask; they give way first, then those that are
    worth least to its tasks, and none without need. What may not leave never does.
    """
    working = _working(assignment)
    loads = tuple(sorted(i for i in working if not problem.options[i].resident))
    if not loads:
        return Moves()
    idle = [i for i, one in enumerate(problem.options) if one.resident and i not in working]
    idle.sort(key=lambda i: (-_worth(problem, i), i))
    left = room(problem, working)
    unloads: list[Option] = []
    for option in (*(problem.options[i] for i in idle), *others):
        if not option.may_leave or option.pinned:
            continue  # the budgets are without it
        if all(left[name] >= option.memory_bytes for name in option.pools):
            _take(left, option)
        else:
            unloads.append(option)
    return Moves(_ordered(problem, loads), tuple(sorted(unloads)))


def room(problem: Problem, loaded: frozenset[int]) -> dict[str, int]:
    """Give the bytes that each pool has left beside these options."""
    left = {pool.name: pool.budget_bytes for pool in problem.pools}
    for i in loaded:
        _take(left, problem.options[i])
    return left


def uses(
    problem: Problem, assignment: Assignment, homes: Sequence[Sequence[str]] = ()
) -> tuple[Use, ...]:
    """Say how much of each pool the options that work take.

    `homes` are the pools in which each option lies: one that stays whatever the plan says takes
    nothing from it, and is shown with room of its own.
    """
    working = _working(assignment)
    left = room(problem, working)
    standing = dict.fromkeys(left, 0)
    for i in working if homes else ():
        for name in set(homes[i]) - set(problem.options[i].pools):
            standing[name] += problem.options[i].memory_bytes
    return tuple(
        Use(
            pool.name,
            pool.budget_bytes + standing[pool.name],
            pool.budget_bytes - left[pool.name] + standing[pool.name],
        )
        for pool in problem.pools
    )


def ahead(window: Assignment, loads: Sequence[int], ready: int) -> tuple[int, ...]:
    """Say which loads are for later layers alone: those that none of the first tasks works with.

    All models of a window have room together, so only what no task of it wants gives way to them.
    """
    now = {i for workers in window.workers[:ready] for i in workers}
    return tuple(i for i in loads if i not in now)


def _working(assignment: Assignment) -> frozenset[int]:
    return frozenset(i for workers in assignment.workers for i in workers)


def _worth(problem: Problem, i: int) -> float:
    return math.fsum(float(value) for value in problem.utility[i])


def _ordered(problem: Problem, loads: Sequence[int]) -> tuple[int, ...]:
    """Load what is quick first, so that the first answers come soon."""
    return tuple(sorted(loads, key=lambda i: (problem.options[i].load_seconds, i)))


def _take(left: dict[str, int], option: Option) -> None:
    if option.pinned:
        return
    for name in option.pools:
        left[name] -= option.memory_bytes
