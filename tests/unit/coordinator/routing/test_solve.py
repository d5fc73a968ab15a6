"""A plan always comes from somewhere, was checked, and says whom it could not believe."""

import math
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from subprocess import run

import numpy as np
import pytest

from quorate.client.question import ROUTINGS
from quorate.errors import NoPlan
from services.bench.plan.instances import draw
from services.coordinator import routing_requests
from services.coordinator.routing import by_model, modelling, relaxed, structure_search, table
from services.coordinator.routing import mip as exact_solvers
from services.coordinator.routing.checker import check
from services.coordinator.routing.mip import exact, mip
from services.coordinator.routing.modelling import SolverFailed
from services.coordinator.routing.problem import Assignment, Solution
from services.coordinator.routing.solve import solve
from tests.unit.coordinator.routing.conftest import GB, best_by_trying, drawn, problem_of


@pytest.fixture
def problem():
    """Two tasks, three models, room for two."""
    return problem_of([[0.9, 0.1], [0.2, 0.8], [0.6, 0.6]], [GB] * 3, {"gpu": 2 * GB})


def says(workers, objective=None, bound=None, status="optimal"):
    """A solver with this answer, whatever the problem is."""

    def answer(problem, limit_seconds, seed):
        loaded = frozenset(worker for task in workers for worker in task)
        assignment = Assignment(workers, loaded)
        worth = check(problem, assignment).objective if objective is None else objective
        limit = worth if bound is None else bound
        return Solution(assignment, worth, limit, 0.0, "liar", status, 0.0)

    return answer


def dies(error):
    def answer(*_, **__):
        raise error

    return answer


def with_solver(monkeypatch, name, solver):
    monkeypatch.setitem(table.MODES, name, table.Mode(solver, "made to fail"))


def test_a_solver_that_dies_is_named_and_the_relaxation_by_scs_plans(problem, monkeypatch):
    with_solver(monkeypatch, "mip", dies(MemoryError("no more")))
    found = solve(problem)
    assert found.solver == "scs_relaxed"
    assert found.note == "mip failed: MemoryError: no more"
    assert check(problem, found.assignment).feasible


def test_when_scs_dies_too_greedy_plans(problem, monkeypatch):
    with_solver(monkeypatch, "mip", dies(SolverFailed("HiGHS ended with kSolveError")))
    with_solver(monkeypatch, "scs_relaxed", dies(ValueError("odd")))
    found = solve(problem)
    assert found.solver == "greedy"
    assert "kSolveError" in found.note
    assert "scs_relaxed failed: ValueError: odd" in found.note


def test_when_all_fail_there_is_no_plan_and_everyone_is_named(problem, monkeypatch):
    for name in ("mip", "scs_relaxed", "greedy"):
        with_solver(monkeypatch, name, dies(RuntimeError(f"{name} is broken")))
    with pytest.raises(NoPlan, match=r"mip is broken.*scs_relaxed is broken.*greedy is broken"):
        solve(problem)


def test_a_plan_that_does_not_fit_is_not_believed(problem, monkeypatch):
    with_solver(monkeypatch, "mip", says(((0,), (1,)), objective=9.0))
    tight = replace(problem, pools=(problem.pools[0]._replace(budget_bytes=GB),))
    found = solve(tight)
    assert found.solver == "scs_relaxed"
    assert "mip is not believed: pool gpu: 2000000000 bytes are planned" in found.note
    assert check(tight, found.assignment).feasible


def test_a_wrong_status_is_not_believed(problem, monkeypatch):
    with_solver(monkeypatch, "mip", says(((0,), (1,)), status="optimal_inaccurate"))
    assert "its status is 'optimal_inaccurate'" in solve(problem).note


@pytest.mark.parametrize("objective", [1.6, math.nan, math.inf])
def test_a_sum_that_the_plan_is_not_worth_is_not_believed(problem, monkeypatch, objective):
    with_solver(monkeypatch, "mip", says(((0,), (0,)), objective=objective))
    found = solve(problem)
    assert "but the plan is worth 1" in found.note
    assert found.objective == pytest.approx(1.7)


