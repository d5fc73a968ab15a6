"""Rules that look at what a response is worth besides its answer: best of n, and ranking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from quorate.answers import Kind
from quorate.errors import InvalidRequest
from quorate.voting.election import Count, Election, weighted_count

if TYPE_CHECKING:
    from quorate.voting.vote import Vote

CONFIDENCE_SHARE = 0.4
AGREEMENT_SHARE = 0.4
FORMAT_SHARE = 0.2
"""What the factors of a rank weigh. Length is none: it would buy rank without being right."""
READABLE_FORMAT = 0.5
"""A format of free text: an answer was found, but nothing checks its form."""


def best_of_n(election: Election) -> Count:
    """Add up what a verifier gave to equal answers; the best sum wins.

    Votes that were not verified count 0. Raises InvalidRequest when none was.
    """
    spoke = [vote for vote in election.votes if vote.answer is not None]
    unverified = sum(vote.verified is None for vote in spoke)
    if unverified == len(spoke):
        raise InvalidRequest.field(
            "verified", None, "best_of_n counts what a verifier gave, and no vote has it",
            "Give each vote a score in [0, 1] from a judge, a test or a check.",
        )  # fmt: skip
    notes = [f"{unverified} of {len(spoke)} answers were not verified"] if unverified else []
    return weighted_count(election, [vote.verified or 0.0 for vote in election.votes], notes)


def ranking(election: Election) -> Count:
    """Rank the responses by several factors; the answer of the best response wins.

    A response's rank is 0.4 times its confidence, 0.4 times the share of the other voters that
    gave its answer, and 0.2 times its format: what a verifier gave, else 1 for an answer whose form
    was checked when it was read (a number, a choice, JSON, …), 0.5 for free text.
    """
    others = max(1, len(election.votes) - 1)
    scores = []
    for group in election.groups:
        agreement = (len(group.votes) - 1) / others if len(election.votes) > 1 else 1.0
        best = max(
            CONFIDENCE_SHARE * vote.confidence + FORMAT_SHARE * _format(vote)
            for vote in group.votes
        )
        scores.append(math.fsum([best, AGREEMENT_SHARE * agreement]))
    return Count(scores)


def _format(vote: Vote) -> float:
    if vote.verified is not None:
        return vote.verified
    typed = vote.answer is not None and vote.answer.kind is not Kind.TEXT
    return 1.0 if typed else READABLE_FORMAT
