"""Groups answers that come in one by one: each new one is compared with those alone it may equal.

While all that is equal is equal to the same, as nearly always, the groups are known after each
answer and `Grouping.cluster` only looks them up. Else they depend on how frequent the answers are
in the end ("18" beside "18 kg" and "18 g"), and it is left to `clusters.cluster`. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers.clusters import (
    LOOSE_KINDS,
    MOST_PAIRS,
    PROOF_SECONDS,
    Clusters,
    Key,
    Merge,
    cluster,
    key_of,
)
from quorate.answers.equivalence import compare
from quorate.answers.likeness import Likeness
from quorate.answers.prover import Patience

if TYPE_CHECKING:
    from quorate.answers.answer import Answer


class _Known(NamedTuple):
    """An answer that was added, kept so that its id stays its own; its way and its group."""

    answer: Answer
    way: int
    group: int


class Grouping:
    """The groups of the answers so far; made anew for each question, and used by one loop."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._way_of: dict[Key, int] = {}
        self._answers: list[Answer] = []
        self._group_of: list[int] = []
        self._ways_in: list[set[int]] = []
        self._likeness = Likeness()
        self._evidence: dict[tuple[int, int], str] = {}
        self._pairs = 0
        self.tangled = False
        """Whether groups depend on frequencies, so that `add` cannot tell them."""

    def add(self, answer: Answer) -> int:
        """Take an answer in; gives the number of its group, which is of no use when `tangled`."""
        key = key_of(answer)
        way = self._way_of.setdefault(key, len(self._answers))
        if way == len(self._answers):
            self._answers.append(answer)
            self._group_of.append(self._group_for(way, answer))
        group = self._group_of[way]
        self._known[id(answer)] = _Known(answer, way, group)
        return group

    def alike(self, answer: Answer) -> list[Answer]:
        """Give the different answers so far that this one may equal without being the same."""
        if key_of(answer) in self._way_of or answer.kind not in LOOSE_KINDS:
            return []
        return [self._answers[way] for way in sorted(self._likeness.find(answer))]

    def cluster(self, answers: Sequence[Answer | None]) -> Clusters:
        """Group answers as `clusters.cluster` does, at once where all of them were added."""
        if self.tangled:
            return cluster(answers)
        labels: list[int | None] = []
        numbers: dict[int, int] = {}
        places: dict[int, int] = {}
        for place, answer in enumerate(answers):
            if answer is None:
                labels.append(None)
                continue
            known = self._known.get(id(answer))
            if known is None:
                return cluster(answers)
            labels.append(numbers.setdefault(known.group, len(numbers)))
            places.setdefault(known.way, place)
        return Clusters(tuple(labels), self._merges(places))

    def _group_for(self, way: int, answer: Answer) -> int:
        """Find the group of a new way of answering, or begin one."""
        mates = self._mates(way, answer)
        groups = {self._group_of[mate] for mate in mates}
        if len(groups) == 1 and self._ways_in[group := groups.pop()] == mates:
            self._ways_in[group].add(way)
            return group
        self.tangled = self.tangled or bool(mates)
        self._ways_in.append({way})
        return len(self._ways_in) - 1

    def _mates(self, way: int, answer: Answer) -> set[int]:
        """Give the ways before that are the same."""
        if answer.kind not in LOOSE_KINDS:
            return set()
        candidates = self._likeness.add(way, answer)
        self._pairs += len(candidates)
        self.tangled = self.tangled or self._pairs > MOST_PAIRS
        if self.tangled:
            return set()
        mates: set[int] = set()
        patience = Patience(PROOF_SECONDS)
        for before in sorted(candidates):
            if verdict := compare(self._answers[before], answer, None, patience):
                mates.add(before)
                self._evidence[before, way] = verdict.evidence
        return mates

    def _merges(self, places: dict[int, int]) -> tuple[Merge, ...]:
        """Give the evidence for ways that stand at these places."""
        made = []
        for (one, other), why in self._evidence.items():
            if one in places and other in places:
                first, second = sorted((places[one], places[other]))
                made.append(Merge(first, second, why))
        return tuple(sorted(made, key=lambda merge: (merge.one, merge.other)))


class Labels:
    """Labels answers in a fixed order, each like the first before it that it equals.

    So a label never changes, whatever comes later.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        """The first answer of each label."""
        self._label_of: dict[Key, int] = {}
        self._likeness = Likeness()

    def add(self, answer: Answer) -> int:
        """Give an answer's label."""
        key = key_of(answer)
        if key not in self._label_of:
            self._label_of[key] = self._first_equal(answer)
        return self._label_of[key]

    def _first_equal(self, answer: Answer) -> int:
        label = len(self.answers)
        if answer.kind in LOOSE_KINDS:
            for before in sorted(self._likeness.find(answer)):
                if compare(self.answers[before], answer):
                    return before
            self._likeness.add(label, answer)
        self.answers.append(answer)
        return label
