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

PRIOR_ACCURACY = 0.6
"""What is assumed of models when nothing is known of any."""
PRIOR_ITEMS = 10.0
"""Items that an assumption weighs as much as: ten answers say more than any guess."""
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


def average_accuracy(knowledge: Knowledge) -> float:
    """Give the mean accuracy of the models with a history, each shrunk to 0.6; 0.6 without any."""
    known = [record for record in knowledge.overall.values() if record.total > 0.0]
    if not known:
        return PRIOR_ACCURACY
    return math.fsum(_shrunk(record, PRIOR_ACCURACY) for record in known) / len(known)


def accuracy_of(model: str, knowledge: Knowledge) -> float:
    """Estimate P(the model is right): the mean of its Beta posterior.

    The prior is worth ten items of the average model, so a model without history is taken to be
    average: (right + 10·mean) / (total + 10).
    """
    return _shrunk(knowledge.overall.get(model, Record()), average_accuracy(knowledge))


def topic_accuracy_of(model: str, knowledge: Knowledge) -> float:
    """Estimate P(the model is right on the question's topic), shrunk to its overall accuracy."""
    overall = accuracy_of(model, knowledge)
    return _shrunk(knowledge.on_topic.get(model, Record()), overall)


def _shrunk(record: Record, towards: float) -> float:
    return (record.right + PRIOR_ITEMS * towards) / (record.total + PRIOR_ITEMS)


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
    assumed = f"taken to be right {average_accuracy(knowledge):.0%} of the time"
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
