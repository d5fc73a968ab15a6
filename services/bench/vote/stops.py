"""Stop rules on recorded ballots, taken in member order: what they save, and what they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import voting
from quorate.answers import Answer, equivalent
from quorate.errors import NoQuorum
from quorate.voting.stopping import StopRule, should_stop
from services.bench import stats

if TYPE_CHECKING:
    from quorate.voting import Knowledge, Vote
    from services.bench.vote.cases import Case
    from services.bench.vote.learned import Learned

RULES: Final[Mapping[str, tuple[StopRule, float]]] = {
    "exact": (StopRule.EXACT, 0.0),
    "risk 1 %": (StopRule.RISK, 0.01),
    "risk 5 %": (StopRule.RISK, 0.05),
    "adaptive": (StopRule.ADAPTIVE, 0.0),
    "window": (StopRule.WINDOW, 0.0),
}
"""Rules by the names of the report, with the accepted risk."""


@dataclass(frozen=True)
class Stopped:
    """What a rule made of an electorate.

    `tokens` were spent before the stop, `tokens_of_all` are those of everybody. `changed` counts
    items whose winner is another one than everybody's, or that had none.
    """

    rule: str
    electorate: str
    strategy: str
    items: int
    tokens: int
    tokens_of_all: int
    stopped: int
    changed: int
    changed_share: stats.Estimate
    saved_share: float


def replayed(
    rule: str, electorate: str, strategy: str, cases: Sequence[Case], learned: Learned
) -> Stopped:
    """Stop every case by a rule; ballots come in member order."""
    spent = stopped = changed = 0
    for case in cases:
        votes, known = case.votes(), learned.about(case)
        count = _stop(rule, strategy, votes, known)
        spent += sum(ballot.tokens for ballot in case.ballots[:count])
        stopped += count < len(votes)
        changed += count < len(votes) and not _same(strategy, votes[:count], votes, known)
    total = sum(case.tokens for case in cases)
    return Stopped(
        rule,
        electorate,
        strategy,
        len(cases),
        spent,
        total,
        stopped,
        changed,
        stats.wilson(changed, len(cases)),
        1 - spent / total,
    )


def _stop(rule: str, strategy: str, votes: Sequence[Vote], known: Knowledge) -> int:
    """Give how many votes are heard before the rule stops."""
    stop_rule, risk = RULES[rule]
    for seen in range(1, len(votes)):
        weights = [vote.weight for vote in votes[seen:]]
        awaited = [vote.model for vote in votes[seen:]]
        if should_stop(votes[:seen], weights, strategy, stop_rule, risk, known, awaited):
            return seen
    return len(votes)


def _same(strategy: str, some: Sequence[Vote], everybody: Sequence[Vote], known: Knowledge) -> bool:
    now, full = _winner(strategy, some, known), _winner(strategy, everybody, known)
    if now is None or full is None:
        return now is full
    return bool(equivalent(now, full))


def _winner(strategy: str, votes: Sequence[Vote], known: Knowledge) -> Answer | None:
    try:
        return voting.decide(strategy, votes, known).winner
    except NoQuorum:
        return None
