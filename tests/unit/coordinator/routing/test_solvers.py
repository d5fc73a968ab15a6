"""Every solver's plans hold, and the exact ones are as good as trying all."""

import math

import numpy as np
import pytest

from quorate.errors import InvalidRequest, NoPlan
from services.bench.plan.instances import draw
from services.coordinator.routing import table
from services.coordinator.routing.checker import check
from services.coordinator.routing.mip import exact
from services.coordinator.routing.modelling import SolverFailed
from services.coordinator.routing.relaxed import predecessor_argmax
from services.coordinator.routing.solve import solve
from tests.unit.coordinator.routing.conftest import GB, best_by_trying, drawn, problem_of

EXACT = ("mip", "highs")


def objective_by(mode, problem):
    """A solver's objective, -inf when it proves that there is no plan."""
    try:
        found = table.find(mode).solver(problem, 10.0, 0)
    except NoPlan:
        return -math.inf
    verdict = check(problem, found.assignment)
    assert verdict.violations == ()
    assert verdict.objective == pytest.approx(found.objective, abs=1e-9)
    assert found.status == "optimal"
    assert found.gap == 0.0
    return verdict.objective


@pytest.mark.parametrize("seed", range(10))
def test_structure_and_solver_equal_trying_all(seed):
    random = np.random.default_rng(seed)
    for _ in range(60):
        problem = drawn(random)
        assert objective_by("mip", problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


def test_cvxpy_from_scratch_equals_trying_all():
    random = np.random.default_rng(99)
    for _ in range(60):
        problem = drawn(random)
        assert objective_by("highs", problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_with_copies_of_models_structure_and_solver_equal_trying_all(seed):
    random = np.random.default_rng([17, seed])
    for _ in range(40):
        problem = drawn(random, copies=True)
        assert objective_by("mip", problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


def test_with_copies_of_models_cvxpy_from_scratch_equals_trying_all():
    random = np.random.default_rng(18)
    for _ in range(60):
        problem = drawn(random, copies=True)
        assert objective_by("highs", problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


def test_with_copies_and_a_deadline_the_plan_is_still_the_best():
    random = np.random.default_rng(19)
    for _ in range(40):
        problem = drawn(
            random, copies=True, deadline=True, options=int(random.integers(1, 5)), tasks=3
        )
        assert objective_by("mip", problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


@pytest.mark.parametrize("mode", EXACT)
def test_a_deadline_is_kept_as_well_as_trying_all_can(mode):
    random = np.random.default_rng(7)
    for _ in range(60):
        problem = drawn(random, deadline=True, options=int(random.integers(1, 5)), tasks=3)
        assert objective_by(mode, problem) == pytest.approx(best_by_trying(problem), abs=1e-6)


@pytest.mark.parametrize("mode", table.MODES)
def test_every_way_of_planning_holds_what_it_must(mode):
    random = np.random.default_rng(3)
    for number in range(40):
        problem = drawn(random, deadline=number % 3 == 0, copies=number % 2 == 0)
        try:
            found = table.find(mode).solver(problem, 10.0, number)
        except (NoPlan, SolverFailed):
            continue
        assert check(problem, found.assignment).violations == ()
        assert found.bound >= found.objective - 1e-6


@pytest.mark.parametrize("mode", ["greedy", "round_robin", "random", "lp_relaxed"])
def test_without_a_deadline_a_rule_of_thumb_finds_a_plan_where_there_is_one(mode):
    random = np.random.default_rng(11)
    for _ in range(40):
        problem = drawn(random)
        if len({pool for option in problem.options for pool in option.pools if pool == "rack"}):
            continue  # pools that overlap without one holding the other
        if best_by_trying(problem) == -math.inf:
            with pytest.raises(NoPlan):
                table.find(mode).solver(problem, 10.0, 0)
        else:
            table.find(mode).solver(problem, 10.0, 0)


def test_the_relaxation_and_argmax_break_the_card_of_8_gb_and_we_do_not(counter_example):
    theirs = check(counter_example, predecessor_argmax(counter_example))
    assert theirs.used_bytes == {"gpu0": 12_500_000_000}
    assert "12500000000 bytes are planned, but it has 8000000000" in theirs.violations[0]
    ours = solve(counter_example)
    assert ours.status == "optimal"
    assert check(counter_example, ours.assignment).used_bytes["gpu0"] <= 8 * GB


def test_a_budget_that_is_one_byte_short_is_not_broken():
    sizes = [3 * GB + 1, 3 * GB, 3 * GB]
    problem = problem_of(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], sizes, {"gpu": 9 * GB}
    )
    for mode in EXACT:
        found = table.find(mode).solver(problem, 10.0, 0)
        assert found.objective == pytest.approx(2.0)
        assert len(found.assignment.loaded) == 2
        assert found.status == "optimal"


def test_draws_of_the_random_baseline_follow_the_seed():
    problem = drawn(np.random.default_rng(5), options=6, tasks=5)
    assert (
        solve(problem, "random", 1.0, 4).assignment == solve(problem, "random", 1.0, 4).assignment
    )
    plans = {solve(problem, "random", 1.0, seed).assignment for seed in range(20)}
    assert len(plans) > 1


def test_an_unknown_way_of_planning_is_told_the_nearest():
    with pytest.raises(InvalidRequest, match="Did you mean 'greedy'"):
        solve(problem_of([[1.0]]), "gredy")


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan, math.inf])
def test_a_time_limit_is_a_time(limit):
    with pytest.raises(InvalidRequest, match="limit_seconds"):
        solve(problem_of([[1.0]]), limit_seconds=limit)


@pytest.mark.parametrize("mode", EXACT)
def test_of_equal_options_the_earlier_ones_work(mode):
    problem = problem_of([[0.5, 0.5]] * 4, [GB] * 4, {"gpu": 2 * GB}, voters=[1, 2])
    assert table.find(mode).solver(problem, 10.0, 0).assignment.workers == ((0,), (0, 1))


def test_the_exact_reference_is_the_same_twice():
    problem = draw(16, 24, 8)
    assert exact(problem, 10.0, 0).assignment == exact(problem, 10.0, 0).assignment