def test_a_worse_plan_with_a_false_bound_is_refuted_by_a_better_one_beside_it(problem, monkeypatch):
    with_solver(monkeypatch, "mip", says(((0,), (0,))))
    with_solver(monkeypatch, "scs_relaxed", dies(RuntimeError("gone")))
    with_solver(monkeypatch, "greedy", dies(RuntimeError("gone")))
    found = solve(problem)
    assert "its bound is 1, but a plan near it is worth 1.7" in found.note
    assert found.objective == pytest.approx(1.7)
    assert (found.status, found.bound) == ("feasible", math.inf)


def test_optimal_with_a_gap_is_not_believed(problem, monkeypatch):
    with_solver(monkeypatch, "mip", says(((0,), (1,)), bound=5.0))
    assert "it says optimal, but its bound is 5" in solve(problem).note


def test_a_solver_that_wrongly_says_there_is_no_plan_is_overruled_by_one(problem, monkeypatch):
    with_solver(monkeypatch, "mip", dies(NoPlan("none")))
    found = solve(problem)
    assert found.solver == "greedy"
    assert found.note == "mip: none"


def test_when_highs_ends_without_an_answer_that_is_a_failure(problem, monkeypatch):
    def broken(model, limit_seconds, seed=0):
        raise SolverFailed("HiGHS ended with kUnknown")

    monkeypatch.setattr(exact_solvers, "run_highs", broken)
    found = solve(problem, "highs")
    assert found.solver == "scs_relaxed"
    assert "highs failed: SolverFailed: HiGHS ended with kUnknown" in found.note


def test_highs_without_time_for_a_plan_is_a_failure():
    with pytest.raises(SolverFailed, match="kTimeLimit"):
        exact(hard(64, 256), 1e-3, 0)


def test_where_the_structure_leaves_a_gap_highs_closes_it(monkeypatch):
    monkeypatch.setattr(structure_search, "ROOT_STEPS", 2)
    monkeypatch.setattr(structure_search._Search, "_over", lambda search: search.nodes > 0)
    random = np.random.default_rng(5)
    solvers = set()
    for _ in range(60):
        problem = drawn(random, options=6, tasks=5)
        best = best_by_trying(problem)
        if best == -math.inf:
            continue
        found = mip(problem, 10.0, 0)
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-6)
        solvers.add(found.solver)
    assert "structure" in solvers
    assert solvers & {"highs", "structure+highs"}


def test_a_time_limit_holds_and_the_gap_says_what_is_open():
    problem = hard(64, 256)
    started = time.perf_counter()
    found = solve(problem, limit_seconds=0.05)
    assert time.perf_counter() - started < 1.0
    assert found.status == "time_limit"
    assert 0.0 < found.gap < 0.01
    assert found.bound > found.objective
    assert check(problem, found.assignment).feasible


def test_highs_keeps_its_time_limit_too():
    problem = hard(64, 256)
    started = time.perf_counter()
    found = exact(problem, 1.0, 0)
    assert time.perf_counter() - started < 4.0
    assert found.status == "time_limit"
    assert found.bound > found.objective
    assert check(problem, found.assignment).feasible


def hard(options, tasks):
    """Tasks that have nothing in common, on four machines: branch and bound takes long."""
    random = np.random.default_rng(0)
    memory = [int(size) for size in random.integers(GB, 4 * GB, options)]
    machines = [f"machine{i % 4}" for i in range(options)]
    budgets = {
        name: sum(size for size, own in zip(memory, machines, strict=True) if own == name) // 6
        for name in sorted(set(machines))
    }
    return problem_of(
        random.uniform(size=(options, tasks)), memory, budgets,
        pools=[(name,) for name in machines], voters=[int(v) for v in random.integers(1, 4, tasks)],
    )  # fmt: skip


def test_a_thousand_tasks_are_planned():
    problem = draw(64, 1_000, 1)
    started = time.perf_counter()
    found = solve(problem)
    assert time.perf_counter() - started < 5.0
    assert found.status == "optimal"


