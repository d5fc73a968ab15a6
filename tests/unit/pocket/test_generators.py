"""The pocket suite's questions: reproducible, apart from each other, and right."""

from __future__ import annotations

import itertools
import json
import re
from random import Random

import pytest

from quorate import prompts
from services.bench.suites.pocket import (
    TASKS,
    Item,
    items,
    python_code,
    python_functions,
    split_of,
    splitting,
    working,
    world,
)
from services.bench.suites.pocket.item import TEST_SHARE
from services.bench.suites.pocket.scoring import ballot, correct

_EVERY_TASK = pytest.mark.parametrize("task", list(TASKS))
_EQUATION = re.compile(r"(\d+)([+*-])(\d+)(?:([+-])(\d+))?=(\d+)")


@_EVERY_TASK
def test_same_seed_draws_same_items(task: str) -> None:
    assert items(task, "train", 5, 50) == items(task, "train", 5, 50)


@_EVERY_TASK
def test_other_seed_draws_other_items(task: str) -> None:
    assert items(task, "train", 5, 50) != items(task, "train", 6, 50)


@_EVERY_TASK
def test_training_and_test_share_no_content(task: str) -> None:
    train = {item.key for item in items(task, "train", 1, 4_000)}
    test = {item.key for item in items(task, "test", 2, 1_000)}
    assert not train & test


def test_a_tenth_of_what_is_drawn_is_for_test() -> None:
    random = Random(3)
    drawn = [split_of(TASKS["arithmetic"](random)) for _ in range(4_000)]
    assert drawn.count("test") / len(drawn) == pytest.approx(TEST_SHARE, abs=0.03)


@_EVERY_TASK
def test_gold_completions_score_as_right(task: str) -> None:
    drawn = items(task, "test", 4, 12 if task == "python" else 400)
    assert [item for item in drawn if not correct(item, item.completion)] == []


@pytest.mark.parametrize("task", [task for task in TASKS if task != "python"])
def test_another_items_reply_scores_as_wrong(task: str) -> None:
    drawn = [item for item in items(task, "test", 4, 200) if item.kind != "text"]
    for item, other in itertools.pairwise(drawn):
        if ballot(item, other.completion) != ballot(item, item.answer):
            assert not correct(item, other.completion)


@_EVERY_TASK
def test_an_empty_reply_is_an_abstention(task: str) -> None:
    item = items(task, "test", 4, 1)[0]
    assert ballot(item, "") is None
    assert not correct(item, "")


@_EVERY_TASK
def test_everything_is_plain_ascii(task: str) -> None:
    for item in items(task, "train", 8, 400):
        assert (item.prompt + item.completion).isascii()


@pytest.mark.parametrize("function", python_functions.FUNCTIONS, ids=lambda f: f.names[0])
def test_every_function_passes_its_checks(function: python_functions.Function) -> None:
    name = function.names[0]
    parameters = ["left", "right"][: function.arity]
    checks = [f"assert {name}({row.replace(' -> ', ') == ')}" for row in function.checks]
    exec("\n".join([python_code.source(function, name, parameters), *checks]), {})


def test_code_that_fails_its_checks_is_wrong() -> None:
    item = next(item for item in items("python", "test", 4, 50) if "return" in item.completion)
    assert not correct(item, item.completion.replace("return", "return None and"))


def test_code_without_end_is_wrong_in_time() -> None:
    item = items("python", "test", 4, 1)[0]
    assert not correct(item, "def f(:")


@pytest.mark.parametrize("task", ["arithmetic", "results"])
def test_every_written_column_is_true(task: str) -> None:
    for item in items(task, "train", 9, 1_000):
        for a, sign, b, second, c, total in _EQUATION.findall(item.completion):
            first = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign]
            value = first + int(c) if second == "+" else first - int(c) if second else first
            assert value == int(total), item.completion


@pytest.mark.parametrize(
    ("step", "result"),
    [
        (working.add(999, 1), 1000),
        (working.subtract(100, 1), 99),
        (working.subtract(3, 11), -8),
        (working.multiply(12, 12), 144),
        (working.multiply(7, 48), 336),
        (working.multiply(48, 37), 1776),
        (working.percent(10, 1000)[-1], 100),
        (working.percent(15, 200)[-1], 30),
        (working.total([31, 24, 5])[-1], 60),
    ],
)
def test_working_ends_in_the_right_result(step: working.Step, result: int) -> None:
    assert step.result == result
    assert step.text.endswith(f"= {result}")


def _splits() -> list[Item]:
    return items("splitting", "train", 10, 600)


def test_splits_are_valid_plans() -> None:
    for item in _splits():
        rows = json.loads(item.completion)["subtasks"]
        seen: list[str] = []
        for row in rows:
            assert row["task_type"] in prompts.TASK_TYPES
            assert row["expected_answer"] in prompts.EXPECTED_ANSWERS
            assert row["difficulty"] in prompts.DIFFICULTIES
            assert set(row["depends_on"]) <= set(seen)
            seen.append(row["id"])
        assert seen == [f"t{number}" for number in range(1, len(rows) + 1)]


def test_splits_cover_whole_independent_and_dependent_questions() -> None:
    plans = [json.loads(item.completion)["subtasks"] for item in _splits()]
    assert {len(plan) for plan in plans} == {1, 2, 3, 4}
    assert any(row["depends_on"] for plan in plans for row in plan)


def test_a_split_says_its_parts_in_the_question_words() -> None:
    for item in _splits():
        asked = re.sub(r"\W+", " ", item.prompt.lower())
        for row in json.loads(item.completion)["subtasks"]:
            assert re.sub(r"\W+", " ", row["description"].lower()).strip() in asked


def test_the_split_prompt_is_the_mesh_s_own() -> None:
    item = items("splitting", "test", 1, 1)[0]
    assert item.prompt == prompts.split(item.prompt.split("Question: ", 1)[1])


def test_a_routed_model_is_the_most_reliable_that_fits() -> None:
    candidates = [
        prompts.Candidate("large", {"math": 0.9}, 512, loaded=False),
        prompts.Candidate("small", {"math": 0.4}, 64, loaded=True),
    ]
    from services.bench.suites.pocket.routing import best

    assert best(candidates, "math", 1024) == "large"
    assert best(candidates, "math", 128) == "small"


def test_choices_have_one_right_letter() -> None:
    for item in items("facts", "train", 12, 600):
        if item.kind == "choice":
            relation, subject = item.fact.split("/", 1)
            pairs = next(r.pairs for r in world.RELATIONS if r.name == relation)
            right = re.escape(pairs[subject])
            assert re.findall(rf"([A-D])[.)] {right}(?!\w)", item.prompt) == [item.answer]


def test_the_world_is_as_large_as_promised() -> None:
    sizes = {relation.name: len(relation.pairs) for relation in world.RELATIONS}
    assert sizes["capital"] >= 60
    assert sum(sizes.values()) - 5 * sizes["capital"] >= 40
    assert len(python_functions.FUNCTIONS) >= 30


def test_dependent_parts_name_their_parent() -> None:
    parts = [splitting.Part("One", "arithmetic", (), ""), splitting.Part("Two", "facts", (0,), "")]
    rows = json.loads(splitting.subtasks(parts))["subtasks"]
    assert [row["depends_on"] for row in rows] == [[], ["t1"]]
