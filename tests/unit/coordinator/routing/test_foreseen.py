"""Nodes as a plan leaves them, whatever they last said."""

from __future__ import annotations

import pytest

from services.coordinator.question import Model, Node
from services.coordinator.routing.foreseen import after
from services.coordinator.routing.moves import Move, Place

MIB = 2**20
SIZE = 100 * MIB


def moved(model: Model, *, load: bool) -> Model:
    node = Node("n1", "127.0.0.1:1", (model,), budget_bytes=SIZE)
    (seen,) = after([node], [Move(Place("n1", "atlas"), node.address, "n1", load, SIZE, 0.0)])
    return seen.models[0]


@pytest.mark.parametrize("state", ["ready", "unloading"])
def test_what_a_plan_unloads_can_be_asked_again_as_soon_as_it_goes(state: str) -> None:
    model = Model("atlas", state == "ready", state, memory_bytes=SIZE, may_leave=True)
    gone = moved(model, load=False)
    assert (gone.ready, gone.on_demand, gone.missing_bytes) == (False, True, SIZE)


def test_what_failed_cannot_be_asked_because_a_plan_unloads_it() -> None:
    model = Model("atlas", ready=False, state="failed (its file is gone)", may_leave=True)
    assert moved(model, load=False) == model


def test_what_a_plan_loads_is_ready_and_missing_nothing() -> None:
    model = Model("atlas", False, "available", on_demand=True, missing_bytes=SIZE)
    there = moved(model, load=True)
    assert (there.ready, there.missing_bytes) == (True, 0)


def test_an_unload_gives_the_machine_what_was_held_and_the_node_what_was_counted() -> None:
    model = Model("atlas", True, "ready", memory_bytes=SIZE, held_bytes=30 * MIB, may_leave=True)
    node = Node(
        "n1",
        "127.0.0.1:1",
        (model,),
        free_bytes=0,
        machine="m",
        available_bytes=50 * MIB,
        budget_bytes=0,
    )
    other = Node("n2", "127.0.0.1:2", (), machine="m", available_bytes=50 * MIB)
    unload = Move(Place("n1", "atlas"), node.address, "m", False, SIZE, 0.0)
    gone, beside = after([node, other], [unload])
    assert (gone.available_bytes, gone.budget_bytes, gone.free_bytes) == (80 * MIB, SIZE, 80 * MIB)
    assert beside.available_bytes == 80 * MIB


def test_a_load_takes_the_estimate_of_both() -> None:
    model = Model("atlas", False, "available", on_demand=True, memory_bytes=SIZE,
                  missing_bytes=SIZE)  # fmt: skip
    node = Node("n1", "127.0.0.1:1", (model,), available_bytes=3 * SIZE, budget_bytes=2 * SIZE)
    (there,) = after([node], [Move(Place("n1", "atlas"), node.address, "n1", True, SIZE, 0.0)])
    assert (there.available_bytes, there.budget_bytes) == (2 * SIZE, SIZE)
