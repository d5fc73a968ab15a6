"""Small problems of every shape, and the best plan found by trying all."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Assignment, Option, Pool, Problem, Task

GB = 1_000_000_000


def problem_of(
    reliability, memory=None, budgets=None, *, pools=None, voters=None, resident=(), pinned=(),
    token_cost=None, switch_cost=None, seconds=None, slots=None, machines=None, load_seconds=None,
    models=None, **changes,
):  # fmt: skip
    """One option per row; one pool "gpu" for all, unless `budgets` and `pools` say otherwise."""
    reliability = np.array(reliability, dtype=float)
    options, tasks = reliability.shape
    memory = memory or [0] * options
    models = models or [f"m{i}" for i in range(options)]
    budgets = {"gpu": 10**12} if budgets is None else budgets
    pools = pools or [tuple(budgets)[:1]] * options
    return Problem(
        tasks=tuple(Task(f"t{m}", (voters or [1] * tasks)[m]) for m in range(tasks)),
        options=tuple(
            Option(
                f"n{i}", models[i], (machines or ["box"] * options)[i], pools[i], memory[i],
                i in resident, (load_seconds or [0.0] * options)[i],
                (switch_cost or [0.0] * options)[i], (slots or [1] * options)[i], i in pinned,
            )
            for i in range(options)
        ),
        pools=tuple(Pool(name, budget) for name, budget in budgets.items()),
        reliability=reliability,
        token_cost=np.zeros_like(reliability) if token_cost is None else np.array(token_cost),
        seconds=np.zeros_like(reliability) if seconds is None else np.array(seconds),
        **changes,
    )  # fmt: skip


def drawn(random, *, deadline=False, options=None, tasks=None, copies=False):
    """Draw a small problem: up to three machines with node pools, pinned and resident options.

    With `copies`, some options hold the same model, and seldom with another utility.
    """
    count = options or int(random.integers(1, 7))
    work = tasks or int(random.integers(1, 6))
    kinds = int(random.integers(1, work + 1))
    column = random.integers(0, kinds, work)
    machines = random.integers(0, random.integers(1, 4), count)
    nodes = random.integers(0, 2, count)
    overlapping = random.random() < 0.15
    memory = random.integers(1, 12, count) * (1 if random.random() < 0.5 else 777_777_777)
    pools, budgets = [], {}
    for i in range(count):
        mine = [f"machine{machines[i]}"]
        if random.random() < 0.4:
            mine.append(f"machine{machines[i]}/node{nodes[i]}")
        if overlapping and random.random() < 0.5:
            mine.append("rack")
        pools.append(tuple(mine))
    for name in sorted({name for mine in pools for name in mine}):
        total = sum(int(memory[i]) for i in range(count) if name in pools[i])
        budgets[name] = int(total * random.uniform(0.2, 1.1))
    coarse = random.random() < 0.3  # ties

    def values(high, shape):
        made = random.uniform(0.0, high, shape)
        return np.round(made, 1) if coarse else made

    worth, cost = values(1.0, (count, kinds)), values(1.0, (count, kinds))
    models = _copied(random, worth, cost) if copies else None
    return problem_of(
        worth[:, column],
        [int(size) for size in memory],
        budgets,
        pools=pools,
        voters=[int(v) for v in random.integers(1, min(3, count) + 1, kinds)[column]],
        resident={i for i in range(count) if random.random() < 0.4},
        pinned={i for i in range(count) if random.random() < 0.15},
        token_cost=cost[:, column],
        models=models,
        copies=int(random.integers(1, 3)) if copies else 0,
        switch_cost=[float(v) for v in values(5.0, count)],
        seconds=values(4.0, (count, kinds))[:, column],
        slots=[int(v) for v in random.integers(1, 3, count)],
        machines=[f"machine{machine}" for machine in machines],
        load_seconds=[float(v) for v in values(6.0, count)],
        lambda_token=float(random.choice([0.0, 0.5, 1.5])),
        lambda_switch=float(random.choice([0.0, 0.2, 0.7])),
        deadline_seconds=float(random.uniform(2.0, 25.0)) if deadline else None,
    )


def _copied(random, worth, cost):
    """Let some options hold the same model; it is mostly worth the same everywhere."""
    count = len(worth)
    models = [f"m{k}" for k in random.integers(0, max(1, (2 * count) // 3), count)]
    for i, model in enumerate(models):
        if random.random() < 0.9:
            worth[i], cost[i] = worth[models.index(model)], cost[models.index(model)]
    return models


def best_by_trying(problem):
    """The objective of the best plan among all, -inf when there is none."""
    best = -math.inf
    everyone = range(len(problem.options))
    for size in range(1, len(problem.options) + 1):
        for members in itertools.combinations(everyone, size):
            best = max(best, _best_with(problem, members))
    return best


def _best_with(problem, members):
    """The best plan in which these may work."""
    if not _room(problem, members) or size_of_largest(problem) > len(members):
        return -math.inf
    if problem.deadline_seconds is None:
        opening = sum(problem.opening[i] for i in members)
        return sum(_best_for(problem, members, m) for m in range(len(problem.tasks))) - opening
    choices = [list(itertools.combinations(members, task.voters)) for task in problem.tasks]
    best = -math.inf
    for workers in itertools.product(*choices):
        verdict = check(problem, Assignment(workers, frozenset(i for w in workers for i in w)))
        if verdict.feasible:
            best = max(best, verdict.objective)
    return best


def _best_for(problem, members, m):
    """The most that one task gets from any of its electorates with few enough copies."""
    voters = problem.tasks[m].voters
    if not problem.copies:
        return sum(sorted((problem.utility[i, m] for i in members), reverse=True)[:voters])
    names = [option.model for option in problem.options]
    counts = [names.count(name) for name in set(names)]
    allowed = problem.copies
    while sum(min(allowed, count) for count in counts) < voters and allowed < max(counts):
        allowed += 1
    return max(
        (
            sum(problem.utility[i, m] for i in workers)
            for workers in itertools.combinations(members, voters)
            if all(sum(names[i] == name for i in workers) <= allowed for name in names)
        ),
        default=-math.inf,
    )


def size_of_largest(problem):
    return max(task.voters for task in problem.tasks)


def _room(problem, members):
    for pool in problem.pools:
        used = sum(
            problem.options[i].memory_bytes
            for i in members
            if pool.name in problem.options[i].pools and not problem.options[i].pinned
        )
        if used > pool.budget_bytes:
            return False
    return True


@pytest.fixture
def counter_example():
    """One maths task on a card of 8 GB where gemma is resident; the good model has 12.5 GB."""
    return problem_of(
        [[0.62], [0.93]], [2 * GB, 12_500_000_000], {"gpu0": 8 * GB}, resident={0},
        switch_cost=[0.0, 0.8],
    )  # fmt: skip
