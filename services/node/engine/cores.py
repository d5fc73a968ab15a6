"""How the busy engines of a machine share its cores, without a daemon.

Threads of llama.cpp spin while they wait for each other. Where the threads of all busy engines
exceed the cores, throughput falls to a hundredth (measured). So every busy engine holds a lock on
one byte of a file that all engines of the machine know, writes its threads there, counts the locks
of the others and what foreign programs use, and takes its share of the rest. The kernel drops the
lock of a process that dies, whatever it died of.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from quorate.errors import ConfigurationError
from services.node.engine.load import ForeignLoad, own_runnable_threads, runnable_threads

MARKERS: Final = 1024
TINY_MODEL_BYTES: Final = 16 * 2**20
"""Below this, waking a second thread costs more than it computes."""
RECOUNT_SECONDS: Final = 0.02
MARGIN_CORES: Final = 0.25
"""A thread more is taken only when so much more is free, so that threads do not come and go."""

_LOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid


def share(cores: int, busy_engines: int, most: int, foreign_cores: float = 0.0) -> int:
    """Threads for one of `busy_engines` on `cores`, at most `most`, at least one.

    `foreign_cores` is how many of them other programs use, on average.
    """
    free = cores - round(foreign_cores)
    return max(1, min(most, free // max(1, busy_engines)))


def most_threads(tensor_bytes: int, cores: int) -> int:
    """Give the most threads that a model of this size has any use of."""
    return 1 if tensor_bytes < TINY_MODEL_BYTES else cores


def foreign_threads(of_other_engines: int) -> int:
    """Count the threads of the machine that run now and belong to no engine."""
    return runnable_threads() - own_runnable_threads() - of_other_engines


class CoreShare:
    """One engine's part in the machine's cores. Owned by the engine's loop.

    `machine_cores` is what the whole machine has, of which this node may use `cores`. The locks are
    between processes: two shares in one process do not see each other. `count_foreign` is told the
    threads of the other engines and gives those of programs that are none.
    """

    def __init__(
        self,
        directory: Path,
        cores: int,
        most: int,
        machine_cores: int,
        count_foreign: Callable[[int], int] = foreign_threads,
    ) -> None:
        self._cores = cores
        self._most = most
        self._machine_cores = machine_cores
        self._count_foreign = count_foreign
        self._foreign = ForeignLoad()
        self._file = os.open(
            private_directory(directory) / "busy-engines", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        self._marker: int | None = None
        self._threads = 1
        self._recount_at = 0.0

    def threads(self, now_seconds: float) -> int:
        """Mark this engine busy if it is not, and give its threads for the next step."""
        if self._marker is None:
            self._marker = self._claim()
            self._recount_at = now_seconds
            self._tell()
        if self._most > 1 and now_seconds >= self._recount_at:
            self._recount(now_seconds)
            self._recount_at = now_seconds + RECOUNT_SECONDS
        return self._threads

    def rest(self) -> None:
        """Mark this engine idle; the others may have its cores."""
        if self._marker is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._marker)
            self._marker = None

    def close(self) -> None:
        """Give everything back."""
        self.rest()
        os.close(self._file)

    def _recount(self, now_seconds: float) -> None:
        others = self._others(0, MARKERS)
        theirs = sum(self._told_by(marker) for marker in others)
        load = self._foreign.add(self._count_foreign(theirs), now_seconds)
        # Foreign programs first use the cores of the machine that this node may not.
        load = max(0.0, load - (self._machine_cores - self._cores))
        busy = 1 + len(others)
        threads = share(self._cores, busy, self._most, load)
        if threads > self._threads:
            threads = max(self._threads, share(self._cores, busy, self._most, load + MARGIN_CORES))
        if threads != self._threads:
            self._threads = threads
            self._tell()

    def _tell(self) -> None:
        """Write this engine's threads where the others look."""
        if self._marker is not None:
            os.pwrite(self._file, bytes([min(self._threads, 255)]), self._marker)

    def _told_by(self, marker: int) -> int:
        told = os.pread(self._file, 1, marker)
        return told[0] if told else 1

    def _claim(self) -> int:
        start = os.getpid() % MARKERS
        for offset in range(MARKERS):
            marker = (start + offset) % MARKERS
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, marker)
            except OSError:
                continue
            return marker
        raise RuntimeError(f"{MARKERS} engines are busy on this machine")

    def _others(self, start: int, end: int) -> Sequence[int]:
        """Find the markers that other processes hold in [start, end).

        The kernel shows one lock of the range at a time, not always the first.
        """
        if start >= end:
            return ()
        question = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, end - start, 0)
        answer = fcntl.fcntl(self._file, fcntl.F_GETLK, question)
        kind, _, found, length, _ = _LOCK.unpack(answer)
        if kind == fcntl.F_UNLCK:
            return ()
        locked = range(max(found, start), min(found + length, end))
        return [*self._others(start, found), *locked, *self._others(found + length, end)]


def private_directory(directory: Path) -> Path:
    """Make a directory that only this user can write to; raises ConfigurationError if it is not."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise ConfigurationError(
            f"{directory} must be a directory that only this user can write to. "
            "Remove it, or set runtime_directory to another one."
        )
    return directory
