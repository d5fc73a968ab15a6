"""The mesh's own prompts: the pocket models are trained on them to the letter."""

from __future__ import annotations

from quorate import prompts
from quorate.prompts import Candidate, Part, Subtask


def test_split_names_every_field_of_a_subtask() -> None:
    text = prompts.split("What is 1 + 1?")
    for field in ("id", "task_type", "description", "depends_on", "expected_answer"):
        assert f'"{field}"' in text
    assert text.endswith("\nQuestion: What is 1 + 1?")


def test_route_shows_what_the_exact_solver_knows() -> None:
    models = [
        Candidate("abacus", {"math": 0.9, "facts": 0.4}, 3, loaded=True),
        Candidate("atlas", {"math": 0.3, "facts": 0.95}, 4, loaded=False),
    ]
    assert prompts.route(models, [Subtask("t1", "math")], 8) == (
        "Choose the best model for each subtask. "
        "Reply with JSON only: {subtask id: model name}.\n"
        "Memory: 8 MiB\nModels:\n"
        "abacus: math 0.90, facts 0.40; 3 MiB; loaded\n"
        "atlas: math 0.30, facts 0.95; 4 MiB; not loaded\n"
        "Subtasks:\nt1: math"
    )


def test_merge_lists_the_parts_in_order() -> None:
    text = prompts.merge("q", [Part("a?", "1"), Part("b?", "2")])
    assert text.endswith("Question: q\nParts:\n[1] a? -> 1\n[2] b? -> 2")


def test_judge_shows_question_reference_and_answer() -> None:
    text = prompts.judge("q", "r", "a")
    assert text.endswith("Question: q\nReference: r\nAnswer: a")


def test_results_stand_before_the_question_that_needs_them() -> None:
    text = prompts.with_results("Sum them.", [Part("Ages?", "[31, 24]")])
    assert text == "Known results:\n[1] Ages? -> [31, 24]\nQuestion: Sum them."


def test_a_question_without_results_stays_as_it_is() -> None:
    assert prompts.with_results("Sum them.", []) == "Sum them."


def test_debate_shows_the_peers_before_the_question() -> None:
    text = prompts.debate("q", ["x", "y"])
    assert text.startswith("Other answers:\n[1] x\n[2] y\n")
    assert text.endswith("Question: q")
