"""What the coordinator has learned from its calls of the nodes, and what follows for the next one.

One object for all questions, owned by the event loop. Pure but for its clock and its dice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from quorate.errors import DeadlineExceeded, QuorateError, Unavailable
from services.coordinator import hedging, retry_budget
from services.coordinator.balance import Load, Loads
from services.coordinator.breaker import Breakers, Circuit, Place, State, is_failure

if TYPE_CHECKING:
    from services.coordinator.question import Member

FAIR_SECONDS: Final = 5.0
"""A call that was given less and ended unheard was hurried; one that had more was let down."""


class Trip(NamedTuple):
    """One call on its way; `probe` when it is the one that a half-open circuit let through.

    `load` is that of its place when it began: of a place that is forgotten nobody wants to know
    how its last calls end.
    """

    member: Member
    place: Place
    started: float
    probe: bool
    load: Load


class Outcome(NamedTuple):
    """How a call ended: its error (None: well), whether it was heard, and tokens per sample."""

    error: QuorateError | None
    heard: bool
    tokens: float


class Watch(NamedTuple):
    """Who is told about circuits, about hedges ("won", "lost") and retries ("made", "refused")."""

    circuit: Callable[[Place, State], None] = lambda place, state: None
    hedge: Callable[[str], None] = lambda outcome: None
    retry: Callable[[str], None] = lambda outcome: None


UNWATCHED: Final = Watch()


class Traffic:
    """Circuits, loads, latencies and purses. `draw(n)` gives a number from 0 to n - 1."""

    def __init__(
        self, clock: Callable[[], float], draw: Callable[[int], int], watch: Watch = UNWATCHED
    ) -> None:
        self._clock = clock
        self._draw = draw
        self._breakers = Breakers(watch.circuit)
        self._loads = Loads()
        self._latencies = hedging.Latencies()
        self._retries = retry_budget.retries()
        self._hedges = hedging.hedges()
        self.watch = watch

    def allows(self, member: Member) -> bool:
        """Say whether the circuit of a member lets a call through now."""
        return self._breakers.allows(_place(member), self._clock())

    def begin(self, member: Member) -> Trip:
        """Note that a call is made."""
        now, place = self._clock(), _place(member)
        load = self._loads.of(place)
        load.in_flight += 1
        return Trip(member, place, now, self._breakers.enter(place, now), load)

    def end(self, trip: Trip, outcome: Outcome, seconds_given: float) -> None:
        """Note how a call ended."""
        if not self._leave(trip):
            return
        error = outcome.error
        if error is None:
            seconds = self._clock() - trip.started
            self._breakers.succeeded(trip.place)
            trip.load.note(seconds, outcome.tokens)
            if trip.member.sha256:
                self._latencies.note(trip.member.sha256, seconds)
        elif is_failure(error) or _let_down(error, outcome.heard, seconds_given):
            self._breakers.failed(trip.place, self._clock())
        elif trip.probe:
            self._breakers.left(trip.place)

    def abandon(self, trip: Trip) -> None:
        """Note that a call was cancelled, which says nothing about the place."""
        if self._leave(trip) and trip.probe:
            self._breakers.left(trip.place)

    def _leave(self, trip: Trip) -> bool:
        trip.load.in_flight = max(0, trip.load.in_flight - 1)
        return self._loads.holds(trip.place, trip.load)

    def refusal(self, member: Member) -> Unavailable:
        """Explain a circuit that lets nobody through."""
        place, now = _place(member), self._clock()
        circuits = {one.place: one for one in self._breakers.circuits(now)}
        seconds = circuits[place].seconds if place in circuits else 0.0
        return Unavailable(
            f"{member.model} on {member.node} failed several times in a row; its circuit is open"
            f" and lets a call through again in {seconds:.1f} s",
            retry_after_seconds=max(seconds, 0.1),
        )

    def quickest(self, equals: Sequence[Member]) -> Member:
        """Choose among members with the same file, at least one, the one to be called."""
        open_to_calls = [member for member in equals if self.allows(member)] or equals
        by_place = {_place(member): member for member in open_to_calls}
        return by_place[self._loads.choose(list(by_place), self._draw)]

    def load(self, member: Member) -> Load:
        """Give what is known of a member's place."""
        return self._loads.of(_place(member))

    def asked(self) -> None:
        """Note that a call was asked for: it earns a part of a retry and of a hedge."""
        now = self._clock()
        self._retries.earn(now)
        self._hedges.earn(now)

    def may_retry(self) -> bool:
        """Take a second try out of the purse, or say that there is none."""
        allowed = self._retries.spend(self._clock())
        self.watch.retry("made" if allowed else "refused")
        return allowed

    def may_hedge(self) -> bool:
        """Take a hedge out of the purse, or say that there is none."""
        return self._hedges.spend(self._clock())

    def hedge_seconds(self, member: Member) -> float | None:
        """Give how long a call of a member's file may take before it is hedged; None: it never is.

        A file without a checksum is never hedged: nobody knows that another node has the same.
        """
        return hedging.delay_seconds(self._latencies, member.sha256)

    def circuits(self) -> list[Circuit]:
        """List the circuits that are not closed."""
        return self._breakers.circuits(self._clock())

    def forget(self, node: str) -> None:
        """Drop what is known of a node that is gone."""
        self._breakers.forget(node)
        self._loads.forget(node)


def _place(member: Member) -> Place:
    return Place(member.node, member.model)


def _let_down(error: QuorateError, heard: bool, seconds_given: float) -> bool:
    return isinstance(error, DeadlineExceeded) and not heard and seconds_given >= FAIR_SECONDS
