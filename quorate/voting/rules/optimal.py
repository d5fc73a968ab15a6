"""Optimal weights: each vote counts by how often its model is right, overall or on the topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quorate.voting.election import Count, Election, weighted_count
from quorate.voting.knowledge import Record
from quorate.voting.rules.accuracy import (
    accuracy_of,
    clipped_note,
    log_odds,
    newcomers_note,
    options_of,
    topic_accuracy_of,
)

if TYPE_CHECKING:
    from quorate.voting.knowledge import Knowledge

MUCH_HISTORY_ITEMS = 10.0
"""From so many items on, the topic itself says more than the overall record."""


def optimal(election: Election) -> Count:
    """Weigh each vote with ln((K−1)·x/(1−x)), x its model's accuracy; below chance it counts 0."""
    return _by_accuracy(election, accuracy_of, newcomers_note(election.models, election.knowledge))


def by_topic(election: Election) -> Count:
    """Weigh like `optimal`, by the accuracy on the question's topic.

    That is shrunk to the overall accuracy: where there is little history on the topic, or none, it
    is the overall one. Only how well a model did on the topic counts, not that it carries its name.
    """
    knowledge = election.knowledge
    notes = [*newcomers_note(election.models, knowledge), *_topic_note(election)]
    return _by_accuracy(election, topic_accuracy_of, notes)


def _by_accuracy(
    election: Election, estimate: Callable[[str, Knowledge], float], notes: list[str]
) -> Count:
    options = options_of(election)
    models = election.models
    accuracy = {model: estimate(model, election.knowledge) for model in dict.fromkeys(models)}
    odds = {model: log_odds(accuracy[model], options) for model in accuracy}
    raw = [odds[model] for model in models]
    notes = [*notes, *clipped_note(models, raw)]
    return weighted_count(election, [max(0.0, weight) for weight in raw], notes)


def _topic_note(election: Election) -> list[str]:
    knowledge = election.knowledge
    topic = f"the topic {knowledge.topic!r}" if knowledge.topic else "the question's topic"
    items = {
        model: knowledge.on_topic.get(model, Record()).total
        for model in dict.fromkeys(election.models)
    }
    if not any(items.values()):
        return [f"nothing is known of {topic}; overall accuracies count"]
    little = [model for model, total in items.items() if total < MUCH_HISTORY_ITEMS]
    if not little:
        return []
    return [f"little history on {topic}, mostly overall accuracies: {', '.join(little[:5])}"]
