"""Lets go of the pages of a model file that are mapped but no longer needed."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Final

_MADV_DONTNEED: Final = 4
_MAPS: Final = Path("/proc/self/maps")


def forget_file_pages(path: Path) -> None:
    """Unmap the pages of a file from this process; those that are read again come back.

    llama.cpp touches the whole file while it loads, then lays many matrices out anew in memory of
    its own: without this a Q4_0 model would be held twice. The mapping itself stays valid.
    """
    with contextlib.suppress(OSError):  # without /proc the pages stay: dearer, but not wrong
        inode = str(path.stat().st_ino)
        libc = ctypes.CDLL(None)
        for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) < 6 or fields[4] != inode or fields[5] != os.fspath(path.resolve()):
                continue
            start, end = (int(border, 16) for border in fields[0].split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
