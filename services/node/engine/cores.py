"""How the busy engines of a machine share its cores, without a daemon.

Threads of llama.cpp spin while they wait for each other. Where the threads of all busy engines
exceed the cores, throughput falls to a hundredth (measured). So every busy engine holds a lock on
one byte of a file that all engines of the machine know, counts the locks of the others, and takes
its share. The kernel drops the lock of a process that dies, whatever it died of. What foreign
programs take is not known beforehand; how it is found out is told in `threads.py`.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from quorate.errors import ConfigurationError
from services.node.engine.load import own_runnable_threads, runnable_threads

MARKERS: Final = 1024
TINY_MODEL_BYTES: Final = 16 * 2**20
"""Below this, waking a second thread costs more than it computes."""
RECOUNT_SECONDS: Final = 0.02

_LOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid


def share(cores: int, busy_engines: int, most: int) -> int:
    """Threads for one of `busy_engines` on `cores`, at most `most`, at least one."""
    return max(1, min(most, cores // max(1, busy_engines)))


def most_threads(tensor_bytes: int, cores: int) -> int:
    """Give the most threads that a model of this size has any use of."""
    return 1 if tensor_bytes < TINY_MODEL_BYTES else cores


def first_guess(cores: int, machine_cores: int) -> int:
    """Threads to begin with: the cores that nobody seems to use at this moment, at least one."""
    others = runnable_threads() - own_runnable_threads()
    return max(1, min(cores, machine_cores - others))


class CoreShare:
    """One engine's part in the machine's cores. Owned by the engine's loop.

    The node may use `cores`, and the model has use of `most`. The locks are between processes: two
    shares in one process do not see each other.
    """

    def __init__(self, directory: Path, cores: int, most: int) -> None:
        self._cores = cores
        self._most = most
        path = private_directory(directory) / "busy-engines"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._marker: int | None = None
        self._threads = 1
        self._recount_at = 0.0

    def threads(self, now_seconds: float) -> int:
        """Mark this engine busy if it is not, and give the most threads for the next step."""
        if self._marker is None:
            self._marker = self._claim()
            self._recount_at = now_seconds
        if self._most > 1 and now_seconds >= self._recount_at:
            busy = 1 + len(self._others(0, MARKERS))
            self._threads = share(self._cores, busy, self._most)
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
