"""The checker counts for itself and says with numbers what is wrong."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from quorate.errors import InvalidRequest
from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Assignment, objective_of
from tests.unit.coordinator.routing.conftest import GB, drawn, problem_of


@pytest.fixture
def problem():
    return problem_of(
        [[0.9, 0.8], [0.7, 0.6], [0.5, 0.4]],
        [4 * GB, 3 * GB, 2 * GB],
        {"gpu": 6 * GB},
        voters=[1, 2],
        resident={2},
        token_cost=[[0.4, 0.4], [0.2, 0.2], [0.1, 0.1]],
        switch_cost=[1.0, 0.5, 0.5],
        seconds=[[2.0, 4.0], [1.0, 1.0], [1.0, 1.0]],
        slots=[2, 1, 1],
        load_seconds=[3.0, 2.0, 2.0],
    )


def test_a_plan_that_holds_is_valued_from_scratch(problem):
    verdict = check(problem, Assignment(((0,), (0, 2)), frozenset({0, 2})))
    assert verdict.feasible
    assert verdict.violations == ()
    assert verdict.used_bytes == {"gpu": 6 * GB}
    assert verdict.load_seconds == {"box": 3.0}  # what is resident needs no loading
    assert verdict.objective == pytest.approx(0.9 + 0.8 + 0.4 - 0.5 * (0.4 + 0.4 + 0.1) - 0.2 * 1.0)


def test_its_objective_is_the_problem_s_own():
    random = np.random.default_rng(1)
    for _ in range(100):
        problem = drawn(random)
        everyone = tuple(range(len(problem.options)))
        workers = tuple(everyone[: task.voters] for task in problem.tasks)
        assignment = Assignment(workers, frozenset(everyone))
        assert check(problem, assignment).objective == pytest.approx(
            objective_of(problem, assignment), abs=1e-12
        )


@pytest.mark.parametrize(
    ("workers", "loaded", "violation"),
    [
        (((0,), (0, 1)), {0, 1}, "pool gpu: 7000000000 bytes are planned, but it has 6000000000"),
        (((0,), (0,)), {0}, "task t1: 1 work on it, but it wants 2"),
        (((0, 2), (0, 2)), {0, 2}, "task t0: 2 work on it, but it wants 1"),
        (((0,), (2, 0)), {0, 2}, r"task t1: its options are \[2, 0\], not distinct and ascending"),
        (((2,), (2, 2)), {2}, r"task t1: its options are \[2, 2\], not distinct"),
        (((0,), (0, 2)), {0}, "task t1: n2/m2 works on it, but is not in memory"),
        (((2,), (1, 2)), {0, 1, 2}, "n0/m0 is loaded, but works on nothing"),
    ],
)  # fmt: skip
def test_what_breaks_the_plan_is_named_with_numbers(problem, workers, loaded, violation):
    verdict = check(problem, Assignment(workers, frozenset(loaded)))
    assert not verdict.feasible
    assert any(re.search(violation, told) for told in verdict.violations)


@pytest.mark.parametrize(
    ("workers", "loaded", "violation"),
    [
        (((0,),), {0}, "1 tasks are assigned, but there are 2"),
        (((0,), (0, 9)), {0, 9}, "task t1: there is no option 9, only 3"),
        (((0,), (0, 2)), {0, 2, -1}, "loaded: there is no option -1, only 3"),
    ],
)
def test_what_cannot_be_read_is_worth_nothing(problem, workers, loaded, violation):
    verdict = check(problem, Assignment(workers, frozenset(loaded)))
    assert not verdict.feasible
    assert verdict.objective == -math.inf
    assert violation in verdict.violations


def test_loads_of_a_machine_follow_each_other_and_slots_work_side_by_side(problem):
    assignment = Assignment(((0,), (0, 2)), frozenset({0, 2}))
    # 3 s of loading, then (2 + 4) s on two slots
    assert check(replace(problem, deadline_seconds=6.0), assignment).feasible
    verdict = check(replace(problem, deadline_seconds=5.9), assignment)
    assert verdict.violations == (
        "n0/m0: done after 6.000 s (3.000 s of loads on box), but the deadline is 5.9 s",
    )


def test_loads_of_another_machine_do_not_wait_for_each_other():
    apart = problem_of(
        [[0.9], [0.9]], voters=[2], load_seconds=[3.0, 3.0], machines=["a", "b"],
        seconds=[[1.0], [1.0]], deadline_seconds=4.0,
    )  # fmt: skip
    plan = Assignment(((0, 1),), frozenset({0, 1}))
    assert check(apart, plan).load_seconds == {"a": 3.0, "b": 3.0}
    assert check(apart, plan).feasible
    together = replace(
        apart, options=tuple(option._replace(machine="a") for option in apart.options)
    )
    assert len(check(together, plan).violations) == 2


def test_pinned_and_resident_models_need_no_loading():
    problem = problem_of(
        [[0.9], [0.9]], voters=[2], load_seconds=[30.0, 30.0], pinned={0}, resident={1},
        deadline_seconds=1.0,
    )  # fmt: skip
    assert check(problem, Assignment(((0, 1),), frozenset({0, 1}))).feasible


def test_a_resident_that_is_not_kept_takes_no_memory():
    problem = problem_of([[0.9], [0.1]], [2, 2], {"gpu": 2}, resident={1})
    assert check(problem, Assignment(((0,),), frozenset({0}))).feasible
    kept = check(problem, Assignment(((0,),), frozenset({0, 1})))
    assert kept.violations == ("pool gpu: 4 bytes are planned, but it has 2, 2 too few",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reliability": [[math.nan]]}, "routing.reliability is nan"),
        ({"reliability": [[-0.1]]}, "routing.reliability is -0.1"),
        ({"reliability": [[1.5]]}, "a probability is at most 1"),
        ({"token_cost": [[math.inf]]}, "routing.token_cost is inf"),
        ({"seconds": [[-1.0]]}, "routing.seconds is -1"),
        ({"lambda_token": -0.5}, "lambda_token is -0.5"),
        ({"lambda_switch": math.nan}, "lambda_switch is nan"),
        ({"deadline_seconds": 0.0}, "deadline_seconds is 0.0"),
        ({"deadline_seconds": math.nan}, "deadline_seconds is nan"),
    ],
)
def test_a_problem_with_values_that_are_none_is_refused(changes, message):
    one = problem_of([[0.5]])
    arrays = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in changes.items()
    }
    with pytest.raises(InvalidRequest, match=message):
        replace(one, **arrays)
