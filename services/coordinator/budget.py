"""Who is asked next when there is not enough time or not enough tokens for everybody. Pure.

The next voter is the one with the most expected information for its cost. Let h range over the K
answers the question may have, P(h) be the belief after the votes so far, with independent voters
of which i is right with probability p_i and errs evenly:

    P(h) ∝ Π_i  p_i  if i voted h,  else (1 - p_i)/(K - 1)

A further voter j says a with P(a) = Σ_h P(h)·(p_j if a = h else (1 - p_j)/(K - 1)). Asking j is
worth the reduction of the entropy H (nats) of the belief that is expected of its vote, which is
the mutual information of the vote and the winner (Lindley, "On a Measure of the Information
Provided by an Experiment", 1956):

    gain(j) = H(P) - Σ_a P(a)·H(P | j says a)  =  H(P(a)) - H(p_j, (1 - p_j)/(K - 1), …)

    worth(j) = gain(j) / (seconds_j / seconds left  +  tokens_j / tokens left)

where a limit that was not set costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

SUREST: Final = 0.95
"""No model is believed to be right, or wrong, more often."""
USUAL_RIGHT: Final = 0.6
"""P(right) of a model of which nothing is known."""
MARGIN: Final = 1.5
"""An answer is given room for so many times its usual tokens."""


class Candidate(NamedTuple):
    """Somebody who may be asked: P(right), and the usual seconds and tokens; None: not measured.

    `tokens` are those of all its samples.
    """

    number: int
    right: float
    seconds: float | None = None
    tokens: float | None = None


class Left(NamedTuple):
    """What is left to spend on a part; None: no limit."""

    seconds: float | None = None
    tokens: int | None = None


def entropy(chances: Sequence[float]) -> float:
    """Give the entropy of a distribution in nats."""
    return -math.fsum(chance * math.log(chance) for chance in chances if chance > 0.0)


def belief(votes: Sequence[tuple[int, float]], answers: int) -> list[float]:
    """Give P(h) for each of at least two `answers`, from votes of (answer's number, P(right))."""
    wrong = answers - 1
    logs = [0.0] * answers
    for answer, chance in votes:
        right = bounded(chance)
        for place in range(answers):
            logs[place] += math.log(right if place == answer else (1.0 - right) / wrong)
    top = max(logs)
    shares = [math.exp(value - top) for value in logs]
    total = math.fsum(shares)
    return [share / total for share in shares]


def gain(believed: Sequence[float], right: float) -> float:
    """Give the information in nats that one more vote is expected to bring."""
    chance, answers = bounded(right), len(believed)
    error = (1.0 - chance) / (answers - 1)
    says = [share * chance + (1.0 - share) * error for share in believed]
    noise = entropy([chance, *[error] * (answers - 1)])
    return max(0.0, entropy(says) - noise)


def bounded(right: float) -> float:
    """Keep a probability away from certainty; 0 is unknown."""
    return min(SUREST, max(1.0 - SUREST, right or USUAL_RIGHT))


def is_short(candidates: Sequence[Candidate], left: Left) -> bool:
    """Say whether what is left is known not to do for everybody.

    Without measurements nothing is known to be short.
    """
    tokens = [one.tokens for one in candidates if one.tokens is not None]
    if left.tokens is not None and tokens:
        usual = MARGIN * math.fsum(tokens) / len(tokens)
        if usual * len(candidates) > left.tokens:
            return True
    seconds = [one.seconds for one in candidates if one.seconds is not None]
    return left.seconds is not None and max(seconds, default=0.0) > left.seconds


def next_wave(
    candidates: Sequence[Candidate], believed: Sequence[float], left: Left, wanted: int
) -> list[Candidate]:
    """Choose up to `wanted` candidates, the worthiest first, that what is left does for.

    Empty when it does for nobody.
    """
    known = _filled(candidates)
    timely = [one for one in known if left.seconds is None or (one.seconds or 0.0) <= left.seconds]
    ranked = sorted(timely, key=lambda one: (-worth(one, believed, left), one.number))
    chosen, spent = list[Candidate](), 0.0
    for one in ranked[:wanted]:
        spent += MARGIN * (one.tokens or 0.0)
        if left.tokens is not None and spent > left.tokens:
            break
        chosen.append(one)
    return chosen


def worth(one: Candidate, believed: Sequence[float], left: Left) -> float:
    """Give a candidate's expected information for its share of what is left."""
    cost = 0.0
    if left.seconds is not None:
        cost += (one.seconds or 0.0) / max(left.seconds, 1e-9)
    if left.tokens is not None:
        cost += (one.tokens or 0.0) / max(left.tokens, 1)
    return gain(believed, one.right) / max(cost, 1e-9)


def _filled(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Let those that were never measured cost what the others do on average."""
    seconds = [one.seconds for one in candidates if one.seconds is not None]
    tokens = [one.tokens for one in candidates if one.tokens is not None]
    mean_seconds = math.fsum(seconds) / len(seconds) if seconds else 1.0
    mean_tokens = math.fsum(tokens) / len(tokens) if tokens else 1.0
    return [
        one._replace(
            seconds=mean_seconds if one.seconds is None else one.seconds,
            tokens=mean_tokens if one.tokens is None else one.tokens,
        )
        for one in candidates
    ]
