"""Dawid–Skene with one coin: who is right and who is reliable, estimated together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.voting.election import Count, Election
from quorate.voting.knowledge import NOTHING_KNOWN, PRIOR_ITEMS, Record
from quorate.voting.rules.accuracy import (
    accuracy_of,
    newcomers_note,
    options_of,
    topic_accuracy_of,
)

if TYPE_CHECKING:
    from quorate.voting.knowledge import Knowledge

MOST_ROUNDS = 200
CLOSE_ENOUGH = 1e-7

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]


class Estimate(NamedTuple):
    """P(answer is right) for each group of each election, and each model's accuracy."""

    posteriors: list[list[float]]
    accuracy: dict[str, float]


class Prior(NamedTuple):
    """A Beta prior of a model's accuracy: items it is taken to have got right, and wrong."""

    right: float
    wrong: float


class _Said(NamedTuple):
    """Every vote of every election: who cast it, and for which group, numbered through."""

    voter: Places
    group: Places


def dawid_skene(election: Election) -> Count:
    """Score answers by P(right), the voters' accuracies being estimated along with it.

    Online: what is known of the voters is the prior, and this election moves it by one item. With
    little history the voters that agree here are taken to be a little more reliable.
    """
    posterior = estimate([election], election.knowledge).posteriors[0]
    return Count(
        posterior, shares=posterior, notes=newcomers_note(election.models, election.knowledge)
    )


def estimate(elections: Sequence[Election], knowledge: Knowledge = NOTHING_KNOWN) -> Estimate:
    """Estimate a batch of items of one topic together, by expectation maximisation.

    A voter is right with its own probability, and else gives any of the K−1 wrong answers alike
    (one coin). Accuracies are means of Beta posteriors whose prior comes from `knowledge`. Answers
    that nobody gave may be right as well. Source: Dawid & Skene (1979); Beta prior as in Raykar et
    al. (2010).
    """
    names = sorted({model for election in elections for model in election.models})
    said, sizes = _said(elections, names)
    priors = [prior_of(name, knowledge) for name in names]
    right, wrong = (np.array([p[side] for p in priors], dtype=np.float64) for side in (0, 1))
    options = [options_of(election) for election in elections]
    item_of = np.repeat(np.arange(len(elections)), sizes)
    cast = np.bincount(said.voter, minlength=len(names))
    accuracy = right / (right + wrong)
    posterior = np.zeros(len(item_of))
    for _ in range(MOST_ROUNDS):
        before, posterior = posterior, _expected(said, accuracy, item_of, np.array(options), sizes)
        hits = np.bincount(said.voter, weights=posterior[said.group], minlength=len(names))
        accuracy = (right + hits) / (right + wrong + cast)
        if np.abs(posterior - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    ends = np.cumsum(sizes)[:-1]
    return Estimate(
        [part.tolist() for part in np.split(posterior, ends)],
        {name: float(value) for name, value in zip(names, accuracy, strict=True)},
    )


def prior_of(model: str, knowledge: Knowledge) -> Prior:
    """Give what is known of a model as items: its history on the topic, or all of it elsewhere.

    Ten items of the average model are added, or of the model itself where only the topic counts.
    """
    on_topic = knowledge.on_topic.get(model)
    if on_topic is not None:
        items, mean = on_topic.total + PRIOR_ITEMS, topic_accuracy_of(model, knowledge)
    else:
        items = knowledge.overall.get(model, Record()).total + PRIOR_ITEMS
        mean = accuracy_of(model, knowledge)
    return Prior(items * mean, items * (1.0 - mean))


def _said(elections: Sequence[Election], names: Sequence[str]) -> tuple[_Said, list[int]]:
    """Count voters and groups through all elections; also give the groups of each."""
    number = {name: place for place, name in enumerate(names)}
    voters: list[int] = []
    groups: list[int] = []
    first = 0
    for election in elections:
        for model, label in zip(election.models, election.labels, strict=True):
            if label is not None:
                voters.append(number[model])
                groups.append(first + label)
        first += len(election.groups)
    sizes = [len(election.groups) for election in elections]
    return _Said(np.array(voters, dtype=np.intp), np.array(groups, dtype=np.intp)), sizes


def _expected(
    said: _Said, accuracy: Floats, item_of: Places, options: Places, sizes: Sequence[int]
) -> Floats:
    """Give P(right) of each group: its votes' likelihoods over those of all K answers."""
    k = options[item_of[said.group]]
    worth = np.log((k - 1) * accuracy[said.voter] / (1.0 - accuracy[said.voter]))
    evidence = np.bincount(said.group, weights=worth, minlength=len(item_of))
    most = np.zeros(len(sizes))
    np.maximum.at(most, item_of, evidence)
    raised = np.exp(evidence - most[item_of])
    unsaid = (options - np.array(sizes)) * np.exp(-most)
    totals = np.bincount(item_of, weights=raised, minlength=len(sizes)) + unsaid
    return np.asarray(raised / totals[item_of], dtype=np.float64)
