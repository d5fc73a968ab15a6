"""Whether two answers are the same, with the evidence; and the groups that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.answers import number, phrase
from quorate.answers.answer import Answer, Kind
from quorate.answers.extraction import extract


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are the same; true in a condition when they are. `evidence` says why."""

    same: bool
    evidence: str

    def __bool__(self) -> bool:
        return self.same


def equivalent(
    one: Answer | str | None, other: Answer | str | None, kind: Kind | None = None
) -> Verdict:
    """Compare two answers, or the answers in two texts. An abstention is equivalent to nothing."""
    first = extract(one, kind) if isinstance(one, str) else one
    second = extract(other, kind) if isinstance(other, str) else other
    if first is None or second is None:
        return Verdict(False, "an abstention equals nothing")
    if first.kind is not second.kind:
        return _across_kinds(first, second)
    if first.value == second.value:
        return Verdict(True, f"equal as {first.kind}")
    return _COMPARE.get(first.kind, _different)(first, second)


def _different(first: Answer, second: Answer) -> Verdict:
    return Verdict(False, f"different as {first.kind}")


def _numbers(first: Answer, second: Answer) -> Verdict:
    if not isinstance(first.value, number.Quantity) or not isinstance(
        second.value, number.Quantity
    ):
        return _different(first, second)
    if number.same(first.value, second.value):
        return Verdict(True, "equal as number, where a missing unit fits any")
    return _different(first, second)


def _texts(first: Answer, second: Answer) -> Verdict:
    if phrase.same_fact(_words(first), _words(second)):
        return Verdict(True, "one is a sentence that states the other")
    return _different(first, second)


_COMPARE = {Kind.NUMBER: _numbers, Kind.TEXT: _texts}


def _across_kinds(first: Answer, second: Answer) -> Verdict:
    """Answers of two kinds are the same only when they read the same."""
    if phrase.words(first.text) == phrase.words(second.text) != ():
        return Verdict(True, f"written alike as {first.kind} and {second.kind}")
    return Verdict(False, f"{first.kind} is not {second.kind}")


def _words(answer: Answer) -> tuple[str, ...]:
    return phrase.words(answer.text)


@dataclass(frozen=True)
class Clusters:
    """Answers in groups. `labels[i]` is the group of answer i, None when it abstained.

    `chained` lists pairs that share a group only through a third answer: equivalence that is not
    transitive, such as 18 kg, 18 and 18 g.
    """

    labels: tuple[int | None, ...]
    chained: tuple[tuple[int, int], ...]


def cluster(answers: Sequence[Answer | None]) -> Clusters:
    """Group equal answers; the groups do not depend on the order of the answers."""
    kept = [position for position, answer in enumerate(answers) if answer is not None]
    parent = {position: position for position in kept}

    def root(position: int) -> int:
        while parent[position] != position:
            position = parent[position]
        return position

    differ = []
    for index, one in enumerate(kept):
        for other in kept[index + 1 :]:
            if equivalent(answers[one], answers[other]):
                parent[root(other)] = root(one)
            else:
                differ.append((one, other))
    numbers: dict[int, int] = {}
    labels = tuple(
        numbers.setdefault(root(position), len(numbers)) if position in parent else None
        for position in range(len(answers))
    )
    chained = tuple((one, other) for one, other in differ if labels[one] == labels[other])
    return Clusters(labels, chained)


def may_merge(one: Answer, other: Answer) -> bool:
    """Whether some third answer could join the groups of two different answers.

    Only kinds whose equivalence is not transitive can: numbers with units, and free text.
    """
    if Kind.TEXT in (one.kind, other.kind):
        return True
    return one.kind is Kind.NUMBER is other.kind and _units_differ(one, other)


def _units_differ(one: Answer, other: Answer) -> bool:
    first, second = one.value, other.value
    return (
        isinstance(first, number.Quantity)
        and isinstance(second, number.Quantity)
        and first.unit != second.unit
    )
