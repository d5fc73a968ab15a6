"""Parts that a caller names reach the wire, and what is wrong with them is told by its place."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from quorate.client import Subtask, question
from quorate.client import parts as given_parts
from quorate.client.parts import parts_of
from quorate.client.to_proto import question as written
from quorate.errors import InvalidRequest
from quorate.v1 import common_pb2
from quorate.v1 import coordinator_pb2 as wire
from services.coordinator import routing_requests
from services.coordinator.decompose.dag import MOST_PARTS

FIRST = Subtask("t1", "What is 2 * 3?", (), "math", "number", 8, "easy")
SECOND = Subtask("sum-up", "Put it in a sentence.", ("t1",))


def sent(*subtasks: Any) -> list[wire.Subtask]:
    return list(written(question("Do it.", subtasks=subtasks)).subtasks)


def test_every_field_of_a_part_is_sent() -> None:
    first, second = sent(FIRST, SECOND)
    assert first == wire.Subtask(
        id="t1", text="What is 2 * 3?", task_type="math", kind=common_pb2.ANSWER_KIND_NUMBER,
        estimated_tokens=8, difficulty="easy",
    )  # fmt: skip
    assert second == wire.Subtask(id="sum-up", text="Put it in a sentence.", depends_on=["t1"])


def test_a_mapping_says_the_same_as_a_subtask() -> None:
    mappings = [
        {"id": "t1", "text": "What is 2 * 3?", "task_type": "math", "kind": "number",
         "estimated_tokens": 8, "difficulty": "easy"},
        {"id": "sum-up", "text": "Put it in a sentence.", "depends_on": ["t1"]},
    ]  # fmt: skip
    assert parts_of(mappings) == (FIRST, SECOND)
    assert parts_of([dataclasses.asdict(FIRST), SECOND]) == (FIRST, SECOND)


def test_a_part_may_be_written_as_a_model_that_splits_writes_it() -> None:
    reply = {
        "id": "t1", "task_type": "math", "description": "What is 2 * 3?", "depends_on": [],
        "estimated_tokens": 8, "difficulty": "easy", "expected_answer": "number",
    }  # fmt: skip
    assert parts_of([reply]) == (FIRST,)


def test_without_parts_none_are_sent() -> None:
    assert sent() == []


@pytest.mark.parametrize("kind", ["choice", "number", "boolean", "expression", "code", "json", ""])
def test_every_type_of_answer_can_be_expected_of_a_part(kind: str) -> None:
    [part] = sent({"id": "t1", "text": "2+2?", "kind": kind})
    assert part.kind == common_pb2.AnswerKind.Value(
        f"ANSWER_KIND_{(kind or 'unspecified').upper()}"
    )


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("2+2?", r"subtasks\[1\] is '2\+2\?', but it must be a mapping"),
        ({"id": "t2"}, r"subtasks\[1\]\.text is missing"),
        ({"text": "2+2?"}, r"subtasks\[1\]\.id is missing"),
        ({"id": "t2", "description": " "}, r"subtasks\[1\]\.description is ' ', but .* empty"),
        ({"id": "", "text": "2+2?"}, r"subtasks\[1\]\.id is '', but .* empty"),
        ({"id": "t2", "text": "x", "dependson": []}, "Did you mean 'depends_on'"),
        ({"id": "t2", "text": "x", 7: 1}, "has the key 7, which no part has. Known: depends_on"),
        ({"id": "t2", "text": "x", "description": "y"}, "says text twice, as description too"),
        ({"id": 2, "text": "x"}, r"subtasks\[1\]\.id is 2, but it must be text"),
        ({"id": "a b", "text": "x"}, r"\.id is 'a b', but it must be letters"),
        ({"id": "t2", "text": None}, r"\.text is None, but it must be text"),
        ({"id": "t2", "text": "x", "depends_on": "t1"}, "depends_on is 't1', but .* a list of ids"),
        ({"id": "t2", "text": "x", "depends_on": [1]}, r"depends_on is \[1\], but .* list of ids"),
        ({"id": "t2", "text": "x", "depends_on": None}, "depends_on is None"),
        ({"id": "t2", "text": "x", "estimated_tokens": "8"}, "estimated_tokens is '8'"),
        ({"id": "t2", "text": "x", "estimated_tokens": True}, "estimated_tokens is True"),
        ({"id": "t2", "text": "x", "estimated_tokens": 8.5}, "is 8.5, but .* whole number"),
        ({"id": "t2", "text": "x", "estimated_tokens": -1}, r"is -1, .* in \[0, 1000000\]"),
        ({"id": "t2", "text": "x", "task_type": "maths"}, "task_type is 'maths'.*mean 'math'"),
        ({"id": "t2", "text": "x", "difficulty": "hrad"}, "Did you mean 'hard'"),
        ({"id": "t2", "text": "x", "kind": "numbr"}, r"\.kind is 'numbr'.*Did you mean 'number'"),
        (
            {"id": "t2", "text": "x", "expected_answer": "?"},
            r"\[1\]\.expected_answer is '\?'.*Known: boolean",
        ),
        ({"id": "t1", "text": "x"}, r"\[1\]\.id is 't1', but subtasks\[0\] has it already"),
        (
            {"id": "t2", "text": "x", "depends_on": ["t3"]},
            r"\.depends_on is 't3', but no part",
        ),
        ({"id": "t2", "text": "x", "depends_on": ["t2"]}, "t2 -> t2', but it is a cycle"),
    ],
)
def test_what_is_wrong_with_a_part_is_told_by_its_place(entry: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        sent(FIRST, entry)


@pytest.mark.parametrize("given", ["t1", {"subtasks": []}, 7, None])
def test_what_is_no_list_of_parts_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"subtasks is .* it must be a list of parts"):
        written(question("Do it.", subtasks=given))


def test_a_cycle_is_told_with_its_parts() -> None:
    with pytest.raises(InvalidRequest, match=r"subtasks is '(a -> b -> a|b -> a -> b)'"):
        sent(Subtask("a", "x", ("b",)), Subtask("b", "y", ("a",)))


def test_the_client_and_the_coordinator_have_the_same_limits() -> None:
    assert given_parts.MOST_PARTS == MOST_PARTS
    assert given_parts.MOST_TOKENS == routing_requests.MOST_TOKENS
    assert given_parts.ID == routing_requests.ID
    many = [Subtask(f"t{number}", "x") for number in range(65)]
    assert len(sent(*many[:64])) == 64
    with pytest.raises(InvalidRequest, match="subtasks is '65 parts', but 64 are the most"):
        sent(*many)
