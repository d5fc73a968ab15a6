"""Bounds calls that are made in addition to those asked for, as a share of them. Pure.

Every call earns a part of an extra one. So when all calls fail, retries add a tenth to the load
instead of doubling it (Google, Site Reliability Engineering, ch. 21: "per-client retry budget";
Finagle's RetryBudget). A small steady income lets a client that asks seldom retry too.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 10.0


class ExtraCalls:
    """A purse of extra calls: each call earns `share` of one, each second `per_second`.

    It starts full and holds `most`.
    """

    def __init__(self, share: float, per_second: float, most: float = MOST) -> None:
        self._share = share
        self._per_second = per_second
        self._most = most
        self._held = most
        self._seen: float | None = None

    def earn(self, now: float) -> None:
        """Note a call that was asked for."""
        self._flow(now)
        self._held = min(self._most, self._held + self._share)

    def spend(self, now: float) -> bool:
        """Take one extra call out, or say that there is none."""
        self._flow(now)
        if self._held < 1.0:
            return False
        self._held -= 1.0
        return True

    def _flow(self, now: float) -> None:
        if self._seen is not None:
            earned = max(0.0, now - self._seen) * self._per_second
            self._held = min(self._most, self._held + earned)
        self._seen = now


def retries() -> ExtraCalls:
    """Make the purse of second tries: a tenth of all calls, and one every two seconds."""
    return ExtraCalls(share=0.1, per_second=0.5)
