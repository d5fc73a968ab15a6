"""Splits the members of a part into waves when the budget is known not to do for all. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import cluster
from services.coordinator import budget
from services.coordinator.budget import Candidate, Left
from services.coordinator.question import Ballot, Drawing, Member, Status
from services.coordinator.state.learned import ModelKey

if TYPE_CHECKING:
    from services.coordinator.counting import Tally
    from services.coordinator.traffic import Traffic
    from services.coordinator.work import Work


class Wave(NamedTuple):
    """Who is asked at the same time, and how tokens are drawn then."""

    members: tuple[Member, ...]
    drawing: Drawing


class Waves:
    """The waves of one part; made anew for each. `clock` gives seconds."""

    def __init__(
        self, work: Work, tally: Tally, traffic: Traffic, clock: Callable[[], float]
    ) -> None:
        self._work = work
        self._tally = tally
        self._traffic = traffic
        self._clock = clock
        self._waiting = list(work.members)
        self._asked = False

    def next(self) -> Wave | None:
        """Give the next wave: everybody, where the budget is not known to be short.

        None when nobody is left, or nothing to pay them with.
        """
        if not self._waiting:
            return None
        first, self._asked = not self._asked, True
        left, candidates = self._left(), self._candidates()
        if self._enough_for_all(first, candidates, left):
            members, self._waiting = self._waiting, []
            return Wave(tuple(members), self._work.drawing)
        wanted = self._tally.fewest_that_could_settle()
        most = max(1, -(-wanted // self._work.samples))
        chosen = budget.next_wave(candidates, self._belief(), left, most)
        if not chosen and first:  # better one answer that may be cut short than none
            chosen = sorted(candidates, key=_cost)[:1]
        if not chosen:
            return None
        return self._wave([self._waiting[one.number] for one in chosen], left)

    def _enough_for_all(self, first: bool, candidates: list[Candidate], left: Left) -> bool:
        """Say whether all are asked at once, as always where nothing may depend on time."""
        limited = self._work.allowance is not None or self._work.deadline_is_budget
        if self._work.deterministic or not limited:
            return True
        return first and not budget.is_short(candidates, left)

    def _wave(self, members: list[Member], left: Left) -> Wave:
        for member in members:
            self._waiting.remove(member)
        members.sort()
        if left.tokens is None or self._work.allowance is None:
            return Wave(tuple(members), self._work.drawing)
        share = max(1, left.tokens // (len(members) * self._work.samples))
        each = self._work.allowance.each
        most = share if each is None else min(share, each)
        return Wave(tuple(members), self._work.drawing._replace(max_tokens=most))

    def _left(self) -> Left:
        seconds, tokens = None, None
        if self._work.deadline_is_budget:
            seconds = max(0.0, self._work.deadline - self._clock())
        if self._work.allowance is not None:
            spent = sum(_spent(ballot) for ballot in self._tally.ballots)
            tokens = max(0, self._work.allowance.tokens - spent)
        return Left(seconds, tokens)

    def _candidates(self) -> list[Candidate]:
        made = list[Candidate]()
        for number, member in enumerate(self._waiting):
            load = self._traffic.load(member)
            tokens = None if load.tokens is None else load.tokens * self._work.samples
            made.append(Candidate(number, self._right(member), load.seconds, tokens))
        return made

    def _right(self, member: Member) -> float:
        """Estimate P(right): what was learned, else what the node says; 0 is unknown."""
        record = self._work.knowledge.overall.get(ModelKey(member.model, member.sha256).id)
        if record is not None and record.total > 0.0:
            return (record.right + 1.0) / (record.total + 2.0)
        return member.reliability

    def _belief(self) -> list[float]:
        """Give the belief in each answer so far, and in others that nobody named yet."""
        rights = {(member.node, member.model): self._right(member) for member in self._work.members}
        valid = [ballot for ballot in self._tally.ballots if ballot.status is Status.VALID]
        labels = cluster([ballot.answer for ballot in valid]).labels
        votes = [
            (label, rights[ballot.seat.node, ballot.seat.model])
            for ballot, label in zip(valid, labels, strict=True)
            if label is not None
        ]
        named = 1 + max((label for label, _ in votes), default=-1)
        return budget.belief(votes, max(2, named + 1, self._work.knowledge.options))


def _spent(ballot: Ballot) -> int:
    return ballot.tokens.completion


def _cost(one: Candidate) -> tuple[float, float, int]:
    return one.seconds or 0.0, one.tokens or 0.0, one.number
