"""How often an orchestrated strategy asks, at most. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from services.coordinator.question import Question

DEBATE_ROUNDS: Final = 2
"""Rounds after round 0 when the question names none."""
MOA_LAYERS: Final = 2
"""Layers after the proposals when the question names none; the last is one model alone."""
PACORE_WIDTHS: Final = (4,)
"""Candidates of each round when the question names none; one more call concludes."""
MOST_LEADS: Final = 3
"""Models that may try a call that one model makes for all, one after the other."""


def generations(question: Question, members: int) -> int:
    """Tell how many generations one part may take, for its share of a token budget."""
    votes = members * question.samples
    leads = min(MOST_LEADS, members)
    if question.cascade:
        return votes
    match question.strategy:
        case "debate":
            return votes * (1 + (question.rounds or DEBATE_ROUNDS))
        case "moa":
            return votes * (question.rounds or MOA_LAYERS) + leads
        case "pacore":
            return sum(question.widths or PACORE_WIDTHS) + leads
        case "universal":
            return votes + leads
    return votes
