"""Sharing a machine's cores between processes, by locks that die with their holders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import ConfigurationError
from services.node.engine.cores import (
    RECOUNT_SECONDS,
    TINY_MODEL_BYTES,
    CoreShare,
    most_threads,
    share,
)

OTHER = """
import sys
from pathlib import Path
from services.node.engine.cores import CoreShare
cores = CoreShare(Path(sys.argv[1]), 4, 4)
for line in sys.stdin:
    print(cores.threads(float(line)) if line.strip() else cores.rest(), flush=True)
"""


class OtherEngine:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, line: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def other_engine(directory: Path) -> Iterator[OtherEngine]:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(directory)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield OtherEngine(process)
        finally:
            process.kill()


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 64))
def test_shares_never_exceed_the_cores_while_there_is_one_for_each(
    cores: int, busy: int, most: int
) -> None:
    mine = share(cores, busy, most)
    assert 1 <= mine <= most
    if busy <= cores:
        assert busy * mine <= cores
    else:
        assert mine == 1


def test_tiny_models_use_one_thread() -> None:
    assert most_threads(TINY_MODEL_BYTES - 1, 8) == 1
    assert most_threads(TINY_MODEL_BYTES, 8) == 8


def test_busy_engines_of_other_processes_halve_the_share_until_they_rest(tmp_path: Path) -> None:
    mine = CoreShare(tmp_path, cores=4, most=4)
    assert mine.threads(0.0) == 4
    with other_engine(tmp_path) as other:
        assert other.say("0") == "2"
        assert mine.threads(RECOUNT_SECONDS) == 2
        other.say("")
        assert mine.threads(2 * RECOUNT_SECONDS) == 4
    mine.close()


def test_an_engine_that_was_killed_counts_no_more(tmp_path: Path) -> None:
    mine = CoreShare(tmp_path, cores=4, most=4)
    with other_engine(tmp_path) as one, other_engine(tmp_path) as two:
        one.say("0")
        two.say("0")
        assert mine.threads(0.0) == 1  # 4 // 3
        one.process.kill()
        one.process.wait()
        assert mine.threads(RECOUNT_SECONDS) == 2
    mine.close()


def test_the_count_is_taken_anew_only_after_a_while(tmp_path: Path) -> None:
    mine = CoreShare(tmp_path, cores=4, most=4)
    mine.threads(0.0)
    with other_engine(tmp_path) as other:
        other.say("0")
        assert mine.threads(RECOUNT_SECONDS / 2) == 4
    mine.close()


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(ConfigurationError, match="only this user"):
        CoreShare(shared, 4, 4)
