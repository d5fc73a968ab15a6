"""Decides recorded parts again, from their ballots and what was known, without asking anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from quorate import voting
from quorate.errors import NoQuorum, NotReady
from quorate.records import last_word
from quorate.records.record import BallotRecord, PartRecord, Record, knowledge_of
from quorate.records.values import answer_of

if TYPE_CHECKING:
    from quorate.answers import Answer

VALID = "VALID"
UNKNOWN = 0.5
"""What a vote counts under best_of_n where nobody could verify any."""
CLOSED_KINDS = frozenset({"choice", "number", "boolean", "expression"})
"""Kinds whose answers say little of the question; they stay where texts are not kept."""


class ReplayedPart(NamedTuple):
    """A part that was decided again; `same` when winner, text and explanation are byte for byte.

    `spoken` when a model had the last word: its ballot is taken from the record, not asked again.
    """

    id: str
    strategy: str
    answer: str
    text: str
    explanation: str
    tie_break: str
    agreement: float
    error: str
    same: bool
    spoken: bool = False


def replay(record: Record, strategy: str = "") -> tuple[ReplayedPart, ...]:
    """Decide all parts again, under the record's own strategy or another one.

    Raises UnknownStrategy, and NotReady when the record was kept without the texts it would need.
    """
    rule = voting.find(strategy or record.strategy)
    return tuple(_replayed(record, part, rule.name) for part in record.parts)


def _replayed(record: Record, part: PartRecord, strategy: str) -> ReplayedPart:
    own = strategy == record.strategy
    counted = [ballot for ballot in part.ballots if ballot.counted]
    if own and strategy == "best_of_n" and all(one.verified is None for one in counted):
        # Nobody could verify any: every answer was as good as it is frequent.
        counted = [msgspec.structs.replace(ballot, verified=UNKNOWN) for ballot in counted]
    if not record.texts:
        _check_kept(part, counted)
    try:
        outcome = voting.decide(strategy, _votes(counted), knowledge_of(part.knowledge))
    except NoQuorum as error:
        same = own and not part.decision.answer and bool(part.decision.error)
        told = part.decision.error if same else str(error)
        return ReplayedPart(part.id, strategy, "", "", "", "", 0.0, told, same)
    if outcome.agreement < record.min_agreement:
        told = f"its agreement of {outcome.agreement:.3f} is below {record.min_agreement:g}"
        same = own and not part.decision.answer and bool(part.decision.error)
        told = part.decision.error if same else told
        return ReplayedPart(part.id, strategy, "", "", "", "", 0.0, told, same)
    text = _spokesman(counted, outcome.winner_members).text
    decided, told = part.decision, outcome.explanation
    if own and decided.explanation.endswith(f"; {told}"):
        told = decided.explanation  # what the coordinator told of the course stands before it
    found = (outcome.winner.text, text, told, outcome.tie_break)
    before = (decided.answer, decided.text, decided.explanation, decided.tie_break)
    if own and found != before and (last := _last_word(part, strategy, outcome, record)):
        return last
    return ReplayedPart(
        part.id, strategy, *found, outcome.agreement, "", same=own and found == before
    )


def _votes(ballots: Sequence[BallotRecord]) -> list[voting.Vote]:
    return [
        voting.Vote(
            ballot.seat,
            _voted(ballot),
            ballot.confidence,
            ballot.member_weight,
            ballot.vote_model,
            tuple(answer for one in ballot.ranking if (answer := answer_of(one))),
            ballot.verified,
            voter=f"{ballot.seat_node}/{ballot.model}",
        )
        for ballot in ballots
    ]


def _spokesman(ballots: Sequence[BallotRecord], behind: Sequence[str]) -> BallotRecord:
    """Choose whose words stand for the winner: the surest, then the first by seat."""
    supporters = [ballot for ballot in ballots if ballot.seat in behind]
    return max(supporters, key=lambda ballot: ballot.confidence)


def _last_word(
    part: PartRecord, strategy: str, outcome: voting.Outcome, record: Record
) -> ReplayedPart | None:
    """Find the ballot that spoke last, where the strategy let one model speak for the others.

    Who stands behind it is counted again, and whether they are as many as were asked for.
    """
    decided = part.decision
    if not decided.explanation.endswith(f"; {outcome.explanation}"):
        return None
    voted = [_voted(ballot) for ballot in part.ballots if ballot.counted]
    for ballot in part.ballots:
        answer = _voted(ballot)
        if answer is None:
            continue
        share = last_word.agreement(answer, voted)
        if share < record.min_agreement:
            error = last_word.too_little(answer, share, record.min_agreement)
            if (decided.answer, decided.error) == ("", error):
                return ReplayedPart(
                    part.id, strategy, "", "", "", "", 0.0, error, same=True, spoken=True
                )
        elif (answer.text, ballot.text, share) == (
            decided.answer,
            decided.text,
            decided.agreement,
        ):
            return ReplayedPart(
                part.id, strategy, decided.answer, decided.text,
                decided.explanation, decided.tie_break, share, "", True, True,
            )  # fmt: skip
    return None


def _voted(ballot: BallotRecord) -> Answer | None:
    return answer_of(ballot.answer) if ballot.status == VALID else None


def _check_kept(part: PartRecord, ballots: Sequence[BallotRecord]) -> None:
    for ballot in ballots:
        if ballot.status == VALID and ballot.answer is None:
            raise NotReady(
                f"the record of {part.id} was kept without texts, and its answers are free text: "
                "they cannot be compared again. Set `record_texts: true` to keep them."
            )
