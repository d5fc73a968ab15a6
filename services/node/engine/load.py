"""How much of the machine others use: programs that no engine knows of count as load too.

An engine with four threads on four cores that somebody else uses as well does not slow down, it
stops: its threads spin, are preempted, and wait for each other (measured: from 107 to 0 tokens/s).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Final

SMOOTHING_SECONDS: Final = 0.3
"""Time constant of the mean; one reading says little."""
PROC: Final = Path("/proc")


def runnable_threads(proc: Path = PROC) -> int:
    """Give how many threads of the whole machine run or want to, at this moment; 0 if unknown."""
    try:
        words = (proc / "loadavg").read_text(encoding="ascii").split()
        return int(words[3].partition("/")[0])
    except (OSError, IndexError, ValueError):
        return 0


def own_runnable_threads(proc: Path = PROC) -> int:
    """Give how many threads of this process run or want to, at this moment."""
    count = 0
    for task in os.listdir(proc / "self/task"):
        try:
            facts = (proc / "self/task" / task / "stat").read_bytes()
        except OSError:
            continue  # the thread has just ended
        count += facts.rpartition(b")")[2].split(None, 1)[0] == b"R"
    return count


class ForeignLoad:
    """Mean number of cores that foreign programs use, from readings and their times."""

    def __init__(self) -> None:
        self._mean: float | None = None
        self._read_at = 0.0

    def add(self, foreign_threads: float, now_seconds: float) -> float:
        """Add a reading; gives the mean."""
        reading = max(0.0, foreign_threads)
        if self._mean is None:
            self._mean = reading
        else:
            weight = 1 - math.exp(-(now_seconds - self._read_at) / SMOOTHING_SECONDS)
            self._mean += weight * (reading - self._mean)
        self._read_at = now_seconds
        return self._mean
