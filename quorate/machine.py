"""What memory this machine has for models now: the least of what machine and cgroups leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psutil
import pynvml

from quorate import cgroups
from quorate.cgroups import CGROUP, PROC

if TYPE_CHECKING:
    from pathlib import Path


class Machine(NamedTuple):
    """Bytes of memory that are free for this process, and those of each accelerator."""

    available_bytes: int
    accelerators: tuple[int, ...] = ()


def measure(cgroup: Path = CGROUP, proc: Path = PROC) -> Machine:
    """Look at the machine as it is now."""
    available = psutil.virtual_memory().available
    return Machine(min(available, cgroups.memory(cgroup, proc).available_bytes), _accelerators())


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
