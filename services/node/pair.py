"""Deliberation: several models answer one prompt at the same time, then the node's own vote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from quorate.errors import DeadlineExceeded, InternalError, QuorateError
from services.node.engine.messages import Finished, FinishReason, Progress
from services.node.verdict import Asked, Ballot, Verdict, Voice, cast, decide

if TYPE_CHECKING:
    from services.node.requests import Order
    from services.node.seats import Seat


Note: TypeAlias = Callable[[Progress], None]
Speak: TypeAlias = "Callable[[Seat, Order, Note], Awaitable[None]]"
"""Has one model speak to its end and notes every step; raises what ended it."""
Receive: TypeAlias = Callable[[Ballot], Awaitable[None]]
"""Is told of each ballot, as soon as its model has ended."""


@dataclass
class _Record:
    """One model's growing record; `clock` gives seconds that only grow."""

    seat: Seat
    clock: Callable[[], float]
    pieces: list[str] = field(default_factory=list)
    tokens: int = 0
    prompt_tokens: int = 0
    finished: Finished | None = None

    def __post_init__(self) -> None:
        self._started = self.clock()

    def add(self, progress: Progress) -> None:
        """Note what one step said; there is one sample."""
        self.prompt_tokens = self.prompt_tokens or progress.prompt_tokens
        for delta in progress.deltas:
            self.pieces.append(delta.text)
            self.tokens += len(delta.tokens)
        for finished in progress.finished:
            self.finished = finished

    def ended_by(self, error: QuorateError | None) -> Voice:
        """Sum up; a sample that the engine gave up was given up for its deadline."""
        if error is None and self.finished is None:
            error = InternalError(f"the engine of {self.seat.model!r} did not end its answer")
        elif error is None and self.finished and self.finished.reason is FinishReason.CANCELLED:
            error = _late(self.seat)
        return Voice(
            self.seat.model,
            self.seat.sha256,
            self.seat.order.sampling.seed if self.seat.order else 0,
            "".join(self.pieces),
            self.prompt_tokens,
            self.tokens,
            self.clock() - self._started,
            self.finished,
            error,
        )


async def deliberate(
    seats: Sequence[Seat],
    about: Asked,
    speak: Speak,
    receive: Receive,
    deadline: float | None,
    clock: Callable[[], float],
) -> Verdict:
    """Have all models speak at the same time, and decide when the last has ended.

    A model that fails, or has not ended at the `deadline` (by the event loop's clock), has a ballot
    that says so, and the others are heard. Raises the first error when all fail. Cancelling it
    gives all generations up.
    """
    errors: list[QuorateError] = []

    async def vote(seat: Seat) -> Ballot:
        voice = await _listen(seat, speak, deadline, clock)
        if voice.error is not None:
            errors.append(voice.error)
        ballot = cast(voice, about)
        await receive(ballot)
        return ballot

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(vote(seat)) for seat in seats]
    if len(errors) == len(seats):
        raise errors[0]
    return decide([task.result() for task in tasks])


async def _listen(
    seat: Seat, speak: Speak, deadline: float | None, clock: Callable[[], float]
) -> Voice:
    record = _Record(seat, clock)
    if seat.order is None:
        return record.ended_by(seat.error)
    try:
        # The engine keeps to the deadline by itself, unless it hangs.
        async with asyncio.timeout_at(deadline):
            await speak(seat, seat.order, record.add)
    except TimeoutError:
        return record.ended_by(_late(seat))
    except QuorateError as error:
        return record.ended_by(error)
    return record.ended_by(None)


def _late(seat: Seat) -> DeadlineExceeded:
    return DeadlineExceeded(f"the time ended before {seat.model!r} had answered")
