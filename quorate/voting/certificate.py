"""Mode certified: an anytime-valid test that the leading answer is the voters' most common one.

It certifies the mode, never correctness: a panel that errs together is certified in its error.

The model: votes are independent draws from one distribution over answers, such as samples of a
model, or at least votes none of which, given those before, prefers the certified answer to the
mode. The test may be looked at after every vote, and stopped at any time. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from quorate.errors import InvalidRequest

USUAL_DELTA = 0.05
_HALF = 0.5
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Certificate:
    """The mode is certified: `answer` is the label, `delta` the accepted chance that it is not.

    `e_value` ≥ 1/delta is the lesser of the two that were reached after `votes` votes,
    abstentions included.
    """

    answer: Hashable
    delta: float
    e_value: float
    votes: int


class CertificateProcess:
    """Watches votes one by one until the mode is certified.

    Two e-processes, the leader against the runner-up and the leader against all other answers but
    those two, must both reach 1/δ. Each multiplies one-step bets that were fixed before the vote
    they bet on: q from the votes before, max(½, (wins + ½)/(n + 1)), and a factor 2q for the
    leader, 2(1−q) against it. If the leader is not the more common of the two, the expected factor
    is at most 1, so by Ville's inequality either process ever reaches 1/δ with probability ≤ δ.
    To put the latest estimate into all factors again would not be a bet, and does exceed δ.

    For each single wrong answer the chance of being certified is at most δ; for two of them to
    compete for it, each must win against the true mode and against the other. Source: the
    martingale majority certificate of arXiv 2510.17472; Ramdas et al. (2023) on e-processes.
    Memory and time of one vote grow with the votes seen.
    """

    def __init__(self, delta: float = USUAL_DELTA) -> None:
        """Accept a false certificate with probability `delta`, in (0, 0.5], else InvalidRequest."""
        if not 0.0 < delta <= _HALF:  # also false for NaN
            raise InvalidRequest.field("delta", delta, "it must lie in (0, 0.5]", "Try 0.05.")
        self.delta = delta
        self.certificate: Certificate | None = None
        self._labels: list[Hashable] = []
        self._counts: Counter[Hashable] = Counter()
        self._votes = 0
        self._doubt: Hashable | None = None

    def add(self, label: Hashable | None) -> Certificate | None:
        """Take one more vote, None for an abstention; give the certificate once it is reached.

        The first certificate stays. Labels must be equal exactly where answers are.
        """
        self._votes += 1
        if label is not None:
            self._labels.append(label)
            self._counts[label] += 1
            if self.certificate is None:
                self.certificate = self._certificate()
        return self.certificate

    @property
    def e_value(self) -> float:
        """The lesser of the two e-values of the present leader; 1 when two lead."""
        leader, rivals = self._leader()
        if leader is None:
            return 1.0
        return math.exp(min(self._log_e(leader, rival) for rival in rivals))

    def _certificate(self) -> Certificate | None:
        if not self._may_reach():
            return None
        leader, rivals = self._leader()
        if leader is None:
            return None
        # Nearly always one rival is enough to refuse, and it is the one that was last time.
        if self._doubt in rivals:
            rivals = [self._doubt, *(rival for rival in rivals if rival != self._doubt)]
        least = math.inf
        for rival in rivals:
            least = min(least, self._log_e(leader, rival))
            if least < -math.log(self.delta) - _ROUNDING:
                self._doubt = rival
                return None
        e_value = math.exp(least)
        if e_value < 1.0 / self.delta:
            return None
        return Certificate(leader, self.delta, e_value, self._votes)

    def _may_reach(self) -> bool:
        """Whether so many votes for the first two, in any order, could be enough."""
        (_, first), *others = self._counts.most_common(2)
        second = others[0][1] if others else 0
        against = max(second, len(self._labels) - first - second)
        return most_log_e(first, against) >= -math.log(self.delta) - _ROUNDING

    def _leader(self) -> tuple[Hashable | None, list[Hashable | None]]:
        """Give the only most common answer, and all that are second; None is one yet to come."""
        ranked = self._counts.most_common()
        if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None, []
        if len(ranked) == 1:
            return ranked[0][0], [None]
        second = ranked[1][1]
        return ranked[0][0], [label for label, count in ranked[1:] if count == second]

    def _log_e(self, leader: Hashable, rival: Hashable | None) -> float:
        against_rival = _log_bets(
            label == leader for label in self._labels if label in (leader, rival)
        )
        against_rest = _log_bets(label == leader for label in self._labels if label != rival)
        return min(against_rival, against_rest)


def most_log_e(wins: int, losses: int) -> float:
    """Bound the log of the e-value of so many wins and losses, whatever their order.

    It is that of losses and as many wins in turn, which multiply to at most 1, and then wins alone:
    while wins lead, the bets are those of the Krichevsky-Trofimov estimator, whose product depends
    on the counts only, and falls from each tie to the next; while they do not, nothing is bet.
    """
    if wins <= losses:
        return 0.0
    logs = (wins - losses) * math.log(2.0)
    logs += math.lgamma(wins + _HALF) - math.lgamma(losses + _HALF)
    return logs + math.lgamma(2 * losses + 1) - math.lgamma(wins + losses + 1)


def certify(labels: Iterable[Hashable | None], delta: float = USUAL_DELTA) -> Certificate | None:
    """Give the certificate that votes in this order reach first; None when they reach none.

    None in `labels` is an abstention. Raises InvalidRequest for a delta outside (0, 0.5].
    """
    process = CertificateProcess(delta)
    for label in labels:
        if process.add(label) is not None:
            break
    return process.certificate


def _log_bets(wins: Iterable[bool]) -> float:
    """Multiply the bets on a sequence of wins and losses; the logarithm of the product."""
    won, logs = 0, 0.0
    for seen, win in enumerate(wins):
        bet = max(_HALF, (won + _HALF) / (seen + 1.0))
        logs += math.log(2.0 * (bet if win else 1.0 - bet))
        won += win
    return logs
