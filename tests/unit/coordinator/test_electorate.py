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
    spare = electorate.spare(voters[0], voters, nodes)
    assert spare is not None
    assert (spare.node, spare.address) == ("n2", "n2:1")


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
    assert electorate.spare(voters[0], voters, [own, *others]) is None


def test_a_copy_that_votes_is_no_spare() -> None:
    nodes = [node("n1", "atlas"), node("n2", "atlas")]
    voters = electorate.members(nodes, question())
    assert electorate.spare(voters[0], voters, nodes) is None


@given(st.integers(0, 2**32 - 1))
def test_seeds_are_stable_fit_and_differ_between_members(seed: int) -> None:
    members = [Member(f"n{i}", model, "h:1") for i in range(3) for model in ("atlas", "forge")]
    seeds = [electorate.seed_of(seed, member) for member in members]
    assert seeds == [electorate.seed_of(seed, member) for member in members]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= one <= 2**32 - 64 for one in seeds)
