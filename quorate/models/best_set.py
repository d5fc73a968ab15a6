"""Searches the best set of models: depth first, in the order of worth, cut by bounds. Pure.

What a set is worth stands in `quorate.models.fit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from quorate.models.choice import Choice, Wish

SAME_FAMILY: Final = 0.5
SPECIALITY: Final = 0.2
WEAKEST: Final = 0.6
ROUNDING: Final = 1e-9
"""Values closer than this are equal: sums differ in their last digits with their order."""


class Search:
    """Finds the best set; `options` are the places of each model, in the order of its worth."""

    def __init__(self, options: Sequence[Sequence[Choice]], wish: Wish) -> None:
        self._options = options
        self._wish = wish
        self._most = wish.nodes * wish.models_per_node
        self._better = [_better(options, index) for index in range(len(options))]
        self._first = self._end = 0
        self._taken: list[Choice] = []
        self._indices: list[int] = []
        self._value = 0.0
        self.best: tuple[Choice, ...] = ()
        self.best_value = -1.0

    def run(self) -> None:
        """Go through the sets by their best model, which says how weak the others may be."""
        for first, places in enumerate(self._options):
            self._first, self._end = first, self._reach(places[0])
            if self._bound(first) > self.best_value + ROUNDING:
                for choice in places:
                    self._with(choice, first, self._wish.memory_bytes, self._wish.accelerator_bytes)

    def _reach(self, best: Choice) -> int:
        least = WEAKEST * best.candidate.worth
        worths = [places[0].candidate.worth for places in self._options]
        return sum(worth >= least for worth in worths)

    def _with(self, choice: Choice, index: int, host: int, device: int) -> None:
        host -= choice.memory.host_bytes
        device -= choice.memory.device_bytes
        if host < 0 or device < 0:
            return
        candidate = choice.candidate
        same = sum(taken.candidate.family == candidate.family for taken in self._taken)
        gain = candidate.worth * SAME_FAMILY**same
        self._taken.append(choice)
        self._indices.append(index)
        self._value += gain
        self._compare()
        self._beyond(index + 1, host, device)
        self._value -= gain
        self._indices.pop()
        self._taken.pop()

    def _beyond(self, index: int, host: int, device: int) -> None:
        if len(self._taken) == self._most:
            return
        for later in range(index, self._end):
            if self._bound(later) <= self.best_value + ROUNDING:
                return
            if not self._wasteful(later):
                for choice in self._options[later]:
                    self._with(choice, later, host, device)

    def _wasteful(self, index: int) -> bool:
        """Whether a model was left out that could stand for this one in any set.

        One before the first of the set cannot: it would raise what the weakest must reach.
        """
        return any(one > self._first and one not in self._indices for one in self._better[index])

    def _bound(self, index: int) -> float:
        """Give what no set can exceed that goes on with the models from an index."""
        families = Counter(choice.candidate.family for choice in self._taken)
        rest = [places[0] for places in self._options[index : self._end]]
        gains = []
        for choice in rest:
            family = choice.candidate.family
            gains.append(choice.candidate.worth * SAME_FAMILY ** families[family])
            families[family] += 1
        free = self._most - len(self._taken)
        return self._value + sum(nlargest(free, gains)) + _code([*self._taken, *rest])

    def _compare(self) -> None:
        value = self._value + _code(self._taken)
        if value > self.best_value + ROUNDING:
            self.best, self.best_value = tuple(self._taken), value


def _better(options: Sequence[Sequence[Choice]], index: int) -> tuple[int, ...]:
    """Give the models before one that are of its kind and nowhere take more memory."""
    mine = options[index]
    return tuple(
        earlier for earlier, places in enumerate(options[:index]) if _stands_for(places, mine)
    )


def _stands_for(places: Sequence[Choice], others: Sequence[Choice]) -> bool:
    one, other = places[0].candidate, others[0].candidate
    room = {bool(place.gpu_layers): place.memory for place in places}
    return (one.family, one.speciality) == (other.family, other.speciality) and all(
        (mine := room.get(bool(place.gpu_layers))) is not None
        and mine.host_bytes <= place.memory.host_bytes
        and mine.device_bytes <= place.memory.device_bytes
        for place in others
    )


def _code(choices: Sequence[Choice]) -> float:
    """Give what the best of the code models adds."""
    code = [one.candidate.quality for one in choices if one.candidate.speciality == "code"]
    return SPECIALITY * max(code, default=0.0)
