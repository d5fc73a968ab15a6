"""The ensemble average: the mean of probabilities, the middle of numbers, the most central text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz

from quorate.answers import Answer, Kind
from quorate.answers import units as unit_table
from quorate.answers.number import Quantity
from quorate.voting.election import Count, Election

if TYPE_CHECKING:
    from quorate.voting.vote import Vote

OUTLIER = 3.0
"""Median absolute deviations (scaled to a standard deviation) beyond which a number is left out."""
_TO_DEVIATION = 1.4826
FEWEST_WITH_OUTLIERS = 4
"""Among three numbers nothing tells which one is out."""
MOST_COMPARED = 256
LONGEST_COMPARED = 4_000
"""Characters of a text that are compared."""


class Reading(NamedTuple):
    """A number that was given, in the common unit, and what it weighs."""

    group: int
    number: Fraction
    weight: float


def average(election: Election) -> Count:
    """Average what was answered, each vote with weight times confidence.

    Probabilities: their mean. Whole numbers: the weighted median. Other numbers: the weighted mean
    without outliers, those more than three scaled median absolute deviations from the median.
    Anything else: the medoid, the answer most similar to all others. The kind with the most weight
    is averaged; other kinds count as far from everything.
    """
    weights = [vote.weight * vote.confidence for vote in election.votes]
    if not any(election.sums(weights)):
        weights = [1.0] * len(weights)
    kind = _main_kind(election, weights)
    if kind is not Kind.NUMBER:
        return _medoid(election, weights)
    unit = _main_unit(election, weights)
    readings, left_out = _readings(election, weights, unit)
    return _of_numbers(election, weights, readings, left_out, unit)


def _main_kind(election: Election, weights: Sequence[float]) -> Kind:
    totals: dict[Kind, float] = {}
    for group, total in zip(election.groups, election.sums(weights), strict=True):
        totals[group.answer.kind] = totals.get(group.answer.kind, 0.0) + total
    return max(sorted(totals), key=totals.__getitem__)


def _main_unit(election: Election, weights: Sequence[float]) -> str:
    totals: dict[str, float] = {}
    for vote, weight in zip(election.votes, weights, strict=True):
        quantity = _quantity(vote)
        if quantity is not None:
            totals[quantity.unit] = totals.get(quantity.unit, 0.0) + weight
    return max(sorted(totals), key=totals.__getitem__)


def _quantity(vote: Vote) -> Quantity | None:
    value = None if vote.answer is None else vote.answer.value
    return value if isinstance(value, Quantity) else None


def _readings(election: Election, weights: Sequence[float], unit: str) -> tuple[list[Reading], int]:
    """Read the numbers in one unit; also count those that cannot be turned into it."""
    readings, left_out = [], 0
    for vote, label, weight in zip(election.votes, election.labels, weights, strict=True):
        quantity = _quantity(vote)
        if label is None or quantity is None:
            left_out += label is not None
            continue
        number = _in_unit(quantity, unit)
        if number is None:
            left_out += 1
        else:
            readings.append(Reading(label, number, weight))
    return readings, left_out


def _in_unit(quantity: Quantity, unit: str) -> Fraction | None:
    """Turn a quantity into a unit; one without a unit is taken to be in it."""
    if quantity.unit == unit or not quantity.unit:
        return quantity.number
    if not unit:
        # Among bare numbers, 50% is a half.
        return quantity.number / 100 if quantity.unit == unit_table.PERCENT else quantity.number
    given, wanted = unit_table.of_symbol(quantity.unit), unit_table.of_symbol(unit)
    if given.measures != wanted.measures:
        return None
    return (quantity.number * given.factor + given.zero - wanted.zero) / wanted.factor


def _of_numbers(
    election: Election,
    weights: Sequence[float],
    readings: Sequence[Reading],
    left_out: int,
    unit: str,
) -> Count:
    numbers = [reading.number for reading in readings]
    notes = [f"{left_out} answers in another unit or kind left out"] if left_out else []
    if _are_probabilities(numbers, unit):
        middle, how = _mean(readings), "mean"
    elif all(number.denominator == 1 for number in numbers):
        middle, how = _median(readings), "weighted median"
    else:
        kept = _without_outliers(readings)
        middle, how = _mean(kept), "weighted mean"
        if len(kept) < len(readings):
            notes.append(f"{len(readings) - len(kept)} outliers left out of the mean")
    made = _answer(middle, unit)
    whole = Fraction(100 if unit == unit_table.PERCENT else 1)
    spread = whole if how == "mean" else abs(middle)
    near = {r.group: _nearness(r.number, middle, spread) for r in readings}
    scores = [near.get(group, 0.0) for group in range(len(election.groups))]
    sums = election.sums(weights)
    share = math.fsum(s * w for s, w in zip(scores, sums, strict=True)) / math.fsum(sums)
    notes.insert(0, f"{how} of {len(readings)} numbers: {made.text}")
    return Count(scores, shares=[share] * len(scores), weights=weights, notes=notes, made=made)


def _are_probabilities(numbers: Sequence[Fraction], unit: str) -> bool:
    """Whether all are shares of one: percentages, or in [0, 1] and not all of them whole."""
    if unit == unit_table.PERCENT:
        return all(0 <= number <= 100 for number in numbers)
    whole = all(number.denominator == 1 for number in numbers)
    return not unit and not whole and all(0 <= number <= 1 for number in numbers)


def _mean(readings: Sequence[Reading]) -> Fraction:
    total = sum((Fraction(reading.weight) for reading in readings), Fraction(0))
    if not total:
        return sum((reading.number for reading in readings), Fraction(0)) / len(readings)
    return sum((r.number * Fraction(r.weight) for r in readings), Fraction(0)) / total


def _median(readings: Sequence[Reading]) -> Fraction:
    """Give the least number that at least half of the weight does not exceed."""
    ordered = sorted(readings, key=lambda reading: reading.number)
    half = math.fsum(reading.weight for reading in readings) / 2
    below = 0.0
    for reading in ordered:
        below += reading.weight
        if below >= half:
            return reading.number
    return ordered[-1].number


def _without_outliers(readings: Sequence[Reading]) -> list[Reading]:
    """Leave out what lies far from the median; half of the weight or more always stays.

    Where most numbers are the same, the deviation's median is 0 and only those stay.
    """
    if len(readings) < FEWEST_WITH_OUTLIERS:
        return list(readings)
    middle = _median(readings)
    away = _median([r._replace(number=abs(r.number - middle)) for r in readings])
    limit = away * Fraction(OUTLIER * _TO_DEVIATION)
    return [reading for reading in readings if abs(reading.number - middle) <= limit]


def _nearness(number: Fraction, middle: Fraction, spread: Fraction) -> float:
    """Give 1 for the average itself, falling to 0 one `spread` away."""
    if number == middle:
        return 1.0
    return 0.0 if not spread else max(0.0, 1.0 - float(abs(number - middle) / spread))


def _answer(number: Fraction, unit: str) -> Answer:
    """Write the average with six digits, without zeros at its end."""
    rounded = Fraction(round(number * 10 ** _decimals(number)), 10 ** _decimals(number))
    places = next(n for n in range(_decimals(number) + 1) if (rounded * 10**n).denominator == 1)
    quantity = Quantity(rounded, unit, places)
    return Answer(Kind.NUMBER, str(quantity), quantity, "average")


def _decimals(number: Fraction) -> int:
    """Give the decimals that show six digits."""
    magnitude = math.floor(math.log10(abs(number))) if number else 0
    return max(0, 5 - magnitude)


def _medoid(election: Election, weights: Sequence[float]) -> Count:
    """Score each answer by its mean similarity to all answers, by their weight."""
    sums = election.sums(weights)
    heaviest = sorted(range(len(sums)), key=lambda group: (-sums[group], group))[:MOST_COMPARED]
    scores = [0.0] * len(sums)
    total = math.fsum(sums)
    for group in heaviest:
        answer = election.groups[group].answer
        alike = (
            sums[other] * similarity(answer, election.groups[other].answer, group == other)
            for other in heaviest
        )
        scores[group] = math.fsum(alike) / total
    return Count(scores, shares=scores, weights=weights)


def similarity(one: Answer, other: Answer, same: bool) -> float:
    """Give how alike two answers are, in [0, 1]; only free texts are alike without being equal.

    Source: normalised Indel similarity of the sorted words, by rapidfuzz.
    """
    if same:
        return 1.0
    if one.kind is not Kind.TEXT or other.kind is not Kind.TEXT:
        return 0.0
    first, second = (a.text[:LONGEST_COMPARED].casefold() for a in (one, other))
    return float(fuzz.token_sort_ratio(first, second)) / 100.0
