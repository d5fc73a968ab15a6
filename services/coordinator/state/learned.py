"""What was learned, as plain immutable values, and the changes that an answer makes to it. Pure.

A model is known by its name and the SHA-256 of its file: a changed file starts anew, and one that
comes back finds its history again. A backend that cannot tell the SHA-256 is known by name alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from quorate.voting.knowledge import Joint, Record, Together

SHOWN_DIGITS = 12
"""So many digits of a SHA-256 stand in a model's id; the store keeps all of them."""


class ModelKey(NamedTuple):
    """A model: its name, and its file's SHA-256 in lower-case hex ("" when it is not known)."""

    name: str
    sha256: str = ""

    @property
    def id(self) -> str:
        """How votes and `Knowledge` name the model: "atlas@0123456789ab", or "atlas"."""
        return f"{self.name}@{self.sha256[:SHOWN_DIGITS]}" if self.sha256 else self.name


class Evidence(StrEnum):
    """How it is known that an answer was right; CONSENSUS, that others said the same, is weak."""

    TRUTH = "truth"
    TEST = "test"
    VERIFIER = "verifier"
    CONSENSUS = "consensus"


STRONG = frozenset(Evidence) - {Evidence.CONSENSUS}

KeyPair: TypeAlias = tuple[ModelKey, ModelKey]
"""Two models, the lesser one first."""
Cell: TypeAlias = tuple[ModelKey, str, Evidence]
"""A model, a topic ("" is unknown) and a kind of evidence, counted apart from every other."""


class RecordChange(NamedTuple):
    """An answer of a model was right, or wrong; fractions are shares of several samples."""

    model: ModelKey
    topic: str
    evidence: Evidence
    right: float
    wrong: float


class TogetherChange(NamedTuple):
    """Two models answered the same, or not."""

    pair: KeyPair
    same: float
    different: float


class JointChange(NamedTuple):
    """Both of two models were right, only one of them, or neither."""

    pair: KeyPair
    both: float
    first: float
    second: float
    neither: float


class BallotItem(NamedTuple):
    """A model said with an uncalibrated confidence in [0, 1] what turned out right or wrong."""

    model: ModelKey
    topic: str
    confidence: float
    right: bool


class AnswerItem(NamedTuple):
    """A vote under a strategy, described by features, had a winner that was right or wrong."""

    strategy: str
    topic: str
    features: Mapping[str, float]
    right: bool


class Heard(NamedTuple):
    """What a model said to a question: how surely, in [0, 1], whether right, and at what cost.

    The cost is in GiB of weights times tokens: a token costs a pass over the weights.
    """

    confidence: float
    right: bool
    cost: float


class RungItem(NamedTuple):
    """What each of several models, by id, said to one question before it read any other."""

    topic: str
    said: Mapping[str, Heard]


class Changes(NamedTuple):
    """All that one answer changes."""

    records: tuple[RecordChange, ...] = ()
    together: tuple[TogetherChange, ...] = ()
    joint: tuple[JointChange, ...] = ()
    ballots: tuple[BallotItem, ...] = ()
    answers: tuple[AnswerItem, ...] = ()
    rungs: tuple[RungItem, ...] = ()

    @property
    def models(self) -> tuple[ModelKey, ...]:
        """Whose reliability changes, in order."""
        return tuple(sorted({change.model for change in self.records}))

    def plus(self, other: Changes) -> Changes:
        """Put two answers' changes together, in order."""
        return Changes(
            self.records + other.records,
            self.together + other.together,
            self.joint + other.joint,
            self.ballots + other.ballots,
            self.answers + other.answers,
            self.rungs + other.rungs,
        )


NO_CHANGES = Changes()


@dataclass(frozen=True)
class State:
    """All counts; items of calibration are kept by the store alone, for there are many."""

    records: Mapping[Cell, Record] = field(default_factory=dict)
    together: Mapping[KeyPair, Together] = field(default_factory=dict)
    joint: Mapping[KeyPair, Joint] = field(default_factory=dict)


NOTHING_LEARNED = State()


def pair_of(one: ModelKey, other: ModelKey) -> KeyPair:
    """Put two models in order."""
    return (one, other) if one <= other else (other, one)
