"""How large an effect is, and how likely a study of this size was to see it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance

from scipy import special

from services.bench.stats.intervals import CONFIDENCE, Estimate, critical

ALPHA = 0.05
POWER = 0.8


def cohen_h(
    ours: tuple[int, int], theirs: tuple[int, int], confidence: float = CONFIDENCE
) -> Estimate:
    """Compare two shares, each (successes, n), by their arcsines (Cohen 1988, ch. 6).

    .2 is small, .5 medium, .8 large. The interval treats the two as independent; n is the lesser.
    Raises ValueError for what is no share.
    """
    for successes, n in (ours, theirs):
        if n < 1 or not 0 <= successes <= n:
            raise ValueError(f"{successes} of {n} is no share; count at least one item")
    angles = [2.0 * math.asin(math.sqrt(successes / n)) for successes, n in (ours, theirs)]
    value = angles[0] - angles[1]
    half = critical(confidence) * math.sqrt(1 / ours[1] + 1 / theirs[1])
    return Estimate(value, value - half, value + half, min(ours[1], theirs[1]))


def cohen_d(
    ours: Sequence[float], theirs: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    """Compare two means in pooled standard deviations (Cohen 1988, ch. 2).

    The interval is Hedges and Olkin's normal one (1985, eq. 5.15); n counts both samples. Raises
    ValueError for fewer than two values, or when nothing varies.
    """
    first, second = len(ours), len(theirs)
    if min(first, second) < 2:
        raise ValueError(f"{first} and {second} values; each side needs at least two")
    pooled = ((first - 1) * variance(ours) + (second - 1) * variance(theirs)) / (first + second - 2)
    if pooled == 0.0:
        raise ValueError("nothing varies on either side; there is no unit to measure d in")
    value = (fmean(ours) - fmean(theirs)) / math.sqrt(pooled)
    error = math.sqrt((first + second) / (first * second) + value**2 / (2 * (first + second)))
    half = critical(confidence) * error
    return Estimate(value, value - half, value + half, first + second)


def odds_ratio(
    ours: tuple[int, int], theirs: tuple[int, int], confidence: float = CONFIDENCE
) -> Estimate:
    """Compare two counts, each (right, wrong), by the ratio of their odds (Woolf 1955).

    An empty cell adds one half to all (Haldane 1956). Raises ValueError for negative or no counts.
    """
    cells = [float(count) for count in (*ours, *theirs)]
    if min(cells) < 0 or not sum(ours) or not sum(theirs):
        raise ValueError(f"{ours} beside {theirs} are no counts of right and wrong")
    if 0.0 in cells:
        cells = [count + 0.5 for count in cells]
    a, b, c, d = cells
    logarithm = math.log(a * d / (b * c))
    half = critical(confidence) * math.sqrt(sum(1 / count for count in cells))
    low, high = math.exp(logarithm - half), math.exp(logarithm + half)
    return Estimate(math.exp(logarithm), low, high, sum(ours) + sum(theirs))


def phi(ours: Sequence[bool], theirs: Sequence[bool], confidence: float = CONFIDENCE) -> Estimate:
    """Correlate two series of right and wrong; the interval is Fisher's.

    0 where one of them never varies. Raises ValueError for fewer than four items.
    """
    n = len(ours)
    if n < 4:
        raise ValueError(f"{n} items; a correlation needs at least four")
    both = sum(a and b for a, b in zip(ours, theirs, strict=True))
    first, second = sum(ours), sum(theirs)
    spread = math.sqrt(float(first) * (n - first) * second * (n - second))
    value = (n * both - first * second) / spread if spread else 0.0
    if abs(value) >= 1.0:
        return Estimate(value, value, value, n)
    half = critical(confidence) / math.sqrt(n - 3)
    return Estimate(
        value, math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half), n
    )


def mcnemar_power(n: int, only_ours: float, only_theirs: float, alpha: float = ALPHA) -> float:
    """Give the probability that McNemar's test on n items sees these shares of discordant pairs.

    Connor's normal approximation (Biometrics 43, 1987, eq. 2). Raises ValueError for bad shares.
    """
    if min(only_ours, only_theirs) < 0 or only_ours + only_theirs > 1 or n < 1:
        raise ValueError(f"{only_ours} and {only_theirs} are no shares of {n} items")
    either, difference = only_ours + only_theirs, abs(only_ours - only_theirs)
    if difference == 0.0:
        return alpha
    spread = math.sqrt(either - difference**2)
    reached = difference * math.sqrt(n) - critical(1.0 - alpha) * math.sqrt(either)
    return NormalDist().cdf(reached / spread) if spread else float(reached > 0)


def smallest_difference(n: int, either: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Give the least difference of two accuracies that n items show with this power.

    `either` is the share of items on which exactly one of the two is right; math.inf where not even
    the greatest possible difference would show.
    """
    low, high = 0.0, either
    if mcnemar_power(n, either, 0.0, alpha) < power:
        return math.inf
    for _ in range(60):
        middle = (low + high) / 2.0
        seen = mcnemar_power(n, (either + middle) / 2.0, (either - middle) / 2.0, alpha)
        low, high = (low, middle) if seen >= power else (middle, high)
    return high


def paired_t_power(n: int, d: float, alpha: float = ALPHA) -> float:
    """Give the probability that a two-sided paired t-test on n items sees an effect of size d.

    d is the mean difference in standard deviations of the differences; exact, by the noncentral t
    distribution. Raises ValueError for fewer than two items.
    """
    if n < 2:
        raise ValueError(f"{n} items; at least two are needed")
    freedom = n - 1
    bound = float(special.stdtrit(freedom, 1.0 - alpha / 2.0))
    shift = abs(d) * math.sqrt(n)
    below = float(special.nctdtr(freedom, shift, bound))
    # The far tail underflows to NaN in SciPy where it is zero for all purposes.
    other = float(special.nctdtr(freedom, shift, -bound))
    return 1.0 - below + (0.0 if math.isnan(other) else other)
