"""How many options can work at once, and what would mend a problem that has no plan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from quorate.errors import NoPlan
from services.coordinator.routing import modelling
from services.coordinator.routing.checker import name_of
from services.coordinator.routing.estimates import ASKED
from services.coordinator.routing.packing import Packing, pool_rows, smallest_first

if TYPE_CHECKING:
    from services.coordinator.routing.packing import Row
    from services.coordinator.routing.problem import Option, Problem

MIB: Final = 2**20
SEARCH_SECONDS: Final = 2.0
"""How long the soonest plan is looked for, only to name it."""


def most_workers(problem: Problem) -> int:
    """Give how many options have room together; where pools overlap, at least that many."""
    rows = pool_rows(problem)
    if _nested(rows):
        return len(Packing(rows).filled(smallest_first(problem.options)).members)
    empty = Packing(rows)
    return sum(empty.fits(option) for option in range(len(problem.options)))


def capped(problem: Problem, voters: int) -> Problem:
    """Let no task want more than `voters`."""
    tasks = tuple(task._replace(voters=min(task.voters, voters)) for task in problem.tasks)
    return replace(problem, tasks=tasks)


def no_plan(problem: Problem) -> NoPlan:
    """Say why not even one option per task is possible: what is smallest, or what is soonest."""
    if not problem.options:
        return NoPlan("No model can work on anything. Start a node, or load a model.")
    if most_workers(problem) == 0:
        return _too_small(problem)
    if problem.deadline_seconds is None:
        return NoPlan("No plan was found in time. Give the solver longer, or ask for fewer tasks.")
    return _too_late(problem, problem.deadline_seconds)


def _nested(rows: Sequence[Row]) -> bool:
    """Whether of any two pools one holds the other's options, or they have none in common."""
    held = [{i for i, weight in enumerate(row.weights) if weight} for row in rows]
    return all(
        one <= other or other <= one or not one & other
        for one, other in itertools.combinations(held, 2)
    )


def _too_small(problem: Problem) -> NoPlan:
    budgets = {pool.name: pool.budget_bytes for pool in problem.pools}

    def short(option: Option) -> int:
        return max(option.memory_bytes - budgets[pool] for pool in option.pools)

    smallest = min(problem.options, key=lambda option: (option.memory_bytes, short(option)))
    tightest = min(smallest.pools, key=lambda pool: budgets[pool])
    missing = short(smallest)
    return NoPlan(
        f"No model fits: the smallest is {name_of(smallest)} with {_shown(smallest.memory_bytes)}, "
        f"but pool {tightest} has {_shown(budgets[tightest])}, {_shown(missing)} too few. "
        f"{_mended(smallest, tightest, missing)}, or add a smaller model.",
        metadata={
            "option": name_of(smallest), "bytes": str(smallest.memory_bytes),
            "pool": tightest, "budget_bytes": str(budgets[tightest]),
        },
    )  # fmt: skip


def _mended(option: Option, pool: str, missing_bytes: int) -> str:
    """Say which setting would give a pool room for an option: the question's, or the node's."""
    owner = pool.removesuffix(ASKED)
    shared = "+" in owner  # a machine's nodes
    if pool != owner:
        name = option.machine if shared else owner
        least = f"{name}={math.ceil(option.memory_bytes / MIB)}MiB"
        return (
            f'Raise memory_bytes[{name}] (or memory_bytes[""], where that limits it) to at least '
            f"{option.memory_bytes} bytes, as in --memory {least}"
        )
    if shared:
        return f"Free at least {missing_bytes} bytes on the machine of {owner}"
    return (
        f"Raise the setting memory of {owner} by at least {missing_bytes} bytes, or free as many "
        f"on its machine where that is full"
    )


def _shown(count: int) -> str:
    """Write bytes for a person, and exactly."""
    if count < MIB:
        return f"{count} bytes"
    large = f"{count / MIB / 1024:.1f} GiB" if count >= 1024 * MIB else f"{count / MIB:.1f} MiB"
    return f"{large} ({count} bytes)"


def _too_late(problem: Problem, deadline_seconds: float) -> NoPlan:
    kept = f"No plan keeps the deadline of {deadline_seconds:g} s"
    rows = pool_rows(problem)
    try:
        seconds = modelling.soonest_seconds(capped(problem, 1), rows, SEARCH_SECONDS)
    except (NoPlan, modelling.SolverFailed) as error:
        return NoPlan(f"{kept}. Give more time, or ask less. What it needs is unknown: {error}")
    return NoPlan(
        f"{kept}: the soonest with one worker for each task needs {seconds:.3f} s. Give at least "
        f"that, ask less, or keep models loaded.",
        metadata={"deadline_seconds": f"{deadline_seconds:g}", "seconds_needed": f"{seconds:.3f}"},
    )
