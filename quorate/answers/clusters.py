"""Groups equal answers, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, TypeAlias

from quorate.answers.answer import Answer, Kind
from quorate.answers.equivalence import Judge, compare, may_be_judged
from quorate.answers.likeness import Likeness
from quorate.answers.number import Quantity
from quorate.answers.prover import Patience, waiting

Key: TypeAlias = tuple[Kind, Hashable]

FEW = 3
"""Up to so many different answers it is quicker to compare all of them."""
MOST_PAIRS = 32_640
"""Pairs that may be the same and are compared: those of 256 different answers."""
MOST_COMPARED = 256
"""Where there are more pairs, rarer answers equal only their like."""
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
    groups, because equivalence is not transitive: "18" beside "18 kg" and "18 g". `complete`: all
    that may be equal was compared, which it is but for some hundreds of answers that are all alike.
    """

    labels: tuple[int | None, ...]
    merges: tuple[Merge, ...] = ()
    parted: tuple[tuple[int, int], ...] = ()
    complete: bool = True


class Ways(NamedTuple):
    """Different answers, numbered by their first appearance.

    `answers` holds the first of each, `places` where it stood, `counts` how often it came. `labels`
    has each answer's number, None for an abstention.
    """

    answers: Sequence[Answer]
    places: Sequence[int]
    counts: Sequence[int]
    labels: tuple[int | None, ...]


Clustering: TypeAlias = Callable[[Sequence[Answer | None]], Clusters]
"""Groups answers as `cluster` does."""
Evidence: TypeAlias = Mapping[tuple[int, int], str]
"""Why two ways, the lesser number first, are the same."""


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
    ways = ways_of(answers)
    loose = [way for way, answer in enumerate(ways.answers) if answer.kind in LOOSE_KINDS]
    pairs = _alike(ways, loose)
    evidence = _evidence(ways, loose, pairs, judge, Patience(proof_seconds))
    return _grouped(ways, evidence, complete=pairs is not None)


def _grouped(ways: Ways, evidence: Evidence, *, complete: bool) -> Clusters:
    """Put ways into groups; `evidence` tells which of them are the same, in their order."""
    if not evidence:
        return Clusters(ways.labels, complete=complete)
    home = _homes(ways, evidence)
    numbers: dict[int, int] = {}
    labels = tuple(
        None if way is None else numbers.setdefault(home[way], len(numbers)) for way in ways.labels
    )
    together, apart = [], []
    for (one, other), why in evidence.items():
        first, second = ways.places[one], ways.places[other]
        if home[one] == home[other]:
            together.append(Merge(first, second, why))
        else:
            apart.append((first, second))
    return Clusters(labels, tuple(together), tuple(apart), complete)


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
    ways = ways_of(answers)
    texts = [way for way, answer in enumerate(ways.answers) if answer.kind is Kind.TEXT]
    evidence = _evidence(ways, texts, _alike(ways, texts), None, Patience(0.0))
    pairs = _pairs_to_judge(ways, evidence)
    return [(ways.places[one], ways.places[other]) for one, other in pairs]


def _pairs_to_judge(ways: Ways, evidence: Evidence) -> list[tuple[int, int]]:
    """Give the most frequent pairs of texts that differ plainly, and that a judge may call equal.

    Pairs that need no judge cost none of the few questions that it is asked.
    """
    texts = [way for way, answer in enumerate(ways.answers) if answer.kind is Kind.TEXT]
    found: list[tuple[int, int]] = []
    for pair in combinations(_ranked(ways, texts)[:MOST_COMPARED], 2):
        if len(found) == MOST_JUDGED:
            break
        one, other = min(pair), max(pair)
        if (one, other) in evidence:
            continue
        if may_be_judged(ways.answers[one], ways.answers[other]):
            found.append((one, other))
    return found


