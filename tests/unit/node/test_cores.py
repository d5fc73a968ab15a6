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
    first_guess,
    most_threads,
    share,
)
from services.node.engine.load import own_runnable_threads, runnable_threads

OTHER = """
import sys
from pathlib import Path
from services.node.engine.cores import CoreShare
cores = CoreShare(Path(sys.argv[1]), 4, 4)
for line in sys.stdin:
    print(cores.threads(float(line)) if line.strip() else cores.rest(), flush=True)
"""


def quiet_share(directory: Path) -> CoreShare:
    """Share a machine of four cores."""
    return CoreShare(directory, 4, 4)


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
    mine = quiet_share(tmp_path)
    assert mine.threads(0.0) == 4
    with other_engine(tmp_path) as other:
        assert other.say("0") == "2"
        assert mine.threads(RECOUNT_SECONDS) == 2
        other.say("")
        assert mine.threads(2 * RECOUNT_SECONDS) == 4
    mine.close()


def test_an_engine_that_was_killed_counts_no_more(tmp_path: Path) -> None:
    mine = quiet_share(tmp_path)
    with other_engine(tmp_path) as one, other_engine(tmp_path) as two:
        one.say("0")
        two.say("0")
        assert mine.threads(0.0) == 1  # 4 // 3
        one.process.kill()
        one.process.wait()
        assert mine.threads(RECOUNT_SECONDS) == 2
    mine.close()


def test_the_count_is_taken_anew_only_after_a_while(tmp_path: Path) -> None:
    mine = quiet_share(tmp_path)
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
        quiet_share(shared)


def test_the_first_guess_leaves_the_cores_that_others_use(monkeypatch) -> None:
    monkeypatch.setattr("services.node.engine.cores.runnable_threads", lambda: 4)
    monkeypatch.setattr("services.node.engine.cores.own_runnable_threads", lambda: 1)
    assert [first_guess(4, 4), first_guess(4, 16), first_guess(2, 2)] == [1, 4, 1]


def test_threads_that_run_are_counted(tmp_path: Path) -> None:
    assert runnable_threads() >= own_runnable_threads() >= 1
    assert runnable_threads(tmp_path) == 0
    (tmp_path / "loadavg").write_text("0.1 0.2 0.3 7/300 12345\n")
    assert runnable_threads(tmp_path) == 7
    task = tmp_path / "self/task/1"
    task.mkdir(parents=True)
    (task / "stat").write_text("1 (odd ) name) R 0 0")
    (tmp_path / "self/task/2").mkdir()
    assert own_runnable_threads(tmp_path) == 1
