"""Facts about extraction and inference on every task of the pocket suite."""

from __future__ import annotations

import pytest

from quorate.answers import Kind, equivalent, extract, infer_kind
from services.bench.suites.pocket import TASKS, Item, items

ITEMS_PER_TASK = 400
LEAST_AGREEMENT = 0.98
REFUSALS = ("do not know", "can not")


@pytest.fixture(scope="module")
def suite() -> dict[str, list[Item]]:
    return {task: items(task, "test", 23, ITEMS_PER_TASK) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_the_kind_of_answer_is_inferred_from_the_prompt(
    task: str, suite: dict[str, list[Item]]
) -> None:
    wrong = [item for item in suite[task] if infer_kind(item.prompt) != item.kind]
    told = [(item.prompt[-160:], item.kind, infer_kind(item.prompt).value) for item in wrong]
    assert len(wrong) <= (1 - LEAST_AGREEMENT) * len(suite[task]), told


@pytest.mark.parametrize("task", TASKS)
def test_a_right_reply_yields_the_gold_answer(task: str, suite: dict[str, list[Item]]) -> None:
    wrong = [item for item in suite[task] if not _yields_gold(item)]
    told = [(item.completion[-160:], item.answer) for item in wrong]
    assert not wrong, told


def _yields_gold(item: Item) -> bool:
    found = extract(item.completion, Kind(item.kind), question=item.prompt)
    if item.answer in REFUSALS:
        return found is None
    if found is None:
        return False
    if item.task == "merging":  # its gold names what must appear, not what is said
        return found.text == item.completion
    gold = extract(item.answer, Kind(item.kind), question=item.prompt)
    return bool(equivalent(found, gold))
