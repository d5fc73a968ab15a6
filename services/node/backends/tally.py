"""Counts what a remote model did for this node, in the form of an engine's counters. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.node.engine.messages import Counters

if TYPE_CHECKING:
    from services.node.engine.messages import Progress


@dataclass
class Tally:
    """Sums since the node started. A step is one piece of one sample."""

    decode_steps: int = 0
    generated_tokens: int = 0
    prefilled_tokens: int = 0
    cached_tokens: int = 0
    cancelled_samples: int = 0

    def add(self, progress: Progress) -> None:
        """Count what one piece brought."""
        self.decode_steps += len(progress.deltas)
        for finished in progress.finished:
            self.generated_tokens += finished.completion_tokens
            self.cached_tokens += finished.cached_prompt_tokens
            fresh = finished.prompt_tokens - finished.cached_prompt_tokens
            self.prefilled_tokens += max(0, fresh)

    def counters(self, busy_slots: int, queued: int) -> Counters:
        """Give the sums beside what is going on now."""
        return Counters(
            busy_slots=busy_slots,
            queued=queued,
            decode_steps=self.decode_steps,
            generated_tokens=self.generated_tokens,
            prefilled_tokens=self.prefilled_tokens,
            cached_tokens=self.cached_tokens,
            cancelled_samples=self.cancelled_samples,
        )
