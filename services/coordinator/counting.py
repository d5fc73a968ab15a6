"""Follows the vote on one part while its ballots come in: who leads, and whether to wait. Pure.

Votes are folded in the order of seats, never in the order of arrival, so the same ballots give the
same count however they raced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from quorate import voting
from quorate.answers import Answer, Kind
from quorate.voting.certificate import USUAL_DELTA
from quorate.voting.folding import Folding
from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from quorate.voting.stopping import Stop, StopRule, should_stop
from services.coordinator.certifying import Certifying
from services.coordinator.events import Leading, Retracted
from services.coordinator.question import Ballot, Seat, Status
from services.coordinator.tally import standings_of, vote_of

if TYPE_CHECKING:
    from services.coordinator.outcome import Certificate


@dataclass(frozen=True)
class Lead:
    """Who leads at a moment."""

    answer: str
    behind: frozenset[str]

    def goes_on_in(self, later: Lead) -> bool:
        """Whether a later leader is the same: "18" may become "18 kg", a mean may move."""
        return self.answer == later.answer or bool(self.behind & later.behind)


class Judging(NamedTuple):
    """What ends the asking early, and what a winner needs; see the contract."""

    rule: StopRule = StopRule.EXACT
    risk: float = 0.0
    knowledge: Knowledge = NOTHING_KNOWN
    min_agreement: float = 0.0
    delta: float = USUAL_DELTA


USUAL: Final = Judging()
_ANYTHING: Final = Answer(Kind.TEXT, "any", "any", "supposed")


class Tally:
    """The vote on one part.

    `weights` gives each seat's weight under the strategy, `models` the name under which its history
    is known, by default its model's.
    """

    def __init__(
        self,
        strategy: str,
        part_id: str,
        seats: Sequence[Seat],
        weights: Sequence[float],
        judging: Judging = USUAL,
        models: Sequence[str] = (),
    ) -> None:
        self._strategy = strategy
        self._part_id = part_id
        self._judging = judging
        self._weights = dict(zip(seats, weights, strict=True))
        self._models = dict(zip(seats, models or [seat.model for seat in seats], strict=True))
        self._ballots: dict[Seat, Ballot] = {}
        self._votes: dict[Seat, voting.Vote] = {}
        self._missing = dict.fromkeys(seats)
        self._folding = Folding(strategy, weights)
        self._outcome: voting.Outcome | None = None
        self._lead: Lead | None = None
        self._certifying = Certifying(part_id, seats, judging.delta)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the mode, once it was reached."""
        return self._certifying.certificate

    @property
    def outstanding(self) -> list[Seat]:
        """Seats whose ballot has not come in, in order."""
        return list(self._missing)

    @property
    def ballots(self) -> list[Ballot]:
        """The ballots that came in, in the order of seats."""
        return [self._ballots[seat] for seat in self._weights if seat in self._ballots]

    @property
    def votes(self) -> list[voting.Vote]:
        """The votes that came in, in the order of seats."""
        return [self._votes[seat] for seat in self._weights if seat in self._votes]

    def add(self, ballot: Ballot) -> None:
        """Take a ballot in; a seat's second ballot is ignored."""
        if ballot.seat not in self._ballots:
            del self._missing[ballot.seat]
            self._ballots[ballot.seat] = ballot
            vote = self._votes[ballot.seat] = vote_of(ballot)
            self._folding.add(vote, self._weights[ballot.seat])
            self._outcome = None

    def has(self, seat: Seat) -> bool:
        """Say whether a seat's ballot came in."""
        return seat in self._ballots

    @property
    def settled(self) -> bool:
        """Whether the rest need not be waited for."""
        return self.stopped_by() != ""

    def stopped_by(self) -> str:
        """Name the rule by which the rest need not be waited for; "" when it has to be.

        "all" when nobody is outstanding.
        """
        if not self._missing:
            return "all"
        if not self._folding.may_stop(self._judging.rule):
            return ""
        stop = self._stop(self.votes, self.outstanding)
        return stop.reason if stop and self._agreement_is_settled(len(self._missing)) else ""

    def _stop(self, votes: Sequence[voting.Vote], missing: Sequence[Seat]) -> Stop:
        rule, risk, knowledge, *_ = self._judging
        weights = [self._weights[seat] for seat in missing]
        models = [self._models[seat] for seat in missing]
        return should_stop(
            votes,
            weights,
            self._strategy,
            rule,
            risk,
            knowledge,
            models,
            self._folding.clustering,
        )

    def _agreement_is_settled(self, missing: int) -> bool:
        """Whether the winner has the least agreement already, or cannot reach it any more.

        Else an early stop would turn a part that has its quorum into one that has none.
        """
        least = self._judging.min_agreement
        if least == 0.0 or missing == 0:
            return True
        outcome = self._decided()
        behind, asked = len(outcome.winner_members) if outcome else 0, len(self._weights)
        return behind / asked >= least or (behind + missing) / asked < least

    def certified(self) -> Certificate | None:
        """Give the certificate when the ballots that came in last made it."""
        return self._certifying.see(self._ballots)

    def fewest_that_could_settle(self) -> int:
        """Give how many more votes, all for the leader, would settle the vote; else all missing."""
        votes, missing = self.votes, self.outstanding
        outcome = self._decided()
        leader = outcome.winner if outcome else _ANYTHING

        def settles(count: int) -> bool:
            supposed = [
                voting.Vote(seat.id, leader, 1.0, self._weights[seat], self._models[seat])
                for seat in missing[:count]
            ]
            return bool(self._stop([*votes, *supposed], missing[count:]))

        # More votes for the leader never settle less.
        return 1 + bisect_left(range(1, len(missing)), True, key=settles) if missing else 0

    def alike(self, answer: Answer) -> list[Answer]:
        """Give the different answers so far that one to come may equal without being the same."""
        return self._folding.alike(answer)

    def _decided(self) -> voting.Outcome | None:
        """Decide what came in so far, once for each ballot; None while nobody has an answer."""
        if self._outcome is None and any(vote.answer is not None for vote in self._votes.values()):
            self._outcome = voting.decide(
                self._strategy, self.votes, self._judging.knowledge, self._folding.clustering
            )
        return self._outcome

    def news(self, ballot: Ballot) -> list[Leading | Retracted]:
        """Say what a ballot that was just added changed: the standings, and perhaps the leader.

        Where more than 64 vote, that is told 64 times only.
        """
        if ballot.status is not Status.VALID or not self._folding.may_tell():
            return []
        if (outcome := self._decided()) is None:
            return []
        lead = Lead(outcome.winner.text, frozenset(outcome.winner_members))
        before, self._lead = self._lead, lead
        leading = Leading(self._part_id, lead.answer, standings_of(outcome), len(self.outstanding))
        if before is None or before.goes_on_in(lead):
            return [leading]
        return [Retracted(self._part_id, before.answer, lead.answer, ballot.id), leading]
