"""What this machine has, and how much of it this process may use. Works without any accelerator."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psutil
import pynvml

CGROUP: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")
# cgroup v1 says "no limit" with a number near 2**63.
NO_LIMIT: Final = 2**60


@dataclass(frozen=True)
class Accelerator:
    """A graphics card: its memory and what all processes use of it, in bytes."""

    index: int
    name: str
    memory_bytes: int
    used_bytes: int


@dataclass(frozen=True)
class Hardware:
    """What a node may use: cores, bytes of memory in all and now, and the accelerators."""

    cores: int
    memory_bytes: int
    available_bytes: int
    accelerators: tuple[Accelerator, ...]
    machine_id: str


def measure(cgroup: Path = CGROUP) -> Hardware:
    """Look at the machine as it is now."""
    memory = psutil.virtual_memory()
    limit, used = memory_limit(cgroup)
    total = min(memory.total, limit)
    return Hardware(
        cores=usable_cores(cgroup),
        memory_bytes=total,
        available_bytes=max(0, min(memory.available, limit - used)),
        accelerators=accelerators(),
        machine_id=machine_id(),
    )


def usable_cores(cgroup: Path = CGROUP) -> int:
    """How many cores this process may use: its affinity, and whole cores of its cgroup's quota."""
    allowed = len(os.sched_getaffinity(0))
    quota = _cpu_quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def memory_limit(cgroup: Path = CGROUP) -> tuple[int, int]:
    """Give the cgroup's memory limit and use in bytes; without a limit, a huge one and 0."""
    for limit_file, used_file in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, used = _number(cgroup / limit_file), _number(cgroup / used_file)
        if limit is not None and used is not None and limit < NO_LIMIT:
            return limit, used
    return NO_LIMIT, 0


def _cpu_quota(cgroup: Path) -> float | None:
    words = _read(cgroup / "cpu.max").split()
    if len(words) == 2 and words[0].isdigit():
        return int(words[0]) / int(words[1])
    quota = _number(cgroup / "cpu/cpu.cfs_quota_us")
    period = _number(cgroup / "cpu/cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def accelerators() -> tuple[Accelerator, ...]:
    """Give the NVIDIA accelerators; none when there is no driver."""
    if not _nvml_works():
        return ()
    try:
        return tuple(_accelerator(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return ()  # a card that fell off the bus must not take the node with it


@cache
def _nvml_works() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def _accelerator(index: int) -> Accelerator:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Accelerator(index, text, int(memory.total), int(memory.used))


@cache
def machine_id(proc: Path = PROC) -> str:
    """Identify the running machine: equal for all processes and containers on it, until reboot."""
    boot = _read(proc / "sys/kernel/random/boot_id").strip()
    return hashlib.sha256(boot.encode()).hexdigest()[:16]


def held_bytes(pid: int, proc: Path = PROC) -> int:
    """Bytes of memory that a process holds, shared pages counted in parts; 0 when it is gone."""
    for line in _read(proc / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
