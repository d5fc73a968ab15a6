"""Whatever a model proposes of whatever question, the parts are the question's own words."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.bench.decompose import corpus
from services.coordinator.decompose import meaning
from services.coordinator.decompose.by_model import judged
from services.coordinator.decompose.clauses import Clause
from services.coordinator.decompose.rules import dependence, requests
from services.coordinator.decompose.splits import Split

CUT = [(one, found) for one in corpus.everything()
       if not isinstance(found := requests(one.question), Split)
       and not meaning.unsplittable(found)]  # fmt: skip


@st.composite
def proposals(draw: st.DrawFn) -> tuple[str, list[Clause], str]:
    """Draw a question, and a proposal that groups its requests at random with random parents."""
    labelled, found = draw(st.sampled_from(CUT))
    groups = draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    rows = []
    for number in draw(st.permutations(sorted(set(groups)))):
        texts = [one.text for one, group in zip(found, groups, strict=True) if group == number]
        rows.append(
            {
                "id": f"n{number}",
                "task_type": "facts",
                "description": draw(st.sampled_from([". ", " and "])).join(texts),
                "depends_on": draw(st.lists(st.sampled_from([f"n{one}" for one in set(groups)]))),
                "estimated_tokens": 5,
                "difficulty": "easy",
                "expected_answer": "text",
            }
        )
    return labelled.question, found, json.dumps({"subtasks": rows})


@settings(max_examples=500)
@given(proposals())
def test_parts_are_stretches_of_the_question_in_its_order(drawn) -> None:
    question, found, reply = drawn
    made = judged(question, found, reply)
    if not isinstance(made, Split):
        assert made
        return
    place = 0
    for number, part in enumerate(made.parts, 1):
        assert part.id == f"t{number}"
        said = part.text.rstrip("?")
        if len(made.parts) > 1:
            place = question.lower().index(said.lower(), place) + len(said)
        assert all(int(parent[1:]) < number for parent in part.depends_on)


@settings(max_examples=500)
@given(proposals())
def test_a_part_that_cannot_stand_alone_has_parents(drawn) -> None:
    question, found, reply = drawn
    made = judged(question, found, reply)
    if not isinstance(made, Split):
        return
    for part in made.parts:
        if not part.depends_on:
            first = next(one for one in found if one.text.lower().rstrip(".") in part.text.lower())
            before: Sequence[Clause] = found[: found.index(first)]
            assert dependence(first, before) == ""


def test_the_proposals_are_about_enough_questions() -> None:
    assert len(CUT) >= 100
    assert sum(len(one.parts) > 2 for one, _ in CUT) >= 15


@pytest.mark.parametrize("question", ["What is 2 + 2? Who wrote Emma?"])
def test_a_good_proposal_is_not_refused(question) -> None:
    found = requests(question)
    assert not isinstance(found, Split)
    rows = [
        {"id": f"t{n}", "task_type": "facts", "description": one.text, "depends_on": [],
         "estimated_tokens": 5, "difficulty": "easy", "expected_answer": "text"}
        for n, one in enumerate(found)
    ]  # fmt: skip
    made = judged(question, found, json.dumps({"subtasks": rows}))
    assert isinstance(made, Split)
    assert len(made.parts) == 2
