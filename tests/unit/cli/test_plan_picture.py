"""Pictures of plans: whole, the same bytes every time, and nothing in them is lost or steered."""

from __future__ import annotations

import dataclasses
import os
import struct
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from quorate.cli import plan_canvas, plan_files, plan_frontier, plan_picture
from quorate.client.plans import ParetoPoint, Plan, Subtask
from quorate.errors import InvalidRequest

MakePlan = Callable[..., Plan]

QUESTION = "First add, then compare?"
DIAMOND = {2: [1], 3: [1], 4: [2, 3], 5: [1, 4]}
POINTS = (
    ParetoPoint(0.9, 300, 2.5),
    ParetoPoint(0.8, 200, 1.5, chosen=True),
    ParetoPoint(0.7, 150, 1.0),
    ParetoPoint(0.6, 100, 0.5),
)
STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def texts(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(one.itertext()).strip() for one in root.iter() if one.tag.endswith("}text")]


def arrows(svg: bytes) -> int:
    root = ElementTree.fromstring(svg)
    # An arrow is a line and its head; a box is one path.
    groups = [one for one in root.iter() if one.get("id", "").startswith("patch_")]
    return sum(len(list(group)) == 2 for group in groups)


def test_a_picture_names_every_part_its_text_and_its_models(make_plan: MakePlan) -> None:
    plan = make_plan(5, 6, DIAMOND)
    written = texts(plan_picture.draw(plan, QUESTION, "svg").data)
    assert written[0] == QUESTION
    for subtask in plan.subtasks:
        assert subtask.id in written
        assert subtask.text in written
    for one in plan.assignments:
        assert f"{'↓' if one.load_first else '•'} {one.member}" in written
    assert written.count("P 0.90") == 5
    assert written.count("math · easy · 64 tokens") == 5


def test_a_picture_has_an_arrow_for_every_need(make_plan: MakePlan) -> None:
    assert arrows(plan_picture.draw(make_plan(5, 6, DIAMOND), QUESTION, "svg").data) == 6
    assert arrows(plan_picture.draw(make_plan(5), QUESTION, "svg").data) == 0


def test_a_picture_says_what_is_loaded_and_what_was_proved(make_plan: MakePlan) -> None:
    written = texts(plan_picture.draw(make_plan(2), QUESTION, "svg").data)
    assert "mip with HIGHS: optimal, objective 1.25, gap 0" in written
    assert "load n2/atlas: 3.0 MiB, 1.20 s, ahead, for a later layer" in written
    assert "unload n3/scribe" in written
    assert "↓ model that is loaded first (dashed box)" in " ".join(written)


def test_a_limit_that_is_broken_is_written_below(make_plan: MakePlan) -> None:
    plan = make_plan(1)
    assert plan.routing is not None
    broken = dataclasses.replace(plan.routing, violations=("n1 is too full",), residency=())
    svg = plan_picture.draw(dataclasses.replace(plan, routing=broken), QUESTION, "svg").data
    assert "breaks a limit: n1 is too full" in texts(svg)


def test_a_plan_without_routing_is_drawn_too(make_plan: MakePlan) -> None:
    plan = dataclasses.replace(make_plan(2, 6, {2: [1]}), routing=None)
    svg = plan_picture.draw(plan, QUESTION, "svg").data
    assert "t2" in texts(svg)
    assert arrows(svg) == 1


@pytest.mark.parametrize("kind", plan_files.FORMATS)
def test_equal_plans_give_equal_bytes_of_the_kind_that_was_asked_for(
    make_plan: MakePlan, kind: str
) -> None:
    first, second = (
        plan_picture.draw(make_plan(4, 6, DIAMOND), QUESTION, kind).data for _ in range(2)
    )
    assert first == second
    assert first.startswith(STARTS[kind])
    points = [plan_frontier.draw(POINTS, QUESTION, kind).data for _ in range(2)]
    assert points[0] == points[1]
    assert points[0].startswith(STARTS[kind])


def test_what_is_written_in_a_question_is_text_and_nothing_else(make_plan: MakePlan) -> None:
    nasty = "Is $x_1^2$ </text><script> & \x00\x1b[2J 'q'?"
    plan = make_plan(1)
    plan = dataclasses.replace(plan, subtasks=(dataclasses.replace(plan.subtasks[0], text=nasty),))
    svg = plan_picture.draw(plan, nasty, "svg").data
    written = texts(svg)
    shown = nasty.replace("\x00\x1b", "\N{REPLACEMENT CHARACTER}" * 2)
    assert shown in " ".join(written)
    assert b"<script>" not in svg
    assert plan_picture.draw(plan, nasty, "png").data.startswith(STARTS["png"])


def test_characters_that_the_font_lacks_are_told_and_svg_keeps_them(make_plan: MakePlan) -> None:
    drawn = plan_picture.draw(make_plan(1), "日本 and ä?", "png")
    assert drawn.lost == "日本"
    kept = plan_picture.draw(make_plan(1), "日本 and ä?", "svg")
    assert kept.lost == ""
    assert "日本 and ä?" in texts(kept.data)


