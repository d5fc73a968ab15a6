"""Which idle models make room for another one. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.node.ledger import Amounts

HALF_LIFE_SECONDS: Final = 600.0
"""After so long without requests a model's rate counts half."""


@dataclass
class Usage:
    """How often a model is asked: a count of requests that fades. Times in monotonic seconds."""

    requests: float = 0.0
    last_used: float = -math.inf
    _counted_at: float = field(default=0.0, repr=False)

    def add(self, now: float) -> None:
        """Count a request."""
        self.requests = self.faded(now) + 1.0
        self.last_used = self._counted_at = now

    def faded(self, now: float) -> float:
        """Give the count as it is worth now."""
        age = max(0.0, now - self._counted_at)
        return float(self.requests * 0.5 ** (age / HALF_LIFE_SECONDS))


@dataclass(frozen=True)
class Resident:
    """A model in memory: what it holds, and what losing it would cost.

    `requests` is its faded count, `idle_seconds` the time since the last one, `reload_seconds` how
    long its last load took.
    """

    name: str
    holds: Amounts
    requests: float
    idle_seconds: float
    reload_seconds: float
    in_flight: int

    @property
    def loss(self) -> float:
        """Seconds of loading that its next requests would wait for, as far as its past tells.

        A model that nobody asked lately still costs a little, by the age of its last request.
        """
        recent = 1.0 / (1.0 + self.idle_seconds / HALF_LIFE_SECONDS)
        return self.reload_seconds * (self.requests + recent)


def choose_victims(residents: Iterable[Resident], missing: Amounts) -> Sequence[str]:
    """Choose idle models whose memory makes up for what is missing, at little loss.

    None is superfluous. Gives nothing when all idle models together are not enough.
    """
    idle = [resident for resident in residents if resident.in_flight == 0]
    # Cheapest loss for what it gives back first; names make equal ones certain.
    idle.sort(key=lambda one: (one.loss / max(1, _useful(one.holds, missing)), one.name))
    chosen: list[Resident] = []
    for resident in idle:
        if missing.beyond(_total(chosen)):
            chosen.append(resident)
    if missing.beyond(_total(chosen)):
        return ()
    for resident in sorted(chosen, key=lambda one: (-one.loss, one.name)):
        rest = [one for one in chosen if one is not resident]
        if not missing.beyond(_total(rest)):
            chosen = rest
    return [resident.name for resident in chosen]


def _useful(holds: Amounts, missing: Amounts) -> int:
    return min(holds.host_bytes, missing.host_bytes) + min(holds.device_bytes, missing.device_bytes)


def _total(residents: Iterable[Resident]) -> Amounts:
    return sum((resident.holds for resident in residents), Amounts())
