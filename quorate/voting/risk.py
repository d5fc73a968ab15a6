"""How likely the votes that are still missing change the winner. Deterministic, no sampling. Pure.

The model: the votes on one question are draws from unknown shares θ of its answers. Seen votes
update a Dirichlet belief about θ, and what is missing follows its posterior predictive (a Pólya
urn), so that votes may err together.

- Nothing known: θ of leader, rival and all else has the Dirichlet prior (1/3, 1/3, 1/3) of Perks
  (1947); one more answer that nobody gave yet is a rival too.
- Known accuracy x and error correlation ρ of the voters: one of K answers is right, each as likely
  beforehand; θ is Dirichlet with mean x for it and (1−x)/(K−1) for each other, and precision
  κ = (1−ρ)/ρ, which gives two votes on one question the correlation ρ. The truth is summed over.

The chances that single rivals overtake are added up, which counts too much rather than too little.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.voting.correlation import error_correlation
from quorate.voting.knowledge import Record

if TYPE_CHECKING:
    from quorate.voting.knowledge import Knowledge

FEWEST_ITEMS = 20.0
"""Items of history that every voter needs before its accuracy is believed."""
LEAST_CORRELATION = 1e-4
"""Errors are never quite independent; below this the urn is as good as a coin."""
MOST_OUTSTANDING = 16
"""Up to so many missing votes of different weights are counted one by one; beyond, all of them
count like the most dangerous."""
MOST_RIVALS = 16
"""Up to so many rivals that differ each is looked at by itself."""
_STEPS = 16
"""Steps in the greatest weight, where weights differ; rounded so that risk is overestimated."""
_NEARLY = 1e-9
MOST_KEPT = 256
"""Tables that are kept: the same few are needed for one ballot after the other."""

Shares: TypeAlias = tuple[float, float, float]
"""Dirichlet parameters of the leader, of one rival, and of all else."""
Numbers: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]


class Held(NamedTuple):
    """What one answer has so far."""

    score: float
    votes: int


class Gain(NamedTuple):
    """What a missing vote adds: at least, if for the leader; at most, if for a rival. Both ≥ 0."""

    least: float
    most: float


_NOBODY = Held(0.0, 0)
"""An answer that nobody gave yet."""


class Belief(NamedTuple):
    """What is known of the voters together: mean accuracy, error correlation, possible answers."""

    accuracy: float
    correlation: float
    options: int


def belief_of(models: Sequence[str], distinct: int, knowledge: Knowledge) -> Belief | None:
    """Sum up what is known of voters; None when one of them has fewer than 20 items of history.

    None too for several samples of a model of which it was never measured how alike they err:
    where the prior takes them for one vote, nothing could contradict the first of them.
    `models` are those of all votes, seen and missing, and `distinct` how many answers were given.
    Where the question leaves its options open there is one more than that. History on the topic is
    used when there is enough.
    """
    records = [_record(model, knowledge) for model in models]
    if not records or any(record.total < FEWEST_ITEMS for record in records):
        return None
    if any(
        (model, model) not in knowledge.joint for model in set(models) if models.count(model) > 1
    ):
        return None
    accuracy = math.fsum((one.right + 1) / (one.total + 2) for one in records) / len(records)
    options = max(2, distinct, knowledge.options or distinct + 1)
    return Belief(accuracy, _mean_correlation(models, knowledge), options)


def probability_of_change(
    held: Sequence[Held], missing: Sequence[Gain], belief: Belief | None = None
) -> float:
    """Bound the probability, in [0, 1], that missing votes put another answer first.

    `held` has the leader first. A tie at the end changes the winner half the time. 1 when nobody
    has answered yet, 0 when nothing is missing.
    """
    if not missing:
        return 0.0
    if not held or held[0].votes == 0:
        return 1.0
    chances = _unknown(held, missing) if belief is None else _known(held, missing, belief)
    return min(1.0, max(0.0, chances))


def _record(model: str, knowledge: Knowledge) -> Record:
    on_topic = knowledge.on_topic.get(model, Record())
    if on_topic.total >= FEWEST_ITEMS:
        return on_topic
    return knowledge.overall.get(model, Record())


def _mean_correlation(models: Sequence[str], knowledge: Knowledge) -> float:
    """Average ρ over all pairs of votes; negative ones count as 0."""
    pairs = len(models) * (len(models) - 1)
    if pairs == 0:
        return LEAST_CORRELATION
    remembered, key = knowledge.mean_correlations, tuple(sorted(models))
    if key not in remembered:  # it takes long for many, and is asked for at every vote
        matrix = np.maximum(error_correlation(key, knowledge), 0.0)
        remembered[key] = float(matrix.sum() - len(models)) / pairs
    return remembered[key]


def _rivals(held: Sequence[Held]) -> Counter[Held]:
    """Count the rivals that are alike: of many different answers nearly all are.

    Where even so there are many, those with as many votes are all taken to have the best's score.
    """
    rivals = Counter(held[1:])
    if len(rivals) <= MOST_RIVALS:
        return rivals
    best: dict[int, float] = {}
    for one in rivals:
        best[one.votes] = max(one.score, best.get(one.votes, one.score))
    alike: Counter[Held] = Counter()
    for one, count in rivals.items():
        alike[Held(best[one.votes], one.votes)] += count
    return alike


def _unknown(held: Sequence[Held], missing: Sequence[Gain]) -> float:
    total = sum(one.votes for one in held)
    leader = held[0]
    prior = 1.0 / 3.0
    chances = list[float]()
    for rival, count in (_rivals(held) + Counter([_NOBODY])).items():
        rest = total - leader.votes - rival.votes
        shares = (prior + leader.votes, prior + rival.votes, prior + rest)
        chances += [_overtaken(leader.score - rival.score, shares, missing)] * count
    return math.fsum(chances)


def _known(held: Sequence[Held], missing: Sequence[Gain], belief: Belief) -> float:
    """Sum over which answer is right, weighted by how well that explains the votes seen.

    Answers that are alike are right with the same chance, each of them.
    """
    precision = 1.0 / max(belief.correlation, LEAST_CORRELATION) - 1.0
    right = precision * belief.accuracy
    wrong = precision * (1.0 - belief.accuracy) / (belief.options - 1)
    rivals, unseen = _rivals(held), belief.options - len(held)
    alike = [(held[0], 1), *rivals.items()]
    truths: list[Held | None] = [None, *rivals]
    if unseen:
        alike.append((_NOBODY, unseen))
        truths.append(_NOBODY)
    logs = [_explains(alike, place, right, wrong) for place in range(len(alike))]
    chances = [_given(held, rivals, missing, one, (right, wrong), unseen) for one in truths]
    likely = np.exp(np.array(logs) - max(logs))
    return float(likely @ np.minimum(chances, 1.0) / likely.sum())


def _explains(alike: Sequence[tuple[Held, int]], truth: int, right: float, wrong: float) -> float:
    """Give the log likelihood of the votes seen when one of the answers at this place is right."""
    logs = [math.log(alike[truth][1]), float(_log_rise(right, alike[truth][0].votes)[-1])]
    for place, (one, count) in enumerate(alike):
        wrongs = count - (place == truth)
        if wrongs:
            logs.append(wrongs * float(_log_rise(wrong, one.votes)[-1]))
    return math.fsum(logs)


def _given(
    held: Sequence[Held],
    rivals: Counter[Held],
    missing: Sequence[Gain],
    truth: Held | None,
    shares: tuple[float, float],
    unseen: int,
) -> float:
    """Add up the chances of all rivals when the answer `truth` is right: None is the leader."""
    right, wrong = shares
    total = right + wrong * (len(held) + unseen - 1) + sum(one.votes for one in held)
    leader = held[0]
    parameter = (right if truth is None else wrong) + leader.votes

    def chance(rival: Held, share: float) -> float:
        rest = max(0.0, total - parameter - share - rival.votes)
        return _overtaken(
            leader.score - rival.score, (parameter, share + rival.votes, rest), missing
        )

    everybody = rivals + Counter({_NOBODY: unseen})
    wrongs = everybody - Counter([truth] if truth is not None else [])
    chances = [count * chance(rival, wrong) for rival, count in wrongs.items()]
    if truth is not None:
        chances.append(chance(truth, right))
    return math.fsum(chances)


def _overtaken(lead: float, shares: Shares, missing: Sequence[Gain]) -> float:
    """Give the chance that one rival gets ahead of the leader, ties counted half."""
    if math.fsum(gain.most for gain in missing) < lead * (1.0 - _NEARLY):
        return 0.0
    alike = max(missing) == min(missing)
    if alike or len(missing) > MOST_OUTSTANDING:
        worst = Gain(min(gain.least for gain in missing), max(gain.most for gain in missing))
        return _all_alike(lead, shares, len(missing), worst)
    return _one_by_one(lead, shares, missing)


def _all_alike(lead: float, shares: Shares, missing: int, gain: Gain) -> float:
    """Sum the Dirichlet-multinomial over i votes for the leader and j for the rival."""
    i, j, rest, ways = _futures(missing)
    rises = [_log_rise(share, missing) for share in shares]
    total = _log_rise(math.fsum(shares), missing)[missing]
    likely = np.exp(ways + rises[0][i] + rises[1][j] + rises[2][rest] - total)
    ahead = lead + i * gain.least - j * gain.most
    return float(likely @ _lost(ahead, lead + missing * gain.most))


@lru_cache(maxsize=16)  # of some hundred votes one table has megabytes
def _futures(missing: int) -> tuple[Places, Places, Places, Numbers]:
    """List the ways to split so many votes in three, and the log of how many orders each has."""
    for_leader, for_rival = np.mgrid[0 : missing + 1, 0 : missing + 1]
    rest = missing - for_leader - for_rival
    possible = rest >= 0
    i, j, k = for_leader[possible], for_rival[possible], rest[possible]
    factorial = _log_rise(1.0, missing)
    return i, j, k, factorial[missing] - factorial[i] - factorial[j] - factorial[k]


def _one_by_one(lead: float, shares: Shares, missing: Sequence[Gain]) -> float:
    """Follow (votes for the leader, votes for the rival, what the leader is ahead) vote by vote."""
    step = max(gain.most for gain in missing) / _STEPS
    least = [math.floor(gain.least / step + _NEARLY) for gain in missing]
    most = [math.ceil(gain.most / step - _NEARLY) for gain in missing]
    start = math.floor(lead / step + _NEARLY)
    behind, size = sum(most), sum(most) + sum(least) + 1
    states = np.zeros((len(missing) + 1, len(missing) + 1, size))
    states[0, 0, behind] = 1.0
    total = math.fsum(shares)
    for seen, (up, down) in enumerate(zip(least, most, strict=True)):
        states = _after_one(states, shares, total + seen, seen, up, down)
    ahead = np.arange(size) - behind + start
    return float(states.sum(axis=(0, 1)) @ _lost(ahead, 1.0))


def _after_one(
    states: Numbers, shares: Shares, total: float, seen: int, up: int, down: int
) -> Numbers:
    """Draw one more vote from the urn."""
    counts = np.arange(states.shape[0], dtype=np.float64)
    leader = states * ((shares[0] + counts) / total)[:, None, None]
    rival = states * ((shares[1] + counts) / total)[None, :, None]
    size = states.shape[2]
    after = states - leader - rival
    after[1:, :, up:] += leader[:-1, :, : size - up]
    after[:, 1:, : size - down] += rival[:, :-1, down:]
    return np.asarray(np.maximum(after, 0.0), dtype=np.float64)


def _lost(ahead: Numbers | Places, scale: float) -> Numbers:
    """Give 1 where the leader fell behind, ½ where it is level, 0 where it stays ahead."""
    close = _NEARLY * max(scale, 1e-300)
    return np.where(ahead < -close, 1.0, np.where(ahead <= close, 0.5, 0.0))


@lru_cache(maxsize=MOST_KEPT)
def _log_rise(start: float, times: int) -> Numbers:
    """Give log(start·(start+1)·…) after 0, 1, …, `times` factors; −∞ where a factor is 0."""
    with np.errstate(divide="ignore"):
        factors = np.log(start + np.arange(times, dtype=np.float64))
    return np.concatenate([[0.0], np.cumsum(factors)])
