"""Ranked ballots: what each member puts above what. Pure.

A member's ballot is the ranking that it gave, else its own samples in order of their frequency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np

from quorate.voting.election import Count, Election

TAIL = 0.25
"""Samples rarer than this share of a member's most frequent answer are noise, not a preference."""

Tiers: TypeAlias = tuple[tuple[int, ...], ...]
"""Groups from best to worst, equals together; groups that are missing tie behind all of them."""


@dataclass(frozen=True)
class Contest:
    """Ballots over candidates, which are groups of the election by their number.

    Groups that no ballot ranks after its tail is cut are no candidates: were they, they would add a
    point to whatever stands above them. `cut` counts the samples that were left out.
    """

    candidates: tuple[int, ...]
    ballots: tuple[Tiers, ...]
    cut: int = 0

    def places(self) -> list[dict[int, float]]:
        """Give each ballot's places, 0 the best; equals share the mean of the places they take."""
        return [_places(ballot, self.candidates) for ballot in self.ballots]

    def preferred(self) -> list[list[int]]:
        """Give how many ballots put the one candidate above the other, C × C, by their place."""
        wins = np.zeros((len(self.candidates), len(self.candidates)), dtype=np.int64)
        for place in self.places():
            at = np.array([place[candidate] for candidate in self.candidates])
            wins += at[:, None] < at[None, :]
        return [[int(number) for number in row] for row in wins.tolist()]


def contest_of(election: Election) -> Contest:
    """Make a ballot of each voter's votes. Those who abstain have none."""
    samples: dict[str, list[int]] = {}
    for number, vote in enumerate(election.votes):
        samples.setdefault(vote.voter or vote.member, []).append(number)
    ballots, cut = [], 0
    for votes in samples.values():
        ballot, left_out = _ballot(election, votes)
        if ballot:
            ballots.append(ballot)
        cut += left_out
    ranked = {candidate for ballot in ballots for tier in ballot for candidate in tier}
    return Contest(tuple(sorted(ranked)), tuple(ballots), cut)


def count_of(
    election: Election, contest: Contest, scores: dict[int, float], shares: dict[int, float]
) -> Count:
    """Put the candidates' scores and shares back to their groups; who is none has 0."""
    every = range(len(election.groups))
    floor = min(0.0, *scores.values()) if scores else 0.0
    return Count(
        [scores.get(group, floor) for group in every],
        shares=[shares.get(group, 0.0) for group in every],
        notes=[f"{contest.cut} rare samples left out"] if contest.cut else [],
    )


def support(contest: Contest) -> dict[int, float]:
    """Give each candidate's share of the preferences in its duels with all others, in [0, 1]."""
    wins = contest.preferred()
    shares = {}
    for place, candidate in enumerate(contest.candidates):
        won = sum(wins[place])
        total = won + sum(row[place] for row in wins)
        shares[candidate] = won / total if total else 1.0 / len(contest.candidates)
    return shares


def borda(election: Election) -> Count:
    """Give a candidate a point for each one below it on a ballot, half of one for each equal."""
    contest = contest_of(election)
    last = len(contest.candidates) - 1
    places = contest.places()
    points = {c: math.fsum(last - place[c] for place in places) for c in contest.candidates}
    return count_of(election, contest, points, support(contest))


def copeland(election: Election) -> Count:
    """Give a candidate a point for each duel it wins by majority, half of one for each drawn."""
    contest = contest_of(election)
    wins = contest.preferred()
    points = {}
    for one, candidate in enumerate(contest.candidates):
        duels = ((wins[one][other], wins[other][one]) for other in range(len(wins)) if other != one)
        points[candidate] = math.fsum(
            (ours > theirs) + 0.5 * (ours == theirs) for ours, theirs in duels
        )
    return count_of(election, contest, points, support(contest))


def runoff(election: Election) -> Count:
    """Strike out whoever has the fewest first places, until one is left (instant runoff).

    A ballot counts for its best candidates that are still there, shared where it has equals. All
    that have the fewest go together, unless nobody else is left: then they tie. A candidate's score
    is the round in which it left.
    """
    contest = contest_of(election)
    left = list(contest.candidates)
    rounds: dict[int, float] = {}
    shares: dict[int, float] = {}
    for number in range(1, len(left) + 1):
        first = _first_places(contest.ballots, left)
        if len(left) > 1 or number == 1:
            shares.update({c: first[c] / math.fsum(first.values()) for c in left})
        fewest = min(first.values())
        out = [c for c in left if math.isclose(first[c], fewest, abs_tol=1e-9)]
        rounds.update(dict.fromkeys(left, float(number)))
        if len(out) == len(left):
            break
        left = [c for c in left if c not in out]
    return count_of(election, contest, rounds, shares)


def _first_places(ballots: Iterable[Tiers], left: Sequence[int]) -> dict[int, float]:
    first = dict.fromkeys(left, 0.0)
    for ballot in ballots:
        tiers = ([c for c in tier if c in first] for tier in ballot)
        best = next((tier for tier in tiers if tier), [])
        for candidate in best:
            first[candidate] += 1.0 / len(best)
    return first


def _ballot(election: Election, votes: Sequence[int]) -> tuple[Tiers, int]:
    """Make one member's ballot; also give how many of its samples were cut off as noise."""
    rankings = [election.rankings[vote] for vote in votes if election.rankings[vote]]
    if rankings:
        return _mean_ranking(rankings), 0
    counts: dict[int, int] = {}
    for vote in votes:
        label = election.labels[vote]
        if label is not None:
            counts[label] = counts.get(label, 0) + 1
    if not counts:
        return (), 0
    least = TAIL * max(counts.values())
    kept = {label: count for label, count in counts.items() if count >= least}
    return _tiers({label: -float(count) for label, count in kept.items()}), (
        sum(counts.values()) - sum(kept.values())
    )


def _mean_ranking(rankings: Sequence[Sequence[int]]) -> Tiers:
    """Join a member's several rankings by mean place; what one leaves out is behind its last."""
    if len(rankings) == 1:
        return tuple((candidate,) for candidate in rankings[0])
    every = {candidate for ranking in rankings for candidate in ranking}
    places = [
        {
            c: float(ranking.index(c)) if c in ranking else (len(ranking) + len(every) - 1) / 2
            for c in every
        }
        for ranking in rankings
    ]
    return _tiers({c: math.fsum(place[c] for place in places) for c in every})


def _tiers(cost: dict[int, float]) -> Tiers:
    ordered = sorted(cost, key=lambda candidate: (cost[candidate], candidate))
    return tuple(tuple(tier) for _, tier in groupby(ordered, key=cost.__getitem__))


def _places(ballot: Tiers, candidates: Sequence[int]) -> dict[int, float]:
    ranked = {candidate for tier in ballot for candidate in tier}
    rest = tuple(candidate for candidate in candidates if candidate not in ranked)
    places: dict[int, float] = {}
    before = 0
    for tier in (*ballot, rest):
        places.update(dict.fromkeys(tier, before + (len(tier) - 1) / 2))
        before += len(tier)
    return places
