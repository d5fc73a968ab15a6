"""Whether a reply is right: typed answers are compared as the mesh compares them, code is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.answers import Kind, equivalent, extract
from services.bench.suites.pocket.suite import PocketSuite

if TYPE_CHECKING:
    from services.bench.suites.suite import Item

_RUNS_CODE = PocketSuite()


def right(item: Item, reply: str) -> bool:
    """Say whether a reply, or an answer that was voted for, is right.

    Code is right when its item's assertions hold, run in a process of its own; any other reply when
    the answer of the item's kind that is found in it is equivalent to the gold.
    """
    if item.kind is Kind.CODE:
        return _RUNS_CODE.right(item, reply)
    gold, said = (extract(text, item.kind, question=item.question) for text in (item.gold, reply))
    return bool(equivalent(said, gold))
