"""A decision whose answer one ballot gives, for all others. Pure.

The quorum and the agreement are those of the ballots it was made of: one model that speaks last
agrees with itself, which says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from quorate.answers import cluster
from quorate.errors import NoQuorum
from quorate.records import last_word
from services.coordinator.orchestrate.floor import explained
from services.coordinator.outcome import Decision, Standing

if TYPE_CHECKING:
    from quorate.answers import Answer
    from services.coordinator.question import Ballot


def elected(
    decision: Decision, spokesman: Ballot, note: str, min_agreement: float = 0.0
) -> Decision:
    """Let a ballot with an answer speak for the ballots of a decision.

    Below `min_agreement` the part has no answer.
    """
    answer = spokesman.answer
    if answer is None:
        raise ValueError("a ballot without an answer speaks for nobody")
    standings = _standings(decision.ballots, answer)
    agreement = last_word.agreement(answer, [ballot.voted for ballot in decision.ballots])
    made = replace(
        explained(decision, note),
        kind=answer.kind,
        answer=answer.text,
        text=spokesman.text,
        confidence=agreement,
        agreement=agreement,
        standings=standings,
        tie_break="",
        error=None,
    )
    if agreement >= min_agreement:
        return made
    error = NoQuorum(
        last_word.too_little(answer, agreement, min_agreement),
        metadata={"agreement": str(agreement)},
    )
    return replace(made, answer="", text="", confidence=0.0, agreement=0.0, error=error)


def _standings(ballots: Sequence[Ballot], answer: Answer) -> tuple[Standing, ...]:
    """Count the ballots behind each answer, the given one first."""
    spoken = [voted for ballot in ballots if (voted := ballot.voted) is not None]
    labels = cluster([answer, *spoken]).labels
    counts = {label: labels.count(label) for label in labels if label is not None}
    counts[labels[0] or 0] -= 1  # the spokesman is not one of the ballots
    texts: dict[int, str] = {}
    for label, told in zip(labels, [answer, *spoken], strict=True):
        texts.setdefault(label or 0, told.text)
    first = labels[0] or 0
    order = sorted(counts, key=lambda label: (label != first, -counts[label], label))
    return tuple(Standing(texts[label], counts[label], float(counts[label])) for label in order)
