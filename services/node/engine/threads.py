"""How many threads a step should use, found out by using them. Pure.

More threads do not always help: a single stream is bound by memory before it is bound by cores, and
beside other busy programs llama.cpp's spinning threads wait for each other (measured: 1 thread as
fast as 2 for one stream; 3 to 100 times slower with 2 threads on 2 cores of which one is taken).
So steps of each size are timed; now and then a few of them use other numbers of threads, and what
is faster stays. A trial that loses is repeated ever more rarely, until steps take longer again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

TRIAL_STEPS: Final = 3
"""The fastest of them counts: what disturbs a step only makes it longer."""
FIRST_INTERVAL: Final = 2
SHORTEST_INTERVAL: Final = 32
LONGEST_INTERVAL: Final = 2048
"""Steps between trials, and before the first one of more threads than were guessed."""
BETTER: Final = 0.97
"""A trial wins when it takes less than this share of the time."""
DISTURBED: Final = 1.5
"""So many times the usual duration, in a whole row of steps, asks for a trial at once."""
NEWEST_SHARE: Final = 0.2
HOPELESS: Final = 1.25
"""A first step that takes so many times as long ends a trial."""
MANY_TOKENS: Final = 32
"""From here on a step's time is taken per token, because it grows with them."""


@dataclass(slots=True)
class _Size:
    """What is known of steps of one size: the threads in use, their times, and the trials."""

    threads: int
    usual: float | None = None
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=TRIAL_STEPS))
    interval: int = SHORTEST_INTERVAL
    steps: int = 0
    disturbed: int = 0
    turn: int = 0
    trial: int | None = None
    times: list[float] = field(default_factory=list)


class ThreadTuner:
    """Chooses the threads of each step. `guess` is what to begin with."""

    def __init__(self, guess: int) -> None:
        self._guess = guess
        self._sizes: dict[tuple[int, int], _Size] = {}

    def choose(self, tokens: int, most: int) -> int:
        """Give the threads for a step that computes so many tokens, at most `most`."""
        size = self._size(tokens, most)
        if size.trial is None and size.steps >= size.interval:
            size.trial = _next_trial(size, most)
            size.times.clear()
            size.steps = 0
        return size.threads if size.trial is None else size.trial

    def observe(self, tokens: int, most: int, threads: int, seconds: float) -> None:
        """Take the time of a step, of which `choose` was told tokens and most threads."""
        size = self._size(tokens, most)
        time = seconds / tokens if tokens >= MANY_TOKENS else seconds
        if size.trial == threads:
            size.times.append(time)
            hopeless = bool(size.recent) and time > HOPELESS * min(size.recent)
            if hopeless or len(size.times) == TRIAL_STEPS:
                self._judge(size, threads)
            return
        size.steps += 1
        if size.usual is None:
            size.usual = time
        size.recent.append(time)
        size.disturbed = size.disturbed + 1 if time > DISTURBED * size.usual else 0
        size.usual += NEWEST_SHARE * (time - size.usual)
        if size.disturbed >= TRIAL_STEPS:
            size.disturbed, size.interval = 0, SHORTEST_INTERVAL
            size.steps = size.interval

    def _size(self, tokens: int, most: int) -> _Size:
        # What is best of few cores is known apart: other engines take some and give them back.
        kind = tokens.bit_length()
        size = self._sizes.get((kind, most))
        if size is None:
            # Larger steps have use of at least as many threads: what is best of those is tried.
            larger = [other for other, limit in self._sizes if limit == most and other > kind]
            threads = self._sizes[min(larger), most].threads if larger else self._guess
            size = self._sizes[kind, most] = _Size(max(1, min(threads, most)))
            if size.threads < most:
                size.interval = FIRST_INTERVAL
        return size

    def _judge(self, size: _Size, threads: int) -> None:
        size.trial = None
        if not size.recent or min(size.times) < BETTER * min(size.recent):
            size.threads, size.usual = threads, min(size.times)
            size.interval = SHORTEST_INTERVAL
            size.recent.clear()
            size.recent.extend(size.times)
        else:
            size.interval = min(max(2 * size.interval, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def _next_trial(size: _Size, most: int) -> int | None:
    """Go through the numbers nearby: one less or more, half and twice as many."""
    now = size.threads
    nearby: Sequence[int] = sorted({now - 1, now + 1, now // 2, now * 2} - {now})
    possible = [threads for threads in nearby if 1 <= threads <= most]
    if not possible:
        return None
    size.turn += 1
    return possible[size.turn % len(possible)]
