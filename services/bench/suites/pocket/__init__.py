"""The pocket suite: generated questions with gold answers, to train and test pocket models.

Everything is drawn from a seed; a hash of an item's content decides whether it is for training or
for test, so the two never share an item. Nothing here needs more than the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

from services.bench.suites.pocket import (
    arithmetic,
    debating,
    extraction,
    facts,
    judging,
    merging,
    python_code,
    results,
    routing,
    splitting,
    yes_no,
)
from services.bench.suites.pocket.item import Item, Split, split_of

TASKS: dict[str, Callable[[Random], Item]] = {
    arithmetic.TASK: arithmetic.draw,
    facts.TASK: facts.draw,
    extraction.TASK: extraction.draw,
    python_code.TASK: python_code.draw,
    yes_no.TASK: yes_no.draw,
    splitting.TASK: splitting.draw,
    routing.TASK: routing.draw,
    merging.TASK: merging.draw,
    judging.TASK: judging.draw,
    results.TASK: results.draw,
    debating.TASK: debating.draw,
}


def stream(task: str, split: Split, seed: int) -> Iterator[Item]:
    """Yield a task's items of one split without end; the same seed yields the same items."""
    random = Random(f"{task}/{split}/{seed}")
    draw = TASKS[task]
    while True:
        item = draw(random)
        if split_of(item) == split:
            yield item


def items(task: str, split: Split, seed: int, count: int) -> list[Item]:
    """Draw that many items of a task. Raises KeyError for a task that is not in TASKS."""
    return list(islice(stream(task, split, seed), count))


__all__ = ["TASKS", "Item", "Split", "items", "split_of", "stream"]
