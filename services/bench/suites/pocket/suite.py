"""The pocket suite as the bench sees it: held-out items only, in two halves that share nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, cast

from quorate.answers import Kind
from quorate.errors import InvalidRequest, nearest
from services.bench.suites import pocket
from services.bench.suites.pocket.item import stable_share
from services.bench.suites.pocket.scoring import correct, plain
from services.bench.suites.suite import Item, Split

if TYPE_CHECKING:
    from services.bench.suites.pocket.item import Kind as RawKind

DRAWS_PER_ITEM = 200
"""Give up on new items after so many draws for each that was asked for."""
BEYOND = "beyond "
"""Begins the content of a request that nobody can answer: to say so is to abstain, not a vote."""
ANSWERED_BY_VOTE = (
    "arithmetic",
    "facts",
    "extraction",
    "python",
    "yes_no",
    "judging",
    "results",
)
"""Tasks that users ask; the others are the mesh's own prompts, whose answers nobody votes on."""


class PocketSuite:
    """Generated questions that no pocket model was trained on."""

    name = "pocket"
    description = "Generated questions held out from the pocket models' training, any number"
    licence = "Apache-2.0"
    tasks: tuple[str, ...] = ANSWERED_BY_VOTE

    def items(self, task: str, split: Split, count: int, seed: int) -> Sequence[Item]:
        """Draw different items; raises InvalidRequest when there are not so many."""
        if task not in pocket.TASKS:
            hint = nearest(task, pocket.TASKS)
            raise InvalidRequest.field("task", task, "the pocket suite has no such task", hint)
        found: dict[str, Item] = {}
        for drawn in islice(pocket.stream(task, "test", seed), count * DRAWS_PER_ITEM):
            if len(found) == count:
                break
            if side(drawn) == split and not drawn.key.startswith(BEYOND):
                item = _item(drawn)
                found.setdefault(item.id, item)
        if len(found) < count:
            raise InvalidRequest.field(
                "items", count, f"{task} has about {len(found)} for {split}", "Ask for fewer."
            )
        return list(found.values())

    def right(self, item: Item, reply: str) -> bool:
        """Say whether a reply is right, by the suite's own scoring."""
        kind = cast("RawKind", item.kind.value)  # the suite's kinds are a part of ours
        drawn = pocket.Item(
            item.task, item.question, "", item.gold, kind, item.cluster, "", item.checks
        )
        return correct(drawn, reply)


def side(item: pocket.Item) -> Split | None:
    """Say in which half an item lies, or in none.

    Its content and its wording must lie on the same side, so that the halves share neither: a
    multiplication table's content is told by its wording alone.
    """
    content = stable_share(f"half|{item.task}|{item.key}") < 0.5
    wording = stable_share(f"half|{item.task}|{plain(item.prompt)}") < 0.5
    if content != wording:
        return None
    return "calibration" if content else "test"


def _item(item: pocket.Item) -> Item:
    number = int(stable_share(f"{item.task}|{item.prompt}") * 2**48)
    return Item(
        id=f"pocket/{item.task}/{number:012x}",
        task=item.task,
        question=item.prompt,
        gold=item.answer,
        kind=Kind(item.kind),
        cluster=f"{item.task}|{item.key}",
        checks=item.checks,
    )