def test_voters_are_lowered_to_what_fits_and_the_note_says_so():
    problem = problem_of(
        [[0.9, 0.9], [0.8, 0.8], [0.7, 0.7]], [GB] * 3, {"gpu": 2 * GB}, voters=[3, 1]
    )
    found = solve(problem)
    assert found.assignment.workers == ((0, 1), (0,))
    assert found.note == "only 2 can work at once: 1 tasks wanted up to 3 and get 2"
    assert found.status == "optimal"


def test_voters_are_lowered_to_what_a_deadline_allows():
    problem = problem_of(
        [[0.9], [0.8], [0.7]], voters=[3], load_seconds=[2.0] * 3, seconds=[[1.0]] * 3,
        deadline_seconds=5.5,
    )  # fmt: skip
    found = solve(problem)
    assert found.assignment.workers == ((0, 1),)
    assert "only 2 can work at once" in found.note


def test_a_budget_that_fits_nothing_names_the_smallest_model_and_what_would_help():
    problem = problem_of([[0.9], [0.8]], [8 * GB, 3 * GB], {"gpu": 2 * GB})
    with pytest.raises(NoPlan) as refused:
        solve(problem)
    assert refused.value.message == (
        "No model fits: the smallest is n1/m1 with 2.8 GiB (3000000000 bytes), but pool gpu has "
        "1.9 GiB (2000000000 bytes), 953.7 MiB (1000000000 bytes) too few. Raise the setting "
        "memory of gpu by at least 1000000000 bytes, or free as many on its machine where that is "
        "full, or add a smaller model."
    )


def test_the_pool_that_is_named_is_one_that_is_too_small():
    problem = problem_of(
        [[0.9]], [3 * GB], {"machine": 9 * GB, "node": 2 * GB}, pools=[("machine", "node")]
    )
    with pytest.raises(NoPlan, match=r"pool node has 1\.9 GiB \(2000000000 bytes\)"):
        solve(problem)


def test_a_deadline_that_no_plan_keeps_names_the_seconds_that_one_needs():
    problem = problem_of(
        [[0.9, 0.9], [0.8, 0.8]], seconds=[[4.0, 4.0], [6.0, 6.0]], load_seconds=[1.0, 0.5],
        machines=["a", "b"], deadline_seconds=3.0,
    )  # fmt: skip
    with pytest.raises(NoPlan) as refused:
        solve(problem)
    # one task each: 0.5 + 6 s on the slower one
    assert "the soonest with one worker for each task needs 6.500 s" in refused.value.message
    assert refused.value.metadata["seconds_needed"] == "6.500"
    assert solve(replace(problem, deadline_seconds=6.5)).status == "optimal"


def test_without_any_model_there_is_no_plan():
    with pytest.raises(NoPlan, match="No model can work on anything"):
        solve(problem_of(np.zeros((0, 2))))


def test_loads_on_one_machine_are_serial_and_a_deadline_counts_them():
    problem = problem_of(
        [[0.9, 0.1], [0.1, 0.9]], load_seconds=[3.0, 3.0], seconds=[[1.0, 1.0]] * 2,
        deadline_seconds=5.5,
    )  # fmt: skip
    found = solve(problem)
    assert len(found.assignment.loaded) == 1  # 3 + 3 + 1 s would be too late
    assert found.objective == pytest.approx(1.0)
    assert len(solve(replace(problem, deadline_seconds=7.0)).assignment.loaded) == 2


def test_everyone_on_everything_needs_no_solver():
    problem = problem_of(
        [[0.9, 0.8], [0.7, 0.6]],
        [GB, 90 * GB],
        {"gpu": GB},
        voters=[2, 2],
        resident={0},
        pinned={1},
    )
    found = solve(problem)
    assert (found.solver, found.status, found.gap) == ("none", "optimal", 0.0)
    assert found.assignment == Assignment(((0, 1), (0, 1)), frozenset({0, 1}))
    assert found.objective == pytest.approx(3.0)


