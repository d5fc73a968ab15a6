"""When a call is so late that a second one elsewhere is worth making. Pure.

A call that takes longer than most calls of its model is asked of another node as well; the first
ballot counts (Dean and Barroso, "The Tail at Scale", 2013). The wait is a high quantile of measured
times, so few calls are hedged; a purse bounds them also when everything becomes slow at once.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from services.coordinator.retry_budget import ExtraCalls

QUANTILE: Final = 0.95
FEWEST: Final = 16
"""With fewer measurements a quantile says little, and nothing is hedged."""
REMEMBERED: Final = 128
SHORTEST_SECONDS: Final = 0.02
"""Below it a hedge costs more than it can win."""


class Latencies:
    """The latest times that calls of each model file took, in seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = {}

    def note(self, file: str, seconds: float) -> None:
        """Note how long a call took that ended well."""
        self._seconds.setdefault(file, deque(maxlen=REMEMBERED)).append(seconds)

    def quantile(self, file: str, share: float) -> float | None:
        """Give the time that this share of calls does not exceed; None with too few of them."""
        known = self._seconds.get(file)
        if known is None or len(known) < FEWEST:
            return None
        return sorted(known)[max(0, math.ceil(share * len(known)) - 1)]


def delay_seconds(latencies: Latencies, file: str) -> float | None:
    """Give how long a call may take before it is hedged; None: it never is."""
    usual = latencies.quantile(file, QUANTILE) if file else None
    return None if usual is None else max(SHORTEST_SECONDS, usual)


def hedges() -> ExtraCalls:
    """Make the purse of hedges: a twentieth of all calls, and none for waiting."""
    return ExtraCalls(share=0.05, per_second=0.0, most=5.0)
