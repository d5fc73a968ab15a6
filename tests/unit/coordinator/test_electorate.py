"""Who votes: everybody who is ready, in an order that nothing but names decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import NoNodes, UnknownModel, UnknownNode
from services.coordinator import electorate
from services.coordinator.question import Member, Message, Model, Node, Question, Seat


def node(name: str, *models: str, draining: bool = False, **facts: object) -> Node:
    made = tuple(Model(model, True, "ready", **facts) for model in models)  # type: ignore[arg-type]
    return Node(name, f"{name}:1", made, draining=draining)


def question(**limits: object) -> Question:
    return Question((Message("user", "?"),), "majority", **limits)  # type: ignore[arg-type]


def names(members: tuple[Member, ...]) -> list[str]:
    return [f"{member.node}/{member.model}" for member in members]


def test_every_ready_model_of_every_node_votes_copies_included() -> None:
    nodes = [node("n2", "atlas", "scribe"), node("n1", "atlas")]
    assert names(electorate.members(nodes, question())) == ["n1/atlas", "n2/atlas", "n2/scribe"]


def test_a_member_carries_what_its_node_said() -> None:
    nodes = [node("n1", "atlas", sha256="ab", weight=2.0, reliability={"math": 0.5, "code": 0.7})]
    assert electorate.members(nodes, question()) == (
        Member("n1", "atlas", "n1:1", "ab", 2.0, pytest.approx(0.6)),
    )


def test_models_that_are_not_ready_and_nodes_that_drain_do_not_vote() -> None:
    loading = Node("n3", "n3:1", (Model("forge", False, "loading"),))
    nodes = [node("n1", "atlas"), node("n2", "atlas", draining=True), loading]
    assert names(electorate.members(nodes, question())) == ["n1/atlas"]


def keeper(name: str, free_bytes: int | None, *models: Model) -> Node:
    return Node(name, f"{name}:1", models, free_bytes=free_bytes)


def ready(name: str) -> Model:
    return Model(name, True, "ready")


def sleeping(name: str, missing_bytes: int = 100) -> Model:
    return Model(name, False, "available", on_demand=True, missing_bytes=missing_bytes)


def test_a_model_on_demand_votes_and_says_that_it_is_loaded_first() -> None:
    nodes = [keeper("n1", 100, sleeping("atlas"), ready("forge"))]
    voters = electorate.members(nodes, question())
    assert [(one.model, one.resident) for one in voters] == [("atlas", False), ("forge", True)]


def test_a_model_that_is_being_unloaded_may_be_planned_with_but_does_not_vote_yet() -> None:
    leaving = Model("atlas", False, "unloading", missing_bytes=100, may_leave=True)
    nodes = [keeper("n1", 100, leaving, ready("forge"))]
    assert names(electorate.members(nodes, question())) == ["n1/forge"]
    assert names(electorate.candidates(nodes, question())) == ["n1/forge", "n1/atlas"]
    assert [one.model for one in electorate.everyone(nodes)] == ["atlas", "forge"]


def test_a_model_that_is_unloaded_but_not_on_demand_does_not_vote() -> None:
    nodes = [keeper("n1", None, Model("atlas", False, "available"), ready("forge"))]
    assert names(electorate.members(nodes, question())) == ["n1/forge"]
    with pytest.raises(NoNodes, match="atlas on n1 is available"):
        electorate.members(nodes, question(models=("atlas",)))


@pytest.mark.parametrize(
    ("free_bytes", "chosen"),
    [
        (None, ["n1/a", "n1/b", "n1/c", "n1/d"]),
        (300, ["n1/a", "n1/b", "n1/c", "n1/d"]),
        (299, ["n1/a", "n1/b", "n1/d"]),
        (100, ["n1/a", "n1/d"]),
        (99, ["n1/d"]),
        (0, ["n1/d"]),
    ],
)
def test_models_on_demand_vote_as_far_as_they_fit_together(
    free_bytes: int | None, chosen: list[str]
) -> None:
    nodes = [keeper("n1", free_bytes, sleeping("b"), ready("d"), sleeping("c"), sleeping("a"))]
    assert names(electorate.members(nodes, question())) == chosen


def test_a_model_that_does_not_fit_is_asked_where_nobody_else_has_what_was_named() -> None:
    nodes = [keeper("n1", 0, sleeping("atlas"), ready("forge")), keeper("n2", 0, sleeping("forge"))]
    assert names(electorate.members(nodes, question(models=("atlas",)))) == ["n1/atlas"]
    assert names(electorate.members(nodes, question(models=("forge",)))) == ["n1/forge"]
    assert names(electorate.members(nodes, question(nodes=("n2",)))) == ["n2/forge"]
    draining = Node("n1", "n1:1", (sleeping("atlas"),), draining=True)
    with pytest.raises(NoNodes):
        electorate.members([draining], question())


def test_a_limit_takes_resident_models_first_copies_included() -> None:
    nodes = [
        keeper("n1", 900, sleeping("atlas"), ready("forge")),
        keeper("n2", 900, ready("forge"), sleeping("marshal")),
    ]
    limited = [names(electorate.members(nodes, question(max_models=most))) for most in (1, 2, 3)]
    assert limited == [["n1/forge"], ["n1/forge", "n2/forge"], ["n1/atlas", "n1/forge", "n2/forge"]]


def test_a_spare_on_demand_comes_after_a_resident_one() -> None:
    voting, asleep = node("n1", "atlas"), keeper("n2", 0, sleeping("atlas"))
    voters = electorate.members([voting], question())
    for others, expected in (([asleep], "n2"), ([asleep, node("n3", "atlas")], "n3")):
        spares = electorate.spares(voters[0], voters, [voting, *others])
        assert spares[0].node == expected


def test_without_a_registered_node_it_says_how_to_start_one() -> None:
    with pytest.raises(NoNodes, match="quorate up"):
        electorate.members([], question())


def test_when_nobody_is_ready_the_states_are_told() -> None:
    loading = Node("n3", "n3:1", (Model("forge", False, "loading"),))
    nodes = [loading, node("n2", "atlas", draining=True)]
    with pytest.raises(NoNodes, match="forge on n3 is loading, atlas on n2 is draining"):
        electorate.members(nodes, question())
    with pytest.raises(NoNodes, match="the nodes named have none of the models named"):
        electorate.members(
            [node("n1", "a"), node("n2", "b")], question(models=("a",), nodes=("n2",))
        )


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'atlas'"):
        electorate.members([node("n1", "atlas")], question(models=("atlass",)))
    with pytest.raises(UnknownNode, match="Known: n1"):
        electorate.members([node("n1", "atlas")], question(nodes=("x",)))


@pytest.mark.parametrize(
    ("most", "chosen"),
    [
        (1, ["n1/atlas"]),
        (2, ["n1/atlas", "n2/forge"]),
        (3, ["n1/atlas", "n1/scribe", "n2/forge"]),
        (4, ["n1/atlas", "n1/scribe", "n2/atlas", "n2/forge"]),
        (9, ["n1/atlas", "n1/scribe", "n2/atlas", "n2/forge"]),
    ],
)
def test_a_limit_prefers_different_models_then_different_nodes(
    most: int, chosen: list[str]
) -> None:
    nodes = [node("n1", "atlas", "scribe"), node("n2", "atlas", "forge")]
    assert names(electorate.members(nodes, question(max_models=most))) == chosen


@given(st.permutations(["n1", "n2", "n3", "n10"]), st.integers(0, 9))
def test_neither_the_order_of_nodes_nor_of_models_matters(order: list[str], most: int) -> None:
    models = ["forge", "atlas", "scribe"]
    sorted_nodes = [node(name, *sorted(models)) for name in sorted(order)]
    shuffled = [node(name, *models) for name in order]
    limit = question(max_models=most)
    assert electorate.members(sorted_nodes, limit) == electorate.members(shuffled, limit)


def test_seats_are_in_the_order_of_node_model_and_sample() -> None:
    voters = electorate.members([node("n1", "b", "a")], question())
    assert electorate.seats(voters, 2) == (
        Seat("n1", "a", 0), Seat("n1", "a", 1), Seat("n1", "b", 0), Seat("n1", "b", 1),
    )  # fmt: skip
    assert Seat("n1", "a", 1).id == "n1/a/1"


def test_a_spare_has_the_same_model_and_does_not_vote() -> None:
    nodes = [node("n2", "atlas"), node("n1", "atlas"), node("n3", "forge")]
    voters = electorate.members(nodes, question(max_models=1, models=("atlas",)))
    assert names(voters) == ["n1/atlas"]
    spares = electorate.spares(voters[0], voters, nodes)
    assert [(spare.node, spare.address) for spare in spares] == [("n2", "n2:1")]


def test_a_spare_stands_where_the_question_allows() -> None:
    nodes = [node(name, "atlas") for name in ("n1", "n2", "n3")]
    voters = electorate.members(nodes, question(max_models=1))
    spares = electorate.spares(voters[0], voters, nodes, allowed=("n1", "n3"))
    assert [spare.node for spare in spares] == ["n3"]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [node("n2", "forge")],
        [node("n2", "atlas", draining=True)],
        [node("n2", "atlas", sha256="other")],
        [Node("n2", "n2:1", (Model("atlas", False),))],
    ],
)
def test_nobody_else_is_a_spare(others: list[Node]) -> None:
    own = node("n1", "atlas", sha256="own")
    voters = electorate.members([own], question())
    assert electorate.spares(voters[0], voters, [own, *others]) == []


def test_a_copy_that_votes_is_no_spare() -> None:
    nodes = [node("n1", "atlas"), node("n2", "atlas")]
    voters = electorate.members(nodes, question())
    assert electorate.spares(voters[0], voters, nodes) == []


@given(st.integers(0, 2**32 - 1))
def test_seeds_are_stable_fit_and_differ_between_members(seed: int) -> None:
    members = [Member(f"n{i}", model, "h:1") for i in range(3) for model in ("atlas", "forge")]
    seeds = [electorate.seed_of(seed, member) for member in members]
    assert seeds == [electorate.seed_of(seed, member) for member in members]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= one <= 2**32 - 64 for one in seeds)
