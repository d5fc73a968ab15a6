"""Finds the answers that another one may equal, so that not all are compared with all. Pure.

Whatever `equivalence.compare` finds the same without a judge is found here too, and little else:
texts by what both of them state, numbers and formulas by their size.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator, Set
from typing import TYPE_CHECKING, Final

from quorate.answers import expression, phrase, spelling, units
from quorate.answers.answer import Answer, Kind
from quorate.answers.number import Quantity

if TYPE_CHECKING:
    from fractions import Fraction

_NEARBY: Final = 1.1e-6
_ROUNDED: Final = 0.00501
"""A little more than the tolerances of numbers and formulas: the relative one, and half of the
second decimal, the coarsest to which a number that stands for others is written."""
_LARGEST: Final = 1e300
_BARE: Final = "as it is written"
_VALUES: Final = "beside formulas"


class Likeness:
    """Remembers answers by numbers of the caller's."""

    def __init__(self) -> None:
        self._by_sign: dict[Hashable, list[int]] = {}
        self._by_size: dict[str, list[tuple[float, int]]] = {}
        self._coarsest: dict[str, float] = {}
        self._formulas: list[int] = []
        self._without_values: list[int] = []

    def add(self, number: int, answer: Answer) -> Set[int]:
        """Remember an answer; gives the numbers of those before it that it may equal."""
        found = self._find(answer, number)
        found.discard(number)
        return found

    def find(self, answer: Answer) -> Set[int]:
        """Give the numbers of the answers that this one may equal, without remembering it."""
        return self._find(answer, None)

    def _find(self, answer: Answer, number: int | None) -> set[int]:
        """Find what an answer may equal, and remember it by its number, if it has one."""
        found: set[int] = set()
        if answer.kind is Kind.TEXT and isinstance(answer.value, tuple):
            for sign in _signs(answer.value):
                found.update(self._by_sign.get(sign, ()))
                if number is not None:
                    self._by_sign.setdefault(sign, []).append(number)
        elif answer.kind is Kind.NUMBER and isinstance(answer.value, Quantity):
            for scale, size, step in _sizes(answer.value):
                found.update(self._near(number, scale, size, step))
        elif answer.kind is Kind.EXPRESSION:
            found.update(self._like_formula(number, answer.text))
        return found

    def _near(self, number: int | None, scale: str, size: float, step: float) -> list[int]:
        """Give what is near on a scale. `step` is one of the unit in which the size was given."""
        sizes = self._by_size.setdefault(scale, [])
        coarsest = max(step, self._coarsest.get(scale, 0.0))
        within = _NEARBY * abs(size) + _ROUNDED * coarsest
        first = bisect_left(sizes, (size - within, -1))
        near = []
        for place in range(first, len(sizes)):
            if sizes[place][0] > size + within:
                break
            near.append(sizes[place][1])
        if number is not None:
            self._coarsest[scale] = coarsest
            insort(sizes, (size, number))
        return near

    def _like_formula(self, number: int | None, text: str) -> list[int]:
        """Give what a formula may equal; one without values may equal any other formula."""
        values = expression.values(text)
        if values:
            size = min(_LARGEST, math.hypot(values[0].real, values[0].imag))
            alike = [*self._near(number, _VALUES, size, 1.0), *self._without_values]
        else:
            alike = self._formulas.copy()
        if number is not None:
            self._formulas.append(number)
            if not values:
                self._without_values.append(number)
        return alike


def _signs(said: phrase.Words) -> Iterator[Hashable]:
    """Give what two texts have in common when `phrase.why_same` finds them the same.

    The same words in any order and with slips of spelling; the same letters in a row; and the
    whole, a side of its "is" or a fact of it being the whole, a side or a fact of the other.
    """
    yield tuple(sorted(map(_letters, said)))
    yield "".join(said)
    yield from {said, *phrase.statements(said)}


def _letters(word: str) -> str:
    """Give what stays when letters of a long word are swapped or doubled."""
    long = len(word) >= spelling.FEWEST_LETTERS and word.isalpha()
    return "".join(sorted(set(word))) if long else word


def _sizes(quantity: Quantity) -> Iterator[tuple[str, float, float]]:
    """Give where a number stands on the scales on which it may equal others, and its unit's size.

    As it is written, also turned from percent; in base units; and beside formulas.
    """
    bare = _float(quantity.number)
    yield _BARE, bare, 1.0
    if quantity.unit == units.PERCENT:
        yield _BARE, _float(quantity.number / 100), 1.0
    if quantity.unit:
        unit = units.of_symbol(quantity.unit)
        yield unit.measures, _float(quantity.number * unit.factor + unit.zero), float(unit.factor)
    else:
        yield _VALUES, abs(bare), 1.0


def _float(number: Fraction) -> float:
    try:
        return max(-_LARGEST, min(_LARGEST, float(number)))
    except OverflowError:  # larger than any float
        return _LARGEST if number > 0 else -_LARGEST
