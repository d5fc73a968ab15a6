"""Kernel locks that the processes of a machine share; they are dropped when a process dies."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

_LOCK: Final = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, …
# Locks of an open file rather than of a process: closing another descriptor of the same file does
# not drop them, and two in one process exclude each other. Python has no names for them.
_GET, _SET = 36, 37
_TAKEN: Final = (errno.EAGAIN, errno.EACCES)
POLL_SECONDS: Final = 0.02
LONGEST_BRIEF_SECONDS: Final = 0.5


def open_shared(path: Path) -> int:
    """Open a file for locks, made if it is missing; gives its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(file: int, byte: int) -> bool:
    """Lock one byte of an open file; gives False when another holds it."""
    try:
        fcntl.fcntl(file, _SET, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def unlock(file: int, byte: int) -> None:
    """Give a byte back."""
    fcntl.fcntl(file, _SET, _LOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, byte, 1, 0))


def locked_by_others(file: int, start: int, end: int) -> Sequence[int]:
    """Find the bytes in [start, end) that are locked through another open file.

    The kernel shows one lock of the range at a time, not always the first.
    """
    if start >= end:
        return ()
    question = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, end - start, 0)
    kind, _, found, length, _ = _LOCK.unpack(fcntl.fcntl(file, _GET, question))
    if kind == fcntl.F_UNLCK:
        return ()
    last = found + length if length else end
    locked = range(max(found, start), min(last, end))
    return [
        *locked_by_others(file, start, found),
        *locked,
        *locked_by_others(file, last, end),
    ]


@contextlib.contextmanager
def briefly_locked(file: int, byte: int) -> Iterator[None]:
    """Hold a byte that nobody holds for longer than a few system calls.

    A process that was stopped while it held the byte must not stop all others: after
    LONGEST_BRIEF_SECONDS the work is done without.
    """
    end = time.monotonic() + LONGEST_BRIEF_SECONDS
    while not (held := try_lock(file, byte)) and time.monotonic() < end:
        time.sleep(0.0002)
    try:
        yield
    finally:
        if held:
            unlock(file, byte)


class Turn:
    """A lock that one of all processes holds at a time, for as long as its work takes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it; cancelling gives it up."""
        file = open_shared(self._path)
        try:
            while not try_lock(file, 0):  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(POLL_SECONDS)
            yield
        finally:
            os.close(file)
