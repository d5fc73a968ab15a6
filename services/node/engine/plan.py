"""What the scheduler and the loop say to each other: requests, limits and the plan of one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.node.engine.messages import FinishReason


class SampleKey(NamedTuple):
    """Which sample of which request."""

    request_id: int
    sample: int


@dataclass(frozen=True)
class Limits:
    """What the context can hold, in sequences and tokens.

    `pool_tokens` is the room that all sequences share, at least `context_tokens`. `queue` is how
    many samples may wait. `chunk_tokens` bounds the prompt tokens of one step.
    """

    slots: int
    context_tokens: int
    pool_tokens: int
    queue: int
    chunk_tokens: int = 256


@dataclass(frozen=True)
class Request:
    """A prompt to be continued `samples` times by at most `max_tokens` tokens each.

    `deadline` is a reading of the clock whose readings `plan` is given, in seconds.
    """

    request_id: int
    prompt: Sequence[int]
    samples: int
    max_tokens: int
    priority: int = 0
    deadline: float | None = None


class Copy(NamedTuple):
    """Let slot `target` share the first `tokens` cells of slot `source`."""

    source: int
    target: int
    tokens: int


class Clear(NamedTuple):
    """Forget everything that a slot holds."""

    slot: int


class Piece(NamedTuple):
    """Tokens to compute for one slot from position `start` on.

    Each sample of `draws` gets a token drawn from the logits of the last one; empty asks for none.
    """

    slot: int
    start: int
    tokens: Sequence[int]
    draws: Sequence[SampleKey]


class Ended(NamedTuple):
    """A sample that was ended without a draw, because of a cancel or its deadline."""

    key: SampleKey
    reason: FinishReason


class Admitted(NamedTuple):
    """A sample that got a slot, and how many of its prompt's tokens another one had computed."""

    key: SampleKey
    cached_tokens: int


@dataclass(frozen=True)
class Plan:
    """One decode step: first the edits in their order, then all pieces in one batch."""

    edits: Sequence[Copy | Clear]
    pieces: Sequence[Piece]
    admitted: Sequence[Admitted]
    ended: Sequence[Ended]
