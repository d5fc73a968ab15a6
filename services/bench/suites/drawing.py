"""Draws different things from named templates in turns, so that every template gets its share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, TypeVar

from quorate.errors import InvalidRequest
from services.bench.suites.pocket import TASKS
from services.bench.suites.pocket.item import Item, split_of, stable_share
from services.bench.suites.pocket.scoring import plain
from services.bench.suites.pocket.suite import side

if TYPE_CHECKING:
    from services.bench.suites.suite import Split

Drawn = TypeVar("Drawn")

DRAWS = 2_000
"""Give up on a template after so many draws without anything new."""


def in_turns(
    templates: Iterable[str],
    draw: Callable[[str], Drawn | None],
    identity: Callable[[Drawn], str],
    random: Random,
) -> Iterator[Drawn]:
    """Yield things of different identity; each round has one of each template, shuffled.

    A draw may fail (None). A template that gives nothing new any more is left out from then on.
    """
    names, seen = list(templates), set[str]()
    while names:
        random.shuffle(names)
        for name in list(names):
            fresh = _fresh(partial(draw, name), identity, seen)
            if fresh is None:
                names.remove(name)
            else:
                yield fresh


def _fresh(
    draw: Callable[[], Drawn | None], identity: Callable[[Drawn], str], seen: set[str]
) -> Drawn | None:
    for _ in range(DRAWS):
        drawn = draw()
        if drawn is not None and identity(drawn) not in seen:
            seen.add(identity(drawn))
            return drawn
    return None


def first(stream: Iterator[Drawn], count: int, what: str) -> Sequence[Drawn]:
    """Take that many of a stream; raises InvalidRequest when it has not so many."""
    taken = list(islice(stream, count))
    if len(taken) < count:
        raise InvalidRequest.field(
            "count", count, f"{what} has about {len(taken)}", "Ask for fewer."
        )
    return taken


def fits(item: Item, split: Split) -> bool:
    """Say whether a generated item lies in a split, and no pocket model practised its content.

    An item whose task is none of the pocket suite's was practised by nobody.
    """
    return (item.task not in TASKS or split_of(item) == "test") and side(item) == split


def half(text: str) -> Split:
    """Say in which split a wording lies: the same words are always in the same one."""
    return "calibration" if stable_share(f"half|{plain(text)}") < 0.5 else "test"
