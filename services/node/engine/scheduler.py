"""Continuous batching without I/O: requests in, the plan of the next decode step out.

The loop calls `plan`, executes it, and reports every drawn token with `advance`. Each running
sample gets one token per step; prompts are computed in chunks that share a bounded number of
tokens, so that a long prompt never stalls others. The samples of one prompt share its computation:
one of them computes it, the others copy its key-value cells.

Waiting samples go by priority, then by arrival + sample index: a request with many samples lets
later ones in between, yet at most `i` of them overtake its sample i, so that nobody starves.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from quorate.errors import Overloaded
from services.node.engine.messages import FinishReason
from services.node.engine.plan import (
    Admitted,
    Clear,
    Copy,
    Ended,
    Limits,
    Piece,
    Plan,
    Request,
    SampleKey,
)

SHORTEST_ADVICE_SECONDS = 0.1
LONGEST_ADVICE_SECONDS = 30.0
FIRST_GUESS_SECONDS = 1.0
"""How long a sample is taken to last before any has ended."""
NEWEST_SHARE = 0.1
"""Weight of the newest sample in the running mean of how long samples last."""


@dataclass(slots=True, eq=False)
class _Sequence:
    """A sample that holds a slot.

    `position` counts its computed tokens, `pending` is the drawn token that is computed next, and
    `leader` the sibling that computes the prompt for it.
    """

    group: _Group
    key: SampleKey
    slot: int
    admitted_seconds: float
    position: int = 0
    pending: int | None = None
    generated: int = 0
    leader: _Sequence | None = None


@dataclass(slots=True, eq=False)
class _Group:
    """A request in progress; `room` is how many new tokens each sample may have."""

    request: Request
    arrival: int
    room: int
    live: list[_Sequence] = field(default_factory=list)
    next_sample: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """Where its next sample stands among the waiting: lower goes first."""
        return (-self.request.priority, self.arrival + self.next_sample)

    @property
    def waiting(self) -> int:
        return self.request.samples - self.next_sample

    def cost(self) -> int:
        """Tokens that one more sample reserves: a prompt is counted once while a sample lives."""
        return self.room + (0 if self.live else len(self.request.prompt))


class Scheduler:
    """Decides what each decode step computes. Owned by one loop; never blocks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._groups: dict[int, _Group] = {}
        self._running: dict[SampleKey, _Sequence] = {}
        self._by_slot: list[_Sequence] = []
        self._waiting: list[tuple[tuple[int, int], int]] = []
        self._edits: list[Copy | Clear] = []
        self._ended: list[Ended] = []
        self._arrivals = 0
        self._reserved_tokens = 0
        self._sample_seconds = FIRST_GUESS_SECONDS
        self.queued = 0
        self.prefilled_tokens = 0
        self.cached_tokens = 0
        self.cancelled_samples = 0

    @property
    def busy_slots(self) -> int:
        """How many slots are held now."""
        return len(self._by_slot)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to compute and nothing to report."""
        return not (self._groups or self._ended or self._edits)

    def submit(self, request: Request) -> None:
        """Take a request whose prompt leaves room in the context; raises Overloaded when full."""
        free = self._limits.slots - len(self._by_slot)
        if self.queued + request.samples - free > self._limits.queue:
            raise Overloaded(
                f"the queue is full: {self.queued} samples wait and it holds "
                f"{self._limits.queue}. Try again later, or ask for fewer samples.",
                retry_after_seconds=self._advice_seconds(),
                metadata={"subject": "queue", "queued": str(self.queued)},
            )
        room = min(request.max_tokens, self._limits.context_tokens - len(request.prompt))
        group = _Group(request, self._arrivals, room)
        self._arrivals += 1
        self._groups[request.request_id] = group
        self.queued += request.samples
        heapq.heappush(self._waiting, (group.rank, request.request_id))

    def cancel(self, request_id: int) -> None:
        """Give up a request; unknown ones are ignored. Its slots are free in the next plan."""
        group = self._groups.pop(request_id, None)
        if group is None:
            return
        keys = [sequence.key for sequence in group.live]
        keys += [SampleKey(request_id, i) for i in range(group.next_sample, group.request.samples)]
        self._ended += [Ended(key, FinishReason.CANCELLED) for key in keys]
        self.cancelled_samples += len(keys)
        self.queued -= group.waiting
        for sequence in tuple(group.live):
            self._release(sequence)

    def plan(self, now_seconds: float) -> Plan:
        """Decide the next step; its pieces count as computed from here on."""
        expired = [
            request_id
            for request_id, group in self._groups.items()
            if group.request.deadline is not None and group.request.deadline <= now_seconds
        ]
        for request_id in expired:
            self.cancel(request_id)
        self._close_gaps()
        admitted = tuple(self._admit(now_seconds))
        edits, self._edits = self._edits, []
        ended, self._ended = self._ended, []
        pieces = [*self._decode_pieces(), *self._prefill_pieces()]
        return Plan(edits, pieces, admitted, ended)

    def advance(
        self, key: SampleKey, token: int, *, stop: bool, now_seconds: float
    ) -> FinishReason | None:
        """Take a sample's drawn token; gives why the sample ended, or None when it goes on.

        `stop` says that the token, or the text it completes, ends the sample.
        """
        sequence = self._running[key]
        sequence.generated += 1
        sequence.pending = token
        reason = self._reason_to_end(sequence, stop=stop)
        if reason is not None:
            lasted = now_seconds - sequence.admitted_seconds
            self._sample_seconds += NEWEST_SHARE * (lasted - self._sample_seconds)
            self._release(sequence)
        return reason

    def _reason_to_end(self, sequence: _Sequence, *, stop: bool) -> FinishReason | None:
        if stop:
            return FinishReason.STOP
        if sequence.generated >= sequence.group.request.max_tokens:
            return FinishReason.LENGTH
        if sequence.position >= self._limits.context_tokens:
            return FinishReason.CONTEXT_FULL
        return None

    def _admit(self, now_seconds: float) -> Iterator[Admitted]:
        """Give free slots to the waiting, strictly in their order: none is passed over."""
        while self._waiting and len(self._by_slot) < self._limits.slots:
            rank, request_id = self._waiting[0]
            group = self._groups.get(request_id)
            if group is None or group.rank != rank or not group.waiting:
                heapq.heappop(self._waiting)  # left over from a cancelled or finished request
                continue
            if self._reserved_tokens + group.cost() > self._limits.pool_tokens:
                return
            heapq.heappop(self._waiting)
            yield self._start(group, now_seconds)
            if group.waiting:
                heapq.heappush(self._waiting, (group.rank, request_id))

    def _start(self, group: _Group, now_seconds: float) -> Admitted:
        key = SampleKey(group.request.request_id, group.next_sample)
        sequence = _Sequence(group, key, len(self._by_slot), now_seconds)
        self._reserved_tokens += group.cost()
        donor = group.live[0] if group.live else None
        whole = len(group.request.prompt)
        if donor is not None and donor.position < whole:
            sequence.leader = donor.leader or donor
            cached = whole
        elif donor is not None:  # the last token is computed again: its logits are gone
            sequence.position = cached = whole - 1
            self._edits.append(Copy(donor.slot, sequence.slot, cached))
        else:
            cached = 0
        self.cached_tokens += cached
        group.next_sample += 1
        self.queued -= 1
        group.live.append(sequence)
        self._running[key] = sequence
        self._by_slot.append(sequence)
        return Admitted(key, cached)

    def _decode_pieces(self) -> Iterator[Piece]:
        for sequence in self._by_slot:
            if sequence.pending is not None:
                yield Piece(sequence.slot, sequence.position, (sequence.pending,), (sequence.key,))
                sequence.position += 1
                sequence.pending = None

    def _prefill_pieces(self) -> Iterator[Piece]:
        """Share the chunk among the prompts evenly, what short ones leave going to the longer."""
        prompts = [
            sequence
            for sequence in self._by_slot
            if sequence.leader is None and sequence.position < len(sequence.group.request.prompt)
        ]
        prompts.sort(key=lambda sequence: len(sequence.group.request.prompt) - sequence.position)
        left = self._limits.chunk_tokens
        for index, sequence in enumerate(prompts):
            share = -(-left // (len(prompts) - index))
            if share == 0:
                return
            piece = self._chunk(sequence, share)
            left -= len(piece.tokens)
            yield piece

    def _chunk(self, sequence: _Sequence, share: int) -> Piece:
        prompt = sequence.group.request.prompt
        start, end = sequence.position, min(sequence.position + share, len(prompt))
        sequence.position = end
        self.prefilled_tokens += end - start
        if end < len(prompt):
            return Piece(sequence.slot, start, prompt[start:end], ())
        draws = [sequence.key]
        for follower in sequence.group.live:
            if follower.leader is sequence:
                follower.leader = None
                follower.position = end
                draws.append(follower.key)
                # Carried out before the next step, and before a Clear should the leader end now.
                self._edits.append(Copy(sequence.slot, follower.slot, end))
        return Piece(sequence.slot, start, prompt[start:end], draws)

    def _release(self, sequence: _Sequence) -> None:
        group = sequence.group
        group.live.remove(sequence)
        self._reserved_tokens -= group.cost()
        del self._running[sequence.key]
        self._by_slot.remove(sequence)
        self._edits.append(Clear(sequence.slot))
        if not group.live and not group.waiting:
            self._groups.pop(group.request.request_id, None)

    def _close_gaps(self) -> None:
        """Keep the slots in use adjacent, because llama.cpp splits a batch at gaps between them."""
        count = len(self._by_slot)
        taken = {sequence.slot for sequence in self._by_slot}
        gaps = [slot for slot in range(count) if slot not in taken]
        strays = [sequence for sequence in self._by_slot if sequence.slot >= count]
        for gap, sequence in zip(gaps, strays, strict=True):
            if sequence.position:
                self._edits += (Copy(sequence.slot, gap, sequence.position), Clear(sequence.slot))
            sequence.slot = gap
        if gaps:
            self._by_slot.sort(key=lambda sequence: sequence.slot)

    def _advice_seconds(self) -> float:
        turns = (self.queued + 1) / self._limits.slots
        return min(
            max(self._sample_seconds * turns, SHORTEST_ADVICE_SECONDS), LONGEST_ADVICE_SECONDS
        )
