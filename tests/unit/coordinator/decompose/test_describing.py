"""What rules say of a part: its task type, the type of its answer, tokens and difficulty."""

from __future__ import annotations

import pytest

from quorate import prompts
from quorate.answers import Kind
from services.coordinator.decompose.dag import Subtask
from services.coordinator.decompose.describing import MOST_ESTIMATED, described
from services.coordinator.decompose.rules import decompose

CASES = [
    ("What is 12 * 3?", "math", Kind.NUMBER, "easy", 64),
    ("Who wrote Emma?", "facts", Kind.TEXT, "easy", 32),
    ("Write a Python function that adds two numbers", "code", Kind.CODE, "medium", 240),
    ("Is 51 a prime number?", "reasoning", Kind.BOOLEAN, "medium", 48),
    ("Write a poem about the sea", "creative", Kind.TEXT, "easy", 192),
    ("Summarize the plot of Dracula", "summarize", Kind.TEXT, "easy", 96),
    ("Extract the ages as JSON from: Ana is 31", "extraction", Kind.JSON, "easy", 64),
    ("Prove in detail that the sum of 1, 2, 3 and 4 is 10", "math", Kind.NUMBER, "hard", 128),
]


@pytest.mark.parametrize(("text", "task", "kind", "difficulty", "tokens"), CASES)
def test_a_part_is_described_by_its_text(text, task, kind, difficulty, tokens) -> None:
    part = described(Subtask("t1", text))
    assert (part.task_type, part.expected) == (task, kind)
    assert (part.difficulty, part.estimated_tokens) == (difficulty, tokens)


def test_what_is_known_already_is_kept() -> None:
    said = Subtask("t1", "What is 2 + 2?", (), "reasoning", 7, "hard", Kind.TEXT)
    assert described(said) == said


def test_a_part_that_waits_is_harder() -> None:
    alone, waiting = decompose("Calculate 12 * 7, then add 5").parts
    assert (alone.difficulty, waiting.difficulty) == ("easy", "medium")
    assert waiting.estimated_tokens > alone.estimated_tokens


def test_a_length_that_is_asked_for_is_the_estimate() -> None:
    assert described(Subtask("t1", "Write a 200-word story")).estimated_tokens == 300
    assert described(Subtask("t1", "Write 9999 words on tea")).estimated_tokens == MOST_ESTIMATED
    assert described(Subtask("t1", "Write 0 words")).estimated_tokens == 1


def test_a_long_text_costs_no_more_than_its_ends() -> None:
    part = described(Subtask("t1", "What is 2 + 2? " + "x " * 10**6))
    assert part.difficulty == "medium"  # long


def test_whole_questions_and_parts_of_rules_are_described() -> None:
    for question in ("What is 2 + 2?", "What is 2 + 2? Who wrote Emma?"):
        for part in decompose(question).parts:
            assert part.expected is not None
            assert part.task_type in prompts.TASK_TYPES
            assert part.difficulty in prompts.DIFFICULTIES
            assert part.estimated_tokens > 0
