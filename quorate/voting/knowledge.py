"""What is known of the voters before a vote: their history, by model and pair of models. Pure.

The coordinator's learning makes it, frozen for one question; a library user makes it by hand. It
never holds anything of the vote that is being decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Pair: TypeAlias = tuple[str, str]
"""Two models, the lesser name first."""


class Record(NamedTuple):
    """How often a model was right and wrong; forgetting makes the counts fractions."""

    right: float = 0.0
    wrong: float = 0.0

    @property
    def total(self) -> float:
        """How many items it stands for."""
        return self.right + self.wrong


class Together(NamedTuple):
    """How often two models gave the same answer and different ones, right or not."""

    same: float = 0.0
    different: float = 0.0


class Joint(NamedTuple):
    """How often both of a pair were right, only the first, only the second, and neither."""

    both: float = 0.0
    first: float = 0.0
    second: float = 0.0
    neither: float = 0.0


class Kin(NamedTuple):
    """Where a model comes from: what it shares with another makes their errors alike.

    Empty strings are unknown, and equal nothing.
    """

    sha256: str = ""
    family: str = ""
    node: str = ""


@dataclass(frozen=True)
class Knowledge:
    """The history of models, by their names.

    `overall` and `on_topic` count right and wrong answers, over all topics and on the question's
    `topic`. `together` counts agreement, `joint` errors in common. `options` is how many answers
    the question allows, 0 when that is open.
    """

    overall: Mapping[str, Record] = field(default_factory=dict)
    on_topic: Mapping[str, Record] = field(default_factory=dict)
    together: Mapping[Pair, Together] = field(default_factory=dict)
    joint: Mapping[Pair, Joint] = field(default_factory=dict)
    kin: Mapping[str, Kin] = field(default_factory=dict)
    topic: str = ""
    options: int = 0


NOTHING_KNOWN = Knowledge()


def pair_of(one: str, other: str) -> Pair:
    """Put two models in order."""
    return (one, other) if one <= other else (other, one)
