"""A planning model's choice: what it is told, how its reply is read, one second try, a way out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from quorate.errors import NoPlan, PeerUnreachable, QuorateError
from services.coordinator.question import Message
from services.coordinator.routing.by_model import prompt_of, schema_of, solve_by_model
from services.coordinator.routing.problem import Option, Pool, Problem, Solution, Task
from services.coordinator.routing.solve import solve

pytestmark = pytest.mark.anyio
MIB = 2**20


def problem(voters: int = 1) -> Problem:
    options = (
        Option("n1", "abacus", "m", ("m",), 60 * MIB, True),
        Option("n1", "atlas", "m", ("m",), 60 * MIB, False, 1.0, 0.1),
        Option("n2", "atlas", "m2", (), 60 * MIB, False, 1.0, 0.1),
    )
    tasks = (Task("t1", voters, "math", 100), Task("t2", voters, "facts", 100))
    reliability = np.array([[0.9, 0.3], [0.5, 0.8], [0.5, 0.8]])
    return Problem(
        tasks, options, (Pool("m", 100 * MIB),), reliability, np.zeros((3, 2)), np.ones((3, 2))
    )


@dataclass
class Planner:
    """Replies as told, and remembers what it was asked."""

    replies: list[str | QuorateError]
    asked: list[list[Message]] = field(default_factory=list)

    async def __call__(self, messages: Sequence[Message], schema: str) -> str:
        self.asked.append(list(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, QuorateError):
            raise reply
        return reply


async def planned(planner: Planner | None, made: Problem | None = None, why: str = "") -> Solution:
    made = made or problem()

    async def exact() -> Solution:
        return solve(made, "mip", 5.0, 0)

    return await solve_by_model(made, planner, exact, why)


async def test_a_good_choice_is_taken_as_it_is() -> None:
    planner = Planner(['{"t1": "abacus", "t2": "n2/atlas"}'])
    found = await planned(planner)
    assert found.assignment.workers == ((0,), (2,))
    assert (found.solver, found.status, found.note) == ("planning model", "feasible", "")
    assert found.objective == pytest.approx(0.9 + 0.8 - 0.2 * 0.1)


async def test_a_plan_beyond_memory_is_told_once_and_the_second_is_used() -> None:
    planner = Planner(['{"t1": "abacus", "t2": "n1/atlas"}', '{"t1": "abacus", "t2": "abacus"}'])
    found = await planned(planner)
    assert found.assignment.workers == ((0,), (0,))
    assert "asked twice" in found.note
    assert "pool m" in planner.asked[1][-1].content
    assert [message.role for message in planner.asked[1]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        (["{", "[]"], "not JSON.*not an object"),
        (['{"t1": "abacus"}', '{"t1": "nobody", "t2": "abacus"}'], "t2 is given to None.*'nobody'"),
        (["x" * 70_000, "[" * 60_000], "more than 65536 characters.*not JSON"),
        (['{"t1": "n1/atlas", "t2": "abacus"}'] * 2, "pool m"),
        ([PeerUnreachable("gone")], "gone"),
    ],
)
async def test_what_is_no_plan_gives_way_to_the_exact_solver(replies, said: str) -> None:
    planner = Planner(list(replies))
    found = await planned(planner)
    assert found.assignment.workers == ((0,), (2,))
    assert found.status == "optimal"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(found.note)
    assert planner.replies == []  # it was asked as often as that, and no more


async def test_without_a_planner_the_exact_solver_plans_and_says_why() -> None:
    assert "no model is in memory" in (await planned(None)).note
    assert "it is broken" in (await planned(None, why="it is broken")).note
    too_small = replace(problem(), options=problem().options[:2], pools=(Pool("m", MIB),),
                        **{name: getattr(problem(), name)[:2] for name in
                           ("reliability", "token_cost", "seconds")})  # fmt: skip
    with pytest.raises(NoPlan):
        await planned(Planner(['{"t1": "abacus", "t2": "abacus"}'] * 2), too_small)


def test_it_is_told_what_the_solver_knows() -> None:
    text = prompt_of(problem())
    assert "abacus: math 0.90, facts 0.30; 60 MiB; loaded" in text
    assert "n2/atlas: math 0.50, facts 0.80; 60 MiB; not loaded" in text
    assert "Memory: 100 MiB" in text
    assert "t2: facts" in text
    schema = json.loads(schema_of(problem()))
    assert schema["required"] == ["t1", "t2"]
    assert schema["properties"]["t1"]["enum"] == ["abacus", "n1/atlas", "n2/atlas"]
    several = json.loads(schema_of(problem(2)))["properties"]["t1"]
    assert (several["minItems"], several["maxItems"]) == (2, 2)
    assert "Give 2 models for each subtask" in prompt_of(problem(2))


async def test_several_models_for_a_part_are_read_in_any_order() -> None:
    found = await planned(Planner(['{"t1": ["n2/atlas", "abacus"], "t2": ["abacus", "n2/atlas"]}']),
                          problem(2))  # fmt: skip
    assert found.assignment.workers == ((0, 2), (0, 2))
