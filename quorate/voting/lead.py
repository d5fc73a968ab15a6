"""How far the winner of a vote is ahead for sure, under a rule that adds up. Pure.

Answers stand in groups, and a group's members all equal one another, but equality is not
transitive: 18 equals 18 kg and 18 g. So a late answer can draw members out of a group, and this
looks at how far. A way of putting an answer (votes that are equal to the letter) never falls apart.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence, Set
from typing import TYPE_CHECKING, TypeAlias

from quorate.answers import Clustering, Clusters, cluster, key_of
from quorate.voting.decision import groups_of, winner_of

if TYPE_CHECKING:
    from quorate.voting.strategies import Strategy
    from quorate.voting.vote import Vote

MOST_WAYS = 100
"""Up to so many different answers groups that fall apart are followed; beyond, where any could, all
rivals count as one."""

Way: TypeAlias = Hashable
Pairs: TypeAlias = Set[tuple[Way, Way]]


def lead_of(
    rule: Strategy, spoke: Sequence[Vote], missing: int, clustering: Clustering = cluster
) -> tuple[float, float]:
    """Give the score that the winner keeps whatever is still said, and the most of a rival so far.

    `spoke` are votes with answers, in order of members, at least one; `missing` how many may come.
    Where a vote is worth less than nothing, a rival may lose it, and a winner may win it.
    """
    ways: dict[Way, list[Vote]] = {}
    for vote in spoke:
        ways.setdefault(_way(vote), []).append(vote)
    worth = {way: rule.score(of) for way, of in ways.items()}
    groups, _ = groups_of(spoke, clustering)
    winner = winner_of(rule, groups)
    first = key_of(winner.answer)
    clusters = clustering([vote.answer for vote in spoke])
    if len(ways) > MOST_WAYS and (clusters.parted or not clusters.complete):
        losses = math.fsum(min(0.0, worth[way]) for way in ways if way != first)
        return worth[first] + losses, math.fsum(
            max(0.0, worth[way]) for way in ways if way != first
        )
    parted = _parted(spoke, clusters)
    together = {_way(vote) for vote in winner.votes}
    kept = together if _inseparable(together, ways, parted, missing) else {first}
    joining = {b for a, b in parted if a in kept} | together
    surely = math.fsum(worth[way] for way in kept)
    surely += math.fsum(min(0.0, worth[way]) for way in joining - kept)
    teams = [{_way(vote) for vote in group.votes} - kept for group in groups]
    teams = [team | {b for a, b in parted if a == way} - kept for team in teams for way in team]
    rivals = [math.fsum(max(0.0, worth[way]) for way in team) for team in teams]
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


def _parted(spoke: Sequence[Vote], clusters: Clusters) -> Pairs:
    """Give the answers that are equal and yet stand in different groups, both ways around."""
    found = {(_way(spoke[one]), _way(spoke[other])) for one, other in clusters.parted}
    return found | {(other, one) for one, other in found}


def _way(vote: Vote) -> Way:
    return key_of(vote.answer) if vote.answer is not None else None
