"""Decides one part from its ballots, or says why they do not suffice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from quorate import voting
from quorate.errors import InvalidRequest, NoQuorum, QuorateError
from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from services.coordinator.outcome import Certificate, Decision, Standing
from services.coordinator.question import Ballot, Status
from services.coordinator.state.learned import ModelKey

if TYPE_CHECKING:
    from quorate.answers import Kind
    from services.coordinator.decompose.dag import Subtask


def doubtful(ballot: Ballot, threshold: float) -> Ballot:
    """Let a ballot abstain that is less confident than a threshold; its answer stays on record."""
    if ballot.status is Status.VALID and ballot.confidence < threshold:
        return replace(ballot, status=Status.ABSTAINED)
    return ballot


def vote_of(ballot: Ballot) -> voting.Vote:
    """Turn a ballot into a vote; whatever is not valid abstains and stays in the denominator."""
    return voting.Vote(
        ballot.seat.id,
        ballot.voted,
        ballot.confidence,
        ballot.weight,
        ModelKey(ballot.seat.model, ballot.sha256).id,
        ballot.ranking,
        ballot.verified,
        voter=f"{ballot.seat.node}/{ballot.seat.model}",
    )


def votes_of(ballots: Sequence[Ballot]) -> list[voting.Vote]:
    """Turn ballots into votes."""
    return [vote_of(ballot) for ballot in ballots]


def standings_of(outcome: voting.Outcome) -> tuple[Standing, ...]:
    """List the answers, best first."""
    return tuple(Standing(answer.text, votes, score) for answer, votes, score in outcome.scores)


class Ending(NamedTuple):
    """How the asking of a part ended: what stopped it, and the certificate if one was reached."""

    stopped_by: str = ""
    certificate: Certificate | None = None


UNTOLD: Final = Ending()


def decide(
    subtask: Subtask,
    kind: Kind | None,
    strategy: str,
    ballots: Sequence[Ballot],
    *,
    knowledge: Knowledge = NOTHING_KNOWN,
    min_agreement: float = 0.0,
    ending: Ending = UNTOLD,
) -> Decision:
    """Decide a part from all its ballots, given in the order of seats.

    A part whose ballots hold no answer gets an error instead of one, with the reasons counted; so
    does one whose winner has less agreement than is needed.
    """
    try:
        outcome = voting.decide(strategy, votes_of(ballots), knowledge)
    except NoQuorum:
        return _ended(undecided(subtask, kind, no_quorum(ballots), ballots), ending)
    if outcome.agreement < min_agreement:
        error = too_little_agreement(outcome, min_agreement, len(ballots))
        return _ended(undecided(subtask, kind, error, ballots), ending)
    decision = Decision(
        subtask=subtask,
        kind=outcome.winner.kind,
        answer=outcome.winner.text,
        text=_words(ballots, outcome),
        confidence=outcome.confidence,
        agreement=outcome.agreement,
        standings=standings_of(outcome),
        ballots=_weighed(ballots, outcome),
        tie_break=outcome.tie_break,
        explanation=outcome.explanation,
    )
    return _ended(decision, ending)


def _ended(decision: Decision, ending: Ending) -> Decision:
    return replace(decision, tokens_saved=tokens_saved(decision.ballots), **ending._asdict())


def too_little_agreement(outcome: voting.Outcome, least: float, asked: int) -> NoQuorum:
    """Say by how much a winner misses the agreement that was asked for."""
    behind = len(outcome.winner_members)
    return NoQuorum(
        f"{outcome.winner.text!r} leads with {behind} of {asked} ballots, an agreement of"
        f" {outcome.agreement:.3f}; min_agreement asks for {least:g}. Lower it or ask more models.",
        metadata={
            "field": "min_agreement",
            "agreement": f"{outcome.agreement:.6f}",
            "min_agreement": f"{least:g}",
            "asked": str(asked),
            "behind": str(behind),
        },
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


def _words(ballots: Sequence[Ballot], outcome: voting.Outcome) -> str:
    """Choose whose words stand for the winner: the surest supporter's, then the first's by seat.

    A computed answer, such as a mean, may be nobody's own.
    """
    behind = frozenset(outcome.winner_members)
    supporters = [ballot for ballot in ballots if ballot.seat.id in behind]
    if not supporters:
        return outcome.winner.text
    return max(supporters, key=lambda ballot: ballot.confidence).text


def _weighed(ballots: Sequence[Ballot], outcome: voting.Outcome) -> tuple[Ballot, ...]:
    """Show what each ballot counted under the strategy: nothing without an answer."""
    members = sorted(ballot.seat.id for ballot in ballots)
    weights = dict(zip(members, outcome.weights, strict=True))
    return tuple(
        ballot if ballot.weight == weight else replace(ballot, weight=weight)
        for ballot, weight in ((ballot, weights[ballot.seat.id]) for ballot in ballots)
    )
