"""What a node learns of its machine."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from services.node import convert, hardware
from services.node.room import room


def test_the_machine_has_cores_and_memory() -> None:
    machine = hardware.measure()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert 0 < machine.available_bytes <= machine.memory_bytes
    assert len(machine.machine_id) == 16


def test_limits_of_a_second_version_cgroup_are_respected(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    machine = hardware.measure(tmp_path)
    assert machine.cores == 1
    assert (machine.memory_bytes, machine.available_bytes) == (1_000_000, 600_000)


def test_limits_of_a_first_version_cgroup_are_respected(tmp_path: Path) -> None:
    for name, value in {
        "cpu/cpu.cfs_quota_us": "100000",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": "1000000",
        "memory/memory.usage_in_bytes": "999999999",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(value)
    machine = hardware.measure(tmp_path)
    assert machine.cores == 1
    assert (machine.memory_bytes, machine.available_bytes) == (1_000_000, 0)


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert hardware.usable_cores(tmp_path) == len(os.sched_getaffinity(0))
    assert hardware.measure(tmp_path).memory_bytes == psutil.virtual_memory().total


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert hardware.held_bytes(2**22 + 1) == 0
    assert hardware.held_bytes(os.getpid()) > 1_000_000


@pytest.mark.parametrize(("can_offload", "usable"), [(True, 70), (False, 0)])
def test_a_status_counts_only_accelerators_that_engines_can_use(
    monkeypatch: pytest.MonkeyPatch, can_offload: bool, usable: int
) -> None:
    monkeypatch.setattr(hardware, "engine_can_offload", lambda: can_offload)
    own = hardware.Accelerator(0, "own", 100, 30)
    shared = hardware.Accelerator(1, "shared", 1000, 200, unified=True)
    machine = hardware.Hardware(4, 1000, 800, (own, shared), "m")
    told = convert.hardware(machine, room(machine, None).limits.free.device_bytes)
    assert told.HasField("usable_accelerator_bytes")
    assert told.usable_accelerator_bytes == usable
