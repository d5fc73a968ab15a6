"""Recorded ballots as votes: answers are extracted again, so that a replay sees today's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from quorate.answers import Answer, Kind, extract, infer_kind
from quorate.voting import Vote

if TYPE_CHECKING:
    from services.bench.suites.suite import Item
    from services.bench.vote.records import Ballot, Record

Confidence = Callable[["Ballot"], float]
"""How sure a ballot is of being right, in [0, 1]."""

OPTIONS: Mapping[Kind, int] = {Kind.BOOLEAN: 2, Kind.CHOICE: 4}
"""How many answers a question of a kind allows; other kinds are open."""


def as_given(ballot: Ballot) -> float:
    """Give the confidence that the coordinator gave without calibration."""
    return ballot.confidence


@dataclass(frozen=True)
class Case:
    """One item with its ballots, in member order."""

    item: Item
    ballots: tuple[Ballot, ...]
    seconds: float

    @cached_property
    def kind(self) -> Kind:
        """The kind of answer that the mesh infers."""
        return infer_kind(self.item.question)

    @cached_property
    def answers(self) -> tuple[Answer | None, ...]:
        """What each ballot answers; None is an abstention."""
        return tuple(
            extract(ballot.text, self.kind, question=self.item.question) if ballot.valid else None
            for ballot in self.ballots
        )

    @property
    def tokens(self) -> int:
        """Tokens that all ballots cost."""
        return sum(ballot.tokens for ballot in self.ballots)

    def votes(self, confidence: Confidence = as_given) -> list[Vote]:
        """Give the votes."""
        return [
            Vote(ballot.member, answer, confidence(ballot), model=ballot.model)
            for ballot, answer in zip(self.ballots, self.answers, strict=True)
        ]

    def first(self, count: int) -> Case:
        """Keep the first ballots only, with what was extracted from them."""
        kept = Case(self.item, self.ballots[:count], self.seconds)
        kept.__dict__["answers"] = self.answers[:count]  # where cached_property keeps it
        return kept

    def in_order(self, places: Sequence[int]) -> Case:
        """Put the ballots in another order, with what was extracted from them."""
        made = Case(self.item, tuple(self.ballots[place] for place in places), self.seconds)
        made.__dict__["answers"] = tuple(self.answers[place] for place in places)
        return made


def cases(items: Sequence[Item], records: Mapping[str, Record]) -> list[Case]:
    """Join items with what was recorded of them; raises KeyError for one that was not."""
    return [Case(item, records[item.id].ballots, records[item.id].seconds) for item in items]


def members_of(cases: Sequence[Case]) -> list[str]:
    """Name the models that voted, in member order."""
    return list(dict.fromkeys(ballot.model for case in cases for ballot in case.ballots))
