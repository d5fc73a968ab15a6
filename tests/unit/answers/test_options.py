"""A choice may be named by its option's words instead of its letter."""

from __future__ import annotations

import pytest

from quorate.answers import Kind, extract
from quorate.answers.options import named, options

CAPITALS = {"A": "Rome", "B": "Paris", "C": "Madrid", "D": "Berlin"}
LINES = "What is the capital of France?\nA) Rome\nB) Paris\nC) Madrid\nD) Berlin"
INLINE = "Which planet is the largest? A. Mars B. Jupiter C. Venus D. Earth"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (LINES, CAPITALS),
        (INLINE, {"A": "Mars", "B": "Jupiter", "C": "Venus", "D": "Earth"}),
        (
            LINES + "\nAnswer with the letter only.",
            {"A": "Rome", "B": "Paris", "C": "Madrid", "D": "Berlin"},
        ),
        ("Pick one: (A) red (B) blue. Reply with one letter.", {"A": "red", "B": "blue"}),
        ("Is it A: yes or B: no?", {"A": "yes or", "B": "no?"}),
        ("A) first list\nB) x\nNow choose:\nA) red\nB) blue", {"A": "red", "B": "blue"}),
        ("Who? A. J. Tolkien B. C. Dickens", {"A": "J. Tolkien", "B": "", "C": "Dickens"}),
        (
            "Who?\nA) J. R. R. Tolkien\nB) Jane Austen",
            {"A": "J. R. R. Tolkien", "B": "Jane Austen"},
        ),
        ("What is vitamin B. good for?", {}),
        ("A) only one", {}),
        ("B) no C) first letter", {}),
        ("", {}),
    ],
)
def test_options_are_read_by_letter(question: str, found: dict[str, str]) -> None:
    assert options(question) == found


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Paris", "B"),
        ("The capital of France is Paris.", "B"),
        ("paris.", "B"),
        ("It is Paris, which lies on the Seine.", "B"),
        ("Rome is in Italy, but Paris is right.", None),
        ("London", None),
        ("It is not Paris.", None),
        ("Paris or Rome", None),
        ("", None),
    ],
)
def test_the_only_option_that_is_stated_is_named(text: str, letter: str | None) -> None:
    assert named(text, options(LINES)) == letter


def test_an_option_inside_a_named_one_is_not_named() -> None:
    seas = {"A": "Sea", "B": "Red Sea", "C": ""}
    assert named("It is the Red Sea.", seas) == "B"
    assert named("It is the sea.", seas) == "A"


def test_two_options_that_read_alike_name_nothing() -> None:
    assert named("red", {"A": "red", "B": "Red."}) is None


def test_words_count_only_when_the_question_is_known_and_no_letter_is_given() -> None:
    assert extract("Paris", Kind.CHOICE) is None
    found = extract("Paris", Kind.CHOICE, question=LINES)
    assert found is not None
    assert (found.text, found.rule) == ("B", "option_words")
    lettered = extract("The answer is C.", Kind.CHOICE, question=LINES)
    assert lettered is not None
    assert lettered.text == "C"


def test_a_letter_that_is_no_option_is_a_word() -> None:
    question = "What is the symbol of hydrogen? A) Si B) F C) H D) Mg"
    found = extract("The chemical symbol of hydrogen is H.", Kind.CHOICE, question=question)
    assert found is not None
    assert found.text == "C"


def test_a_letter_that_is_an_options_text_is_that_option() -> None:
    question = "What is the symbol of carbon? A) Na B) C C) S D) N"
    found = extract("The chemical symbol of carbon is C.", Kind.CHOICE, question=question)
    assert found is not None
    assert found.text == "B"
    lettered = extract("C", Kind.CHOICE, question=question)
    assert lettered is not None
    assert lettered.text == "C"


def test_an_option_of_an_unasked_kind_stays_text() -> None:
    found = extract("Paris", question=LINES)
    assert found is not None
    assert found.kind is Kind.TEXT
