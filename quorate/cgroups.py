"""What control groups let this process use: version 1 and 2, nested to any depth.

The group that a process is in may have no limit while one above it has: the tightest counts. Inside
a container the path that the kernel tells may not exist, because only the container's own group is
mounted: then the mounted one is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CGROUP: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")
"""Where the kernel mounts groups, and tells of processes."""
NO_LIMIT: Final = 2**60
"""Version 1 says "no limit" with a number near 2**63."""


@dataclass(frozen=True)
class MemoryGroup:
    """The tightest limit, and the least that any group has left; NO_LIMIT where there is none.

    Pages of files that the kernel would give up first do not count as used.
    """

    limit_bytes: int = NO_LIMIT
    available_bytes: int = NO_LIMIT


def memory(root: Path, proc: Path) -> MemoryGroup:
    """Read the memory that all groups of this process allow."""
    limit = available = NO_LIMIT
    for directory in (*_groups(root, proc, ""), *_groups(root / "memory", proc, "memory")):
        for limit_file, used_file in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            most, used = _number(directory / limit_file), _number(directory / used_file)
            if most is not None and used is not None and most < NO_LIMIT:
                limit = min(limit, most)
                available = min(available, most - used + _reclaimable(directory))
    return MemoryGroup(limit, min(limit, max(0, available)))


def cores(root: Path, proc: Path) -> float | None:
    """Read the tightest quota of processor time, in cores; None without one."""
    quotas = [
        quota
        for directory in (*_groups(root, proc, ""), *_groups(root / "cpu", proc, "cpu"))
        if (quota := _quota(directory)) is not None
    ]
    return min(quotas, default=None)


def _groups(root: Path, proc: Path, controller: str) -> Iterator[Path]:
    """Give the directories of the process's group and of those above it, the root last."""
    for line in _read(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller not in controllers.split(","):
            continue
        group = root / path.strip("/")
        while group != root and root in group.parents:
            yield group
            group = group.parent
    yield root


def _reclaimable(directory: Path) -> int:
    for line in _read(directory / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in {"inactive_file", "total_inactive_file"}:
            return int(value)
    return 0


def _quota(directory: Path) -> float | None:
    words = _read(directory / "cpu.max").split()
    if len(words) == 2 and words[0].isdigit():
        return int(words[0]) / int(words[1])
    quota = _number(directory / "cpu.cfs_quota_us")
    period = _number(directory / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
