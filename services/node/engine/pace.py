"""How many prompt tokens a step may compute beside the tokens that running samples wait for.

A prompt of usual length is computed at once: that is one longer pause for the others. A long one
would be many, so it is spread, and steps last a bounded multiple of what they last without it. Both
costs are learnt from the steps themselves; a model of 100 MB and one of 10 GB differ by a hundred.
"""

from __future__ import annotations

from typing import Final

SHORT_TOKENS: Final = 256
"""A prompt with at most this many tokens to compute does not yield to running samples."""
GROWTH: Final = 2.8
"""With long prompts beside it, a step may last so many times what it lasts without."""
LONGEST_STEP_SECONDS: Final = 1.0
"""Cancels and new requests are looked at between steps."""
FEWEST_TOKENS: Final = 4
"""Less would hardly get on."""
FIRST_TOKENS: Final = 16
"""What to begin with beside running samples."""
FULL_SHARE: Final = 0.8
"""A step says something about the bound when it used so much of it."""
NEWEST_SHARE: Final = 0.2
"""Weight of the newest step in the running means."""


class Pace:
    """Learns what steps cost, and bounds the prompt tokens of the next one."""

    def __init__(self, chunk_tokens: int) -> None:
        self._chunk_tokens = chunk_tokens
        self._token_seconds: float | None = None
        self._decode_seconds: float | None = None
        self._beside = float(FIRST_TOKENS)

    def observe(self, prompt_tokens: int, long_tokens: int, decoding: int, seconds: float) -> None:
        """Take a step's time: prompt tokens, those of long ones, and samples that decoded."""
        if prompt_tokens == 0:
            self._decode_seconds = _mean(self._decode_seconds, seconds)
        elif not decoding:
            self._token_seconds = _mean(self._token_seconds, seconds / prompt_tokens)
        elif prompt_tokens == long_tokens >= FULL_SHARE * self.beside():
            self._steer(seconds)

    def _steer(self, seconds: float) -> None:
        # Steered by the duration itself: a prompt's tokens cost a fixed part too, and ever more
        # the longer the prompt is.
        if self._decode_seconds:
            ratio = GROWTH * self._decode_seconds / max(seconds, 1e-9)
            self._beside = self._bounded(self._beside * min(max(ratio, 0.5), 1.5) ** 0.5)

    def at_once(self) -> int:
        """How many prompt tokens a step may compute in all."""
        if not self._token_seconds:
            return self._chunk_tokens
        return int(self._bounded(LONGEST_STEP_SECONDS / self._token_seconds))

    def beside(self) -> int:
        """How many of them may belong to long prompts while samples are decoding."""
        return int(self._bounded(self._beside))

    def _bounded(self, tokens: float) -> float:
        return min(max(tokens, FEWEST_TOKENS), self._chunk_tokens)


def _mean(mean: float | None, newest: float) -> float:
    return newest if mean is None else mean + NEWEST_SHARE * (newest - mean)
