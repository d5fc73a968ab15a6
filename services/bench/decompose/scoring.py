"""How right a split is, and what that says of many. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from services.bench.stats.intervals import Estimate, wilson

if TYPE_CHECKING:
    from services.bench.decompose.corpus import Labelled


class Part(NamedTuple):
    """A part as it was found: its text, and its parents from 1."""

    text: str
    needs: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """How a question was split: its parts, why, by whom, and the seconds that it took."""

    parts: tuple[Part, ...]
    reason: str = ""
    decomposed_by: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Scored:
    """What is right about a split.

    `split`: it has more than one part. `right`: it has exactly the parts that are labelled.
    Dependencies are counted as pairs; of a split with wrong parts none are right.
    """

    labelled: Labelled
    found: Found
    split: bool
    right: bool
    dependencies_found: int
    dependencies_right: int

    @property
    def broken(self) -> bool:
        """Whether a question that must stay whole was split."""
        return self.split and self.labelled.whole


def score(labelled: Labelled, found: Found) -> Scored:
    """Compare a split with its label."""
    split = len(found.parts) > 1
    right = split and len(found.parts) == len(labelled.parts) and _matches(labelled, found)
    pairs = {(number, need) for number, part in enumerate(found.parts) for need in part.needs}
    wanted = {(number, need) for number, part in enumerate(labelled.parts) for need in part.needs}
    return Scored(labelled, found, split, right, len(pairs), len(pairs & wanted) if right else 0)


def _matches(labelled: Labelled, found: Found) -> bool:
    texts = [part.text.lower() for part in found.parts]
    return all(
        [expected.holds.lower() in text for text in texts]
        == [place == own for place in range(len(texts))]
        for own, expected in enumerate(labelled.parts)
    )


def table(mode: str, scored: Sequence[Scored]) -> dict[str, Any]:
    """Give the shares of a mode, each with Wilson's interval of 95 %; None where there is none.

    `kept` is the share of questions that must stay whole and did; `precision` and `recall` are of
    splits, `dependency_precision` and `dependency_recall` of pairs of parts.
    """
    whole = [one for one in scored if one.labelled.whole]
    others = [one for one in scored if not one.labelled.whole]
    right = sum(one.right for one in others)
    pairs = sum(one.dependencies_right for one in scored)
    wanted = sum(len(part.needs) for one in others for part in one.labelled.parts)
    return {
        "mode": mode,
        "kept": _share(sum(not one.split for one in whole), len(whole)),
        "precision": _share(right, sum(one.split for one in scored)),
        "recall": _share(right, len(others)),
        "dependency_precision": _share(pairs, sum(one.dependencies_found for one in scored)),
        "dependency_recall": _share(pairs, wanted),
        "by_model": sum(one.found.decomposed_by == "model" for one in scored),
        "milliseconds": 1e3 * median(one.found.seconds for one in scored),
        "slowest_milliseconds": 1e3 * max(one.found.seconds for one in scored),
        "broken": [one.labelled.question for one in whole if one.split],
    }


def _share(count: int, total: int) -> dict[str, float] | None:
    return None if total == 0 else _written(wilson(count, total))


def _written(estimate: Estimate) -> dict[str, float]:
    return dict(estimate._asdict())
