"""Splitting by a model: what is accepted, what is mended once, and what leaves a question whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from quorate import prompts
from quorate.answers import Kind
from quorate.errors import Cancelled, DeadlineExceeded, NotReady, QuorateError
from services.coordinator.decompose import Mode, Split, split
from services.coordinator.decompose.by_model import MOST_TOKENS, SECONDS, by_model, drawing_for
from services.coordinator.question import Drawing, Message

pytestmark = pytest.mark.anyio

TWO = "Who wrote Emma and what is 12 * 3?"
CHAIN = "What is the capital of Norway and what is its population?"


@dataclass
class Model:
    """Says what it is told to, and remembers what it was asked."""

    replies: list[str | QuorateError]
    asked: list[tuple[Sequence[Message], Drawing, float]] = field(default_factory=list)

    async def __call__(self, messages: Sequence[Message], drawing: Drawing, seconds: float) -> str:
        self.asked.append((list(messages), drawing, seconds))
        reply = self.replies.pop(0)
        if isinstance(reply, QuorateError):
            raise reply
        return reply


def says(*parts: tuple[str, list[str]] | str) -> str:
    rows = []
    for number, part in enumerate(parts, 1):
        text, needs = (part, []) if isinstance(part, str) else part
        rows.append(
            {
                "id": f"t{number}",
                "task_type": "facts",
                "description": text,
                "depends_on": needs,
                "estimated_tokens": 33,
                "difficulty": "hard",
                "expected_answer": "text",
            }
        )
    return json.dumps({"subtasks": rows})


GOOD = says("Who wrote Emma?", "What is 12 * 3?")


def shape(made: Split) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(part.id, part.text, part.depends_on) for part in made.parts]


async def test_a_good_proposal_is_taken_with_what_the_model_says_of_its_parts() -> None:
    model = Model([GOOD])
    made = await by_model(TWO, model)
    assert shape(made) == [("t1", "Who wrote Emma?", ()), ("t2", "What is 12 * 3?", ())]
    assert made.decomposed_by == "model"
    assert made.reason == "a model split it: its 2 requests can each be answered alone"
    assert {(p.task_type, p.estimated_tokens, p.difficulty) for p in made.parts} == {
        ("facts", 33, "hard")
    }
    [(messages, drawing, seconds)] = model.asked
    assert messages == [Message("user", prompts.split(TWO))]
    assert seconds == SECONDS
    assert drawing == drawing_for(TWO, 2)
    assert json.loads(drawing.json_schema or "")["properties"]["subtasks"]["maxItems"] == 2
    assert drawing.temperature == 0.0
    assert 0 < (drawing.max_tokens or 0) <= MOST_TOKENS


async def test_the_words_stay_the_questions_own_and_in_its_order() -> None:
    paraphrased = says("Compute 12 * 3", "Name the one who wrote the novel Emma")
    made = await by_model(TWO, Model([paraphrased]))
    assert shape(made) == [("t1", "Who wrote Emma?", ()), ("t2", "What is 12 * 3?", ())]


async def test_what_points_back_waits_though_the_model_says_that_it_does_not() -> None:
    made = await by_model(
        CHAIN, Model([says("What is the capital of Norway?", "What is the population of Norway?")])
    )
    assert shape(made) == [
        ("t1", "What is the capital of Norway?", ()),
        ("t2", "What is its population?", ("t1",)),
    ]


async def test_what_points_back_past_another_request_waits_for_all_before_it() -> None:
    question = "Who wrote Faust? What is 2 + 2? When was it published?"
    parts = ["Who wrote Faust?", "What is 2 + 2?", ("When was it published?", ["t1"])]
    made = await by_model(question, Model([says(*parts)]))
    assert [part.depends_on for part in made.parts] == [(), (), ("t1", "t2")]


async def test_requests_that_the_model_keeps_together_are_not_cut() -> None:
    question = "Who wrote Emma? When was it published? What is 12 * 3?"
    made = await by_model(
        question, Model([says("Who wrote Emma? When was it published?", "What is 12 * 3?")])
    )
    assert shape(made) == [
        ("t1", "Who wrote Emma? When was it published?", ()),
        ("t2", "What is 12 * 3?", ()),
    ]


async def test_requests_with_another_between_them_cannot_be_one_part() -> None:
    question = "Who wrote Emma? What is 12 * 3? Name the capital of Peru."
    apart = says("Who wrote Emma? Name the capital of Peru.", "What is 12 * 3?")
    made = await by_model(question, Model([apart, apart]))
    assert len(made.parts) == 1
    assert "joins requests that do not follow each other" in made.reason


async def test_a_dependency_that_the_model_sees_is_kept() -> None:
    made = await by_model(TWO, Model([says("Who wrote Emma?", ("What is 12 * 3?", ["t1"]))]))
    assert [part.depends_on for part in made.parts] == [(), ("t1",)]


BAD = [
    ("nonsense", "the reply is not JSON"),
    (says("Who wrote Emma?", "What is 12 * 4?"), "the number 3 is in no subtask"),
    (says("Who wrote Emma?", "What is 12 * 3 * 5?"), "the number 5 is not in the question"),
    (says("Who wrote it?", "What is 12 * 3?"), 'the name "Emma" is in no subtask'),
    (says("Who wrote Emma, like Dracula?", "What is 12 * 3?"), '"Dracula" is not in the question'),
    (says("Who wrote Emma and 12 * 3?", "Name a river"), "t2 asks for nothing"),
    (
        says(("Who wrote Emma?", ["t2"]), "What is 12 * 3?"),
        'cannot wait for "What is 12 * 3?", which comes later',
    ),
    (says("Who wrote Emma?", ("What is 12 * 3?", ["t9"])), "no part has that id"),
    (says(("Who wrote Emma?", ["t2"]), ("What is 12 * 3?", ["t1"])), "no part may wait for itself"),
    (says("Who wrote Emma?", "who wrote emma"), "same description"),
]


@pytest.mark.parametrize(("bad", "problem"), BAD, ids=range(len(BAD)))
async def test_a_bad_proposal_is_mended_once_and_told_what_was_wrong(bad, problem) -> None:
    model = Model([bad, GOOD])
    made = await by_model(TWO, model)
    assert len(made.parts) == 2
    first, second = model.asked
    assert len(first[0]) == 1
    question, reply, again = second[0]
    assert (question.role, reply, again.role) == ("user", Message("assistant", bad), "user")
    assert problem in again.content
    assert TWO in again.content


@pytest.mark.parametrize(("bad", "problem"), BAD, ids=range(len(BAD)))
async def test_a_proposal_that_stays_bad_leaves_the_question_whole(bad, problem) -> None:
    model = Model([bad, bad, GOOD])
    made = await by_model(TWO, model)
    assert shape(made) == [("t1", TWO, ())]
    assert made.decomposed_by == "none"
    assert made.reason.startswith("left whole: the model's split cannot be used: ")
    first, again = made.reason.split("; asked again: ")
    assert problem in first
    assert problem in again
    assert model.replies == [GOOD]  # it was asked twice, not three times


async def test_a_request_that_a_subtask_only_touches_is_not_in_it() -> None:
    question = "Describe the long slow fall of old Rome and what is 12 * 3?"
    made = await by_model(question, Model([says("Rome", "What is 12 * 3?")] * 2))
    assert '"Describe the long slow fall of old Rome" is in no subtask' in made.reason


async def test_a_huge_reply_is_refused_and_not_sent_back_whole() -> None:
    model = Model(["x" * 10**6, GOOD])
    assert len((await by_model(TWO, model)).parts) == 2
    assert len(model.asked[1][0][1].content) == 2_500


async def test_a_model_that_sees_one_request_leaves_the_question_whole() -> None:
    made = await by_model(TWO, Model([says(TWO)]))
    assert shape(made) == [("t1", TWO, ())]
    assert made.reason == "left whole: the model sees one request in it"


NOT_ASKED = [
    ("What is the capital of France?", "it asks one thing"),
    ("Ana is 31 and Ben is 24. How old is Ana? How old is Ben?", "it asks one thing"),
    ("```\nprint(1)\n```\nWhat is 2 + 2? Who wrote Emma?", "it contains program text"),
    ("Which is red? A) sky B) blood. What is 2 + 2?", "its options belong to one question"),
    ("If x is 3, what is x + 4? What is x * 2?", "it sets a condition for what it asks"),
    ("What is 17 * 6? Show your work.", '"Show your work." is about the answer to another'),
    ("What is gravity? Explain briefly.", '"Explain briefly." is about the answer to another'),
    ("Tell me the pros. Then tell me the cons.", 'does not say which "pros" is meant'),
    (" ".join(f"What is {n} + 1?" for n in range(13)), "it has more than 12 parts"),
    ("What is 2 + 2? " * 1000, "it is too long to be a list of questions"),
]


@pytest.mark.parametrize(("question", "reason"), NOT_ASKED, ids=range(len(NOT_ASKED)))
async def test_no_model_is_asked_where_no_split_could_be_taken(question, reason) -> None:
    made = await by_model(question, Model([]))
    assert [part.text for part in made.parts] == [question]
    assert reason in made.reason


async def test_a_model_that_fails_leaves_the_question_whole_and_says_why() -> None:
    made = await by_model(TWO, Model([DeadlineExceeded("too slow")]))
    assert shape(made) == [("t1", TWO, ())]
    assert made.reason == "left whole: the model could not be asked: too slow"
    made = await by_model(TWO, Model(["nonsense", DeadlineExceeded("too slow")]))
    assert "cannot be used: the reply is not JSON" in made.reason
    assert made.reason.endswith("; asked again: the model could not be asked: too slow")


async def test_a_caller_who_leaves_is_not_answered_with_a_whole_question() -> None:
    with pytest.raises(Cancelled):
        await by_model(TWO, Model([Cancelled("gone")]))


# --- modes ----------------------------------------------------------------------------------------


async def test_mode_none_splits_nothing() -> None:
    made = await split(TWO, Mode.NONE, Model([]))
    assert (shape(made), made.reason) == ([("t1", TWO, ())], "left whole: as asked")


async def test_mode_rules_asks_nobody() -> None:
    assert len((await split(TWO, Mode.RULES, Model([]))).parts) == 2
    assert len((await split(CHAIN, Mode.RULES, Model([]))).parts) == 1


async def test_mode_model_asks_where_rules_could_have_split() -> None:
    model = Model([GOOD])
    assert (await split(TWO, Mode.MODEL, model)).decomposed_by == "model"
    assert len(model.asked) == 1


async def test_mode_model_without_a_model_is_an_error() -> None:
    with pytest.raises(NotReady, match="decompose is 'model', but no model") as caught:
        await split(TWO, Mode.MODEL, None)
    assert caught.value.metadata["field"] == "decompose"


async def test_mode_auto_asks_only_where_rules_doubt() -> None:
    assert (await split(TWO, Mode.AUTO, Model([]))).decomposed_by == "rules"
    assert len((await split("What is tea?", Mode.AUTO, Model([]))).parts) == 1
    model = Model([says("What is the capital of Norway?", "What is its population?")])
    made = await split(CHAIN, Mode.AUTO, model)
    assert (len(made.parts), made.decomposed_by) == (2, "model")


async def test_mode_auto_says_what_became_of_its_doubt() -> None:
    alone = await split(CHAIN, Mode.AUTO, None)
    assert len(alone.parts) == 1
    assert alone.reason.endswith("there is no model to ask about it")
    unsure = await split(CHAIN, Mode.AUTO, Model([says(CHAIN)]))
    assert "points to something said before" in unsure.reason
    assert unsure.reason.endswith("the model sees one request in it")


async def test_the_type_of_an_answer_is_the_rules_where_they_know_it() -> None:
    made = await by_model(TWO, Model([GOOD]))
    assert [part.expected for part in made.parts] == [Kind.TEXT, Kind.NUMBER]
