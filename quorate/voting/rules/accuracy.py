"""How often a model is right, as far as its history tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.answers import Kind
from quorate.voting.knowledge import Record

if TYPE_CHECKING:
    from quorate.voting.election import Election
    from quorate.voting.knowledge import Knowledge

OPEN_OPTIONS = 10
"""Ways to answer an open question, at least: wrong answers to it rarely coincide."""
_FEWEST_OPTIONS = {Kind.BOOLEAN: 2, Kind.CHOICE: 4}


def options_of(election: Election) -> int:
    """Give K, how many answers are possible: what is known, never below the answers given.

    Where it is not known: 2 for yes or no, 4 for choices, 10 for open questions.
    """
    given = len(election.groups)
    if election.knowledge.options:
        return max(2, given, election.knowledge.options)
    kind = election.groups[0].answer.kind
    return max(given, _FEWEST_OPTIONS.get(kind, OPEN_OPTIONS))


def accuracy_of(model: str, knowledge: Knowledge) -> float:
    """Estimate P(the model is right): its record, shrunk to the average model's accuracy.

    So a model without history is taken to be average.
    """
    return knowledge.overall.get(model, Record()).shrunk(knowledge.average_accuracy)


def topic_accuracy_of(model: str, knowledge: Knowledge) -> float:
    """Estimate P(the model is right on the question's topic), shrunk to its overall accuracy."""
    return knowledge.on_topic.get(model, Record()).shrunk(accuracy_of(model, knowledge))


def log_odds(accuracy: float, options: int) -> float:
    """Give ln((K−1)·x/(1−x)), the weight that is optimal for independent errors, spread evenly.

    Negative for a model that is right less often than chance. Source: Nitzan & Paroush (1982) for
    K = 2, arXiv 2510.01499 for any K.
    """
    return math.log((options - 1) * accuracy / (1.0 - accuracy))


def newcomers_note(models: Sequence[str], knowledge: Knowledge) -> list[str]:
    """Say which voters have no history, and what they are taken for."""
    new = [
        model
        for model in dict.fromkeys(models)
        if knowledge.overall.get(model, Record()).total <= 0.0
    ]
    if not new:
        return []
    assumed = f"taken to be right {knowledge.average_accuracy:.0%} of the time"
    if len(new) == len(set(models)):
        return [f"no voter has a history; each is {assumed}"]
    return [f"without a history: {', '.join(new[:5])}{_more(new)}; {assumed}, as the average is"]


def clipped_note(models: Sequence[str], weights: Sequence[float]) -> list[str]:
    """Say whose votes count nothing, because they are right less often than chance."""
    worse = list(
        dict.fromkeys(m for m, weight in zip(models, weights, strict=True) if weight <= 0.0)
    )
    if not worse:
        return []
    return [f"no better than chance, so counted 0: {', '.join(worse[:5])}{_more(worse)}"]


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 5} more" if len(names) > 5 else ""
