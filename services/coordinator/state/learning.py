"""(state, changes) -> state, and what follows from a state: estimates and knowledge. Pure.

Every count forgets by what was learned since, never by mere time: an item counts half after
`half_life` further items of the same count. So the share of right answers is never pulled
anywhere by forgetting, and a perfect model's estimate rises towards 1. With the default half-life
of 1,000 items a count stands for at most 1,443 items.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from quorate.voting.knowledge import Joint, Kin, Knowledge, Record, Together
from quorate.voting.knowledge import pair_of as pair_of_ids
from services.coordinator.state.checking import check
from services.coordinator.state.learned import (
    STRONG,
    Changes,
    Evidence,
    KeyPair,
    ModelKey,
    State,
)

HALF_LIFE_ITEMS = 1_000.0
TOPIC_STRENGTH = 8.0
"""The other topics' mean counts as so many items on a topic: ten of its own outweigh it."""
PRIOR_STRENGTH = 2.0
"""With no prior of its own a model starts at 1/2 with the weight of two items: Laplace's rule."""

Counts = TypeVar("Counts", Record, Together, Joint)


def kept(items: float, half_life: float) -> float:
    """Give the share of a count that is left after so many further items of it, in (0, 1]."""
    return math.exp2(-items / half_life)


def learn(state: State, changes: Changes, half_life: float = HALF_LIFE_ITEMS) -> State:
    """Take changes in. Raises InvalidRequest for counts that are negative, infinite or NaN."""
    check(changes, half_life)
    records, together, joint = dict(state.records), dict(state.together), dict(state.joint)
    for change in changes.records:
        cell = (change.model, change.topic, change.evidence)
        added = Record(change.right, change.wrong)
        records[cell] = _added(records.get(cell, Record()), added, half_life)
    for pair, *counts in changes.together:
        together[pair] = _added(together.get(pair, Together()), Together(*counts), half_life)
    for pair, *counts in changes.joint:
        joint[pair] = _added(joint.get(pair, Joint()), Joint(*counts), half_life)
    return State(records, together, joint)


def _added(before: Counts, added: Counts, half_life: float) -> Counts:
    share = kept(math.fsum(added), half_life)
    sums = (old * share + new for old, new in zip(before, added, strict=True))
    return type(before)(*sums)


class Estimate(NamedTuple):
    """P(right) of a model: the posterior's mean, and how many items stand behind it."""

    mean: float
    items: float
    right: float
    wrong: float


def estimate(
    state: State,
    model: ModelKey,
    topic: str | None = None,
    prior: float | None = None,
    evidence: Iterable[Evidence] = STRONG,
) -> Estimate:
    """Estimate how often a model is right on a topic; None is over all topics, "" the unknown one.

    A Beta posterior. `prior` is the mean to start from, in [0, 1] (None: 1/2), with the weight of
    PRIOR_STRENGTH items. On a topic the prior is the model's own estimate from the other topics,
    with the weight of TOPIC_STRENGTH items, so that little history shrinks to the model's general
    reliability and much history speaks for itself.
    """
    start = 0.5 if prior is None else prior
    counted = frozenset(evidence)
    whole = record_of(state, model, None, counted)
    if topic is None:
        return _posterior(whole, start, PRIOR_STRENGTH)
    here = record_of(state, model, topic, counted)
    others = Record(max(0.0, whole.right - here.right), max(0.0, whole.wrong - here.wrong))
    return _posterior(here, _posterior(others, start, PRIOR_STRENGTH).mean, TOPIC_STRENGTH)


def _posterior(record: Record, mean: float, strength: float) -> Estimate:
    share = (record.right + mean * strength) / (record.total + strength)
    return Estimate(share, record.total, record.right, record.wrong)


def record_of(
    state: State, model: ModelKey, topic: str | None, evidence: Iterable[Evidence] = STRONG
) -> Record:
    """Sum a model's right and wrong answers over kinds of evidence; None is over all topics."""
    counted = frozenset(evidence)
    chosen = [
        record
        for (whose, about, kind), record in state.records.items()
        if whose == model and kind in counted and topic in {None, about}
    ]
    return Record(
        math.fsum(record.right for record in chosen), math.fsum(record.wrong for record in chosen)
    )


def knowledge(
    state: State,
    models: Sequence[ModelKey],
    topic: str = "",
    kin: Mapping[ModelKey, Kin] | None = None,
    options: int = 0,
    *,
    consensus: bool = False,
) -> Knowledge:
    """Give what strategies may know of these models, by their ids; what is unknown is left out.

    `options` is how many answers the question allows, 0 when that is open. Weak evidence counts
    only with `consensus`.
    """
    voters = sorted(set(models))
    wanted = set(voters)
    evidence = frozenset(Evidence) if consensus else STRONG
    overall, on_topic = _totals(state, wanted, topic, evidence)
    return Knowledge(
        overall=overall,
        on_topic=on_topic,
        together=_between(state.together, voters),
        joint=_between(state.joint, voters),
        kin={model.id: kin[model] for model in voters if kin and model in kin},
        topic=topic,
        options=options,
    )


def _totals(
    state: State, wanted: set[ModelKey], topic: str, evidence: frozenset[Evidence]
) -> tuple[dict[str, Record], dict[str, Record]]:
    """Sum the records of some models, over all topics and on one ("" has no record of its own)."""
    overall: dict[str, Record] = {}
    on_topic: dict[str, Record] = {}
    for (model, about, kind), record in sorted(state.records.items()):
        if model not in wanted or kind not in evidence:
            continue
        overall[model.id] = _sum(overall.get(model.id), record)
        if topic and about == topic:
            on_topic[model.id] = _sum(on_topic.get(model.id), record)
    return overall, on_topic


def _sum(before: Record | None, more: Record) -> Record:
    return more if before is None else Record(before.right + more.right, before.wrong + more.wrong)


def _between(
    counts: Mapping[KeyPair, Counts], voters: Sequence[ModelKey]
) -> dict[tuple[str, str], Counts]:
    """Pick the counts of pairs of voters, by ids. Ids and keys sort alike in all but rare cases."""
    found: dict[tuple[str, str], Counts] = {}
    for place, first in enumerate(voters):
        for second in voters[place + 1 :]:
            known = counts.get((first, second))
            if known is None:
                continue
            pair = pair_of_ids(first.id, second.id)
            if pair[0] != first.id and isinstance(known, Joint):
                known = type(known)(known.both, known.second, known.first, known.neither)
            found[pair] = known
    return found
