"""Parts that the caller names: a DAG of its own, carried out as it stands, or refused by name."""

from __future__ import annotations

import pytest

from quorate import errors
from quorate.v1 import common_pb2, coordinator_pb2

pytestmark = pytest.mark.anyio


def part(number: int, text: str = "What is it?", *parents: int, **fields: object):
    parents_named = [f"t{parent}" for parent in parents]
    return coordinator_pb2.Subtask(id=f"t{number}", text=text, depends_on=parents_named, **fields)


async def test_given_parts_are_asked_in_their_order_with_their_parents_answers(
    mesh, script
) -> None:
    def answer(asked: str) -> str:
        if "Known results:\n[1] What is 2 * 3? -> 6\n[2] Name a city. -> Paris" in asked:
            return "Answer: both"
        return "6" if "2 * 3" in asked else "Paris"

    await mesh.node("n1", atlas=script.reads(answer))
    subtasks = [
        part(2, "Put them together.", 1, 3, kind=common_pb2.ANSWER_KIND_TEXT),
        part(1, "What is 2 * 3?", task_type="math", difficulty="easy", estimated_tokens=8),
        part(3, "Name  a\ncity."),
    ]
    events = await mesh.stream("Do all that.", subtasks=subtasks)
    planned = events[0].planned
    assert [one.id for one in planned.subtasks] == ["t1", "t3", "t2"]
    assert planned.reason == "as the caller split it"
    assert (planned.subtasks[0].difficulty, planned.subtasks[0].estimated_tokens) == ("easy", 8)
    answers = {one.subtask.id: one.answer for one in events[-1].final.parts}
    assert answers == {"t1": "6", "t3": "Paris", "t2": "both"}


async def test_a_part_keeps_its_lines(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("6"))
    text = "What does this print?\n\nfor n in (1, 2):\n    print(n)"
    events = await mesh.stream("Do all that.", subtasks=[part(1, f"\n{text}\n")])
    assert events[0].planned.subtasks[0].text == text
    assert text in node.script.requests[0].messages[-1].content


@pytest.mark.parametrize(
    ("subtasks", "said"),
    [
        ([part(1, "a", 2), part(2, "b", 1)], "cycle.*t1"),
        ([part(1, "a", 1)], "cycle"),
        ([part(1, "a", 9)], r"t1\.depends_on is 't9'"),
        ([part(1), part(1)], r"subtasks\.id"),
        ([part(number) for number in range(1, 1_001)], r"number of parts is 1000.*\[1, 64\]"),
        ([part(1, " ")], r"subtasks\[0\]\.text"),
        ([coordinator_pb2.Subtask(id="a b", text="x")], r"subtasks\[0\]\.id is 'a b'"),
        ([part(1, task_type="maths")], r"task_type is 'maths'.*Did you mean 'math'"),
        ([part(1, difficulty="harder")], "difficulty is 'harder'"),
        ([part(1, estimated_tokens=-1)], "estimated_tokens is -1"),
        ([part(1, kind=99)], "kind is 99"),
    ],
)
async def test_a_dag_that_is_none_is_refused_by_name(mesh, script, subtasks, said: str) -> None:
    node = await mesh.node("n1", atlas=script.says("x"))
    with pytest.raises(errors.InvalidRequest, match=said):
        await mesh.ask("Do all that.", subtasks=subtasks)
    assert node.script.requests == []
