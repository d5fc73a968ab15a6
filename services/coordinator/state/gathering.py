"""Puts many changes of one count together, so that a database adds them in one statement. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from services.coordinator.state.learning import kept

if TYPE_CHECKING:
    from services.coordinator.state.learned import Changes, JointChange, TogetherChange


class Gathered(NamedTuple):
    """What becomes of a count: the `share` of the old one that is left, and what is added to it."""

    share: float
    counts: tuple[float, ...]


def gathered_records(changes: Changes, half_life: float) -> Mapping[tuple[str, ...], Gathered]:
    """Gather right and wrong answers by model, topic and evidence, in order."""
    parts = (
        ((*change.model, change.topic, change.evidence.value), (change.right, change.wrong))
        for change in changes.records
    )
    return _gathered(parts, half_life)


def gathered_pairs(
    changes: Iterable[TogetherChange | JointChange], half_life: float
) -> Mapping[tuple[str, ...], Gathered]:
    """Gather counts of pairs of models, in order."""
    parts = (((*pair[0], *pair[1]), tuple(counts)) for pair, *counts in changes)
    return _gathered(parts, half_life)


def _gathered(
    parts: Iterable[tuple[tuple[str, ...], tuple[float, ...]]], half_life: float
) -> Mapping[tuple[str, ...], Gathered]:
    found: dict[tuple[str, ...], Gathered] = {}
    for key, counts in parts:
        share = kept(math.fsum(counts), half_life)
        before = found.get(key) or Gathered(1.0, (0.0,) * len(counts))
        sums = tuple(old * share + new for old, new in zip(before.counts, counts, strict=True))
        found[key] = Gathered(before.share * share, sums)
    return found
