"""Continuous batching without I/O: requests in, the plan of the next decode step out.

The loop calls `plan`, executes it, and reports every drawn token with `advance`. Each running
sample gets one token per step; prompts are computed in chunks that share a bounded number of
tokens, so that a long prompt never stalls others. The samples of one prompt share its computation:
one of them computes it, the others copy its key-value cells. What an ended sample computed is kept
for prompts that begin like it, until its room is needed.

Waiting samples go by priority, then by arrival + sample index: a request with many samples lets
later ones in between, yet at most `i` of them overtake its sample i, so that nobody starves.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from quorate.errors import Overloaded
from services.node.engine.messages import FinishReason
from services.node.engine.pace import SHORT_TOKENS, Pace
from services.node.engine.plan import (
    Admitted,
    Copy,
    Ended,
    Limits,
    Piece,
    Plan,
    Request,
    SampleKey,
)
from services.node.engine.running import Group, Sample
from services.node.engine.slots import Match, SlotTable

SHORTEST_ADVICE_SECONDS = 0.1
LONGEST_ADVICE_SECONDS = 30.0
FIRST_GUESS_SECONDS = 1.0
"""How long a sample is taken to last before any has ended."""
MOST_PUT_OFF = 3
"""So many steps in a row may compute nothing but short prompts."""
EMBED_TOKENS = 32
"""Each token that is embedded has a row of logits as well: this bounds their memory."""
OLDEST_EVERY = 4
"""In one of so many steps the oldest prompt goes first, so that short ones cannot starve it."""
NEWEST_SHARE = 0.1
"""Weight of the newest sample in the running mean of how long samples last."""


class Scheduler:
    """Decides what each decode step computes. Owned by one loop; never blocks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._groups: dict[int, Group] = {}
        self._running: dict[SampleKey, Sample] = {}
        self._slots = SlotTable(limits)
        self._pace = Pace(limits.chunk_tokens)
        self._waiting: list[tuple[tuple[int, int], int]] = []
        self._ended: list[Ended] = []
        self._arrivals = 0
        self._prefill_steps = 0
        self._put_off = 0
        self._reserved_tokens = 0
        self._sample_seconds = FIRST_GUESS_SECONDS
        self.queued = 0
        self.prefilled_tokens = 0
        self.cached_tokens = 0
        self.prefix_query_tokens = 0
        self.prefix_hit_tokens = 0
        self.cancelled_samples = 0

    @property
    def busy_slots(self) -> int:
        """How many slots are held now."""
        return self._slots.busy

    @property
    def idle(self) -> bool:
        """Whether there is nothing to compute and nothing to report."""
        return not (self._groups or self._ended)

    @property
    def kv_tokens(self) -> int:
        """How many tokens the cells hold; what slots share is counted for each of them."""
        return self._slots.kept_tokens + sum(sample.position for sample in self._running.values())

    def submit(self, request: Request, *, force: bool = False) -> None:
        """Take a request whose prompt leaves room in the context; raises Overloaded when full.

        `force` takes it in any case: it goes on with one that was taken before.
        """
        free = self._limits.slots - self._slots.busy
        places = request.queue_places or request.samples
        if self.queued + places - free > self._limits.queue and not force:
            raise Overloaded(
                f"the queue is full: {self.queued} samples wait and it holds "
                f"{self._limits.queue}. Try again later, or ask for fewer samples.",
                retry_after_seconds=self._advice_seconds(),
                metadata={"subject": "queue", "queued": str(self.queued)},
            )
        prompt = np.asarray(request.prompt, np.int32)
        room = min(request.max_tokens, self._limits.context_tokens - prompt.size)
        group = Group(request, prompt, self._arrivals, room, self._limits.reuse)
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
        self._slots.close_gaps()
        admitted = tuple(self._admit(now_seconds))
        edits, self._slots.edits = self._slots.edits, []
        ended, self._ended = self._ended, []
        decode = [] if self._puts_off_decoding() else list(self._decode_pieces())
        return Plan(edits, [*decode, *self._prefill_pieces(beside=bool(decode))], admitted, ended)

    def _puts_off_decoding(self) -> bool:
        """Say whether short prompts come first: a burst of them is answered soonest that way."""
        pressing = sum(
            sample.missing for sample in self._running.values() if not self._is_long(sample)
        )
        if pressing < self._pace.at_once() or self._put_off == MOST_PUT_OFF:
            self._put_off = 0
            return False
        self._put_off += 1
        return True

    def _is_long(self, sample: Sample) -> bool:
        return sample.fresh > min(SHORT_TOKENS, self._limits.chunk_tokens)

    def observe(self, plan: Plan, seconds: float) -> None:
        """Learn from the time that a step took."""
        chunks = [piece for piece in plan.pieces if len(piece.tokens) > 1]
        tokens = sum(len(piece.tokens) for piece in chunks)
        long = sum(len(piece.tokens) for piece in chunks if piece.long)
        self._pace.observe(tokens, long, len(plan.pieces) - len(chunks), seconds)

    def advance(
        self, key: SampleKey, token: int, *, stop: bool, now_seconds: float
    ) -> FinishReason | None:
        """Take a sample's drawn token; gives why the sample ended, or None when it goes on.

        `stop` says that the token, or the text it completes, ends the sample.
        """
        sequence = self._running[key]
        sequence.said.append(token)
        sequence.pending = token
        reason = self._reason_to_end(sequence, stop=stop)
        if reason is not None:
            lasted = now_seconds - sequence.admitted_seconds
            self._sample_seconds += NEWEST_SHARE * (lasted - self._sample_seconds)
            self._release(sequence)
        return reason

    def _reason_to_end(self, sequence: Sample, *, stop: bool) -> FinishReason | None:
        if stop:
            return FinishReason.STOP
        if len(sequence.said) >= sequence.group.request.max_tokens:
            return FinishReason.LENGTH
        if sequence.position >= self._limits.context_tokens:
            return FinishReason.CONTEXT_FULL
        return None

    def _admit(self, now_seconds: float) -> Iterator[Admitted]:
        """Give free slots to the waiting, strictly in their order: none is passed over."""
        while self._waiting and self._slots.busy < self._limits.slots:
            rank, request_id = self._waiting[0]
            group = self._groups.get(request_id)
            if group is None or group.rank != rank or not group.waiting:
                heapq.heappop(self._waiting)  # left over from a cancelled or finished request
                continue
            match = self._match(group)
            if not self._make_room(group.cost(), match):
                return
            heapq.heappop(self._waiting)
            yield self._start(group, match, now_seconds)
            if group.waiting:
                heapq.heappush(self._waiting, (group.rank, request_id))

    def _match(self, group: Group) -> Match | None:
        """Look for what the request's first sample need not compute."""
        alone = group.request.embeds or group.live or not self._limits.reuse
        return None if alone else self._slots.match(group.prompt)

    def _make_room(self, cost: int, match: Match | None) -> bool:
        """Forget what is kept, the oldest first, until a sample fits; the match goes last."""
        if self._limits.split:
            return True  # every slot has room for a whole context
        room = self._limits.pool_tokens - self._reserved_tokens - cost
        if match is not None and match.kept:
            room += match.tokens  # it is counted twice, as kept and as part of the prompt
        while self._slots.kept_tokens > room:
            if not self._slots.evict(match):
                break
        if match is not None and match.kept and self._slots.kept_tokens > room:
            return room >= match.tokens  # it fits when the slot is taken over
        return self._slots.kept_tokens <= room

    def _start(self, group: Group, match: Match | None, now_seconds: float) -> Admitted:
        key = SampleKey(group.request.request_id, group.next_sample)
        sequence = Sample(group, key, now_seconds)
        self._reserved_tokens += group.cost()
        if group.live:
            cached = self._follow(sequence, group.live[0])
        else:
            cached = self._lead(sequence, match)
        self.cached_tokens += cached
        sequence.fresh = sequence.missing
        group.next_sample += 1
        self.queued -= 1
        group.live.append(sequence)
        self._running[key] = sequence
        return Admitted(key, cached)

    def _lead(self, sequence: Sample, match: Match | None) -> int:
        """Start a sample that computes what nobody has computed; gives how much is shared."""
        self._slots.take(sequence, match, take_over=self._must_take_over(match))
        if not sequence.group.request.embeds:
            self.prefix_query_tokens += sequence.group.prompt.size
        if match is None:
            return 0
        sequence.position = match.tokens
        self.prefix_hit_tokens += match.tokens
        return match.tokens

    def _must_take_over(self, match: Match | None) -> bool:
        """Say whether to use up what is kept: nothing is lost by it, or no room is left to copy."""
        if match is None or match.whole:
            return True
        held = self._reserved_tokens + self._slots.kept_tokens - match.tokens
        return not self._limits.split and held > self._limits.pool_tokens

    def _follow(self, sequence: Sample, donor: Sample) -> int:
        """Start a sample that shares its sibling's prompt; gives how much of it."""
        whole = sequence.group.prompt.size
        if donor.position < whole:
            self._slots.take(sequence, None, take_over=False)
            sequence.leader = donor.leader or donor
            return whole
        # The last token is computed again: its logits are gone.
        shared = whole - 1 if self._limits.reuse else 0
        match = Match(donor.slot, shared, whole=False, kept=False) if shared else None
        self._slots.take(sequence, match, take_over=False)
        sequence.position = shared
        return shared

    def _decode_pieces(self) -> Iterator[Piece]:
        for sequence in self._in_slot_order():
            if sequence.pending is not None:
                yield Piece(sequence.slot, sequence.position, (sequence.pending,), (sequence.key,))
                sequence.position += 1
                sequence.pending = None

    def _in_slot_order(self) -> Sequence[Sample]:
        return sorted(self._running.values(), key=lambda sequence: sequence.slot)

    def _prefill_pieces(self, *, beside: bool) -> Sequence[Piece]:
        """Share the chunk among the prompts: who has least to do is first, the oldest not last.

        `beside` samples that are decoding, long prompts get less.
        """
        left = self._pace.at_once()
        left_for_long = self._pace.beside() if beside else left
        pieces = []
        for sequence in self._in_prefill_order():
            long = self._is_long(sequence)
            most = min(left, left_for_long if long else left)
            if sequence.group.request.embeds:
                most = min(most, EMBED_TOKENS)
            if most <= 0:
                continue
            piece = self._chunk(sequence, most)._replace(long=long)
            left -= len(piece.tokens)
            left_for_long -= len(piece.tokens) if long else 0
            pieces.append(piece)
        return sorted(pieces, key=lambda piece: piece.slot)

    def _in_prefill_order(self) -> Iterator[Sample]:
        """Go by what is left to compute; every fourth step begins with who came first."""
        prompts = [sequence for sequence in self._running.values() if sequence.missing]
        if not prompts:
            return
        self._prefill_steps += 1
        if self._prefill_steps % OLDEST_EVERY == 0:
            yield prompts.pop(0)
        yield from sorted(prompts, key=lambda sequence: sequence.missing)

    def _chunk(self, sequence: Sample, most: int) -> Piece:
        prompt = sequence.group.prompt
        start, end = sequence.position, min(sequence.position + most, prompt.size)
        sequence.position = end
        self.prefilled_tokens += end - start
        embeds = sequence.key if sequence.group.request.embeds else None
        if end < prompt.size:
            return Piece(sequence.slot, start, prompt[start:end], (), embeds)
        draws = [sequence.key]
        for follower in sequence.group.live:
            if follower.leader is sequence:
                follower.leader = None
                follower.position = end
                draws.append(follower.key)
                # Carried out before the next step, and before a Clear should the leader end now.
                self._slots.edits.append(Copy(sequence.slot, follower.slot, end))
        return Piece(sequence.slot, start, prompt[start:end], draws, embeds)

    def _release(self, sequence: Sample) -> None:
        group = sequence.group
        group.live.remove(sequence)
        self._reserved_tokens -= group.cost()
        del self._running[sequence.key]
        self._slots.leave(sequence, sequence.held, keep=not group.request.embeds)
        if not group.live and not group.waiting:
            self._groups.pop(group.request.request_id, None)

    def _advice_seconds(self) -> float:
        turns = (self.queued + 1) / self._limits.slots
        return min(
            max(self._sample_seconds * turns, SHORTEST_ADVICE_SECONDS), LONGEST_ADVICE_SECONDS
        )
