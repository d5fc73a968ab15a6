"""A plan as tables: everything is there, in 80 columns and without colour."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from quorate.cli import plan_matrix, plan_tables
from quorate.client.plans import (
    Assignment,
    Estimate,
    MemoryUse,
    ParetoPoint,
    Plan,
    Routing,
    Subtask,
)

MakePlan = Callable[..., Plan]


def drawn(plan: Plan, columns: int = 80) -> list[str]:
    written = io.StringIO()
    console = Console(file=written, width=columns, color_system=None, highlight=False)
    console.print(plan_tables.draw(plan, columns))
    return [line.rstrip() for line in written.getvalue().splitlines()]


def words(plan: Plan, columns: int = 80) -> list[str]:
    return [" ".join(line.split()) for line in drawn(plan, columns)]


def with_routing(plan: Plan, **changes: object) -> Plan:
    assert plan.routing is not None
    return dataclasses.replace(plan, routing=dataclasses.replace(plan.routing, **changes))  # type: ignore[arg-type]


def test_parts_come_with_what_they_need_and_how_much_they_ask(make_plan: MakePlan) -> None:
    shown = words(make_plan(3, 6, {3: [1, 2]}))
    assert "t3 t1, t2 math easy 64 What is 3 + 3?" in shown
    assert "split by rules: they can stand alone" in shown


def test_matrix_marks_the_chosen_models_and_only_them(make_plan: MakePlan) -> None:
    shown = drawn(make_plan(2, 6))
    first = next(number for number, line in enumerate(shown) if line.startswith("t1 P"))
    assert shown[first : first + 3] == [
        "t1 P       .90   .85   .80   .75   .70   .65",
        "   cost    .50   .50   .50   .50   .50   .50",
        "   worth  *.65  *.60   .55   .50   .45   .40",
    ]
    assert shown[first + 5].split() == ["worth", ".60", ".55", ".50", ".45", ".40", "*.65"]


def test_legend_says_which_models_would_have_to_be_loaded(make_plan: MakePlan) -> None:
    shown = words(make_plan(1, 2))
    assert "A n1/abacus yes" in shown
    assert "B n2/atlas no 0.60" in shown


def test_voters_come_with_their_chance_its_evidence_and_their_time(make_plan: MakePlan) -> None:
    shown = words(make_plan(1, 6))
    assert "t1 n1/abacus 0.90 its card 250 ms" in shown
    assert "n2/atlas 0.85 12 items 250 ms is loaded first" in shown


def test_loads_come_with_bytes_and_seconds_and_say_what_they_are_for(make_plan: MakePlan) -> None:
    shown = words(make_plan())
    assert "load n2/atlas 3.0 MiB 1.20 s ahead, for a later layer" in shown
    assert "unload n3/scribe - -" in shown


def test_bars_of_memory_are_as_long_as_their_share(make_plan: MakePlan) -> None:
    shown = drawn(make_plan())
    line = next(line for line in shown if line.startswith("n1 "))
    assert (line.count("█"), line.count("░")) == (5, 15)
    assert line.endswith("2.0 GiB of 8.0 GiB  25%")


@pytest.mark.parametrize(("budget", "used"), [(100, 101), (0, 1)])
def test_a_plan_that_takes_too_much_says_so(make_plan: MakePlan, budget: int, used: int) -> None:
    plan = with_routing(
        make_plan(), memory=(MemoryUse("n1", budget, used),), violations=("n1 is over its limit",)
    )
    text = "\n".join(words(plan))
    assert "too much" in text
    assert "breaks n1 is over its limit" in text


def test_a_little_is_not_nothing(make_plan: MakePlan) -> None:
    text = "\n".join(words(with_routing(make_plan(), memory=(MemoryUse("n1", 2**30, 2**20),))))
    assert "1.0 MiB of 1.0 GiB <1%" in text


def test_a_mode_that_solves_itself_is_named_once(make_plan: MakePlan) -> None:
    assert "solved greedy in 0.4 ms" in words(
        with_routing(make_plan(), mode="greedy", solver_name="greedy", solve_seconds=0.0004)
    )


def test_an_empty_pool_without_budget_is_not_too_full(make_plan: MakePlan) -> None:
    text = "\n".join(words(with_routing(make_plan(), memory=(MemoryUse("n1", 0, 0),))))
    assert "0 B of 0 B 0%" in text


def test_proof_is_told_with_its_gap_and_its_time(make_plan: MakePlan) -> None:
    shown = words(make_plan())
    assert "solved mip with HIGHS in 4.0 ms" in shown
    assert "status optimal" in shown
    assert "value objective 1.25, at most 1.25 is possible, gap 0" in shown
    assert "weights tokens 0.5, loading 0.2" in shown


def test_a_plan_without_a_bound_does_not_claim_one(make_plan: MakePlan) -> None:
    plan = with_routing(make_plan(), bound=None, gap=None, solver_name="none", note="HIGHS failed")
    shown = words(plan)
    assert "value objective 1.25; no bound is known" in shown
    assert "note HIGHS failed" in shown
    assert "solved mip in 4.0 ms" in shown


def test_frontier_marks_this_plan(make_plan: MakePlan) -> None:
    points = (
        ParetoPoint(0.9, 300, 2.5, 1, 2**30, 3, 0.1, 0.2),
        ParetoPoint(0.8, 200, 1.5, 0, 2**29, 2, 0.5, 0.2, chosen=True),
    )
    shown = words(dataclasses.replace(make_plan(), frontier=points))
    assert any(line.startswith("P(majority) tokens takes") for line in shown)
    assert "1 0.900 300 2.50 s 1 1.0 GiB 3 0.1 0.2" in shown
    assert "*2 0.800 200 1.50 s 0 512.0 MiB 2 0.5 0.2" in shown


def test_a_plan_whose_settings_are_beaten_by_others_is_told_so(make_plan: MakePlan) -> None:
    points = (ParetoPoint(0.9, 300, 2.5), ParetoPoint(0.8, 300, 3.0, chosen=True))
    shown = words(dataclasses.replace(make_plan(), frontier=points))
    assert "1 beats *2: no less right, no more tokens or seconds" in shown


@pytest.mark.parametrize(
    ("other", "beaten"),
    [
        (ParetoPoint(0.8, 300, 2.5), False),
        (ParetoPoint(0.8, 300, 2.4), True),
        (ParetoPoint(0.8, 299, 2.5), True),
        (ParetoPoint(0.81, 300, 2.5), True),
        (ParetoPoint(0.81, 301, 2.5), False),
        (ParetoPoint(0.79, 200, 1.0), False),
    ],
)
def test_a_plan_beats_another_only_where_it_is_nowhere_worse(
    other: ParetoPoint, beaten: bool
) -> None:
    assert plan_tables.beats(other, ParetoPoint(0.8, 300, 2.5)) == beaten


def test_a_plan_of_an_old_coordinator_shows_what_it_has() -> None:
    plan = Plan("q", (Subtask("t1", "2+2?"),), (Assignment("t1", "n1", "atlas"),), "it is whole")
    assert drawn(plan)[-1] == ""
    assert words(plan)[:4] == [
        "parts", "part needs type level tokens asks", "t1 - - - - 2+2?", "because it is whole"
    ]  # fmt: skip
    assert "t1 n1/atlas - - -" in words(plan)


@pytest.mark.parametrize("models", [6, 12, 30])
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(make_plan: MakePlan, models: int, columns: int) -> None:
    assert max(map(len, drawn(make_plan(12, models), columns))) <= columns


def test_twelve_models_stand_beside_each_other_in_80_columns(make_plan: MakePlan) -> None:
    shown = drawn(make_plan(9, 12))
    assert any(line.split() == list("ABCDEFGHIJKL") for line in shown)


def test_beyond_twelve_the_chosen_ones_stay_and_a_note_counts_the_others(
    make_plan: MakePlan,
) -> None:
    plan = make_plan(2, 20)
    text = "\n".join(drawn(plan))
    assert "8 more models are left out" in text
    assert text.count("*.65") == 2
    many = make_plan(20, 20)
    assert "left out" not in "\n".join(drawn(many))
    assert "\n".join(drawn(many)).count("*.65") == 20


def test_letters_go_on_after_z() -> None:
    assert [plan_matrix.letters(place) for place in (0, 25, 26, 51, 52)] == [
        "A", "Z", "AA", "AZ", "BA"
    ]  # fmt: skip


def test_a_model_without_an_estimate_for_a_part_leaves_its_cell_open() -> None:
    estimates = (Estimate("t1", "n1", "atlas", 0.5), Estimate("t2", "n2", "forge", 0.5))
    plan = Plan(
        "q", (Subtask("t1", "a"), Subtask("t2", "b")), routing=Routing("mip", estimates=estimates)
    )
    assert "t1 P .50 -" in words(plan)


@given(st.floats(-9_999.4, 9_999.4))
def test_numbers_of_the_matrix_fit_their_cells(value: float) -> None:
    text = plan_matrix.number(value)
    assert len(text) <= 5
    assert float(text) == pytest.approx(value, abs=0.51, rel=0.01)
    assert not (float(text) == 0 and text.startswith("-"))


def test_what_a_model_wrote_cannot_steer_the_terminal(make_plan: MakePlan) -> None:
    plan = make_plan(1)
    nasty = dataclasses.replace(plan.subtasks[0], text="a\x1b[2J[bold]b[/bold]")
    text = "\n".join(drawn(dataclasses.replace(plan, subtasks=(nasty,))))
    assert "\x1b" not in text
    assert "[bold]b[/bold]" in text
