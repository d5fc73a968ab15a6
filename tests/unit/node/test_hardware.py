"""What a node learns of its machine."""

from __future__ import annotations

import os
from pathlib import Path

from services.node import cgroups, hardware
from services.node.hardware import PROC


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
    assert cgroups.memory(tmp_path, PROC) == cgroups.MemoryGroup()


def write(root: Path, files: dict[str, str]) -> None:
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pod/container/app",
            "memory.max": "max",
            "memory.current": "9000000",
            "pod/memory.max": "5000000",
            "pod/memory.current": "4500000",
            "pod/memory.stat": "anon 1\ninactive_file 300000",
            "pod/container/memory.max": "2000000",
            "pod/container/memory.current": "100000",
            "pod/container/app/memory.max": "max",
            "pod/cpu.max": "300000 100000",
            "pod/container/cpu.max": "50000 100000",
        },
    )
    group = cgroups.memory(tmp_path, tmp_path / "proc")
    assert group == cgroups.MemoryGroup(limit_bytes=2_000_000, available_bytes=800_000)
    assert cgroups.cores(tmp_path, tmp_path / "proc") == 0.5


def test_groups_of_the_first_version_are_found_by_their_controller(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/a/b\n4:memory:/m/n\n0::/",
            "memory/m/memory.limit_in_bytes": "3000000",
            "memory/m/memory.usage_in_bytes": "2000000",
            "memory/m/n/memory.limit_in_bytes": "9223372036854771712",
            "memory/m/n/memory.usage_in_bytes": "2000000",
            "cpu/a/b/cpu.cfs_quota_us": "-1",
            "cpu/a/b/cpu.cfs_period_us": "100000",
            "cpu/a/cpu.cfs_quota_us": "250000",
            "cpu/a/cpu.cfs_period_us": "100000",
        },
    )
    group = cgroups.memory(tmp_path, tmp_path / "proc")
    assert group == cgroups.MemoryGroup(limit_bytes=3_000_000, available_bytes=1_000_000)
    assert cgroups.cores(tmp_path, tmp_path / "proc") == 2.5


def test_a_path_that_only_the_host_knows_is_no_reason_to_miss_the_mounted_group(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kubepods/../../elsewhere",
            "memory.max": "1000000",
            "memory.current": "0",
        },
    )
    assert cgroups.memory(tmp_path, tmp_path / "proc").limit_bytes == 1_000_000


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert hardware.held_bytes(2**22 + 1) == 0
    assert hardware.held_bytes(os.getpid()) > 1_000_000
