"""The requests that wait for slots: whose turn it is, how many there may be, how long they wait."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from quorate.errors import Overloaded

if TYPE_CHECKING:
    from services.node.engine.plan import Limits
    from services.node.engine.running import Group

SHORTEST_ADVICE_SECONDS: Final = 0.1
LONGEST_ADVICE_SECONDS: Final = 30.0
FIRST_GUESS_SECONDS: Final = 1.0
"""How long a sample is taken to last before any has ended."""
NEWEST_SHARE: Final = 0.1
"""Weight of the newest sample in the running mean of how long samples last."""


class Queue:
    """Requests with samples that have no slot yet. `samples` counts those."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._heap: list[tuple[tuple[int, int], int, Group]] = []
        self._places = 0
        self._sample_seconds = FIRST_GUESS_SECONDS
        self.samples = 0

    def check(self, places: int, free_slots: int) -> None:
        """Raise Overloaded when so many samples find no place; `free_slots` are places as well."""
        if self._places + places - free_slots <= self._limits.queue:
            return
        raise Overloaded(
            f"the queue is full: {self._places} samples wait and it holds {self._limits.queue}. "
            "Try again later, or ask for fewer samples.",
            retry_after_seconds=self._advice_seconds(),
            metadata={"subject": "queue", "queued": str(self._places)},
        )

    def add(self, group: Group) -> None:
        """Let a request's samples wait."""
        self.samples += group.waiting
        self._places += group.places
        self._push(group)

    def discard(self, group: Group) -> None:
        """Forget the samples of a request that have not been taken."""
        self.samples -= group.waiting
        self._places -= group.places
        group.next_sample = group.request.samples

    @property
    def first(self) -> Group | None:
        """The request whose sample is the next, None when nothing waits."""
        while self._heap and not self._heap[0][-1].waiting:
            heapq.heappop(self._heap)  # it was discarded
        return self._heap[0][-1] if self._heap else None

    def took_one(self, group: Group) -> None:
        """Count that the first request's next sample was given a slot."""
        heapq.heappop(self._heap)
        before = group.places
        group.next_sample += 1
        self.samples -= 1
        self._places -= before - group.places
        if group.waiting:
            self._push(group)

    def observe(self, seconds: float) -> None:
        """Learn how long a sample held its slot."""
        self._sample_seconds += NEWEST_SHARE * (seconds - self._sample_seconds)

    def _push(self, group: Group) -> None:
        heapq.heappush(self._heap, (group.rank, group.request.request_id, group))

    def _advice_seconds(self) -> float:
        turns = (self.samples + 1) / self._limits.slots
        return min(
            max(self._sample_seconds * turns, SHORTEST_ADVICE_SECONDS), LONGEST_ADVICE_SECONDS
        )
