"""Whether two answers are the same, and by what evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from quorate.answers import expression, number, phrase
from quorate.answers.answer import Answer, Kind
from quorate.answers.extraction import extract

if TYPE_CHECKING:
    from quorate.answers.prover import Patience

Judge: TypeAlias = Callable[[Answer, Answer], bool | None]
"""Says whether two free texts that differ answer the same; None when it cannot tell."""


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are the same; true in a condition when they are. `evidence` says why."""

    same: bool
    evidence: str

    def __bool__(self) -> bool:
        return self.same


ABSTAINED = Verdict(False, "an abstention equals nothing")


def equivalent(
    one: Answer | str | None,
    other: Answer | str | None,
    kind: Kind | None = None,
    *,
    judge: Judge | None = None,
) -> Verdict:
    """Compare two answers, or the answers in two texts. An abstention is equivalent to nothing.

    Of two texts without a `kind`, one that is free text is read again as the other's kind: "18" and
    "He has 18 apples" give the same answer. Answers of different kinds are never the same, but a
    bare number and an expression of that value. Free texts that differ are put to the `judge`.
    Two expressions may need a proof, which blocks for at most a few seconds (see `prover`).
    """
    first = extract(one, kind) if isinstance(one, str) else one
    second = extract(other, kind) if isinstance(other, str) else other
    if first is None or second is None:
        return ABSTAINED
    if first.kind is not second.kind:
        first, second = _alike(first, one, second), _alike(second, other, first)
    return compare(first, second, judge)


def _alike(answer: Answer, said: Answer | str | None, other: Answer) -> Answer:
    """Read free text again as another kind; whatever is not free text stays what it is."""
    if answer.kind is Kind.TEXT and isinstance(said, str) and not phrase.is_numbered_name(said):
        return extract(said, other.kind) or answer
    return answer


def compare(
    first: Answer, second: Answer, judge: Judge | None = None, patience: Patience | None = None
) -> Verdict:
    """Compare two answers; proofs for expressions have to do with the `patience` that is left."""
    if first.kind is not second.kind:
        return _compare_kinds(first, second)
    if first.value == second.value:
        return Verdict(True, f"equal as {first.kind}")
    if first.kind is Kind.EXPRESSION:
        why = expression.why_same(first.text, second.text, patience)
        if why is None:
            return Verdict(False, "different as expression; that they are equal was not decided")
    else:
        why = _WHY_SAME[first.kind](first, second) if first.kind in _WHY_SAME else ""
    if why:
        return Verdict(True, why)
    judged = _judged(first, second, judge)
    return Verdict(False, f"different as {first.kind}") if judged is None else judged


def _compare_kinds(first: Answer, second: Answer) -> Verdict:
    kinds = {first.kind: first, second.kind: second}
    if kinds.keys() == {Kind.NUMBER, Kind.EXPRESSION}:
        why = expression.why_same_number(kinds[Kind.EXPRESSION].text, _quantity(kinds[Kind.NUMBER]))
        if why:
            return Verdict(True, why)
    return Verdict(False, " is not ".join(sorted((first.kind, second.kind))))


def _judged(first: Answer, second: Answer, judge: Judge | None) -> Verdict | None:
    """Ask the judge about two free texts, always in the same order; None when it is not asked."""
    if judge is None or not may_be_judged(first, second):
        return None
    verdict = judge(*sorted((first, second), key=lambda answer: (repr(answer.value), answer.text)))
    if verdict is None:
        return Verdict(False, "different as text; the judge did not decide")
    return Verdict(verdict, "judged the same" if verdict else "judged different")


def may_be_judged(first: Answer, second: Answer) -> bool:
    """Whether two answers that differ are free texts that a judge may call the same.

    Not when they hold different numbers, or differ in nothing but words that deny.
    """
    if {first.kind, second.kind} != {Kind.TEXT}:
        return False
    one, other = _words(first), _words(second)
    if phrase.numbers(one) != phrase.numbers(other):
        return False
    apart = (Counter(one) - Counter(other)) + (Counter(other) - Counter(one))
    return not (apart and all(phrase.denies((word,)) for word in apart))


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
