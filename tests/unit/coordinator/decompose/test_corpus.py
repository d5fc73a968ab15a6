"""Every labelled question: rules break none, and no proposal of a model can make them broken."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.bench.decompose import corpus
from services.bench.decompose.scoring import Found, Part, score, table
from services.coordinator.decompose import Mode, Split, split
from services.coordinator.decompose.rules import decompose, requests
from services.coordinator.question import Drawing, Message

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parents[4].parent / "shared" / "data"
QUESTIONS = corpus.everything()
WHOLE = [one for one in QUESTIONS if one.whole]
COMPOUND = [one for one in QUESTIONS if not one.whole]


def found_of(made: Split) -> Found:
    parts = [
        Part(part.text, tuple(int(parent[1:]) for parent in part.depends_on)) for part in made.parts
    ]
    return Found(tuple(parts), made.reason, made.decomposed_by)


def proposal(texts: Sequence[str], chained: bool) -> str:
    """Write what a model would that makes every text a part, alone or after the one before."""
    rows = [
        {
            "id": f"t{number}",
            "task_type": "facts",
            "description": text,
            "depends_on": [f"t{number - 1}"] if chained and number > 1 else [],
            "estimated_tokens": 20,
            "difficulty": "easy",
            "expected_answer": "text",
        }
        for number, text in enumerate(texts, 1)
    ]
    return json.dumps({"subtasks": rows})


def eager(chained: bool):
    """Give a model that splits wherever a question can be cut at all."""

    async def ask(messages: Sequence[Message], drawing: Drawing, seconds: float) -> str:
        found = requests(messages[0].content.split("Question: ", 1)[1])
        assert not isinstance(found, Split)
        return proposal([request.text for request in found], chained)

    return ask


def test_the_corpus_has_enough_of_both_halves() -> None:
    assert len(WHOLE) >= 75
    assert len(COMPOUND) >= 75
    assert len({one.question for one in QUESTIONS}) == len(QUESTIONS) >= 150
    assert sum(len(part.needs) > 0 for one in COMPOUND for part in one.parts) >= 40


@pytest.mark.parametrize("labelled", WHOLE, ids=lambda one: one.question[:50])
def test_rules_break_no_question_that_must_stay_whole(labelled) -> None:
    made = decompose(labelled.question)
    assert [part.text for part in made.parts] == [labelled.question]
    assert made.decomposed_by == "none"


@pytest.mark.parametrize("chained", [False, True], ids=["alone", "chained"])
@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.MODEL])
async def test_a_model_that_cuts_wherever_it_can_breaks_no_question(mode, chained) -> None:
    broken = [
        one.question
        for one in WHOLE
        if len((await split(one.question, mode, eager(chained))).parts) != 1
    ]
    assert broken == []


def test_rules_find_most_splits_and_find_no_wrong_ones() -> None:
    told = table("rules", [score(one, found_of(decompose(one.question))) for one in QUESTIONS])
    assert told["kept"]["value"] == 1.0
    assert told["precision"]["value"] == 1.0
    assert told["recall"]["value"] >= 0.75
    assert told["dependency_precision"]["value"] == 1.0


def official(name: str) -> list[str]:
    """Read the questions of a public data set; none of them has parts."""
    path = DATA / name
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [row["Question"] for row in csv.DictReader(file)]
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row.get("question") or row["text"] for row in rows]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("gsm8k/test.jsonl", 1319),
        ("truthfulqa/TruthfulQA.csv", 790),
        ("mbpp/mbpp.jsonl", 974),
    ],
)
async def test_questions_of_public_data_sets_stay_whole(name, count) -> None:
    if not (DATA / name).exists():
        pytest.skip("the data set is not beside the checkout")
    questions = official(name)
    assert len(questions) == count
    for question in questions:
        assert len(decompose(question).parts) == 1
        assert len((await split(question, Mode.MODEL, eager(False))).parts) == 1


async def test_with_a_model_that_cuts_wherever_it_can_auto_finds_nearly_all() -> None:
    scored = [
        score(one, found_of(await split(one.question, Mode.AUTO, eager(False))))
        for one in QUESTIONS
    ]
    told = table("auto", scored)
    assert told["precision"]["value"] >= 0.97
    assert told["recall"]["value"] >= 0.93
    assert told["dependency_recall"]["value"] >= 0.95
