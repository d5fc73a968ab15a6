"""What a suite is: named tasks whose items have a question, a gold answer and a rule of scoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from quorate.answers import Kind

Split = Literal["calibration", "test"]
"""Weights and calibration are learned on the one and frozen on the other; they share no item."""


class Item(NamedTuple):
    """One question of a suite.

    `id` is the same on every machine, in every run and for every seed. `gold` is the right answer
    in its kind's plainest form. Items of one `cluster` have the same content in other words, and
    count as one. `checks` are Python assertions about code.
    """

    id: str
    task: str
    question: str
    gold: str
    kind: Kind
    cluster: str
    checks: tuple[str, ...] = ()


class Suite(Protocol):
    """Questions with gold answers; one more is one class and a row in the registry."""

    name: str
    description: str
    licence: str
    tasks: tuple[str, ...]

    def items(self, task: str, split: Split, count: int, seed: int) -> Sequence[Item]:
        """Draw that many different items, the same ones for the same seed.

        Raises InvalidRequest for an unknown task or when there are not so many: a suite never
        fills up with others or with repetitions.
        """
        ...

    def right(self, item: Item, reply: str) -> bool:
        """Say whether a reply, or an answer that was voted for, is right."""
        ...
