"""Stop rules on recorded ballots, taken in member order: what they save, and what they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import voting
from quorate.answers import equivalent
from quorate.errors import NoQuorum
from services.bench import stats

if TYPE_CHECKING:
    from quorate.voting import Knowledge, Vote
    from services.bench.vote.cases import Case
    from services.bench.vote.learned import Learned

STRATEGY: Final = "majority"
Rule = Callable[["Sequence[Vote]", "Sequence[Vote]", "Knowledge"], bool]
"""Whether to stop, from the votes seen, those missing (whose answers it may not read), and what
is known."""


@dataclass(frozen=True)
class Stopped:
    """What a rule made of an electorate.

    `tokens` were spent before the stop, `tokens_of_all` are those of everybody. `changed` counts
    items whose winner is another one than everybody's, or that had none.
    """

    rule: str
    electorate: str
    items: int
    tokens: int
    tokens_of_all: int
    stopped: int
    changed: int
    changed_share: stats.Estimate
    saved_share: float


def replayed(rule: str, electorate: str, cases: Sequence[Case], learned: Learned) -> Stopped:
    """Stop every case by a rule."""
    decide = RULES[rule]
    spent = stopped = changed = 0
    for case in cases:
        votes = case.votes()
        known = learned.about(case)
        count = next(
            (seen for seen in range(1, len(votes)) if decide(votes[:seen], votes[seen:], known)),
            len(votes),
        )
        spent += sum(ballot.tokens for ballot in case.ballots[:count])
        stopped += count < len(votes)
        changed += count < len(votes) and not _same(votes[:count], votes)
    total = sum(case.tokens for case in cases)
    return Stopped(
        rule,
        electorate,
        len(cases),
        spent,
        total,
        stopped,
        changed,
        stats.wilson(changed, len(cases)),
        1 - spent / total,
    )


def _same(some: Sequence[Vote], everybody: Sequence[Vote]) -> bool:
    try:
        now = voting.decide(STRATEGY, some)
    except NoQuorum:
        now = None
    try:
        full = voting.decide(STRATEGY, everybody)
    except NoQuorum:
        full = None
    if now is None or full is None:
        return now is full
    return bool(equivalent(now.winner, full.winner))


def _exact(seen: Sequence[Vote], missing: Sequence[Vote], known: Knowledge) -> bool:
    return voting.settled(seen, [vote.weight for vote in missing], STRATEGY)


RULES: Final[Mapping[str, Rule]] = {"exact": _exact}
