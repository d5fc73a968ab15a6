"""Facts about the kind of answer that a question asks for."""

from __future__ import annotations

import pytest

from quorate import prompts
from quorate.answers import Kind, infer_kind

CASES = {
    Kind.CHOICE: [
        "What is the capital of Chile?\nA) Abuja\nB) Santiago",
        "Which one? (A) red (B) blue",
        "Pick: A. one B. two C. three",
        "Choose the right letter: Who wrote Faust?\nA: Goethe\nB: Schiller\nAnswer:",
    ],
    Kind.NUMBER: [
        "How many apples are left?",
        "How much is 47 + 38?",
        "What is 12 times 12?",
        "What is 20% of 50?",
        "50% of 1990?",
        "Take 11 away from 49.",
        "What is 705 less 1?",
        "what do you get when you add 36 to 8",
        "What do 27, 66 and 85 add up to?",
        "Calculate the sum of 3 and 4.",
        "Please compute 7/8",
        "What is the difference between 10 and 4?",
        "What is the average of 3, 4 and 5?",
        "Natalia sold 48 clips in April. She sold half as many in May. How many in all?",
        "How old is Peter? He is twice as old as Mary, who is 7.",
        "In which year did the war end?",
        "What is the square root of 81?",
        "66 / 11 = ?",
        "Can you add 3 and 4?",
        "897-20?",
        "What is 45/9?",
        "What is the largest of 3, 9 and 4?",
    ],
    Kind.BOOLEAN: [
        "Is Paris the capital of France?",
        "Is Paris the capital of France",
        "Does 12 exceed 50?",
        "Are all cats mammals? Answer yes or no.",
        "True or false: the sun is a star.",
        "All otters are swimmers. David is an otter. Is David a swimmer?",
        "Is Olga taller than Iris? Iris is taller than Olga.",
        "coins, eggs, pens: is coins among them?",
        "Can 4120 be divided by 2 exactly",
        "Is 5 > 3?",
        "Please is Sam faster than Victor?",
        "Must Victor be a klokar",
    ],
    Kind.JSON: [
        "Extract name and age as JSON: Bob is 80.",
        "Give me the title as a JSON object.",
        "Extract all names as a list: Hana is 33 and Ivy is 21.",
        "Return valid JSON for this order: 3 cups",
        'Reply with JSON only: {"score": 0 to 1}. Question: Is this right?\nA) x\nB) y',
        "Convert it to JSON",
    ],
    Kind.CODE: [
        "Write a Python function that adds two numbers.",
        "Python function that squares a number.",
        "In a ```python block, write times(data, m).",
        "Write is_palindrome(w) in Python.",
        "i need a Python function that returns the first item",
        "Implement a class called Stack",
        "In Python, write something that reverses a string",
        "Show me a script that renames files",
        "Define fib(n)",
    ],
    Kind.TEXT: [
        "",
        "   ",
        "What is the capital of France?",
        "Who wrote Faust?",
        "Can you tell me the continent of Czechia?",
        "Do you know the currency of Iran?",
        "Which is larger, Paris or London?",
        "Is it a cat or a dog?",
        "Give me the animal class of the goose.",
        "sum up the article about coffee in one sentence",
        "Is it raining? Write a poem about it.",
        "Write a haiku about the desert",
        "A quick fox jumps. What colour is it?",
        "Explain the trade-offs between TCP and UDP.",
        "Question: Who painted Guernica?",
        "Which state has the largest city?",
        "What is the difference between TCP and UDP?",
        "What is the largest of the Great Lakes?",
        "What is the main product of Brazil?",
        "What happened on 9/11?",
        "Who won the war of 1939-45?",
        "How do I convert XML to JSON?",
        "Explain how to write code that others can read",
        "Will Smith played in which film?",
        "Does anyone know the capital of Peru?",
        "Could someone explain photosynthesis?",
        "Round tables are best for whom?",
    ],
}


@pytest.mark.parametrize(
    ("question", "kind"), [(question, kind) for kind, asked in CASES.items() for question in asked]
)
def test_the_wording_tells_the_kind(question: str, kind: Kind) -> None:
    assert infer_kind(question) is kind


@pytest.mark.parametrize(
    ("question", "kind"), [(question, kind) for kind, asked in CASES.items() for question in asked]
)
def test_answers_of_peers_do_not_change_the_kind(question: str, kind: Kind) -> None:
    shown = prompts.debate(question, ["Answer: yes", '{"a": 1} as JSON', "A) x B) y 3 + 4"])
    assert infer_kind(shown) is kind


JSON_RESULT = prompts.Part("Extract the ages as JSON: Tom is 7, Ann is 9", '{"Tom": 7, "Ann": 9}')
TEXT_RESULT = prompts.Part("What is the capital of France?", "Paris")


@pytest.mark.parametrize(
    ("question", "results", "kind"),
    [
        ("Give the larger result.", [JSON_RESULT], Kind.NUMBER),
        ("Count them", [JSON_RESULT], Kind.NUMBER),
        ("What is the maximum?", [JSON_RESULT], Kind.NUMBER),
        ("Which number belongs to Tom?", [JSON_RESULT], Kind.NUMBER),
        ("Who has the largest number?", [JSON_RESULT], Kind.TEXT),
        ("Which river flows through it?", [TEXT_RESULT], Kind.TEXT),
        ("What is the largest museum there?", [TEXT_RESULT], Kind.TEXT),
        ("Is it in Europe?", [TEXT_RESULT], Kind.BOOLEAN),
        ("Give it as JSON", [TEXT_RESULT], Kind.JSON),
        ("Write a Python function that returns it", [JSON_RESULT], Kind.CODE),
    ],
)
def test_a_question_about_results_is_judged_by_itself_and_by_what_is_known(
    question: str, results: list[prompts.Part], kind: Kind
) -> None:
    assert infer_kind(prompts.with_results(question, results)) is kind


def test_results_without_a_question_behind_them_are_a_question_themselves() -> None:
    assert infer_kind("Known results:\nwhat are they?") is Kind.TEXT


def test_a_merge_asks_for_text_whatever_its_parts_are() -> None:
    assert infer_kind(prompts.merge("3 + 4 and as JSON", [JSON_RESULT])) is Kind.TEXT


@pytest.mark.parametrize(
    "prompt",
    [
        prompts.split("Is 3 > 2? A) yes B) no"),
        prompts.judge("How many?", "3", "4"),
        prompts.route([], [prompts.Subtask("t1", "code")], 64),
    ],
)
def test_prompts_for_json_ask_for_json(prompt: str) -> None:
    assert infer_kind(prompt) is Kind.JSON


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["1", " ", "1 ", "a ", "A) ", "is ", "or ", "(", "write ", "what\n", "f(", "sum ", "?"]
)
def test_a_question_of_ten_million_characters_is_looked_at_from_its_end(unit: str) -> None:
    assert infer_kind(unit * (10_000_000 // len(unit)) + "\nHow many?") is Kind.NUMBER
