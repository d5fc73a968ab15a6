"""How many prompt tokens a step may compute beside the tokens that running samples wait for.

A prompt of usual length is computed at once: that is one longer pause for the others. A long one
would be many, so it is spread, and steps last a bounded multiple of what they last without it. Both
costs are learnt from the steps themselves; a model of 100 MB and one of 10 GB differ by a hundred.
"""

from __future__ import annotations

from typing import Final

SHORT_TOKENS: Final = 256
"""A prompt with at most this many tokens to compute does not yield to running samples."""
GROWTH: Final = 2.2
"""With long prompts beside it, a step may last so many times what it lasts without."""
LONGEST_STEP_SECONDS: Final = 1.0
"""Cancels and new requests are looked at between steps."""
FEWEST_TOKENS: Final = 8
"""Less would hardly get on."""
NEWEST_SHARE: Final = 0.2
"""Weight of the newest step in the running means."""


class Pace:
    """Learns what steps cost, and bounds the prompt tokens of the next one."""

    def __init__(self, chunk_tokens: int) -> None:
        self._chunk_tokens = chunk_tokens
        self._token_seconds: float | None = None
        self._decode_seconds: float | None = None

    def observe(self, prompt_tokens: int, decoding: int, seconds: float) -> None:
        """Take a step's time: so many prompt tokens, and one token for each sample decoding."""
        if prompt_tokens == 0:
            self._decode_seconds = _mean(self._decode_seconds, seconds)
            return
        rest = seconds - (self._decode_seconds or 0.0) * (decoding > 0)
        self._token_seconds = _mean(self._token_seconds, max(rest, 0.0) / prompt_tokens)

    def at_once(self) -> int:
        """How many prompt tokens a step may compute in all."""
        if not self._token_seconds:
            return self._chunk_tokens
        return self._between(LONGEST_STEP_SECONDS / self._token_seconds)

    def beside(self) -> int:
        """How many of them may belong to long prompts while samples are decoding."""
        if not self._token_seconds or not self._decode_seconds:
            return min(FEWEST_TOKENS, self._chunk_tokens)
        return self._between((GROWTH - 1) * self._decode_seconds / self._token_seconds)

    def _between(self, tokens: float) -> int:
        return int(min(max(tokens, FEWEST_TOKENS), self._chunk_tokens))


def _mean(mean: float | None, newest: float) -> float:
    return newest if mean is None else mean + NEWEST_SHARE * (newest - mean)
