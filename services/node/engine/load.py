"""How much of the machine others use at this moment.

An engine with four threads on four cores that somebody else uses as well does not slow down, it
stops: its threads spin, are preempted, and wait for each other (measured: from 107 to 0 tokens/s).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

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
