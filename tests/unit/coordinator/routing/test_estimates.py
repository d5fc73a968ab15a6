"""From nodes and what was learned to a problem: worth, prices, and whose memory counts where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.errors import UnknownNode
from services.coordinator import electorate
from services.coordinator.decompose.dag import Subtask
from services.coordinator.question import Message, Model, Node, Question
from services.coordinator.routing.estimates import Estimates, Known, Wanted, estimates
from services.coordinator.state.latencies import Place
from services.coordinator.state.latency import Latency
from services.coordinator.state.learned import (
    NOTHING_LEARNED,
    Changes,
    Evidence,
    ModelKey,
    RecordChange,
)
from services.coordinator.state.learning import learn

PARTS = (Subtask("t1", "a", (), "math", 1_000), Subtask("t2", "b", (), "facts", 0))
QUESTION = Question((Message("user", "x"),), "majority", routing="mip")


def resident(name: str, **fields: object) -> Model:
    usual: dict[str, object] = {
        "ready": True, "may_leave": True, "memory_bytes": 100, "held_bytes": 60, "parameters": 10,
    }  # fmt: skip
    return Model(name, **(usual | fields))  # type: ignore[arg-type]


def absent(name: str, **fields: object) -> Model:
    usual: dict[str, object] = {
        "ready": False, "on_demand": True, "may_leave": True, "memory_bytes": 100,
        "missing_bytes": 100, "parameters": 10,
    }  # fmt: skip
    return Model(name, **(usual | fields))  # type: ignore[arg-type]


def node(name: str, *models: Model, **fields: object) -> Node:
    return Node(name, f"{name}:1", models, **fields)  # type: ignore[arg-type]


def never(_node: str, _model: str) -> bool:
    return False


KNOWN = Known(NOTHING_LEARNED, {}, never)
ONE = Wanted(1)


def made(nodes: list[Node], known: Known = KNOWN, wanted: Wanted = ONE) -> Estimates:
    members = electorate.candidates(nodes, QUESTION)
    return estimates(PARTS, members, nodes, known, wanted)


def pools(found: Estimates) -> dict[str, int]:
    return {pool.name: pool.budget_bytes for pool in found.problem.pools}


def counted(found: Estimates) -> dict[str, tuple[str, ...]]:
    return {option.model: option.pools for option in found.problem.options}


def test_a_card_is_the_start_and_what_was_learned_moves_it() -> None:
    nodes = [node("n1", resident("carded", reliability={"math": 0.9}), resident("unknown"))]
    problem = made(nodes).problem
    assert [option.model for option in problem.options] == ["carded", "unknown"]
    assert problem.reliability.tolist() == [
        [pytest.approx(0.9), pytest.approx(0.9)],  # of facts it says nothing: its mean
        [0.5, 0.5],
    ]
    lessons = [RecordChange(ModelKey("unknown"), "math", Evidence.TRUTH, 90.0, 10.0)]
    state = learn(NOTHING_LEARNED, Changes(records=tuple(lessons)))
    learned = made(nodes, Known(state, {}, never))
    assert learned.problem.reliability[1, 0] == pytest.approx(0.87, abs=0.02)
    assert learned.items[1, 0] == pytest.approx(100.0)


@pytest.mark.parametrize("value", [float("nan"), -1.0, 1.5, float("inf")])
def test_a_card_that_is_nonsense_says_nothing(value: float) -> None:
    found = made([node("n1", resident("liar", reliability={"math": value}))])
    assert found.problem.reliability.tolist() == [[0.5, 0.5]]


def test_tokens_cost_by_weights_and_loads_by_their_last_time() -> None:
    nodes = [
        node(
            "n1",
            resident("large", parameters=400),
            absent("small", parameters=100, load_seconds=5.0),
        )
    ]
    problem = made(nodes).problem
    assert problem.token_cost[:, 0].tolist() == [1.0, 0.25]  # of 1,000 tokens
    assert problem.token_cost[0, 1] == pytest.approx(0.256)  # where nobody said how many
    assert [option.switch_cost for option in problem.options] == [0.0, 0.5]
    assert problem.opening.tolist() == [0.0, 0.1]


def test_work_takes_as_long_as_before_and_longer_behind_others() -> None:
    busy = resident("busy", busy=8, slots=4)
    seen = Latency().seen(2.0)
    latencies = {Place("n1", ModelKey("busy")): seen, Place("n1", ModelKey("idle")): seen}
    problem = made([node("n1", busy, resident("idle"))], Known(NOTHING_LEARNED, latencies, never))
    assert problem.problem.seconds[:, 0].tolist() == [6.0, 2.0]


def test_what_may_leave_is_room_and_what_stays_is_not() -> None:
    eager = resident("eager", may_leave=False)
    nodes = [node("n1", eager, resident("leaver"), absent("absent"), budget_bytes=150)]
    found = made(nodes)
    assert pools(found) == {"n1": 250}
    assert counted(found) == {"eager": (), "leaver": ("n1",), "absent": ("n1",)}
    assert {option.model: option.may_leave for option in found.problem.options} == {
        "eager": False, "leaver": True, "absent": True,
    }  # fmt: skip
    assert set(found.homes) == {("n1",)}


def test_what_a_running_question_uses_stays_and_its_coming_load_takes_room() -> None:
    nodes = [node("n1", resident("used"), absent("coming"), absent("free"), budget_bytes=300)]

    def in_use(_node: str, model: str) -> bool:
        return model in {"used", "coming"}

    found = made(nodes, Known(NOTHING_LEARNED, {}, in_use))
    assert pools(found) == {"n1": 200}
    assert counted(found) == {"used": (), "coming": (), "free": ("n1",)}


def test_a_load_under_way_is_counted_by_its_node_already() -> None:
    loading = absent("loading", missing_bytes=0)
    found = made([node("n1", loading, budget_bytes=70)])
    assert (pools(found), counted(found)) == ({"n1": 70}, {"loading": ()})


def test_nodes_of_one_machine_share_what_it_has_left() -> None:
    nodes = [
        node("n1", resident("a"), machine="m", available_bytes=1_000, budget_bytes=50),
        node("n2", absent("b"), machine="m", available_bytes=900),
    ]
    found = made(nodes)
    assert pools(found) == {"n1+n2": 960, "n1": 150}  # a gives back what it holds, 60
    assert counted(found) == {"a": ("n1+n2", "n1"), "b": ("n1+n2",)}
    assert {option.machine for option in found.problem.options} == {"m"}


def test_one_node_on_a_machine_has_one_pool_the_tighter() -> None:
    found = made([node("n1", absent("a"), machine="m", available_bytes=70, budget_bytes=500)])
    assert pools(found) == {"n1": 70}
    silent = made([node("n1", absent("a"))])
    assert (pools(silent), counted(silent)) == ({}, {"a": ()})


def test_limits_that_a_question_sets_count_whatever_works() -> None:
    eager = resident("eager", may_leave=False)
    nodes = [node("n1", eager, machine="m1"), node("n2", absent("b"), machine="m2")]
    found = made(nodes, wanted=replace(ONE, memory_bytes={"n1": 80, "": 500}))
    assert pools(found) == {"n1 as asked": 80, "n2 as asked": 500}
    assert counted(found) == {"eager": ("n1 as asked",), "b": ("n2 as asked",)}
    by_machine = made(nodes, wanted=replace(ONE, memory_bytes={"m2": 7}))
    assert pools(by_machine) == {"n2 as asked": 7}
    with pytest.raises(UnknownNode, match="memory_bytes limits 'n3'"):
        made(nodes, wanted=replace(ONE, memory_bytes={"n3": 80}))


def test_no_more_voters_are_wanted_than_there_are() -> None:
    found = made([node("n1", resident("a"))], wanted=Wanted(5))
    assert {task.voters for task in found.problem.tasks} == {1}
    assert found.problem.copies == 1
