"""Proofs run in a process of their own: used again, killed when they hang, never waited for."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from quorate.answers import Answer, Kind, cluster, equivalent, extract, prove_ahead, prover
from quorate.answers import prover_worker as worker
from quorate.answers.prover import Patience, Prover, prove, waiting

HANGING = "x > 9^{9^{9^{9}}}"
SILENT = (sys.executable, "-c", "import time; time.sleep(60)")
ENDED = (sys.executable, "-c", "")
RAMBLING = (sys.executable, "-c", "print('ready' * 1000)")
MUTE = (sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)")
CONFUSED = (sys.executable, "-c", "print('ready', flush=True); input(); print('who knows')")


@contextlib.contextmanager
def proving(*command: str, seconds: float = 20.0) -> Iterator[Prover]:
    made = Prover(command or prover.COMMAND, start_seconds=seconds, proof_seconds=seconds)
    try:
        yield made
    finally:
        made.close()


def expressions(*texts: str) -> list[Answer | None]:
    return [extract(text, Kind.EXPRESSION) for text in texts]


def test_one_process_serves_many_proofs_and_starts_with_the_first() -> None:
    with proving() as made:
        assert made.process_id is None
        assert made.same("x > 5", "5 < x") is True
        first = made.process_id
        assert made.same("x > 5", "x < 5") is False
        assert made.same("x^2 = 4", "x^2 - 4 = 0") is True
        assert made.same("no expression at all", "x^2 = 4") is not True
        assert made.process_id == first


def test_a_killed_process_costs_one_proof_and_is_replaced() -> None:
    with proving() as made:
        made.same("x > 5", "5 < x")
        first = made.process_id
        assert first is not None
        os.kill(first, 9)
        assert made.same("x > 5", "5 < x") is None
        assert made.same("x > 5", "5 < x") is True
        assert made.process_id not in (None, first)


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (SILENT, 0.2), (MUTE, 0.5), (ENDED, 20.0), (RAMBLING, 20.0), (CONFUSED, 20.0),
        (("/nonexistent",), 20.0),
    ],
)  # fmt: skip
def test_a_process_that_hangs_ends_or_talks_nonsense_decides_nothing(
    command: tuple[str, ...], seconds: float
) -> None:
    with proving(*command, seconds=seconds) as made:
        started = time.monotonic()
        assert made.same("x > 5", "5 < x") is None
        assert time.monotonic() - started < seconds + 10
        assert made.process_id is None


def test_who_waits_for_anothers_proof_gives_up_in_time() -> None:
    with proving(*SILENT, seconds=3.0) as made:
        asking = threading.Thread(target=made.same, args=("x", "y"))
        asking.start()
        while made.process_id is None:
            time.sleep(0.01)
        started = time.monotonic()
        assert made.same("x", "y", seconds=0.1) is None
        assert time.monotonic() - started < 2.0
        asking.join()


def test_a_proof_that_never_ends_is_different_and_says_so_and_is_tried_once() -> None:
    one, other = expressions(HANGING, "x > 2")
    verdict = equivalent(one, other)
    assert not verdict
    assert verdict.evidence.endswith("not decided")
    started = time.monotonic()
    assert not equivalent(other, one)
    assert time.monotonic() - started < 0.1
    assert equivalent("x > 7", "7 < x", Kind.EXPRESSION)  # the next proof has a process again


def test_without_patience_nothing_is_waited_for_and_nothing_remembered() -> None:
    answers = expressions("x > 11", "11 < x")
    assert cluster(answers, proof_seconds=0.0).labels == (0, 1)
    prove_ahead(answers, 30.0)
    told = cluster(answers, proof_seconds=0.0)
    assert told.labels == (0, 0)
    assert told.merges[0].evidence == "proved equal by math-verify"


def test_only_so_many_proofs_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "MOST_REMEMBERED", 1)
    asked: list[tuple[str, str]] = []

    def same(one: str, other: str, seconds: float) -> bool:
        asked.append((one, other))
        return True

    monkeypatch.setattr(prover._PROVER, "same", same)
    for _ in range(2):
        assert prove("b = 1", "a = 1")
        assert prove("a = 1", "b = 1")
        assert prove("a = 2", "b = 2")
    assert asked == [("a = 1", "b = 1"), ("a = 2", "b = 2")] * 2


def test_what_is_too_long_is_not_tried() -> None:
    assert prove("x" * 401 + " = 1", "x = 1") is None


def test_patience_runs_out_by_its_clock() -> None:
    now = [0.0]
    patience = Patience(2.0, lambda: now[0])
    assert patience.seconds == 2.0
    now[0] = 3.0
    assert patience.seconds == 0.0


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("x > 5", "5 < x", True), ("x > 5", "x < 5", False), ("", "", None),
        ("\\{1,2\\}", "\\{2,1\\}", True),
    ],
)  # fmt: skip
def test_a_proof_holds_both_ways(one: str, other: str, equal: bool | None) -> None:
    assert worker.proved(one, other) is equal
    assert worker.proved(other, one) is equal


def test_the_worker_answers_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limited: list[int] = []
    monkeypatch.setattr(worker.resource, "setrlimit", lambda what, _: limited.append(what))
    monkeypatch.setattr(worker.logging, "disable", lambda: None)
    monkeypatch.setattr(sys, "stdin", [json.dumps(["x > 5", "5 < x"]) + "\n"])
    worker.main()
    assert capsys.readouterr().out == "ready\ntrue\n"
    assert len(limited) == 3


def test_plain_answers_start_no_process() -> None:
    before = prover._PROVER.process_id
    prover._PROVER.close()
    for text in ("18", "B", "yes", "Paris", "2x", "\\sqrt{8}", '{"a": 1}', "March 5, 2020"):
        equivalent(text, "2\\sqrt{2}")
        equivalent(text, "x*2")
    assert prover._PROVER.process_id is None, before


def test_where_nobody_may_wait_only_what_is_known_counts() -> None:
    one, other = r"\frac{x^2-1}{x-1} + y", "x + 1 + y"
    with waiting(allowed=False):
        assert prove(one, other) is None
    assert prove(one, other) is True
    with waiting(allowed=False):
        assert prove(one, other) is True
