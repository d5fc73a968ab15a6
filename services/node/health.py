"""Tells an engine that hangs from one that has a lot to do: by what its process does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
LOOK_SECONDS: Final = 1.0
"""Time between two looks at an engine that somebody waits for."""
STOPPED_SECONDS: Final = 4.0
"""How long an engine may be stopped by a signal while somebody waits for it."""
SILENT_SECONDS: Final = 15.0
"""How long it may sleep: neither compute, nor read, nor say anything."""
_STOPPED: Final = frozenset("Tt")
_WAITING_FOR_CORE_OR_DISK: Final = frozenset("RD")


@dataclass(frozen=True)
class Pulse:
    """What shows that a process lives: its state as the kernel names it, and what it has done.

    `done` grows with processor time and with bytes read; `said` with what it told its node.
    """

    state: str
    done: int
    said: int

    def moved_since(self, before: Pulse) -> bool:
        """Whether it did or said anything. One that waits for a core or a disk is not at fault."""
        working = self.done > before.done or self.state in _WAITING_FOR_CORE_OR_DISK
        return self.said != before.said or (working and self.state not in _STOPPED)


class Watch:
    """Judges one engine from its pulses. Times in monotonic seconds. Pure but for its memory."""

    def __init__(self, now: float) -> None:
        self._last: Pulse | None = None
        self._moved_at = now

    def look(self, pulse: Pulse | None, now: float, *, awaited: bool) -> str:
        """Take a look; gives why the engine hangs, or nothing. An idle one never does."""
        if pulse is None or not awaited or self._last is None or pulse.moved_since(self._last):
            self._moved_at = now
        self._last = pulse
        silent = now - self._moved_at
        if pulse is not None and pulse.state in _STOPPED and silent >= STOPPED_SECONDS:
            return f"it was stopped by a signal and did not go on for {silent:.0f} s"
        if silent >= SILENT_SECONDS:
            return f"it did nothing for {silent:.0f} s while it was waited for"
        return ""


def read_pulse(pid: int, said: int, proc: Path = PROC) -> Pulse | None:
    """Read a process's pulse; None when it cannot be seen."""
    try:
        # The name in parentheses may hold anything: what counts begins after it.
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # Fields 12 and 14 of the file: major faults are reads of a mapped file; utime, stime follow.
    return Pulse(fields[0], sum(int(fields[index]) for index in (9, 11, 12)), said)