def test_everyone_on_everything_too_late_is_not_trivial():
    problem = problem_of(
        [[0.9], [0.7]], voters=[2], resident={0, 1}, seconds=[[9.0], [1.0]], deadline_seconds=5.0
    )
    found = solve(problem)
    assert found.assignment.workers == ((1,),)
    assert "only 1 can work at once" in found.note


def test_planning_does_not_import_cvxpy_until_it_is_needed():
    code = (
        "import sys; from services.bench.plan.instances import draw;"
        "from services.coordinator.routing.solve import solve;"
        "assert solve(draw(8, 16, 1)).solver == 'structure';"
        "assert 'cvxpy' not in sys.modules; print('lean')"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "lean\n", done.stderr


def test_messages_name_no_number_without_its_unit_or_fix():
    problem = problem_of([[0.9]], [3 * GB], {"gpu": GB})
    with pytest.raises(NoPlan) as refused:
        solve(problem)
    assert re.search(r"setting memory of gpu by at least \d+ bytes", refused.value.message)


def test_bytes_beyond_all_memory_are_planned_without_the_structure():
    problem = problem_of([[0.9], [0.8]], [2**60, 2**58], {"gpu": 2**60 + 5}, voters=[1])
    found = solve(problem)
    assert f"mip failed: OverflowError: {2**60} bytes are beyond all memory" in found.note
    assert found.assignment.workers == ((0,),)


def test_the_relaxation_goes_to_scs_where_highs_fails(problem, monkeypatch):
    def broken(model, limit_seconds, seed=0):
        raise SolverFailed("HiGHS ended with kUnknown")

    monkeypatch.setattr(relaxed, "run_highs", broken)
    found = solve(problem, "lp_relaxed")
    assert (found.solver, found.note) == ("scs_relaxed", "HiGHS ended with kUnknown")
    assert check(problem, found.assignment).feasible


def test_when_highs_cannot_help_the_structure_s_plan_stands_with_its_gap(monkeypatch):
    monkeypatch.setattr(structure_search._Search, "_over", lambda search: search.nodes > 0)
    monkeypatch.setattr(exact_solvers, "exact", dies(SolverFailed("HiGHS ended with kUnknown")))
    open_ = [mip(draw(32, 64, seed, seed % 2 == 1), 10.0, 0) for seed in range(30)]
    gaps = [found.gap for found in open_ if found.status == "time_limit"]
    assert gaps
    assert all(0.0 < gap < 0.01 for gap in gaps)
    assert {found.solver for found in open_} == {"structure"}


def test_a_deadline_whose_need_cannot_be_found_is_still_refused_with_the_reason(monkeypatch):
    problem = problem_of([[0.9]], seconds=[[4.0]], deadline_seconds=3.0)
    failing = dies(SolverFailed("HiGHS ended with kUnknown"))
    monkeypatch.setattr(modelling, "run_highs", failing)
    with pytest.raises(NoPlan, match=r"deadline of 3 s\. .*What it needs is unknown: HiGHS"):
        solve(problem)


def test_a_copy_of_a_model_works_only_where_there_are_too_few_different_ones():
    problem = problem_of(
        [[0.9, 0.9]] * 2 + [[0.5, 0.5]], models=["a", "a", "b"], voters=[2, 3], copies=1
    )
    assert solve(problem).assignment.workers == ((0, 2), (0, 1, 2))
    verdict = check(problem, Assignment(((0, 1), (0, 1, 2)), frozenset({0, 1, 2})))
    assert verdict.violations == ("task t0: 2 copies of a work on it, but at most 1 may",)


def test_problems_that_are_solved_at_once_in_threads_do_not_meet():
    problems = [draw(10, 12, seed) for seed in range(12)]
    alone = [exact(problem, 10.0, 0).objective for problem in problems]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda problem: exact(problem, 10.0, 0).objective, problems))
    assert together == pytest.approx(alone, abs=1e-9)


def test_every_mode_that_a_question_may_name_has_its_row() -> None:
    assert set(routing_requests.MODES) - {by_model.MODE} <= set(table.MODES)
    assert routing_requests.MODES == ROUTINGS
