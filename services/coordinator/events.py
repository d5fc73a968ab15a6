"""What happens on the way to an answer, as a stream tells it. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.coordinator.outcome import Certificate, Decision, Plan, Result, Standing
    from services.coordinator.question import Ballot, Seat
    from services.coordinator.routing.moves import Move
    from services.coordinator.routing.routed import PlanStep


class Planned(NamedTuple):
    """The question was split and planned."""

    plan: Plan


class Routing(NamedTuple):
    """A layer of parts was planned, or planned again."""

    step: PlanStep


class Moved(NamedTuple):
    """A model is loaded or unloaded because a plan says so.

    `seconds` is what it took once it is `done`; `problem` says why it failed.
    """

    move: Move
    seconds: float = 0.0
    done: bool = False
    problem: str = ""


class Started(NamedTuple):
    """A model began to answer a part."""

    part_id: str
    seat: Seat


class Token(NamedTuple):
    """A model said more."""

    part_id: str
    seat: Seat
    text: str


class Cast(NamedTuple):
    """A ballot is complete."""

    ballot: Ballot


@dataclass(frozen=True)
class Leading:
    """A part has a leading answer; `outstanding` ballots are still expected."""

    part_id: str
    answer: str
    standings: tuple[Standing, ...]
    outstanding: int


class Retracted(NamedTuple):
    """A part's leading answer was overturned by a ballot."""

    part_id: str
    withdrawn: str
    answer: str
    ballot_id: str


class Certified(NamedTuple):
    """A part's leading answer is certified to be the mode; told once, when it is first reached."""

    certificate: Certificate


class Decided(NamedTuple):
    """A part is decided."""

    decision: Decision


class Merging(NamedTuple):
    """More text of the merged answer; `restart` withdraws what was sent before."""

    text: str
    restart: bool = False


class Finished(NamedTuple):
    """The whole answer; always last."""

    result: Result


Event = (
    Planned
    | Routing
    | Moved
    | Started
    | Token
    | Cast
    | Leading
    | Retracted
    | Certified
    | Decided
    | Merging
    | Finished
)


class Listener(NamedTuple):
    """Who is told what happens.

    `tell` waits while the listener is behind, so that a slow reader slows the models down instead
    of filling memory. `ballots` and `tokens` say which events it wants at all: whatever nobody
    reads is never computed.
    """

    tell: Callable[[Event], Awaitable[None]]
    ballots: bool = True
    tokens: bool = True


async def _ignore(_: Event) -> None:
    pass


NOBODY = Listener(_ignore, ballots=False, tokens=False)
"""For callers who want the answer alone."""
