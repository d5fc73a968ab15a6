"""Asks the members of one part, until the vote is settled or there is nothing left to spend. Hot.

All are asked at the same time, unless the budget is known not to do for all: then in waves, the
most informative first, each no larger than could settle the vote. Ballots come in as they finish;
when the stop rule no longer waits for the rest, the calls in flight are cancelled, and the nodes
free their slots at the next decode step. A member that fails for good leaves its ballot in the
denominator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from quorate.answers import Kind, prove_ahead
from services.coordinator import electorate
from services.coordinator.asking import Asking
from services.coordinator.counting import Judging, Tally
from services.coordinator.events import Cast, Certified, Listener
from services.coordinator.question import Ballot, Member, Seat, Status
from services.coordinator.said import Asked, lost_ballot
from services.coordinator.state.learned import ModelKey
from services.coordinator.tally import Ending
from services.coordinator.waves import Wave, Waves
from services.coordinator.work import Allowance, Call, Caller, Tools, Work

if TYPE_CHECKING:
    from services.coordinator.traffic import Traffic

PROOF_SECONDS = 3.0
"""The first proof of all starts a process; the others take milliseconds."""
MOST_AT_ONCE = 64
"""Ballots that are counted before others have their turn on the event loop: some milliseconds."""

__all__ = ["Allowance", "Call", "Caller", "Dispatcher", "Work"]


class Dispatcher:
    """Collects the ballots of one part; made anew for each.

    `spares` finds other nodes for a member, the best first. `clock` gives seconds. `traffic` is
    what is known of the nodes from all questions.
    """

    def __init__(
        self,
        caller: Caller,
        work: Work,
        listener: Listener,
        clock: Callable[[], float],
        spares: Callable[[Member], Sequence[Member]],
        traffic: Traffic,
    ) -> None:
        self._work = work
        self._listener = listener
        self._tools = Tools(caller, listener, clock, spares, traffic)
        self._seats = electorate.seats(work.members, work.samples, work.round)
        weights = {(member.node, member.model): member.weight for member in work.members}
        self._weights = [weights[seat.node, seat.model] for seat in self._seats]
        judging = Judging(work.stop_rule, work.risk, work.knowledge, work.min_agreement, work.delta)
        keys = {
            (member.node, member.model): ModelKey(member.model, member.sha256).id
            for member in work.members
        }
        models = [keys[seat.node, seat.model] for seat in self._seats]
        self._tally = Tally(
            work.strategy, work.part_id, self._seats, self._weights, judging, models
        )
        self._waves = Waves(work, self._tally, traffic, clock)
        self._arrived: asyncio.Queue[Ballot] = asyncio.Queue()
        self._held: dict[Seat, Ballot] = {}
        self._askings: dict[tuple[str, str], Asking] = {}
        self._stopped_by = ""
        self._asked = Asked(work.messages[-1].content, work.kind, {})

    @property
    def ending(self) -> Ending:
        """Tell what ended the asking, and the certificate; known when the ballots are."""
        return Ending(self._stopped_by, self._tally.certificate)

    async def ballots(self) -> Sequence[Ballot]:
        """Ask everybody and give one ballot for each seat, in the order of seats."""
        async with asyncio.TaskGroup() as group:
            running: list[asyncio.Task[None]] = []
            try:
                while not self._stopped_by and (wave := self._waves.next()):
                    running += [group.create_task(asking.run()) for asking in self._ask(wave)]
                    await self._collect(wave)
            finally:
                for task in running:
                    task.cancel()
        self._stopped_by = self._stopped_by or self._why_it_ended()
        for seat, weight in zip(self._seats, self._weights, strict=True):
            if not self._tally.has(seat):
                await self._take(self._cancelled(seat, weight))
        return self._tally.ballots

    def _ask(self, wave: Wave) -> list[Asking]:
        """Make ready to ask a wave; circuits are ignored when they are open for all of it."""
        forced = not any(map(self._tools.traffic.allows, wave.members))
        deliver = self._arrived.put_nowait
        made = [
            Asking(
                self._tools, self._work, member, wave.drawing, self._asked, deliver, forced=forced
            )
            for member in wave.members
        ]
        for member, asking in zip(wave.members, made, strict=True):
            self._askings[member.node, member.model] = asking
        return made

    async def _collect(self, wave: Wave) -> None:
        """Take ballots in until all of a wave are there, or the stop rule waits for no more."""
        expected = len(wave.members) * self._work.samples
        while expected:
            arrived = await self._all_that_arrived()
            expected -= len(arrived)
            for ballot in self._in_turn(arrived):
                await self._take(ballot)
                # In deterministic mode what came at the same time must not matter.
                if self._work.deterministic and self._stops():
                    return
            if self._stops():
                return

    async def _all_that_arrived(self) -> list[Ballot]:
        """Wait for a ballot; also gives others that are there, so that they are counted at once."""
        arrived = [await self._arrived.get()]
        while len(arrived) < MOST_AT_ONCE and not self._arrived.empty():
            arrived.append(self._arrived.get_nowait())
        if not self._arrived.empty():
            await asyncio.sleep(0)  # others' turn
        return arrived

    def _stops(self) -> bool:
        """Whether the rest is not waited for; keeps the name of the rule that says so."""
        self._stopped_by = self._rule_that_stops()
        return self._stopped_by != ""

    def _rule_that_stops(self) -> str:
        """Name the rule that waits for no more; none when the time is over, which ends the rest."""
        if not self._tally.outstanding or self._tools.clock() >= self._work.deadline:
            return ""
        return self._tally.stopped_by()

    def _in_turn(self, ballots: Sequence[Ballot]) -> Sequence[Ballot]:
        """Let ballots through; in deterministic mode none overtakes an earlier seat.

        So an early stop depends on what the models said, not on which of them was fast.
        """
        if not self._work.deterministic:
            return ballots
        self._held.update((ballot.seat, ballot) for ballot in ballots)
        released: list[Ballot] = []
        for seat in self._tally.outstanding:
            if seat in self._held:
                released.append(self._held.pop(seat))
            elif (seat.node, seat.model) in self._askings:
                break  # it is still to come
        return released

    async def _take(self, ballot: Ballot) -> None:
        await self._prove(ballot)
        self._tally.add(ballot)
        certificate = self._tally.certified()
        if not self._listener.ballots:
            return
        await self._listener.tell(Cast(ballot))
        for news in self._tally.news(ballot):
            await self._listener.tell(news)
        if certificate is not None:
            await self._listener.tell(Certified(certificate))

    async def _prove(self, ballot: Ballot) -> None:
        """Have it found out, beside the event loop, which formulas a new one equals."""
        if ballot.answer is None or ballot.answer.kind is not Kind.EXPRESSION:
            return
        left = self._work.deadline - self._tools.clock()
        if alike := self._tally.alike(ballot.answer):
            seconds = min(PROOF_SECONDS, max(0.0, left))
            await asyncio.to_thread(prove_ahead, [*alike, ballot.answer], seconds)

    def _cancelled(self, seat: Seat, weight: float) -> Ballot:
        """Make the ballot of a seat that nobody waits for any more.

        In deterministic mode it does not tell how far it came, which depends on time.
        """
        asking = self._askings.get((seat.node, seat.model))
        if asking is None or self._work.deterministic:
            return lost_ballot(self._work.part_id, seat, None, weight, None)
        return asking.cancelled(seat.sample)

    def _why_it_ended(self) -> str:
        late = any(ballot.status is Status.TIMED_OUT for ballot in self._tally.ballots)
        if late:
            return "budget" if self._work.deadline_is_budget else "deadline"
        return "budget" if self._tally.outstanding else "all"
