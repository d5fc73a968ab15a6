"""What a plan loads and unloads: what it needs, what has no room beside it, and no more."""

from __future__ import annotations

import numpy as np

from services.coordinator.decompose.dag import Subtask
from services.coordinator.routing.horizon import window
from services.coordinator.routing.problem import Assignment, Option, Pool, Problem, Task
from services.coordinator.routing.residency import ahead, moves, uses


def option(name: str, memory: int, *, resident: bool, pool: str = "m", **fields: object) -> Option:
    pools = (pool,) if pool else ()
    return Option("n", name, "machine", pools, memory, resident, **fields)  # type: ignore[arg-type]


def problem(*options: Option, budget: int, worth: list[float] | None = None) -> Problem:
    shape = (len(options), 1)
    reliability = np.array(worth or [0.5] * len(options)).reshape(shape)
    empty = np.zeros(shape)
    return Problem((Task("t1"),), options, (Pool("m", budget),), reliability, empty, empty)


def works(*numbers: int) -> Assignment:
    return Assignment((numbers,), frozenset(numbers))


def test_nothing_moves_where_all_that_work_are_in_memory() -> None:
    idle_beyond = option("idle", 90, resident=True)
    made = problem(option("a", 50, resident=True), idle_beyond, budget=100)
    assert moves(made, works(0)) == ((), ())


def test_what_is_worth_least_leaves_and_no_more_than_is_needed() -> None:
    made = problem(
        option("new", 50, resident=False),
        option("good", 40, resident=True),
        option("bad", 40, resident=True),
        option("worse", 10, resident=True),
        budget=105,
        worth=[0.9, 0.8, 0.2, 0.1],
    )
    assert moves(made, works(0)) == ((0,), (made.options[2],))


def test_what_may_not_leave_never_does() -> None:
    for pool in ("", "m"):  # its own pools leave it out; one that the question set does not
        stays = option("stays", 90, resident=True, pool=pool, may_leave=False)
        made = problem(option("new", 100, resident=False), stays, budget=100)
        assert moves(made, works(0)) == ((0,), ())


def test_what_may_not_be_asked_leaves_before_what_may() -> None:
    made = problem(option("new", 50, resident=False), option("idle", 40, resident=True), budget=100)
    other = option("other", 40, resident=True)
    assert moves(made, works(0), [other]) == ((0,), (other,))
    fixed = option("fixed", 40, resident=True, may_leave=False)
    assert moves(made, works(0), [fixed]) == ((0,), ())


def test_quick_loads_come_first() -> None:
    made = problem(
        option("slow", 10, resident=False, load_seconds=9.0),
        option("quick", 10, resident=False, load_seconds=1.0),
        budget=100,
    )
    assert moves(made, works(0, 1)).loads == (1, 0)


def window_of(*tasks: tuple[int, ...]) -> Assignment:
    return Assignment(tasks, frozenset(i for workers in tasks for i in workers))


def test_what_no_layer_of_a_window_wants_gives_way_to_what_the_next_one_does() -> None:
    made = problem(
        option("now", 40, resident=True),
        option("idle", 40, resident=True),
        option("soon", 40, resident=False),
        budget=100,
    )
    planned = moves(made, window_of((0,), (2,)))
    assert planned == ((2,), (made.options[1],))
    assert ahead(window_of((0,), (2,)), planned.loads, 1) == (2,)


def test_what_the_next_layer_wants_does_not_leave_for_this_one() -> None:
    made = problem(
        option("now", 40, resident=False),
        option("idle", 40, resident=True),
        option("soon", 40, resident=True),
        budget=100,
        worth=[0.9, 0.8, 0.2],
    )
    planned = moves(made, window_of((0,), (2,)))
    assert planned == ((0,), (made.options[1],))
    assert ahead(window_of((0,), (2,)), planned.loads, 1) == ()


def test_what_stays_is_shown_with_room_of_its_own() -> None:
    stays = option("stays", 70, resident=True, pool="", may_leave=False)
    made = problem(stays, option("new", 20, resident=False), budget=100)
    assert uses(made, works(0, 1)) == (("m", 100, 20),)
    assert uses(made, works(0, 1), [("m",), ("m",)]) == (("m", 170, 90),)
    assert uses(made, works(1), [("m",), ("m",)]) == (("m", 100, 20),)


def test_a_window_is_a_layer_and_those_after_it() -> None:
    layers = [[Subtask("t1", "a"), Subtask("t2", "b")], [Subtask("t3", "c")], [Subtask("t4", "d")]]
    first = tuple(layers[0])
    assert window(layers, 0, 0) == (first, ())
    assert window(layers, 0, 1) == (first, tuple(layers[1]))
    assert window(layers, 0, 16) == (first, (layers[1][0], layers[2][0]))
    assert window(layers, 2, 3) == ((layers[2][0],), ())
