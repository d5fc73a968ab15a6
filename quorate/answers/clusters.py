"""Groups equal answers, whatever the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from quorate.answers.equivalence import Verdict, compare

if TYPE_CHECKING:
    from quorate.answers.answer import Answer, Kind

Key: TypeAlias = "tuple[Kind, Hashable]"


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
    counts = Counter(key_of(answer) for answer in answers if answer is not None)
    firsts = _first_places(answers)
    # The value's text breaks ties of frequency, as nothing that depends on the order may.
    ordered = sorted(counts, key=lambda key: (-counts[key], key[0], repr(key[1])))
    verdicts = {
        frozenset((one, other)): compare(firsts[one][1], firsts[other][1])
        for one, other in combinations(ordered, 2)
    }
    groups: list[list[Key]] = []
    for key in ordered:
        fitting = (g for g in groups if all(verdicts[frozenset((key, mate))] for mate in g))
        if (home := next(fitting, None)) is not None:
            home.append(key)
        else:
            groups.append([key])
    return _told(answers, groups, verdicts)


def _first_places(answers: Sequence[Answer | None]) -> dict[Key, tuple[int, Answer]]:
    firsts: dict[Key, tuple[int, Answer]] = {}
    for place, answer in enumerate(answers):
        if answer is not None:
            firsts.setdefault(key_of(answer), (place, answer))
    return firsts


def _told(
    answers: Sequence[Answer | None],
    groups: Sequence[Sequence[Key]],
    verdicts: dict[frozenset[Key], Verdict],
) -> Clusters:
    home = {key: number for number, keys in enumerate(groups) for key in keys}
    firsts = _first_places(answers)
    numbers: dict[int, int] = {}
    labels = tuple(
        None if answer is None else numbers.setdefault(home[key_of(answer)], len(numbers))
        for answer in answers
    )
    merges, parted = [], []
    for one, other in combinations(firsts, 2):
        verdict = verdicts[frozenset((one, other))]
        first, second = firsts[one][0], firsts[other][0]
        if home[one] == home[other]:
            merges.append(Merge(first, second, verdict.evidence))
        elif verdict:
            parted.append((first, second))
    return Clusters(labels, tuple(merges), tuple(parted))