def test_long_names_and_texts_are_broken_or_shortened_and_never_wider_than_their_box(
    make_plan: MakePlan,
) -> None:
    plan = make_plan(1)
    name = "a-model-with-a-name-that-is-far-too-long-for-any-box-q4_k_m"
    plan = dataclasses.replace(
        plan,
        subtasks=(Subtask("t1_" + "i" * 60, "many words " * 40, task_type="math" * 20),),
        assignments=(dataclasses.replace(plan.assignments[0], subtask_id="t1_" + "i" * 60,
                                         model=name),),
    )  # fmt: skip
    written = texts(plan_picture.draw(plan, QUESTION, "svg").data)
    assert name in "".join(text for text in written if not text.startswith("P "))
    assert sum("many words" in text for text in written) == plan_picture.MOST_LINES
    inner = plan_picture.BOX_WIDTH - 2 * plan_picture.PADDING
    boxed = written[1 : written.index(next(text for text in written if text.startswith("→")))]
    for text in boxed:
        bold = "words" not in text and "math" not in text
        assert plan_canvas.width_of(text, plan_picture.SMALL, bold=bold) <= inner


@pytest.mark.parametrize("width", [0.4, 1.0, 2.5])
def test_wrapped_lines_fit_and_lose_nothing(width: float) -> None:
    text = "Extract the ages from Donaudampfschifffahrtsgesellschaft as JSON, WWWWWWWW."
    lines = plan_canvas.wrapped(text, 8.0, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(plan_canvas.width_of(line, 8.0) <= width for line in lines)
    short = plan_canvas.wrapped(text, 8.0, width, 1)
    assert short == ([text] if len(lines) == 1 else [short[0]])
    assert plan_canvas.width_of(short[0], 8.0) <= width
    assert short[0].endswith("…")


def test_64_parts_are_drawn_and_65_refused(make_plan: MakePlan) -> None:
    chain = {number: [number - 1] for number in range(2, 65)}
    png = plan_picture.draw(make_plan(64, 6, chain), QUESTION, "png").data
    width, height = struct.unpack(">II", png[16:24])
    assert width <= plan_canvas.MOST_DOTS
    assert height > 100
    with pytest.raises(InvalidRequest, match="65 parts"):
        plan_picture.draw(make_plan(65), QUESTION, "svg")


def test_frontier_labels_its_axes_with_units_and_explains_its_marks() -> None:
    written = texts(plan_frontier.draw(POINTS, QUESTION, "svg").data)
    assert "time until the last part is answered, loads included (s)" in written
    assert "P(a part's majority is right), mean over parts (0 to 1)" in written
    assert {"1", "2", "3", "4", "100 tokens", "300 tokens", "this plan", QUESTION} <= set(written)


def test_a_frontier_of_one_plan_is_drawn_too() -> None:
    written = texts(plan_frontier.draw(POINTS[:1], QUESTION, "svg").data)
    assert "this plan" not in written
    assert "300 tokens" in written


def test_marks_grow_with_their_tokens() -> None:
    areas = [plan_frontier.area(tokens, 300) for tokens in (0, 100, 300)]
    assert areas == sorted(set(areas))
    assert plan_frontier.area(0, 0) == plan_frontier.SMALLEST


@pytest.fixture
def in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_named_by_question_and_frontier(in_directory: Path) -> None:
    (one,) = plan_files.pictures(Path("plan.SVG"), 1, frontier=True)
    assert (str(one.plan), str(one.frontier)) == ("plan.SVG", "plan-pareto.SVG")
    many = plan_files.pictures(Path("p.pdf"), 2, frontier=False)
    assert [(str(file.plan), file.frontier) for file in many] == [
        ("p-1.pdf", None),
        ("p-2.pdf", None),
    ]
    assert plan_files.pictures(None, 2, frontier=True) == [plan_files.Picture()] * 2


def test_a_file_that_is_there_is_written_over(in_directory: Path, make_plan: MakePlan) -> None:
    Path("plan.svg").write_text("old")
    (picture,) = plan_files.pictures(Path("plan.svg"), 1, frontier=True)
    assert not Path("plan-pareto.svg").exists()
    assert list(plan_files.write(picture, QUESTION, make_plan())) == [(Path("plan.svg"), "")]
    assert Path("plan.svg").read_bytes().startswith(STARTS["svg"])
    made = dataclasses.replace(make_plan(), frontier=POINTS)
    assert [str(file) for file, _ in plan_files.write(picture, QUESTION, made)] == [
        "plan.svg",
        "plan-pareto.svg",
    ]


def test_a_file_that_may_not_be_written_is_refused(
    in_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(InvalidRequest, match="cannot be written"):
        plan_files.pictures(Path("plan.svg"), 1, frontier=False)
