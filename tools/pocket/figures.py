"""Figures from replies: accuracy with Wilson intervals, correlated errors, majority votes."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from typing import TypedDict

from tools.pocket.evaluation import Reply

Replies = dict[str, dict[str, list[Reply]]]
_Z95 = 1.959964
# A vote needs answers that can be equal: free merges and source text are not voted on here.
VOTED = (
    "arithmetic",
    "facts",
    "extraction",
    "yes_no",
    "splitting",
    "routing",
    "judging",
    "results",
    "debating",
)


class Accuracy(TypedDict):
    """Share of right answers among n, with its 95 % Wilson interval."""

    n: int
    right: int
    accuracy: float
    low: float
    high: float


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927)."""
    share, z2 = right / n, _Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy(replies: list[Reply]) -> Accuracy:
    """Count right replies."""
    right, n = sum(reply.right for reply in replies), len(replies)
    low, high = wilson(right, n)
    return {
        "n": n,
        "right": right,
        "accuracy": round(right / n, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def phi(first: list[Reply], second: list[Reply]) -> float | None:
    """Return the correlation of two models' errors on the same items; None if one is constant."""
    n = len(first)
    a, b = sum(r.right for r in first) / n, sum(r.right for r in second) / n
    both = sum(x.right and y.right for x, y in zip(first, second, strict=True)) / n
    spread = math.sqrt(a * (1 - a) * b * (1 - b))
    return (both - a * b) / spread if spread > 0 else None


def correlations(replies: Replies) -> dict[str, float]:
    """Return, for each pair of models, the mean over tasks of the correlation of their errors."""
    pairs = {}
    for first, second in combinations(replies, 2):
        values = [phi(replies[first][task], replies[second][task]) for task in replies[first]]
        known = [value for value in values if value is not None]
        pairs[f"{first}/{second}"] = round(sum(known) / len(known), 3) if known else 0.0
    return pairs


def majority(replies: Replies, task: str) -> float:
    """Return the accuracy of the plurality answer; a tie counts by its share of right answers."""
    columns = list(zip(*(by_task[task] for by_task in replies.values()), strict=True))
    score = 0.0
    for column in columns:
        votes = Counter(reply.ballot for reply in column if reply.ballot is not None)
        if votes:
            most = max(votes.values())
            leaders = [answer for answer, count in votes.items() if count == most]
            right = {reply.ballot for reply in column if reply.right}
            score += sum(leader in right for leader in leaders) / len(leaders)
    return round(score / len(columns), 4)
