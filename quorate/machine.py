"""What memory this machine has for models now: the least of what machine and cgroups leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import pynvml

CGROUP: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")
NO_LIMIT: Final = 2**60
"""cgroup version 1 says "no limit" with a number near 2**63."""
COUNTERS: Final = (
    ("memory.max", "memory.current"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Where a cgroup tells its limit and its use: version 2, then version 1."""
GIVEN_UP_FIRST: Final = ("inactive_file ", "total_inactive_file ")
"""Pages of files that the kernel takes back for a program that needs memory."""


class Machine(NamedTuple):
    """Bytes of memory that are free for this process, and those of each accelerator."""

    available_bytes: int
    accelerators: tuple[int, ...] = ()


def measure(cgroup: Path = CGROUP, proc: Path = PROC) -> Machine:
    """Look at the machine as it is now."""
    available = psutil.virtual_memory().available
    return Machine(min(available, cgroup_available(cgroup, proc)), _accelerators())


def cgroup_available(cgroup: Path = CGROUP, proc: Path = PROC) -> int:
    """Give what this process's cgroups leave it, the tightest counting; NO_LIMIT without limits."""
    left = [NO_LIMIT]
    for group in _groups(cgroup, proc):
        for limit_file, used_file in COUNTERS:
            limit, used = _number(group / limit_file), _number(group / used_file)
            if limit is not None and used is not None and limit < NO_LIMIT:
                left.append(max(0, min(limit, limit - used + _given_up_first(group))))
    return min(left)


def _groups(cgroup: Path, proc: Path) -> Iterator[Path]:
    """Give the directories of the process's group and of all above it.

    In a container only its own group is mounted, and the path that the kernel tells is not there.
    """
    for line in _read(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = cgroup / "memory" if controllers else cgroup
        group = root / path.strip("/")
        yield from (one for one in (group, *group.parents) if root in one.parents)
    yield from (cgroup, cgroup / "memory")


def _given_up_first(group: Path) -> int:
    lines = _read(group / "memory.stat").splitlines()
    return max(
        (int(line.split()[1]) for line in lines if line.startswith(GIVEN_UP_FIRST)), default=0
    )


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _accelerators() -> tuple[int, ...]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return tuple(int(pynvml.nvmlDeviceGetMemoryInfo(handle).free) for handle in handles)
    except pynvml.NVMLError:
        return ()  # a card that fell off the bus is none
    finally:
        pynvml.nvmlShutdown()
