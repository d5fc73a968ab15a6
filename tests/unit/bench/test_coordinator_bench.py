"""Facts about the bench of the coordinator: same question for all, a missing peer is named."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest

from services.bench.coordinator import __main__ as bench
from services.bench.coordinator import environments, instant_http, profile, question
from services.bench.coordinator.question import Turn
from services.bench.node.peers import PeerMissing

FAST, SLOW = Turn(0.002, 400.0), Turn(0.020, 50.0)


def test_the_coordinator_is_compared_with_the_floor_and_with_every_peer() -> None:
    taken = {"Ask": [FAST], "AskStream": [FAST], bench.BARE: [Turn(0.001, 1000.0)], "Ray": [SLOW]}
    made = {(one.name, one.peer): one for one in bench.compared(taken, bench.Missing())}
    added = made["Ask: added p50, 1 client", "accepted"]
    assert added.value == pytest.approx(1.0)
    assert added.holds
    floor = made["Ask: questions/s, 16 clients", bench.BARE]
    assert (floor.ratio, floor.holds) == (pytest.approx(0.4), True)
    assert made["Ask: questions/s, 16 clients", "Ray"].ratio == pytest.approx(8.0)


def test_a_peer_that_cannot_be_installed_is_named_and_holds_nothing() -> None:
    taken = {"Ask": [FAST], "AskStream": [FAST], bench.BARE: [FAST]}
    missing = bench.Missing({"Ray Serve": "no wheel for this Python"})
    absent = bench.compared(taken, missing)[-1]
    assert absent.peer == "Ray Serve"
    assert "no wheel for this Python" in absent.name
    assert (absent.runs, absent.holds) == (0, None)


def test_an_installation_that_fails_says_why() -> None:
    with pytest.raises(PeerMissing, match="there-is-no-such-project"):
        environments._install(Path(sys.executable), "./there-is-no-such-project")


def test_a_peer_takes_a_turn_for_every_line_and_marks_its_reports(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("0.02\n"))
    monkeypatch.setattr(question, "WARM_UP_SECONDS", 0.01)
    asyncio.run(question.take_turns(lambda: asyncio.sleep(0.001)))
    lines = capsys.readouterr().out.splitlines()
    reports = [json.loads(line.removeprefix("@bench ")) for line in lines]
    assert reports[0] == {"ready": True}
    assert reports[1]["p50_seconds"] >= 0.001
    assert reports[1]["per_second"] > 0


def test_the_peers_backend_answers_like_openai() -> None:
    body = json.loads(instant_http.BODY)
    assert body["choices"][0]["message"]["content"] == question.ANSWER
    assert question.majority(["b", "a", "a"]) == "a"


@pytest.mark.parametrize(
    ("file", "function", "part"),
    [
        ("/x/quorate/answers/extraction.py", "extract", "answers: extraction, comparison"),
        ("/x/services/coordinator/ask.py", "answer", "the coordinator itself"),
        ("/x/services/coordinator/state/store.py", "add", "the store: SQL"),
        ("~", "<method 'poll' of 'select.epoll' objects>", ""),
    ],
)
def test_time_is_put_down_to_the_part_it_belongs_to(file: str, function: str, part: str) -> None:
    assert profile._part(file, function) == part
