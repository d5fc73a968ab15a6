"""What the running mesh made of strategies that ask again, and of stopping early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.answers import equivalent, infer_kind
from services.bench.vote.cases import Case
from services.bench.vote.replay import Answered, Answers, Replay

if TYPE_CHECKING:
    from services.bench.suites.suite import Item
    from services.bench.vote.records import Record


@dataclass(frozen=True)
class Flips:
    """How a debate moved answers between its round 0 and its end."""

    items: int
    wrong_to_right: int
    right_to_wrong: int


@dataclass(frozen=True)
class LiveStop:
    """A stop rule at work: tokens with and without it on the same items, and changed answers."""

    rule: str
    items: int
    tokens: int
    tokens_of_all: int
    changed: int
    stopped: int
    estimated_saving: int


def answers(items: Sequence[Item], records: Mapping[str, Record]) -> Answers:
    """Give what the mesh answered; a question without an answer is a wrong one."""
    return {
        item.id: Answered(
            item.task,
            float(record.right),
            record.tokens,
            record.seconds,
            record.agreement,
            record.effective_votes,
        )
        for item in items
        if (record := records.get(item.id))
    }


def flips(items: Sequence[Item], records: Mapping[str, Record], replay: Replay) -> Flips:
    """Count what the rounds after round 0 changed."""
    better = worse = count = 0
    for item in items:
        record = records.get(item.id)
        first = tuple(one for one in record.ballots if one.round == 0) if record else ()
        if record is None or not first:
            continue
        before = replay.answer("majority", Case(item, first, record.seconds)).right > 0.5
        count += 1
        better += record.right and not before
        worse += before and not record.right
    return Flips(count, better, worse)


def stopped(
    rule: str, items: Sequence[Item], records: Mapping[str, Record], full: Mapping[str, Record]
) -> LiveStop:
    """Compare a run with a stop rule with the run that asked everybody, item by item."""
    both = [item for item in items if item.id in records and item.id in full]
    changed = sum(not _same(item, records[item.id].answer, full[item.id].answer) for item in both)
    return LiveStop(
        rule,
        len(both),
        sum(records[item.id].tokens for item in both),
        sum(full[item.id].tokens for item in both),
        changed,
        sum(any(one.cancelled for one in records[item.id].ballots) for item in both),
        sum(records[item.id].saved for item in both),
    )


def _same(item: Item, one: str, other: str) -> bool:
    """Say whether two answers of the mesh are the same; none is the same as none."""
    return one == other or bool(equivalent(one, other, infer_kind(item.question)))
