"""A planning model's choice: what it is told, how its reply is read, one second try, a way out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from quorate.errors import NoPlan, PeerUnreachable, QuorateError
from services.coordinator.question import Message
from services.coordinator.routing.briefing import prompt_of, schema_of
from services.coordinator.routing.by_model import solve_by_model
from services.coordinator.routing.problem import Option, Pool, Problem, Solution, Task
from services.coordinator.routing.solve import solve
from services.node.engine.constraints import as_grammar
from services.node.engine.messages import Sampling

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
        (["{", "[]"], "not JSON.*at character 1.*not an object"),
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
    assert "Memory: 160 MiB" in text  # 100 MiB for two models, and what the third takes elsewhere
    assert "Memory of m: 100 MiB for abacus, n1/atlas" in text
    assert "t2: facts" in text
    schema = json.loads(schema_of(problem()))
    assert schema["required"] == ["t1", "t2"]
    assert schema["properties"]["t1"]["enum"] == ["abacus", "n1/atlas", "n2/atlas"]
    several = json.loads(schema_of(problem(2)))["properties"]["t1"]
    assert (several["minItems"], several["maxItems"]) == (2, 2)
    assert "Give 2 different models for each subtask" in prompt_of(problem(2))


async def test_several_models_for_a_part_are_read_in_any_order() -> None:
    found = await planned(Planner(['{"t1": ["n2/atlas", "abacus"], "t2": ["abacus", "n2/atlas"]}']),
                          problem(2))  # fmt: skip
    assert found.assignment.workers == ((0, 2), (0, 2))


async def test_what_is_wrong_with_a_reply_is_told_without_quoting_it() -> None:
    found = await planned(Planner(["Aloysius was here", '["Aloysius"]']))
    assert "its reply is not JSON (Expecting value at character 0)" in found.note
    assert "Aloysius" not in found.note


async def test_more_voters_than_have_room_are_not_asked_for() -> None:
    made = problem(2)
    small = replace(made, options=made.options[:2], **{
        name: getattr(made, name)[:2] for name in ("reliability", "token_cost", "seconds")
    })  # fmt: skip
    planner = Planner(['{"t1": "abacus", "t2": "abacus"}'])
    found = await planned(planner, small)
    assert found.assignment.workers == ((0,), (0,))
    assert found.solver == "planning model"
    assert found.note == "only 1 can work at once: 2 were wanted"
    assert len(planner.asked) == 1


async def test_a_model_that_is_named_twice_is_told_by_name() -> None:
    twice = '{"t1": ["abacus", "abacus"], "t2": ["abacus", "n2/atlas"]}'
    good = '{"t1": ["abacus", "n2/atlas"], "t2": ["abacus", "n2/atlas"]}'
    planner = Planner([twice, good])
    found = await planned(planner, problem(2))
    assert found.solver == "planning model"
    assert "t1 is given to abacus twice; name different models" in planner.asked[1][-1].content


def pooled(*budgets_mib: int) -> Problem:
    """Two nodes with a model each, and a pool each: then one for both."""
    names = ("n1", "n2", "n1+n2")[: len(budgets_mib)]
    options = tuple(
        Option(node, model, "m", tuple(n for n in names if node in n), 60 * MIB, resident,
               0.0 if resident else 2.0, 0.0 if resident else 0.5)
        for node, model, resident in (("n1", "abacus", True), ("n2", "atlas", False))
    )  # fmt: skip
    pools = tuple(Pool(n, size * MIB) for n, size in zip(names, budgets_mib, strict=True))
    matrix = np.array([[0.9], [0.5]])
    return Problem((Task("t1", 1, "math", 100),), options, pools, matrix, 0 * matrix, 0 * matrix)


def test_with_several_pools_each_is_told_with_its_bytes_and_models() -> None:
    text = prompt_of(pooled(70, 110))
    assert "Memory: 180 MiB\nModels:" in text
    assert "\nMemory of n1: 70 MiB for abacus\nMemory of n2: 110 MiB for atlas\n" in text
    shared = prompt_of(pooled(70, 110, 130))
    assert "Memory: 130 MiB\nModels:" in shared
    assert "\nMemory of n1+n2: 130 MiB for abacus, atlas\n" in shared


def test_what_loading_costs_is_told_where_anything_would_be_loaded() -> None:
    assert prompt_of(pooled(70, 110)).endswith("\nLoading costs: atlas 0.10")
    resident = replace(
        problem(), options=tuple(o._replace(resident=True) for o in problem().options)
    )
    assert "Loading" not in prompt_of(resident)


def test_one_pool_of_loaded_models_is_told_as_it_was_practised() -> None:
    made = pooled(70, 110, 130)
    shared = tuple(option._replace(pools=("n1",), resident=True) for option in made.options)
    text = prompt_of(replace(made, options=shared, pools=made.pools[:1]))
    assert text.endswith("\nSubtasks:\nt1: math")
    assert text.splitlines()[1] == "Memory: 70 MiB"


@pytest.mark.parametrize("why", ["pinned", "stays"])
def test_a_model_in_use_takes_nothing_from_the_memory_that_is_told(why: str) -> None:
    made = pooled(70, 110)
    used = made.options[0]._replace(pinned=True)
    if why == "stays":
        used = made.options[0]._replace(may_leave=False, pools=())
    text = prompt_of(replace(made, options=(used, made.options[1])))
    assert "abacus: math 0.90; 1 MiB; loaded" in text
    assert text.splitlines()[1] == "Memory: 110 MiB"
    assert "Memory of" not in text


def test_a_node_turns_the_schema_into_a_grammar() -> None:
    sampling = as_grammar(Sampling(json_schema=schema_of(problem(2))))
    assert "n2/atlas" in sampling.grammar
