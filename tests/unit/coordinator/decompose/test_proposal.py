"""Reading a model's proposal: what it must be, and that each fault is named."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_cpp.llama_grammar import json_schema_to_gbnf

from quorate.answers import Kind
from services.coordinator.decompose import proposal
from services.coordinator.decompose.dag import Subtask
from services.coordinator.decompose.proposal import read, renumbered, schema


def row(name: str = "t1", text: str = "What is 2 + 2?", needs=(), **changed: object) -> dict:
    return {
        "id": name,
        "task_type": "math",
        "description": text,
        "depends_on": list(needs),
        "estimated_tokens": 20,
        "difficulty": "easy",
        "expected_answer": "number",
        **changed,
    }


def reply(*rows: object) -> str:
    return json.dumps({"subtasks": list(rows)})


def without(name: str) -> dict:
    return {key: value for key, value in row().items() if key != name}


def test_a_good_proposal_becomes_parts() -> None:
    made = read(
        reply(row("t1", "Compute 2 + 2"), row("t2", "Double it", ["t1"], difficulty="hard"))
    )
    assert made.problems == ()
    assert made.parts == (
        Subtask("t1", "Compute 2 + 2", (), "math", 20, "easy", Kind.NUMBER),
        Subtask("t2", "Double it", ("t1",), "math", 20, "hard", Kind.NUMBER),
    )


def test_parts_are_named_anew_with_parents_first_and_otherwise_in_order() -> None:
    made = read(
        reply(
            row("sum", "Add them", ["b", "a", "b"]),
            row("a", "Compute 2 + 2"),
            row("b", "Compute 3 + 3"),
            row("z", "Name a river"),
        )
    )
    assert [(part.id, part.text, part.depends_on) for part in made.parts] == [
        ("t1", "Compute 2 + 2", ()),
        ("t2", "Compute 3 + 3", ()),
        ("t3", "Add them", ("t1", "t2")),
        ("t4", "Name a river", ()),
    ]


FAULTS = [
    ("nothing", "not JSON"),
    ('{"subtasks": [', "not JSON"),
    ("[" * 60_000, "not JSON"),
    ("", "not JSON"),
    ("[]", 'not an object with a list "subtasks"'),
    ('{"subtasks": {}}', 'not an object with a list "subtasks"'),
    (reply(), "0 subtasks; there may be 1 to 12"),
    (reply(*(row(f"t{n}", f"What is {n}?") for n in range(13))), "13 subtasks"),
    (reply("t1"), "subtask 1 is not an object"),
    (reply(row(), row()), "same description"),
    (reply(row("t1", "What is  2+2"), row("t2", "what is 2 + 2?")), "same description"),
    (reply(row(), row("t1", "Who wrote Emma?")), "subtasks.id is ['t1']"),
    (reply(row(needs=["t7"])), "t1.depends_on is 't7', but no part has that id"),
    (reply(row(needs=["t1"])), "no part may wait for itself"),
    (reply(row(needs=["t2"]), row("t2", "Double it", ["t1"])), "no part may wait for itself"),
    (reply(row(text="")), "description must be text of 1 to 4000 characters"),
    (reply(row(text="  \n")), "description must be text"),
    (reply(row(text="x" * 4001)), "description must be text"),
    (reply(row(text=7)), "description must be text"),
    (reply(row(id=3)), "id must be text of 1 to 32 characters"),
    (reply(row(task_type="poetry")), "task_type must be one of code, reasoning"),
    (reply(row(task_type=["math"])), "task_type must be one of"),
    (reply(row(depends_on="t1")), "depends_on must be a list of ids"),
    (reply(row(depends_on=[1])), "depends_on must be a list of ids"),
    (reply(row(estimated_tokens=0)), "estimated_tokens must be a whole number from 1 to 4096"),
    (reply(row(estimated_tokens=1.5)), "estimated_tokens must be a whole number"),
    (reply(row(estimated_tokens=True)), "estimated_tokens must be a whole number"),
    (reply(row(estimated_tokens="20")), "estimated_tokens must be a whole number"),
    (reply(row(difficulty="brutal")), "difficulty must be one of easy, medium, hard"),
    (reply(row(expected_answer=None)), "expected_answer must be one of number"),
    (reply(row(note="hi")), 'unknown field "note"'),
    *((reply(without(name)), f"has no {name}") for name in row()),
]


@pytest.mark.parametrize(("text", "problem"), FAULTS, ids=range(len(FAULTS)))
def test_each_fault_is_named(text, problem) -> None:
    made = read(text)
    assert made.parts == ()
    assert problem in " | ".join(made.problems)


def test_a_huge_reply_is_not_read() -> None:
    made = read(reply(row(text="x" * proposal.LONGEST_REPLY_BYTES)))
    assert "bytes, more than 65536" in made.problems[0]


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_gives_parts_or_problems_and_never_both(text) -> None:
    made = read(text)
    assert bool(made.parts) != bool(made.problems)


@given(st.permutations(range(8)), st.data())
def test_renumbering_keeps_the_graph(order, data) -> None:
    chain = dict(pairwise(order))
    parts = [
        Subtask(f"n{n}", f"text {n}", (f"n{chain[n]}",) if n in chain else ()) for n in range(8)
    ]
    made = renumbered(data.draw(st.permutations(parts)))
    assert [part.id for part in made] == [f"t{n}" for n in range(1, 9)]
    texts = {part.id: part.text for part in made}
    for place, part in enumerate(made):
        own = int(part.text.split()[1])
        wanted = [f"text {chain[own]}"] if own in chain else []
        assert [texts[parent] for parent in part.depends_on] == wanted
        assert all(int(parent[1:]) <= place for parent in part.depends_on)


@pytest.mark.parametrize("most", [1, 2, 12])
def test_llama_cpp_makes_a_grammar_of_the_schema(most) -> None:
    grammar = json_schema_to_gbnf(schema(most))
    assert "root ::=" in grammar
    assert len(grammar.encode()) < 32 * 1024
