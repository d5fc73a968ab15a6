"""How a server stands: what follows from each look at it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quorate.errors import ModelLoading, Overloaded, QuorateError, Unavailable
from services.node.replica import State

LOST_SECONDS: Final = 30.0
"""How long a server that was there may be gone before its model counts as failed."""


@dataclass(frozen=True)
class Standing:
    """The state of a model, and why it is not READY. `lost_at` is when its server went away."""

    state: State = State.LOADING
    error: QuorateError | None = None
    lost_at: float | None = None

    def after(self, error: QuorateError | None, now_seconds: float) -> Standing:
        """Give how it stands after a look that ended with an error, or well."""
        if error is None:
            return Standing(State.READY)
        if isinstance(error, Overloaded):
            return self  # full is not broken
        if isinstance(error, ModelLoading):
            return Standing(State.LOADING, error)
        if isinstance(error, Unavailable) and self.state in {State.READY, State.RESTARTING}:
            return self._missed(error, now_seconds)
        return Standing(State.FAILED, error, self.lost_at)

    def _missed(self, error: QuorateError, now_seconds: float) -> Standing:
        lost_at = now_seconds if self.lost_at is None else self.lost_at
        gone = now_seconds - lost_at >= LOST_SECONDS
        return Standing(State.FAILED if gone else State.RESTARTING, error, lost_at)
