"""Splitting by rules: what may be cut, what must stay whole, and that nothing takes long."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.coordinator.decompose.rules import LONGEST_QUESTION, decompose

HERE = Path(__file__).parent
CORPUS: dict[str, Any] = yaml.safe_load((HERE / "decompositions.yaml").read_text("utf-8"))
WORD_PROBLEMS = (HERE / "word_problems.txt").read_text("utf-8").splitlines()
GSM8K = HERE.parents[2].parent / "shared" / "data" / "gsm8k" / "test.jsonl"


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(CORPUS["whole"]) + len(CORPUS["split"]) >= 100
    assert len(CORPUS["whole"]) >= 70
    assert len(WORD_PROBLEMS) >= 30


@pytest.mark.parametrize("question", CORPUS["whole"])
def test_a_question_that_cannot_be_split_safely_stays_whole(question: str) -> None:
    split = decompose(question)
    assert [part.text for part in split.parts] == [question]
    assert split.reason.startswith("left whole: ")


@pytest.mark.parametrize("case", CORPUS["split"], ids=lambda case: case["question"][:60])
def test_separate_requests_become_parts(case: dict[str, Any]) -> None:
    split = decompose(case["question"])
    expected = [(text, tuple(f"t{need}" for need in needs)) for text, needs in case["parts"]]
    assert [(part.text, part.depends_on) for part in split.parts] == expected
    assert [part.id for part in split.parts] == [f"t{n}" for n in range(1, len(expected) + 1)]
    assert split.reason


@pytest.mark.parametrize("question", WORD_PROBLEMS)
def test_a_word_problem_stays_whole(question: str) -> None:
    assert len(decompose(question).parts) == 1


@pytest.mark.skipif(not GSM8K.exists(), reason="the official GSM8K file is not beside the checkout")
def test_every_gsm8k_problem_stays_whole() -> None:
    rows = [json.loads(line)["question"] for line in GSM8K.read_text("utf-8").splitlines()]
    assert len(rows) == 1319
    assert [row for row in rows if len(decompose(row).parts) != 1] == []


def test_twelve_questions_are_numbered_by_number() -> None:
    question = "\n".join(f"{n}. What is {n} + 1?" for n in range(1, 13))
    assert [part.id for part in decompose(question).parts] == [f"t{n}" for n in range(1, 13)]


def test_more_parts_than_a_synthesizer_merges_stay_whole() -> None:
    question = " ".join(f"What is {n} + 1?" for n in range(100))
    assert len(decompose(question).parts) == 1


HOSTILE = ["a" * 10**6, "(" * 10**6, '"' * 10**6, "What is 2 + 2? " * 70_000, "and then " * 110_000,
           "“" * LONGEST_QUESTION, "(" * LONGEST_QUESTION, "[" * LONGEST_QUESTION,
           "and then " * (LONGEST_QUESTION // 9), "the " * (LONGEST_QUESTION // 4),
           "find a and find b, then " * (LONGEST_QUESTION // 24), "1. " * (LONGEST_QUESTION // 3),
           "What is 2 + 2? " * (LONGEST_QUESTION // 15), "\n" * LONGEST_QUESTION,
           "a." * (LONGEST_QUESTION // 2), "'" * LONGEST_QUESTION]  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_costs_little_time(question: str) -> None:
    started = time.process_time()
    assert len(decompose(question).parts) == 1
    assert time.process_time() - started < 2.0


WORDS = st.sampled_from(
    re.findall(
        r"\S+|\n",
        """what who is are calculate find write the a it sum of and then also , . ? ; : 1. 2) - 10%
        5 + Paris ages from JSON as extract list to that which them result ( ) " [ ]""",
    )
)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_text_gives_parts_of_that_text_with_earlier_parents(question: str) -> None:
    split = decompose(question)
    ids = [part.id for part in split.parts]
    for place, part in enumerate(split.parts):
        assert set(part.depends_on) <= set(ids[:place])
        said = part.text.rstrip("?")
        assert said.lower() in question.lower()
    if len(split.parts) == 1:
        assert split.parts[0].text == question
