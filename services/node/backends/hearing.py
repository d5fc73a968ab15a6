"""One sample of a remote model as it is heard: what the node reports of it. Pure, with a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from quorate.errors import UnusableReply
from services.node.engine.confidence import Confidence
from services.node.engine.messages import Delta, Finished, FinishReason, Progress

if TYPE_CHECKING:
    from services.node.backends.contract import Piece

PIECES_PER_TOKEN: Final = 4
"""A server may cut a token into characters; one that sends more than this does not keep to
max_tokens."""
SPARE_PIECES: Final = 64


class Hearing:
    """Collects one sample. `clock` gives seconds; the first reading is the arrival."""

    def __init__(self, sample: int, max_tokens: int, clock: Callable[[], float]) -> None:
        self.sample = sample
        self._most_pieces = PIECES_PER_TOKEN * max_tokens + SPARE_PIECES
        self._clock = clock
        self._arrived = clock()
        self._admitted = self._arrived
        self._first: float | None = None
        self._confidence = Confidence()
        self._max_tokens = max_tokens
        self.pieces = 0
        self.finished = False

    @property
    def spoke(self) -> bool:
        """Whether the caller has been told anything that the sample said."""
        return self.pieces > 0

    def admit(self) -> None:
        """Note that a slot was given."""
        self._admitted = self._clock()

    def hear(self, piece: Piece) -> Progress:
        """Give what a piece means to the caller; raises UnusableReply when there is no end."""
        if piece.text or piece.tokens:
            self._count(piece)
        deltas = (
            (Delta(self.sample, piece.text, piece.tokens),) if piece.text or piece.tokens else ()
        )
        finished = (self._finish(piece, piece.reason),) if piece.reason else ()
        return Progress(0, piece.prompt_tokens, deltas, finished)

    def _count(self, piece: Piece) -> None:
        if self._first is None:
            self._first = self._clock()
        self.pieces += 1
        if self.pieces > self._most_pieces:
            raise UnusableReply(
                f"the server goes on after {self.pieces} pieces, though max_tokens was "
                f"{self._max_tokens}"
            )
        for token in piece.tokens:
            self._confidence.add(token.logprob, [other.logprob for other in token.top])

    def _finish(self, piece: Piece, reason: FinishReason) -> Finished:
        self.finished = True
        completion = piece.completion_tokens or self.pieces
        # A server says "length" for both limits; the contract tells them apart.
        if reason is FinishReason.LENGTH and 0 < piece.completion_tokens < self._max_tokens:
            reason = FinishReason.CONTEXT_FULL
        return Finished(
            sample=self.sample,
            reason=reason,
            prompt_tokens=piece.prompt_tokens if self.sample == 0 else 0,
            completion_tokens=completion,
            cached_prompt_tokens=piece.cached_tokens,
            queue_seconds=self._admitted - self._arrived,
            first_token_seconds=0.0 if self._first is None else self._first - self._arrived,
            total_seconds=self._clock() - self._arrived,
            mean_logprob=self._confidence.mean_logprob,
            lowest_group_confidence=self._confidence.lowest_group,
        )
