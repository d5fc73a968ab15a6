"""What control groups leave to a process, and what the machine then has for models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from quorate import cgroups, machine
from quorate.cgroups import PROC

if TYPE_CHECKING:
    from pathlib import Path


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


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    write(tmp_path, {"cpu.max": "max 100000", "memory.max": "max", "memory.current": "100"})
    assert cgroups.memory(tmp_path, PROC) == cgroups.MemoryGroup()
    assert cgroups.cores(tmp_path, PROC) is None
    assert machine.measure(tmp_path).available_bytes <= psutil.virtual_memory().total


def test_models_get_no_more_than_the_tightest_group_leaves(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/work/job",
            "work/memory.max": "4000000",
            "work/memory.current": "3000000",
            "work/memory.stat": "anon 5\ninactive_file 2000000",
            "work/job/memory.max": "max",
            "work/job/memory.current": "100",
        },
    )
    assert machine.measure(tmp_path, tmp_path / "proc").available_bytes == 3_000_000