def ways_of(answers: Sequence[Answer | None]) -> Ways:
    """Give different answers numbers by their first appearance, and count them."""
    number_of: dict[Kind, dict[Hashable, int]] = {}
    kind, known = None, dict[Hashable, int]()
    firsts: list[Answer] = []
    places: list[int] = []
    counts: list[int] = []
    labels: list[int | None] = []
    for place, answer in enumerate(answers):
        if answer is None:
            labels.append(None)
            continue
        if answer.kind is not kind:
            kind = answer.kind
            known = number_of.setdefault(kind, {})
        value = answer.value
        # Fractions take long to hash.
        way = known.setdefault(_quick(value) if type(value) is Quantity else value, len(counts))
        if way == len(counts):
            firsts.append(answer)
            places.append(place)
            counts.append(0)
        counts[way] += 1
        labels.append(way)
    return Ways(firsts, places, counts, tuple(labels))


def _quick(quantity: Quantity) -> Hashable:
    """Give what is equal where quantities are, and quicker to hash."""
    number, unit, places = quantity
    return number.numerator, number.denominator, unit, places


def _evidence(
    ways: Ways,
    loose: Sequence[int],
    alike: Sequence[tuple[int, int]] | None,
    judge: Judge | None,
    patience: Patience,
) -> Evidence:
    """Compare what may be the same; gives why pairs of ways are, in the order of their numbers."""
    if len(loose) < 2:
        return {}
    found: dict[tuple[int, int], str] = {}
    # The most frequent are compared first, as long as there is patience.
    for one, other in _in_turn(ways, loose, alike):
        if verdict := compare(ways.answers[one], ways.answers[other], None, patience):
            found[one, other] = verdict.evidence
    for one, other in _pairs_to_judge(ways, found) if judge else ():
        if verdict := compare(ways.answers[one], ways.answers[other], judge, patience):
            found[one, other] = verdict.evidence
    return dict(sorted(found.items())) if len(found) > 1 else found


def _in_turn(
    ways: Ways, loose: Sequence[int], alike: Sequence[tuple[int, int]] | None
) -> Sequence[tuple[int, int]]:
    """Give the pairs of ways to compare, each pair in order, the most frequent first."""
    if alike is None:
        some = _ranked(ways, loose)[:MOST_COMPARED]
        return [(min(pair), max(pair)) for pair in combinations(some, 2)]
    if all(ways.answers[way].kind is not Kind.EXPRESSION for way in loose):
        return alike  # without proofs nothing depends on what is compared first
    rank = {way: place for place, way in enumerate(_ranked(ways, loose))}
    return sorted(alike, key=lambda pair: sorted((rank[pair[0]], rank[pair[1]])))


def _alike(ways: Ways, loose: Sequence[int]) -> list[tuple[int, int]] | None:
    """Give the pairs that may be the same; None when they are too many to compare."""
    if len(loose) <= FEW:
        return list(combinations(loose, 2))
    likeness = Likeness()
    pairs: list[tuple[int, int]] = []
    for way in loose:
        pairs += [(before, way) for before in likeness.add(way, ways.answers[way])]
        if len(pairs) > MOST_PAIRS:
            return None
    return pairs


def _homes(ways: Ways, evidence: Evidence) -> list[int]:
    """Say which group each way belongs to."""
    like: dict[int, set[int]] = {}
    for one, other in evidence:
        like.setdefault(one, set()).add(other)
        like.setdefault(other, set()).add(one)
    groups: list[set[int]] = []
    home = [-1 - way for way in range(len(ways.counts))]  # of its own, for whatever is like nothing
    for way in _ranked(ways, list(like)):
        mates = like[way]
        fitting = sorted({home[mate] for mate in mates if home[mate] >= 0})
        number = next((at for at in fitting if groups[at] <= mates), len(groups))
        if number == len(groups):
            groups.append(set())
        groups[number].add(way)
        home[way] = number
    return home


def _ranked(ways: Ways, some: Sequence[int]) -> list[int]:
    """Put the most frequent first; the value's text breaks ties, as nothing of the order may."""

    def rank(way: int) -> tuple[int, str, str]:
        answer = ways.answers[way]
        return -ways.counts[way], answer.kind, repr(answer.value)

    return sorted(some, key=rank)
