"""Parts of a plan find places where nothing overlaps and nothing comes before what it needs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.cli.plan_layout import lay_out
from quorate.errors import InternalError

GAP = 0.25


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for number in range(draw(st.integers(1, 14))):
        known = sorted(parents)
        needed = draw(st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else []
        parents[f"t{number}"] = needed
    return parents


@settings(max_examples=60)
@given(graphs(), st.floats(0.5, 3.0))
def test_boxes_keep_apart_and_parents_stand_to_the_left(
    parents: dict[str, list[str]], height: float
) -> None:
    heights = {part: height + len(part) * 0.1 for part in parents}
    layout = lay_out(parents, heights, GAP)
    assert set(layout.places) == set(parents)
    for child, needed in parents.items():
        assert all(layout.places[one].column < layout.places[child].column for one in needed)
    for column in range(layout.columns):
        inside = sorted(
            (place.middle - heights[part] / 2, place.middle + heights[part] / 2)
            for part, place in layout.places.items()
            if place.column == column
        )
        assert inside
        gaps = [after[0] - before[1] for before, after in pairwise(inside)]
        assert all(gap >= GAP - 1e-6 for gap in gaps)


@settings(max_examples=60)
@given(graphs())
def test_lines_pass_between_the_boxes(parents: dict[str, list[str]]) -> None:
    layout = lay_out(parents, dict.fromkeys(parents, 1.0), GAP)
    assert set(layout.lines) == {(one, child) for child, given in parents.items() for one in given}
    for (parent, child), passed in layout.lines.items():
        first, last = layout.places[parent].column, layout.places[child].column
        assert [place.column for place in passed] == list(range(first + 1, last))
        for place in passed:
            assert all(
                abs(other.middle - place.middle) > 0.5
                for other in layout.places.values()
                if other.column == place.column
            )


def test_a_chain_is_a_straight_line() -> None:
    layout = lay_out({"a": [], "b": ["a"], "c": ["b"]}, dict.fromkeys("abc", 1.0), GAP)
    assert [place.column for place in layout.places.values()] == [0, 1, 2]
    assert len({round(place.middle, 6) for place in layout.places.values()}) == 1


def test_a_child_of_two_stands_between_them_and_lines_do_not_cross() -> None:
    parents = {"a": [], "b": [], "c": ["b"], "d": ["a"], "e": ["c", "d"]}
    layout = lay_out(parents, dict.fromkeys(parents, 1.0), GAP)
    place = layout.places
    assert (place["a"].middle > place["b"].middle) == (place["d"].middle > place["c"].middle)
    assert place["e"].middle == pytest.approx((place["c"].middle + place["d"].middle) / 2, abs=0.05)


def test_independent_parts_fill_a_grid() -> None:
    parents: dict[str, list[str]] = {f"t{number}": [] for number in range(12)}
    layout = lay_out(parents, dict.fromkeys(parents, 1.0), GAP)
    assert layout.columns == 3
    assert not layout.lines


def test_a_parent_that_is_no_part_is_left_out() -> None:
    assert lay_out({"t1": ["t0"]}, {"t1": 1.0}, GAP).lines == {}


def test_nothing_has_no_columns() -> None:
    assert lay_out({}, {}, GAP).columns == 0


def test_a_circle_is_refused() -> None:
    with pytest.raises(InternalError, match="circle"):
        lay_out({"a": ["b"], "b": ["a"]}, dict.fromkeys("ab", 1.0), GAP)
