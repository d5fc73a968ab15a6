"""What a process holds for itself grows with what it allocates, and with nothing else."""

import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from services.bench.node.memory import own_megabytes

PROGRAM = """
import numpy
print("ready", flush=True)
kept = []
for line in iter(input, ""):
    kept.append(numpy.ones(int(line) * 125_000))
    print("done", flush=True)
"""


@contextmanager
def process():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout.readline() == "ready\n"
        try:
            yield running, psutil.Process(running.pid)
        finally:
            running.kill()


def allocate(running, megabytes):
    running.stdin.write(f"{megabytes}\n")
    running.stdin.flush()
    assert running.stdout.readline() == "done\n"


def test_another_process_with_the_same_libraries_does_not_change_it():
    with process() as (_, measured):
        alone = own_megabytes(measured)
        with process(), process():
            assert own_megabytes(measured) == pytest.approx(alone, abs=0.1)
        assert own_megabytes(measured) == pytest.approx(alone, abs=0.1)


def test_memory_that_is_allocated_and_used_counts():
    with process() as (running, measured):
        before = own_megabytes(measured)
        allocate(running, 20)
        assert own_megabytes(measured) - before == pytest.approx(20, abs=1)
