"""The frontier holds what no other plan beats, and the best plan within a budget."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from quorate.errors import InvalidRequest, NoPlan
from services.coordinator.routing.frontier import (
    Budget,
    Settings,
    frontier,
    majority_right,
)
from tests.unit.coordinator.routing.conftest import GB, problem_of

ASKED = Settings(1, 0.5, 0.2)


def build(settings):
    """Three models: quick and weak, good and slow, in between; one loaded."""
    problem = problem_of(
        [[0.6, 0.6], [0.9, 0.9], [0.75, 0.75]], [GB, 3 * GB, 2 * GB], {"gpu": 6 * GB},
        voters=[settings.voters] * 2, resident={0}, load_seconds=[0.0, 6.0, 2.0],
        switch_cost=[0.0, 0.6, 0.2], seconds=[[1.0, 1.0], [3.0, 3.0], [2.0, 2.0]],
        token_cost=[[0.05, 0.05], [0.4, 0.4], [0.2, 0.2]], machines=["a", "b", "c"],
        lambda_token=settings.lambda_token, lambda_switch=settings.lambda_switch,
    )  # fmt: skip
    return replace(problem, tasks=tuple(task._replace(tokens=100) for task in problem.tasks))


def values(point):
    return point.reliability, -point.tokens, -point.seconds


def test_no_point_beats_another():
    points = frontier(build, ASKED, 3)
    assert len(points) >= 3
    for one, other in itertools.permutations([point for point in points if not point.dominated], 2):
        assert not all(a >= b for a, b in zip(values(one), values(other), strict=True))


def test_what_a_point_says_is_counted_by_hand():
    for point in frontier(build, ASKED, 3):
        workers = point.solution.assignment.workers
        assert point.tokens == sum(100 * len(task) for task in workers)
        assert point.settings.voters == len(workers[0])
        ends = [0.0]
        for i in range(3):
            tasks = [task for task in workers if i in task]
            if tasks:
                load = 0.0 if i == 0 else [0.0, 6.0, 2.0][i]
                ends.append(load + len(tasks) * [1.0, 3.0, 2.0][i])
        assert point.seconds == pytest.approx(max(ends))


def test_the_plan_that_was_asked_for_is_marked_even_where_another_beats_it():
    points = frontier(build, ASKED, 3)
    chosen = [point for point in points if point.chosen]
    assert [point.settings for point in chosen] == [ASKED]
    wasteful = frontier(
        lambda settings: replace(build(settings), lambda_token=0.0, lambda_switch=0.0)
        if settings == Settings(2, 9.0, 9.0) else build(settings),
        Settings(2, 9.0, 9.0), 3,
    )  # fmt: skip
    assert sum(point.chosen for point in wasteful) == 1
    assert all(point.chosen for point in wasteful if point.dominated)


def test_plans_come_with_the_most_reliable_first():
    found = [point.reliability for point in frontier(build, ASKED, 3)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("seconds", [2.0, 7.0, 12.0])
def test_in_a_budget_of_seconds_the_most_reliable_plan_is_chosen(seconds):
    points = frontier(build, ASKED, 3, Budget(seconds=seconds))
    chosen = next(point for point in points if point.chosen)
    assert chosen.seconds <= seconds
    assert not chosen.dominated
    assert all(p.reliability <= chosen.reliability for p in points if p.seconds <= seconds)


def test_in_a_budget_of_tokens_no_more_vote_than_it_pays_for():
    chosen = next(p for p in frontier(build, ASKED, 3, Budget(tokens=399)) if p.chosen)
    assert chosen.tokens == 200
    assert chosen.reliability == pytest.approx(0.9)


def test_a_budget_that_no_plan_keeps_is_told_what_the_least_is():
    with pytest.raises(NoPlan, match=r"within 100 tokens: the least tokens are 200"):
        frontier(build, ASKED, 3, Budget(tokens=100))
    with pytest.raises(NoPlan, match=r"within 0\.5 s: .*the soonest plan takes 2\.000 s"):
        frontier(build, ASKED, 3, Budget(seconds=0.5))


def test_where_nothing_fits_the_reason_is_told():
    def tiny(settings):
        problem = build(settings)
        return replace(problem, pools=(problem.pools[0]._replace(budget_bytes=1),))

    with pytest.raises(NoPlan, match="No model fits"):
        frontier(tiny, ASKED, 2)


@pytest.mark.parametrize(
    ("voters", "budget", "field"),
    [
        (0, Budget(), "routing.voters"),
        (2, Budget(tokens=0), "routing.budget_tokens"),
        (2, Budget(seconds=-1.0), "routing.budget_seconds"),
        (2, Budget(seconds=math.nan), "routing.budget_seconds"),
    ],
)
def test_a_budget_or_electorate_that_is_none_is_refused(voters, budget, field):
    with pytest.raises(InvalidRequest, match=field):
        frontier(build, ASKED, voters, budget)


def test_a_majority_of_independent_voters_is_right_as_counting_says():
    assert majority_right([]) == 0.0
    assert majority_right([0.7]) == pytest.approx(0.7)
    assert majority_right([0.8, 0.6]) == pytest.approx(0.48 + (0.8 * 0.4 + 0.2 * 0.6) / 2)
    random = np.random.default_rng(1)
    for size in (3, 4, 5):
        odds = random.uniform(size=size)
        expected = 0.0
        for right in itertools.product([0, 1], repeat=size):
            weight = np.prod([p if r else 1 - p for p, r in zip(odds, right, strict=True)])
            expected += weight * (1.0 if 2 * sum(right) > size else 0.5 * (2 * sum(right) == size))
        assert majority_right(odds) == pytest.approx(expected)
