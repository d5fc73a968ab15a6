"""Asks all members of one part at the same time, until the vote is settled. Hot.

Ballots come in as they finish; when the rest cannot change the winner, the calls in flight are
cancelled, and the nodes free their slots at the next decode step. A call that fails before its
first token is tried once more, elsewhere if there is a spare; a member that fails for good leaves
its ballot in the denominator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from quorate.errors import DeadlineExceeded, QuorateError
from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from services.coordinator import electorate
from services.coordinator.events import Cast, Listener, Started, Token
from services.coordinator.question import Ballot, Drawing, Member, Message, Seat, StopRule
from services.coordinator.said import Asked, Said, TextHeard, finished_ballot, lost_ballot
from services.coordinator.tally import Tally

if TYPE_CHECKING:
    from quorate.answers import Kind

LONGEST_PAUSE_SECONDS = 2.0
"""Nobody is waited for longer than this before the second try."""


class Call(NamedTuple):
    """One generation by one member, with `seconds` to end in."""

    member: Member
    messages: tuple[Message, ...]
    drawing: Drawing
    samples: int
    seed: int
    seconds: float
    tenant: str


class Caller(Protocol):
    """Reaches the models; the adapter over gRPC is `services.coordinator.nodes`."""

    async def generate(self, call: Call, said: Said) -> None:
        """Run a generation to its end and note what is said; raises errors of the catalogue."""
        ...


class Work(NamedTuple):
    """One part to be voted on; `deadline` is on the dispatcher's clock, in seconds.

    `token_budget` bounds what all members together may say about it (None: no limit).
    """

    part_id: str
    messages: tuple[Message, ...]
    kind: Kind | None
    drawing: Drawing
    members: tuple[Member, ...]
    samples: int
    seed: int
    strategy: str
    deadline: float
    deterministic: bool
    tenant: str
    stop_rule: StopRule = StopRule.EXACT
    risk: float = 0.0
    delta: float = 0.05
    confidence_threshold: float = 0.0
    deadline_is_budget: bool = False
    token_budget: int | None = None
    knowledge: Knowledge = NOTHING_KNOWN


class Dispatcher:
    """Collects the ballots of one part; made anew for each.

    `spare` finds another member for one that failed. `clock` gives seconds.
    """

    def __init__(
        self,
        caller: Caller,
        work: Work,
        listener: Listener,
        clock: Callable[[], float],
        spare: Callable[[Member], Member | None],
    ) -> None:
        self._caller = caller
        self._work = work
        self._listener = listener
        self._clock = clock
        self._spare = spare
        self._seats = electorate.seats(work.members, work.samples)
        self._weights = {(member.node, member.model): member.weight for member in work.members}
        self._tally = Tally(
            work.strategy, work.part_id, self._seats, [self._weight(seat) for seat in self._seats]
        )
        self._arrived: asyncio.Queue[Ballot] = asyncio.Queue()
        self._held: dict[Seat, Ballot] = {}
        self._said: dict[tuple[str, str], Said] = {}

    async def ballots(self) -> Sequence[Ballot]:
        """Ask everybody and give one ballot for each seat, in the order of seats."""
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._ask(member)) for member in self._work.members]
            try:
                await self._collect()
            finally:
                for task in running:
                    task.cancel()
        for seat in self._tally.outstanding:
            said = self._said.get((seat.node, seat.model))
            ballot = lost_ballot(self._work.part_id, seat, said, self._weight(seat), None)
            await self._take(ballot)
        return self._tally.ballots

    async def _collect(self) -> None:
        while self._tally.outstanding:
            for ballot in self._in_turn(await self._arrived.get()):
                await self._take(ballot)
                stopping = self._work.stop_rule is not StopRule.NEVER
                if stopping and self._tally.outstanding and self._tally.settled:
                    return

    def _in_turn(self, ballot: Ballot) -> list[Ballot]:
        """Let a ballot through; in deterministic mode none overtakes an earlier seat.

        So an early stop depends on what the models said, not on which of them was fast.
        """
        if not self._work.deterministic:
            return [ballot]
        self._held[ballot.seat] = ballot
        released: list[Ballot] = []
        for seat in self._tally.outstanding:
            if seat not in self._held:
                break
            released.append(self._held.pop(seat))
        return released

    async def _take(self, ballot: Ballot) -> None:
        self._tally.add(ballot)
        if not self._listener.ballots:
            return
        await self._listener.tell(Cast(ballot))
        for news in self._tally.news(ballot):
            await self._listener.tell(news)

    async def _ask(self, member: Member) -> None:
        """See one member through to a ballot for each of its samples."""
        said = self._listen(member, member)
        for sample in said.unfinished:
            if self._listener.ballots:
                seat = Seat(member.node, member.model, sample)
                await self._listener.tell(Started(self._work.part_id, seat))
        error = await self._attempt(member, said)
        if error is not None and (second := self._second(member, error, said)):
            if second == member:
                await asyncio.sleep(error.retry_after_seconds or 0.0)
            said = self._listen(member, second)
            error = await self._attempt(member, said)
        for sample in said.unfinished:
            seat = Seat(member.node, member.model, sample)
            why = error or said.cut_short()
            self._arrived.put_nowait(
                lost_ballot(self._work.part_id, seat, said, self._weight(seat), why)
            )

    def _listen(self, member: Member, asked: Member) -> Said:
        """Open the record of a call: `asked` speaks, `member`'s ballots come of it."""

        def ended(sample: int) -> None:
            seat = Seat(member.node, member.model, sample)
            asked = Asked(self._work.messages[-1].content, self._work.kind)
            ballot = finished_ballot(self._work.part_id, seat, said, asked, self._weight(seat))
            self._arrived.put_nowait(ballot)

        said = Said(asked, self._work.samples, self._clock, self._reader(member), ended)
        self._said[member.node, member.model] = said
        return said

    def _reader(self, member: Member) -> TextHeard | None:
        if not self._listener.tokens:
            return None

        async def heard(sample: int, text: str) -> None:
            seat = Seat(member.node, member.model, sample)
            await self._listener.tell(Token(self._work.part_id, seat, text))

        return heard

    async def _attempt(self, member: Member, said: Said) -> QuorateError | None:
        work = self._work
        seconds = work.deadline - self._clock()
        if seconds <= 0.0:
            return DeadlineExceeded("The time for this question was over before the call was made")
        seed = electorate.seed_of(work.seed, member)
        call = Call(
            said.member, work.messages, work.drawing, work.samples, seed, seconds, work.tenant
        )
        try:
            await self._caller.generate(call, said)
        except QuorateError as error:
            return error
        return None

    def _second(self, member: Member, error: QuorateError, said: Said) -> Member | None:
        """Choose whom to try after a failure: nobody once a token was seen, or time is short."""
        if said.has_tokens or isinstance(error, DeadlineExceeded):
            return None
        if spare := self._spare(member):
            return spare
        pause = error.retry_after_seconds or 0.0
        left = self._work.deadline - self._clock()
        return member if error.retryable and pause < min(LONGEST_PAUSE_SECONDS, left) else None

    def _weight(self, seat: Seat) -> float:
        return self._weights[seat.node, seat.model]
