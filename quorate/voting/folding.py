"""Votes that come in one by one: their groups and sums, kept up to date at the cost of each. Pure.

It tells at once whether the stop rule could hold by now. Mostly it could not, because the leader is
less ahead than what is missing, and then nobody has to look at all votes again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from quorate.answers import Clusters, Grouping
from quorate.voting.stopping import StopRule
from quorate.voting.strategies import Strategy, find

if TYPE_CHECKING:
    from quorate.answers import Answer
    from quorate.voting.vote import Vote

MANY: Final = 64
"""Of more voters than this, the whole vote is looked at so many times only, for news and for rules
that cannot be ruled out at once: a look takes a millisecond for some hundred different answers."""
_ROUNDING: Final = 1e-9
"""Share by which sums that were kept up to date may be off, and far more."""


class Folding:
    """A vote under a strategy; `expected` are the weights of all who may vote. Made for one vote.

    Raises UnknownStrategy.
    """

    def __init__(self, strategy: str | Strategy, expected: Sequence[float]) -> None:
        self._rule = find(strategy) if isinstance(strategy, str) else strategy
        self._grouping = Grouping()
        self._sums: dict[int, float] = {}
        self._missing = math.fsum(map(self._rule.most, expected)) if self._rule.additive else 0.0
        self._awaited = len(expected)
        self._between = -(-len(expected) // MANY)
        self._since_asked = self._since_told = 0

    def add(self, vote: Vote, expected: float) -> None:
        """Take in a vote, or an abstention, of someone with this expected weight."""
        self._awaited -= 1
        self._since_asked += 1
        self._since_told += 1
        self._missing -= self._rule.most(expected) if self._rule.additive else 0.0
        if vote.answer is not None:
            group = self._grouping.add(vote.answer)
            if self._rule.additive:
                self._sums[group] = self._sums.get(group, 0.0) + self._rule.worth(vote)
        for answer in vote.ranking:
            self._grouping.add(answer)

    def may_be_settled(self) -> bool:
        """Whether `stopping.settled` has to be asked; false where it surely says no.

        No leader keeps more than its group has, and no rival has less than its own.
        """
        if not self._is_plain:
            return True
        if not self._sums or not math.isfinite(self._missing):
            return False
        best, second = (*nlargest(2, self._sums.values()), 0.0)[:2]
        slack = _ROUNDING * (abs(best) + abs(second) + self._missing)
        return best - second - self._missing > -slack

    def may_stop(self, rule: StopRule) -> bool:
        """Whether a stop rule has to be asked: it could hold, and of many votes enough are new.

        Up to 64 voters every vote is enough. Whether the exact rule holds of plain sums is told at
        once, however many there are.
        """
        if rule is StopRule.NEVER:
            return self._awaited == 0
        if self._is_plain and self.may_be_settled():
            return True
        if self._is_plain and rule is StopRule.EXACT:
            return False
        if self._awaited and self._since_asked < self._between:
            return False
        self._since_asked = 0
        return True

    def may_tell(self) -> bool:
        """Whether the standings are due: always up to 64 voters, else after 1/64 of the votes."""
        if self._awaited and self._since_told < self._between:
            return False
        self._since_told = 0
        return True

    def clustering(self, answers: Sequence[Answer | None]) -> Clusters:
        """Group answers of these votes: a quick form of `quorate.answers.cluster`."""
        return self._grouping.cluster(answers)

    def alike(self, answer: Answer) -> list[Answer]:
        """Give the different answers so far that one to come may equal without being the same."""
        return self._grouping.alike(answer)

    @property
    def _is_plain(self) -> bool:
        """Whether sums tell who leads: the rule adds up, and the groups are known."""
        return self._rule.additive and not self._grouping.tangled
