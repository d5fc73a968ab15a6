"""Chooses among equal nodes the one that will answer soonest. Pure.

Nodes are equal when they hold the same file of a model. Two of them are drawn, and the one with the
lower expected time wins: its usual time × (calls in flight + 1). Drawing two instead of comparing
all keeps coordinators that share nodes from running after the same one (Mitzenmacher, "The Power
of Two Choices in Randomized Load Balancing", 2001; the measure is Finagle's and Envoy's).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from services.coordinator.breaker import Place

NEWEST: Final = 0.3
"""Weight of the newest measurement in a mean."""


@dataclass
class Load:
    """What is known of a place: calls in flight, and mean seconds and tokens of those that ended.

    A mean of None is not measured.
    """

    in_flight: int = 0
    seconds: float | None = None
    tokens: float | None = None

    def note(self, seconds: float, tokens: float) -> None:
        """Note a call that ended well."""
        self.seconds = _moved(self.seconds, seconds)
        self.tokens = _moved(self.tokens, tokens)


def _moved(mean: float | None, value: float) -> float:
    return value if mean is None else mean + NEWEST * (value - mean)


class Loads:
    """The load of every place."""

    def __init__(self) -> None:
        self._loads: dict[Place, Load] = {}

    def of(self, place: Place) -> Load:
        """Give the load of a place, to read and to change."""
        load = self._loads.get(place)
        if load is None:
            load = self._loads[place] = Load()
        return load

    def holds(self, place: Place, load: Load) -> bool:
        """Say whether a load is still that of a place, and the place was not forgotten since."""
        return self._loads.get(place) is load

    def forget(self, node: str) -> None:
        """Drop what is known of a node that is gone."""
        for place in [place for place in self._loads if place.node == node]:
            del self._loads[place]

    def choose(self, places: Sequence[Place], draw: Callable[[int], int]) -> Place:
        """Choose one of at least one place; `draw(n)` gives a number from 0 to n - 1.

        A place that was not measured counts as the quickest of the others, so that it is tried but
        not overrun.
        """
        if len(places) == 1:
            return places[0]
        known = [load.seconds for load in map(self.of, places) if load.seconds is not None]
        unknown = min(known, default=1.0)
        first = draw(len(places))
        second = (first + 1 + draw(len(places) - 1)) % len(places)
        return min(
            (places[first], places[second]), key=lambda place: self._expected(place, unknown)
        )

    def _expected(self, place: Place, unknown: float) -> float:
        load = self.of(place)
        seconds = unknown if load.seconds is None else load.seconds
        return seconds * (load.in_flight + 1)
