"""The voting rules, one function and one row each.

A rule gives the score of one answer's group; everything around it (grouping, ties, abstentions) is
the same for all and lives in `decision`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.errors import UnknownStrategy, nearest

if TYPE_CHECKING:
    from quorate.voting.vote import Vote


@dataclass(frozen=True)
class Strategy:
    """A voting rule by name. `worth` is what one vote adds to its answer's score.

    `most` bounds what an outstanding vote of a given weight can add, for stopping early.
    """

    name: str
    aliases: tuple[str, ...]
    description: str
    worth: Callable[[Vote], float]
    most: Callable[[float], float]

    def score(self, votes: Sequence[Vote]) -> float:
        """Give the score of an answer that has these votes."""
        return math.fsum(self.worth(vote) for vote in votes)


def _one(vote: Vote) -> float:
    return 1.0


def _weight_times_confidence(vote: Vote) -> float:
    return vote.weight * vote.confidence


_ROWS = (
    Strategy(
        "majority",
        ("majority_voting", "plurality"),
        "The answer with the most ballots wins.",
        worth=_one,
        most=lambda weight: 1.0,
    ),
    Strategy(
        "weighted",
        ("weighted_voting",),
        "The answer with the greatest sum of weight times confidence wins.",
        worth=_weight_times_confidence,
        most=lambda weight: weight,
    ),
)

STRATEGIES: Mapping[str, Strategy] = {row.name: row for row in _ROWS}
"""Every strategy by its name."""

_BY_ANY_NAME = {name: row for row in _ROWS for name in (row.name, *row.aliases)}


def find(name: str) -> Strategy:
    """Give the strategy with a name or alias; raises UnknownStrategy with the nearest names."""
    strategy = _BY_ANY_NAME.get(name.strip().lower().replace("-", "_"))
    if strategy is None:
        raise UnknownStrategy(
            f"there is no strategy {name!r}.{nearest(name, _BY_ANY_NAME)}",
            metadata={"field": "strategy", "value": name},
        )
    return strategy
