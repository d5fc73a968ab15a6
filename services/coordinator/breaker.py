"""Stops calling a model that fails, and tries it again carefully. Pure; one circuit per place.

A circuit opens after failures in a row, lets nobody through for a while that doubles each time,
then lets one call through as a probe: its success closes the circuit. Being full is not a failure
(a breaker that opens on saturation turns a peak into an outage), nor are the asker's mistakes,
calls that were cancelled, and states that a node announces itself, such as loading or draining.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from quorate.errors import (
    Draining,
    InternalError,
    ModelLoading,
    ModelUnusable,
    NoNodes,
    QuorateError,
    Unavailable,
    UnusableReply,
    WrongModel,
)

FAILURES: Final = 5
"""Failures in a row that open a circuit."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0

_FAILURES: Final = (Unavailable, InternalError, ModelUnusable, WrongModel, UnusableReply)
_ANNOUNCED: Final = (ModelLoading, Draining, NoNodes)


class Place(NamedTuple):
    """Where calls go: a model on a node."""

    node: str
    model: str


class State(IntEnum):
    """What a circuit does with calls; the numbers are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Circuit(NamedTuple):
    """A circuit as it is shown: `seconds` until the next call may go through, 0 when one may."""

    place: Place
    state: State
    seconds: float


@dataclass
class _Record:
    failures: int = 0
    openings: int = 0
    open_until: float | None = None
    probing: bool = False


def is_failure(error: QuorateError) -> bool:
    """Say whether an error is the fault of the place that was called."""
    return isinstance(error, _FAILURES) and not isinstance(error, _ANNOUNCED)


class Breakers:
    """The circuits of all places that were called; times are seconds on any one clock.

    `changed` is told about every change of a circuit's state.
    """

    def __init__(self, changed: Callable[[Place, State], None] = lambda place, state: None) -> None:
        self._records: dict[Place, _Record] = {}
        self._changed = changed

    def state(self, place: Place, now: float) -> State:
        """Give a circuit's state at a moment."""
        record = self._records.get(place)
        if record is None or record.open_until is None:
            return State.CLOSED
        return State.OPEN if now < record.open_until else State.HALF_OPEN

    def allows(self, place: Place, now: float) -> bool:
        """Say whether a call may go through: in a half-open circuit one at a time."""
        state = self.state(place, now)
        if state is State.HALF_OPEN:
            return not self._records[place].probing
        return state is State.CLOSED

    def enter(self, place: Place, now: float) -> bool:
        """Note that a call goes through; gives whether it is the probe of a half-open circuit."""
        if self.state(place, now) is State.HALF_OPEN and not self._records[place].probing:
            self._records[place].probing = True
            self._changed(place, State.HALF_OPEN)
            return True
        return False

    def succeeded(self, place: Place) -> None:
        """Note that a call went well: the circuit closes and forgets."""
        record = self._records.pop(place, None)
        if record is not None and record.open_until is not None:
            self._changed(place, State.CLOSED)

    def failed(self, place: Place, now: float) -> None:
        """Note a failure: enough of them in a row, or one of a probe, open the circuit."""
        record = self._records.setdefault(place, _Record())
        record.failures += 1
        probed, record.probing = record.probing, False
        late = record.open_until is not None and now < record.open_until
        if late or (record.failures < FAILURES and not probed):
            return  # calls that were in flight when the circuit opened do not open it again
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**record.openings)
        record.open_until = now + pause
        record.openings += 1
        self._changed(place, State.OPEN)

    def left(self, place: Place) -> None:
        """Note that a probe ended without telling anything: another one may go."""
        record = self._records.get(place)
        if record is not None:
            record.probing = False

    def forget(self, node: str) -> None:
        """Drop the circuits of a node that is gone."""
        for place in [place for place in self._records if place.node == node]:
            self.succeeded(place)

    def circuits(self, now: float) -> list[Circuit]:
        """List the circuits that are not closed, by place."""
        return [
            Circuit(place, self.state(place, now), max(0.0, record.open_until - now))
            for place, record in sorted(self._records.items())
            if record.open_until is not None
        ]
