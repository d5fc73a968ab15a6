"""Whether two answers are the same, and by what evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


ABSTAINED = Verdict(False, "an abstention equals nothing")


def equivalent(
    one: Answer | str | None, other: Answer | str | None, kind: Kind | None = None
) -> Verdict:
    """Compare two answers, or the answers in two texts. An abstention is equivalent to nothing.

    Of two texts without a `kind`, one that is free text is read again as the other's kind: "18" and
    "He has 18 apples" give the same answer. Answers of different kinds are never the same.
    """
    first = extract(one, kind) if isinstance(one, str) else one
    second = extract(other, kind) if isinstance(other, str) else other
    if first is None or second is None:
        return ABSTAINED
    if first.kind is not second.kind:
        first, second = _alike(first, one, second), _alike(second, other, first)
    return compare(first, second)


def _alike(answer: Answer, said: Answer | str | None, other: Answer) -> Answer:
    """Read free text again as another kind; whatever is not free text stays what it is."""
    if answer.kind is Kind.TEXT and isinstance(said, str):
        return extract(said, other.kind) or answer
    return answer


def compare(first: Answer, second: Answer) -> Verdict:
    """Compare two answers."""
    if first.kind is not second.kind:
        return Verdict(False, " is not ".join(sorted((first.kind, second.kind))))
    if first.value == second.value:
        return Verdict(True, f"equal as {first.kind}")
    why = _WHY_SAME[first.kind](first, second) if first.kind in _WHY_SAME else ""
    return Verdict(True, why) if why else Verdict(False, f"different as {first.kind}")


def _why_same_number(first: Answer, second: Answer) -> str:
    return number.why_same(_quantity(first), _quantity(second))


def _quantity(answer: Answer) -> number.Quantity:
    if not isinstance(answer.value, number.Quantity):
        raise TypeError(f"the value of a number is a Quantity, not {answer.value!r}")
    return answer.value


def _why_same_text(first: Answer, second: Answer) -> str:
    return phrase.why_same(_words(first), _words(second))


def _words(answer: Answer) -> phrase.Words:
    if not isinstance(answer.value, tuple):
        raise TypeError(f"the value of a text is its words, not {answer.value!r}")
    return answer.value


# The other kinds have canonical values: equal or not.
_WHY_SAME: Mapping[Kind, Callable[[Answer, Answer], str]] = {
    Kind.NUMBER: _why_same_number,
    Kind.TEXT: _why_same_text,
}
