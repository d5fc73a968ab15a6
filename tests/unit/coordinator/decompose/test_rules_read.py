"""What rules read, each with a question that looks like it and is another."""

from __future__ import annotations

import pytest

from services.coordinator.decompose.rules import decompose


def parts(question: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(part.text, part.depends_on) for part in decompose(question).parts]


SPLIT = [
    ("When did Rome fall? What is 2 + 2?", [("When did Rome fall?", ()), ("What is 2 + 2?", ())]),
    (
        "Who wrote Emma? Who invented the zip fastener?",
        [("Who wrote Emma?", ()), ("Who invented the zip fastener?", ())],
    ),
    ("What is 2 + 2? Define osmosis.", [("What is 2 + 2?", ()), ("Define osmosis", ())]),
    (
        "Calculate 5 * 20, then take away 30",
        [("Calculate 5 * 20", ()), ("Take away 30", ("t1",))],
    ),
    (
        'Extract the years as a list from "1809, 1882", then subtract the first from the second',
        [
            ('Extract the years as a list from "1809, 1882"', ()),
            ("Subtract the first from the second", ("t1",)),
        ],
    ),
    (
        "What is 2 + 2? In which museum is the Mona Lisa?",
        [("What is 2 + 2?", ()), ("In which museum is the Mona Lisa?", ())],
    ),
    (
        'Translate: "Who is he?" What is 2 + 2?',
        [('Translate: "Who is he?" What is 2 + 2?', ())],
    ),
    (
        'Translate to French: "Good day". What is 2 + 2?',
        [('Translate to French: "Good day"', ()), ("What is 2 + 2?", ())],
    ),
]


@pytest.mark.parametrize(("question", "expected"), SPLIT, ids=range(len(SPLIT)))
def test_it_is_read(question, expected) -> None:
    assert parts(question) == expected


WHOLE = [
    "When the bell rings, who must leave? What is 2 + 2?",
    "Describe the steam engine. Who invented the engine?",
    "Translate into Dutch: Where do you live? What is your name?",
    "Find the length and find the width of a field",
    "What is the largest planet? How many moons are there?",
    "Describe a river in Egypt. Subtract the first from the second.",
    "1. Compute 2 * 5. Name a river in Peru.\n2. Double the result of question 1.",
    "Which one is the largest? What is 2 + 2?",
    "What is tea? Define the term.",
]


@pytest.mark.parametrize("question", WHOLE)
def test_what_only_looks_like_it_stays_whole(question) -> None:
    assert parts(question) == [(question, ())]
