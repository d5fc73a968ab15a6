"""The allocator's arenas are bounded, however many threads a process has."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, re, sys, threading
from pathlib import Path
from services.node.arenas import bound_arenas

if sys.argv[1] == "bounded":
    bound_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
all_there = threading.Barrier(6)

def allocate():
    all_there.wait()
    libc.malloc(10_000)
    all_there.wait()

threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(len(re.findall("<heap nr=", Path(sys.argv[2]).read_text())))
"""


def arenas(kind, report):
    command = [sys.executable, "-c", PROGRAM, kind, str(report)]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has arenas")
def test_six_threads_share_two_arenas(tmp_path):
    assert arenas("unbounded", tmp_path / "unbounded.xml") > 2
    assert arenas("bounded", tmp_path / "bounded.xml") == 2
