"""Groups equal answers, whatever the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from quorate.answers.answer import Answer, Kind
from quorate.answers.equivalence import compare

Key: TypeAlias = tuple[Kind, Hashable]

MOST_COMPARED = 256
"""Different answers that are compared with one another; rarer ones equal only their like."""
LOOSE_KINDS = frozenset({Kind.NUMBER, Kind.TEXT})
"""Kinds in which answers with different values may be the same."""


@dataclass(frozen=True)
class Merge:
    """Why two answers, given by their places, share a group."""

    one: int
    other: int
    evidence: str


@dataclass(frozen=True)
class Clusters:
    """Answers in groups. `labels[i]` is the group of answer i, None when it abstained.

    All members of a group are equal to one another. `merges` holds the evidence for those that
    share a group without having the same value. `parted` lists pairs that are equal and yet in two
    groups, because equivalence is not transitive: "18" beside "18 kg" and "18 g".
    """

    labels: tuple[int | None, ...]
    merges: tuple[Merge, ...] = ()
    parted: tuple[tuple[int, int], ...] = ()


def key_of(answer: Answer) -> Key:
    """Give what is equal for answers that are the same beyond doubt."""
    return (answer.kind, answer.value)


def cluster(answers: Sequence[Answer | None]) -> Clusters:
    """Group equal answers; who shares a group with whom does not depend on the order.

    The most frequent answers come first, and each joins the first group all of whose members it
    equals. Groups are numbered by the first appearance of a member.
    """
    firsts: dict[Key, tuple[int, Answer]] = {}
    counts: Counter[Key] = Counter()
    for place, answer in enumerate(answers):
        if answer is not None:
            key = key_of(answer)
            firsts.setdefault(key, (place, answer))
            counts[key] += 1
    evidence = _evidence(counts, firsts)
    home = _homes(counts, evidence)
    numbers: dict[int, int] = {}
    labels = tuple(
        None if answer is None else numbers.setdefault(home[key_of(answer)], len(numbers))
        for answer in answers
    )
    pairs = [(firsts[one][0], firsts[other][0], why) for (one, other), why in evidence.items()]
    return Clusters(
        labels,
        tuple(Merge(one, other, why) for one, other, why in pairs if labels[one] == labels[other]),
        tuple((one, other) for one, other, _ in pairs if labels[one] != labels[other]),
    )


def _evidence(
    counts: Counter[Key], firsts: dict[Key, tuple[int, Answer]]
) -> dict[tuple[Key, Key], str]:
    """Compare the most frequent different values; gives why pairs of them are the same.

    Both orders of a pair are in the order in which the values first came.
    """
    loose = [key for key in _ranked(counts) if key[0] in LOOSE_KINDS][:MOST_COMPARED]
    by_place = sorted(loose, key=lambda key: firsts[key][0])
    return {
        (one, other): verdict.evidence
        for one, other in combinations(by_place, 2)
        if (verdict := compare(firsts[one][1], firsts[other][1]))
    }


def _homes(counts: Counter[Key], evidence: dict[tuple[Key, Key], str]) -> dict[Key, int]:
    """Say which group each value belongs to."""
    like: dict[Key, set[Key]] = {}
    for one, other in evidence:
        like.setdefault(one, set()).add(other)
        like.setdefault(other, set()).add(one)
    groups: list[set[Key]] = []
    home: dict[Key, int] = {}
    for key in _ranked(counts):
        mates = like.get(key, set())
        fitting = sorted({home[mate] for mate in mates if mate in home})
        number = next((at for at in fitting if groups[at] <= mates), len(groups))
        if number == len(groups):
            groups.append(set())
        groups[number].add(key)
        home[key] = number
    return home


def _ranked(counts: Counter[Key]) -> list[Key]:
    """Put the most frequent first; the value's text breaks ties, as nothing of the order may."""
    return sorted(counts, key=lambda key: (-counts[key], key[0], repr(key[1])))
