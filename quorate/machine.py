"""What memory this machine has for models: the smaller of the machine's and the cgroup's."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import psutil
import pynvml

CGROUP: Final = Path("/sys/fs/cgroup")
LIMITS: Final = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Where a cgroup tells its limit and its use: version 2, then version 1."""
NO_LIMIT: Final = 2**60
"""cgroup version 1 says "no limit" with a number near 2**63."""


class Machine(NamedTuple):
    """Bytes of memory in all and not in use, and bytes not in use of each accelerator."""

    memory_bytes: int
    available_bytes: int
    accelerators: tuple[int, ...] = ()


def measure(cgroup: Path = CGROUP) -> Machine:
    """Look at the machine as it is now."""
    memory = psutil.virtual_memory()
    limit, used = cgroup_limit(cgroup)
    return Machine(
        min(memory.total, limit), max(0, min(memory.available, limit - used)), _accelerators()
    )


def cgroup_limit(cgroup: Path = CGROUP) -> tuple[int, int]:
    """Give the cgroup's limit and use in bytes; without a limit, a huge one and 0."""
    for limit_file, used_file in LIMITS:
        limit, used = _number(cgroup / limit_file), _number(cgroup / used_file)
        if limit is not None and used is not None and limit < NO_LIMIT:
            return limit, used
    return NO_LIMIT, 0


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


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
