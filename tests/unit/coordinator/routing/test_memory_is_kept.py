"""No plan ever breaks a budget: ten thousand problems, every way of planning in turn."""

import numpy as np
import pytest

from quorate.errors import NoPlan
from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Assignment
from services.coordinator.routing.solve import solve
from tests.unit.coordinator.routing.conftest import GB, drawn, problem_of

BATCHES, IN_BATCH = 10, 1_000
EVERY = {"greedy": 7, "round_robin": 11, "random": 13, "lp_relaxed": 97, "highs": 101}
"""In which steps another way of planning than the default has its turn."""


def mode_of(number):
    return next((mode for mode, step in EVERY.items() if number % step == step - 1), "mip")


def used_by_hand(problem, members, pool):
    return sum(
        option.memory_bytes
        for i, option in enumerate(problem.options)
        if i in members and pool in option.pools and not option.pinned
    )


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_plan_breaks_a_budget_of_memory(batch):
    random = np.random.default_rng([2026, batch])
    planned = 0
    while planned < IN_BATCH:
        problem = drawn(random, copies=planned % 10 == 0)
        try:
            found = solve(problem, mode_of(planned), seed=planned)
        except NoPlan:
            continue
        planned += 1
        for pool in problem.pools:
            used = used_by_hand(problem, found.assignment.loaded, pool.name)
            assert used <= pool.budget_bytes
        working = {i for workers in found.assignment.workers for i in workers}
        assert working <= found.assignment.loaded


def test_ways_of_planning_that_break_a_budget_are_caught_by_the_checker():
    """The test above can fail: a solver that ignores memory is found out on such problems."""
    random = np.random.default_rng([2026, 0])
    broken = 0
    for _ in range(200):
        problem = drawn(random)
        everyone = frozenset(range(len(problem.options)))
        workers = tuple(tuple(range(task.voters)) for task in problem.tasks)
        verdict = check(problem, Assignment(workers, everyone))
        broken += any("bytes are planned" in violation for violation in verdict.violations)
    assert broken > 100


def test_memory_of_several_pools_per_option_is_kept_in_each():
    problem = problem_of(
        [[0.9, 0.2], [0.8, 0.8], [0.1, 0.7]],
        [3 * GB, 3 * GB, 3 * GB],
        {"machine": 7 * GB, "node0": 3 * GB},
        pools=[("machine", "node0"), ("machine", "node0"), ("machine",)],
    )
    found = solve(problem)
    assert found.assignment.workers == ((1,), (1,))  # 0 and 1 share a node that holds one
    assert found.objective == pytest.approx(1.6)
    assert found.status == "optimal"


def test_several_machines_have_each_their_own_memory():
    problem = problem_of(
        [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]],
        [5 * GB, 5 * GB, 1 * GB],
        {"a": 5 * GB, "b": 4 * GB},
        pools=[("a",), ("b",), ("b",)],
        machines=["a", "b", "b"],
    )
    found = solve(problem)
    assert found.assignment.workers == ((0,), (2,))
    assert check(problem, found.assignment).used_bytes == {"a": 5 * GB, "b": GB}


def test_a_pinned_model_takes_none_of_the_memory_of_a_plan():
    problem = problem_of([[0.9], [0.8]], [90 * GB, 2 * GB], {"gpu": 2 * GB}, voters=[2], pinned={0})
    found = solve(problem)
    assert found.assignment.workers == ((0, 1),)
    assert check(problem, found.assignment).used_bytes == {"gpu": 2 * GB}


def test_residents_stay_while_there_is_room_and_in_their_order():
    problem = problem_of(
        [[0.9], [0.5], [0.4], [0.3]], [2 * GB] * 4, {"gpu": 6 * GB}, resident={1, 2, 3}
    )
    assert solve(problem).assignment.loaded == {0, 1, 2}


def test_a_node_that_says_to_hold_more_than_its_memory_still_gets_a_plan_that_fits():
    problem = problem_of(
        [[0.9], [0.8]], [3 * GB, 2 * GB], {"gpu": 3 * GB}, voters=[2], resident={0, 1}
    )
    found = solve(problem)
    assert found.assignment.workers == ((0,),)
    assert "only 1 can work at once" in found.note
