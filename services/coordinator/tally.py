"""Counts the ballots of one part as they come in. Pure.

Votes are folded in the order of seats, never in the order of arrival, so the same ballots give the
same decision however they raced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quorate import voting
from quorate.errors import InvalidRequest, NoQuorum, QuorateError
from services.coordinator.events import Leading, Retracted
from services.coordinator.question import Ballot, Decision, Seat, Standing, Status

if TYPE_CHECKING:
    from quorate.answers import Kind
    from services.coordinator.decompose.dag import Subtask


@dataclass(frozen=True)
class Lead:
    """Who leads at a moment."""

    answer: str
    behind: frozenset[str]


class Tally:
    """The vote on one part. `weights` gives each seat's weight under the strategy."""

    def __init__(
        self, strategy: str, part_id: str, seats: Sequence[Seat], weights: Sequence[float]
    ) -> None:
        self._strategy = strategy
        self._part_id = part_id
        self._weights = dict(zip(seats, weights, strict=True))
        self._ballots: dict[Seat, Ballot] = {}
        self._lead: Lead | None = None

    @property
    def outstanding(self) -> list[Seat]:
        """Seats whose ballot has not come in, in order."""
        return [seat for seat in self._weights if seat not in self._ballots]

    @property
    def ballots(self) -> list[Ballot]:
        """The ballots that came in, in the order of seats."""
        return [self._ballots[seat] for seat in self._weights if seat in self._ballots]

    def add(self, ballot: Ballot) -> None:
        """Take a ballot in; a seat's second ballot is ignored."""
        self._ballots.setdefault(ballot.seat, ballot)

    @property
    def settled(self) -> bool:
        """Whether the outstanding ballots, whatever they say, cannot change the winner."""
        missing = [self._weights[seat] for seat in self.outstanding]
        return voting.settled(votes_of(self.ballots), missing, self._strategy)

    def news(self, ballot: Ballot) -> list[Leading | Retracted]:
        """Say what a ballot that was just added changed: the standings, and perhaps the leader."""
        if ballot.status is not Status.VALID:
            return []
        outcome = voting.decide(self._strategy, votes_of(self.ballots))
        lead = Lead(outcome.winner.text, frozenset(outcome.winner_members))
        before, self._lead = self._lead, lead
        leading = Leading(self._part_id, lead.answer, standings_of(outcome), len(self.outstanding))
        if before is None or before.behind & lead.behind:
            return [leading]
        return [Retracted(self._part_id, before.answer, lead.answer, ballot.id), leading]


def votes_of(ballots: Sequence[Ballot]) -> list[voting.Vote]:
    """Turn ballots into votes; whatever has no answer abstains and stays in the denominator."""
    return [
        voting.Vote(
            ballot.seat.id,
            ballot.answer,
            ballot.confidence,
            ballot.weight,
            ballot.seat.model,
            ballot.ranking,
            ballot.verified,
        )
        for ballot in ballots
    ]


def standings_of(outcome: voting.Outcome) -> tuple[Standing, ...]:
    """List the answers, best first."""
    return tuple(Standing(answer.text, votes, score) for answer, votes, score in outcome.scores)


def decide(
    subtask: Subtask, kind: Kind | None, strategy: str, ballots: Sequence[Ballot]
) -> Decision:
    """Decide a part from all its ballots, given in the order of seats.

    A part whose ballots hold no answer gets an error instead of one, with the reasons counted.
    """
    try:
        outcome = voting.decide(strategy, votes_of(ballots))
    except NoQuorum:
        return undecided(subtask, kind, no_quorum(ballots), ballots)
    return Decision(
        subtask=subtask,
        kind=outcome.winner.kind,
        answer=outcome.winner.text,
        text=_spokesman(ballots, frozenset(outcome.winner_members)).text,
        confidence=outcome.confidence,
        agreement=outcome.agreement,
        standings=standings_of(outcome),
        ballots=_weighed(ballots, strategy),
        tie_break=outcome.tie_break,
        explanation=outcome.explanation,
        tokens_saved=tokens_saved(ballots),
    )


def undecided(
    subtask: Subtask, kind: Kind | None, error: QuorateError, ballots: Sequence[Ballot]
) -> Decision:
    """Report a part that has no answer."""
    unweighed = tuple(replace(ballot, weight=0.0) for ballot in ballots)
    return Decision(subtask, kind, "", "", 0.0, 0.0, (), unweighed, error=error)


def no_quorum(ballots: Sequence[Ballot]) -> QuorateError:
    """Say that nobody answered, and why.

    A mistake in the question that every member names, such as a prompt that fits none of them, is
    the asker's error itself.
    """
    mistakes = [ballot.error for ballot in ballots if isinstance(ballot.error, InvalidRequest)]
    if mistakes and len(mistakes) == len(ballots):
        return mistakes[0]
    counts = {status: sum(ballot.status is status for ballot in ballots) for status in Status}
    told = ", ".join(
        f"{count} {status.value.lower().replace('_', ' ')}"
        for status, count in counts.items()
        if count and status is not Status.VALID
    )
    reasons = [
        f"{ballot.node}/{ballot.seat.model}: {ballot.error}" for ballot in ballots if ballot.error
    ]
    detail = f" {'; '.join(dict.fromkeys(reasons[:5]))}." if reasons else ""
    return NoQuorum(
        f"None of {len(ballots)} ballots has an answer: {told}.{detail}",
        metadata={status.value.lower(): str(count) for status, count in counts.items()},
    )


def tokens_saved(ballots: Sequence[Ballot]) -> int:
    """Estimate the tokens that cancelled ballots would still have cost.

    Each is taken to be as long as the mean of those that ended by themselves.
    """
    ended = [ballot.tokens.completion for ballot in ballots if ballot.status in _ENDED]
    if not ended:
        return 0
    expected = sum(ended) / len(ended)
    cancelled = [ballot for ballot in ballots if ballot.status is Status.CANCELLED]
    return round(sum(max(0.0, expected - ballot.tokens.completion) for ballot in cancelled))


_ENDED = (Status.VALID, Status.ABSTAINED)


def _spokesman(ballots: Sequence[Ballot], behind: frozenset[str]) -> Ballot:
    """Choose whose words stand for the winner: the surest, then the first by seat."""
    supporters = [ballot for ballot in ballots if ballot.seat.id in behind]
    return max(supporters, key=lambda ballot: ballot.confidence)


def _weighed(ballots: Sequence[Ballot], strategy: str) -> tuple[Ballot, ...]:
    """Show what each ballot counted under the strategy: nothing without an answer."""
    worth = voting.find(strategy).worth
    return tuple(
        replace(ballot, weight=0.0 if vote.answer is None else worth(vote))
        for ballot, vote in zip(ballots, votes_of(ballots), strict=True)
    )
