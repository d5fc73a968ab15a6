"""Who is best at what, read from a plan of one part for each type of task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from quorate.client import Estimate, Plan, Routing, Subtask, question
from quorate.client.specialists import OPTIONS, QUESTION, Estimated, specialists_of
from quorate.client.to_proto import question as written
from quorate.errors import NotImplementedYet
from quorate.prompts import TASK_TYPES

Rows = Mapping[tuple[str, str], Sequence[tuple[float, float]]]
FLAT = [(0.5, 0.0)] * len(TASK_TYPES)


def plan(rows: Rows) -> Plan:
    """Make a plan from each model's P(right) and items, by the types of tasks in their order."""
    estimates = [
        Estimate(kind, node, model, reliability, items)
        for (node, model), row in rows.items()
        for kind, (reliability, items) in zip(TASK_TYPES, row, strict=True)
    ]
    subtasks = tuple(Subtask(kind, "x", task_type=kind) for kind in TASK_TYPES)
    return Plan("q1", subtasks, routing=Routing("greedy", estimates=tuple(estimates)))


def test_the_plan_is_asked_for_one_part_of_each_type_of_task() -> None:
    asked = written(question(QUESTION, **OPTIONS))
    assert [(one.id, one.task_type) for one in asked.subtasks] == [
        (kind, kind) for kind in TASK_TYPES
    ]
    assert (asked.routing, asked.max_models) == ("greedy", 1)


def test_the_highest_estimate_is_the_best_also_where_two_have_it() -> None:
    rows = {
        ("n1", "abacus"): [(0.4, 1.0), (0.5, 2.0), *FLAT[2:]],
        ("n1", "forge"): [(0.9, 12.5), (0.8, 3.0), *FLAT[2:]],
        ("n2", "atlas"): [(0.3, 0.0), (0.8, 4.0), *FLAT[2:]],
    }
    abacus, forge, atlas = specialists_of(plan(rows))
    assert forge.estimates["code"] == Estimated(0.9, 12.5, best=True)
    assert forge.estimates["reasoning"].best
    assert atlas.estimates["reasoning"].best
    assert abacus.estimates["code"] == Estimated(0.4, 1.0, best=False)


def test_nobody_is_best_where_all_are_estimated_alike() -> None:
    listed = specialists_of(plan({("n1", "abacus"): FLAT, ("n2", "forge"): FLAT}))
    assert not any(one.best for specialist in listed for one in specialist.estimates.values())


def test_a_model_on_several_nodes_is_named_once_unless_it_is_another_file() -> None:
    other = [(0.7, 3.0), *FLAT[1:]]
    rows = {("n1", "atlas"): FLAT, ("n2", "atlas"): FLAT, ("n3", "atlas"): other}
    assert [(one.model, one.nodes) for one in specialists_of(plan(rows))] == [
        ("atlas", ("n1", "n2")),
        ("atlas", ("n3",)),
    ]


@pytest.mark.parametrize("given", [Plan("q1", (Subtask("t1", "x"),)), plan({})])
def test_a_coordinator_that_ignores_given_parts_is_told_to_be_old(given: Plan) -> None:
    with pytest.raises(NotImplementedYet, match="older than this command"):
        specialists_of(given)
