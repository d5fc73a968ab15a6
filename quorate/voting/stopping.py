"""When to stop asking: what is missing cannot change the winner, whatever it says. Exact.

Answers stand in groups, and a group's members all equal one another, but equality is not
transitive: 18 equals 18 kg and 18 g. So a late answer can draw members out of a group, and this
looks at how far. A way of putting an answer (votes that are equal to the letter) never falls apart.

The winner is taken to be the same when it equals the one at the time of stopping: "18" may become
"18 kg".
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence, Set
from typing import TypeAlias

from quorate.answers import cluster, key_of
from quorate.voting.decision import groups_of, winner_of
from quorate.voting.strategies import Strategy, find
from quorate.voting.vote import Vote, check_weight, in_order

SLACK = 1e-9
"""Share by which a lead must exceed what is missing: far above rounding, far below a ballot."""
MOST_WAYS = 100
"""Up to so many different answers the groups are followed; beyond, all rivals count as one."""

Way: TypeAlias = Hashable
Pairs: TypeAlias = Set[tuple[Way, Way]]


def settled(votes: Sequence[Vote], outstanding: Sequence[float], strategy: str) -> bool:
    """Whether outstanding votes of these weights, whatever they say, cannot change the winner.

    Raises UnknownStrategy, and InvalidRequest for a weight below 0 or NaN.
    """
    rule = find(strategy)
    for weight in outstanding:
        check_weight(weight, "weight of an outstanding vote")
    if not outstanding:
        return True
    spoke = [vote for vote in in_order(votes) if vote.answer is not None]
    if not spoke:
        return False
    surely, at_most = _lead(rule, spoke, len(outstanding))
    missing = math.fsum(rule.most(weight) for weight in outstanding)
    return surely - at_most - missing > SLACK * (surely + at_most + missing)


def _lead(rule: Strategy, spoke: Sequence[Vote], missing: int) -> tuple[float, float]:
    """Give the score that the winner keeps, and the most that a rival has so far."""
    ways: dict[Way, list[Vote]] = {}
    for vote in spoke:
        ways.setdefault(_way(vote), []).append(vote)
    groups, _ = groups_of(spoke)
    winner = winner_of(rule, groups)
    kept: set[Way] = {key_of(winner.answer)}
    if len(ways) > MOST_WAYS:
        rest = [vote for vote in spoke if _way(vote) not in kept]
        return rule.score(ways[key_of(winner.answer)]), rule.score(rest)
    parted = _parted(spoke)
    together = {_way(vote) for vote in winner.votes}
    if _inseparable(together, ways, parted, missing):
        kept = together
    surely = rule.score([vote for way in kept for vote in ways[way]])
    teams = [{_way(vote) for vote in group.votes} - kept for group in groups]
    teams = [team | {b for a, b in parted if a == way} - kept for team in teams for way in team]
    rivals = [rule.score([vote for way in team for vote in ways[way]]) for team in teams]
    return surely, max(rivals, default=0.0)


def _inseparable(
    together: Set[Way], ways: dict[Way, list[Vote]], parted: Pairs, missing: int
) -> bool:
    """Whether a group stays one group whatever is still said.

    The more frequent answer draws its equals first. So each member must stay ahead of every answer
    outside that could draw a member away, which is either there already, or all that is missing.
    """
    if len(together) == 1:
        return True
    fewest = min(len(ways[way]) for way in together)
    drawing = [len(ways[b]) for a, b in parted if a in together]
    return fewest > max(drawing, default=0) + missing


def _parted(spoke: Sequence[Vote]) -> Pairs:
    """Give the answers that are equal and yet stand in different groups, both ways around."""
    pairs = cluster([vote.answer for vote in spoke]).parted
    found = {(_way(spoke[one]), _way(spoke[other])) for one, other in pairs}
    return found | {(other, one) for one, other in found}


def _way(vote: Vote) -> Way:
    return key_of(vote.answer) if vote.answer is not None else None
