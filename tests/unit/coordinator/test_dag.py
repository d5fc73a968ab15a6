"""The order of parts: parents first, by number, and never in a circle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import InvalidRequest
from services.coordinator.decompose.dag import MOST_PARTS, Subtask, layers, ordered, rank


def part(number: int, *needs: int) -> Subtask:
    return Subtask(f"t{number}", f"part {number}", tuple(f"t{need}" for need in needs))


def test_parts_without_needs_form_one_layer_in_numeric_order() -> None:
    parts = [part(10), part(2), part(1)]
    assert [[p.id for p in layer] for layer in layers(parts)] == [["t1", "t2", "t10"]]


def test_a_chain_gives_one_layer_each() -> None:
    parts = [part(3, 2), part(1), part(2, 1)]
    assert [[p.id for p in layer] for layer in layers(parts)] == [["t1"], ["t2"], ["t3"]]


def test_a_diamond_runs_its_middle_together() -> None:
    parts = [part(1), part(2, 1), part(3, 1), part(4, 2, 3)]
    assert [[p.id for p in layer] for layer in layers(parts)] == [["t1"], ["t2", "t3"], ["t4"]]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "number of parts"),
        ([part(n) for n in range(MOST_PARTS + 1)], "number of parts"),
        ([part(1), part(1)], "subtasks.id is ['t1']"),
        ([part(1, 7)], "t1.depends_on is 't7'"),
        ([part(1, 2), part(2, 1)], "subtasks.cycle is ['t1', 't2']"),
        ([part(1, 1)], "subtasks.cycle is ['t1']"),
    ],
)
def test_a_wrong_plan_is_refused_and_named(parts: list[Subtask], said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        layers(parts)
    assert said in refused.value.message


def test_names_that_are_no_numbers_come_last() -> None:
    assert sorted(["b", "t10", "a", "t9"], key=rank) == ["t9", "t10", "a", "b"]


@given(st.data())
def test_every_parent_comes_before_its_child(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 20))
    parts = [
        part(n, *data.draw(st.sets(st.integers(1, n - 1), max_size=3))) if n > 1 else part(1)
        for n in range(1, count + 1)
    ]
    shuffled = data.draw(st.permutations(parts))
    order = [p.id for p in ordered(shuffled)]
    assert sorted(order, key=rank) == [f"t{n}" for n in range(1, count + 1)]
    for p in parts:
        assert all(order.index(parent) < order.index(p.id) for parent in p.depends_on)
