"""Groups equal answers, whatever the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from quorate.answers.answer import Answer, Kind
from quorate.answers.equivalence import Judge, compare, may_be_judged
from quorate.answers.prover import Patience, waiting

Key: TypeAlias = tuple[Kind, Hashable]

MOST_COMPARED = 256
"""Different answers that are compared with one another; rarer ones equal only their like."""
MOST_JUDGED = 36
"""Pairs that a judge is asked about: those of nine different answers."""
PROOF_SECONDS = 3.0
"""What the proofs that one grouping needs may take together."""
LOOSE_KINDS = frozenset({Kind.NUMBER, Kind.EXPRESSION, Kind.TEXT})
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


def cluster(
    answers: Sequence[Answer | None],
    *,
    judge: Judge | None = None,
    proof_seconds: float = PROOF_SECONDS,
) -> Clusters:
    """Group equal answers; who shares a group with whom does not depend on the order.

    The most frequent answers come first, and each joins the first group all of whose members it
    equals. Groups are numbered by the first appearance of a member. A `judge` is asked about free
    texts that differ (see `judgeable`).

    Expressions whose equality needs a proof block for at most `proof_seconds` in all; proofs are
    remembered. Whoever must not block calls `prove_ahead` in a thread first.
    """
    firsts, counts = _ways(answers)
    evidence = _evidence(counts, firsts, judge, Patience(proof_seconds))
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


def prove_ahead(answers: Sequence[Answer | None], seconds: float) -> None:
    """Find and remember the proofs that grouping these answers needs, so that it never waits.

    It blocks for at most that long: call it in a thread.
    """
    with waiting(allowed=True):
        cluster(answers, proof_seconds=seconds)


def judgeable(answers: Sequence[Answer | None]) -> list[tuple[int, int]]:
    """Give the pairs of places whose sameness only a judge can tell, the most frequent first.

    Whoever has a judge that answers later asks it about these, and then groups with a `judge` that
    looks the verdicts up by `key_of`.
    """
    firsts, counts = _ways(answers)
    places = [
        sorted((firsts[one][0], firsts[other][0]))
        for one, other in _pairs_to_judge(_ranked(counts), firsts)
    ]
    return [(one, other) for one, other in places]


def _pairs_to_judge(
    ranked: Sequence[Key], firsts: dict[Key, tuple[int, Answer]]
) -> list[tuple[Key, Key]]:
    """Give the most frequent pairs of texts that differ plainly, and that a judge may call equal.

    Pairs that need no judge cost none of the few questions that it is asked.
    """
    texts = [key for key in ranked if key[0] is Kind.TEXT][:MOST_COMPARED]
    found: list[tuple[Key, Key]] = []
    for one, other in combinations(texts, 2):
        if len(found) == MOST_JUDGED:
            break
        first, second = firsts[one][1], firsts[other][1]
        if may_be_judged(first, second) and not compare(first, second):
            found.append((one, other))
    return found


def _ways(
    answers: Sequence[Answer | None],
) -> tuple[dict[Key, tuple[int, Answer]], Counter[Key]]:
    """Give each different answer with its first place, and how often it came."""
    firsts: dict[Key, tuple[int, Answer]] = {}
    counts: Counter[Key] = Counter()
    for place, answer in enumerate(answers):
        if answer is not None:
            key = key_of(answer)
            firsts.setdefault(key, (place, answer))
            counts[key] += 1
    return firsts, counts


def _evidence(
    counts: Counter[Key],
    firsts: dict[Key, tuple[int, Answer]],
    judge: Judge | None,
    patience: Patience,
) -> dict[tuple[Key, Key], str]:
    """Compare the most frequent different values; gives why pairs of them are the same.

    Both orders of a pair are in the order in which the values first came.
    """
    loose = [key for key in _ranked(counts) if key[0] in LOOSE_KINDS][:MOST_COMPARED]
    asked = {frozenset(pair) for pair in _pairs_to_judge(loose, firsts)} if judge else set()
    found: dict[tuple[Key, Key], str] = {}
    # The most frequent are compared first, as long as there is patience.
    for pair in combinations(loose, 2):
        one, other = sorted(pair, key=lambda key: firsts[key][0])
        asking = judge if frozenset(pair) in asked else None
        if verdict := compare(firsts[one][1], firsts[other][1], asking, patience):
            found[one, other] = verdict.evidence
    return dict(sorted(found.items(), key=lambda item: [firsts[key][0] for key in item[0]]))


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
