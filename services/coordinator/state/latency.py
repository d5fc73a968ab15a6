"""How long a model takes: a moving average and a running quantile. Pure; apart from correctness.

The quantile is the P² algorithm (Jain and Chlamtac 1985): five markers, no stored observations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SMOOTHING = 0.1
"""Weight of the newest observation in the average: the last twenty or so speak."""
QUANTILE = 0.9


@dataclass(frozen=True)
class Latency:
    """What is known of a duration in seconds after `count` observations.

    `heights` and `places` are P²'s markers; below five observations `heights` holds them, sorted.
    """

    count: int = 0
    average: float = 0.0
    heights: tuple[float, ...] = ()
    places: tuple[float, ...] = ()

    @property
    def quantile(self) -> float:
        """The running 0.9-quantile in seconds; 0 before the first observation."""
        if not self.heights:
            return 0.0
        if self.count < 5:
            return self.heights[math.ceil(QUANTILE * len(self.heights)) - 1]
        return self.heights[2]

    def seen(self, seconds: float) -> Latency:
        """Take an observation in; one that is negative, infinite or NaN changes nothing."""
        if not 0.0 <= seconds < math.inf:
            return self
        average = seconds if not self.count else self.average + SMOOTHING * (seconds - self.average)
        if self.count < 5:
            heights = tuple(sorted((*self.heights, seconds)))
            return Latency(self.count + 1, average, heights, (1.0, 2.0, 3.0, 4.0, 5.0))
        heights, places = _moved(list(self.heights), list(self.places), self.count + 1, seconds)
        return Latency(self.count + 1, average, heights, places)


def _moved(
    heights: list[float], places: list[float], count: int, seconds: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    heights[0], heights[4] = min(heights[0], seconds), max(heights[4], seconds)
    cell = max(0, min(3, sum(seconds >= height for height in heights) - 1))
    for marker in range(cell + 1, 5):
        places[marker] += 1
    shares = (0.0, QUANTILE / 2, QUANTILE, (1 + QUANTILE) / 2, 1.0)
    for marker in (1, 2, 3):
        off = 1 + (count - 1) * shares[marker] - places[marker]
        ahead, behind = places[marker + 1] - places[marker], places[marker - 1] - places[marker]
        if (off >= 1 and ahead > 1) or (off <= -1 and behind < -1):
            step = math.copysign(1.0, off)
            heights[marker] = _adjusted(heights, places, marker, step)
            places[marker] += step
    return tuple(heights), tuple(places)


def _adjusted(heights: list[float], places: list[float], marker: int, step: float) -> float:
    """Move a marker along a parabola through its neighbours, or straight where that overshoots."""
    below, here, above = (heights[marker + offset] for offset in (-1, 0, 1))
    low, place, high = (places[marker + offset] for offset in (-1, 0, 1))
    parabola = here + step / (high - low) * (
        (place - low + step) * (above - here) / (high - place)
        + (high - place - step) * (here - below) / (place - low)
    )
    if below < parabola < above:
        return parabola
    toward = marker + int(step)
    return here + step * (heights[toward] - here) / (places[toward] - place)
