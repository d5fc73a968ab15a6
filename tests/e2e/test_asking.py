"""A user asks: the answer, its ballots and its parts are what the documentation says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., dict[str, Any]]
Command = Callable[..., subprocess.CompletedProcess[str]]

KEYS = {"answer", "strategy", "confidence", "agreement", "quorum", "ballots", "parts"}
BALLOT_KEYS = {"node", "model", "answer", "text", "confidence", "latency_ms", "tokens", "status"}


def test_the_object_has_every_documented_key(ask: Ask) -> None:
    answer = ask("What is 47 + 38?", "--seed", "1")
    assert set(answer) >= KEYS
    assert set(answer["quorum"]) == {"asked", "answered"}
    assert all(set(ballot) >= BALLOT_KEYS for ballot in answer["ballots"])


def test_six_models_vote_and_the_sum_is_right(ask: Ask) -> None:
    answer = ask("What is 47 + 38?", "--seed", "1")
    assert answer["answer"] == "85"
    assert answer["quorum"]["asked"] == 6
    assert {ballot["model"] for ballot in answer["ballots"]} == {
        "abacus", "atlas", "scribe", "forge", "compass", "marshal",
    }  # fmt: skip
    assert {ballot["node"] for ballot in answer["ballots"]} == {"n1", "n2", "n3"}
    assert 0 < answer["agreement"] <= 1


def test_a_multiple_choice_question_gets_a_letter(ask: Ask) -> None:
    question = "What is the capital of France? A) Rome B) Paris C) Madrid D) Berlin"
    assert ask(question)["answer"] == "B"


def test_a_fact_is_answered(ask: Ask) -> None:
    assert "Tokyo" in ask("What is the capital of Japan?")["answer"]


def test_a_compound_question_is_split_and_merged_in_order(ask: Ask) -> None:
    answer = ask("What is 10% of 1000? And what is the capital of France?")
    assert [part["id"] for part in answer["parts"]] == ["t1", "t2"]
    assert answer["parts"][0]["answer"] == "100"
    merged = answer["answer"]
    assert merged.index("100") < merged.index("Paris")


def test_a_child_receives_what_its_parent_answered(ask: Ask) -> None:
    answer = ask("First extract the ages as JSON from: Ana is 31 and Ben is 24, then sum the ages.")
    parent, child = answer["parts"]
    assert child["depends_on"] == [parent["id"]]
    assert "31" in parent["answer"]
    assert child["answer"] == "55"


def test_code_is_answered_with_code(ask: Ask) -> None:
    answer = ask("Write a Python function add(x, y).")
    names: dict[str, Any] = {}
    exec(answer["answer"].removeprefix("```python").removesuffix("```"), names)
    assert names["add"](2, 3) == 5


def test_the_same_seed_gives_the_same_ballots(ask: Ask) -> None:
    options = ("--seed", "11", "--temperature", "1", "--no-tokens")
    first, second = (ask("What is 64 + 17?", *options) for _ in range(2))
    texts = [
        {(b["model"], b["text"]) for b in answer["ballots"] if b["status"] != "cancelled"}
        for answer in (first, second)
    ]
    assert texts[0] & texts[1]
    assert first["answer"] == second["answer"]
    cancelled = {
        b["model"] for answer in (first, second) for b in answer["ballots"]
        if b["status"] == "cancelled"
    }  # fmt: skip
    assert {t for t in texts[0] if t[0] not in cancelled} == {
        t for t in texts[1] if t[0] not in cancelled
    }


def test_max_models_limits_the_electorate(ask: Ask) -> None:
    assert ask("What is 2 + 3?", "--max-models", "2")["quorum"]["asked"] == 2


def test_several_questions_give_one_object_each(command: Command) -> None:
    finished = command("ask", "What is 2 + 3?", "What is 4 + 5?", "--json")
    answers = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [answer["answer"] for answer in answers] == ["5", "9"]


def test_plain_output_shows_ballots_winner_and_quorum(command: Command) -> None:
    shown = command("ask", "What is 47 + 38?").stdout
    assert "abacus" in shown
    assert "85" in shown
    assert "6" in shown


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        (("--strategy", "majorty"), "UNKNOWN_STRATEGY", "majority"),
        (("--model", "abakus"), "UNKNOWN_MODEL", "abacus"),
        (("--max-tokens", "0"), "INVALID_REQUEST", "max_tokens"),
        (("--temperature", "-1"), "INVALID_REQUEST", "temperature"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(
    ask: Ask, options: tuple[str, ...], kind: str, told: str
) -> None:
    error = ask("What is 2 + 3?", *options)["error"]
    assert error["kind"] == kind
    assert told in error["message"]


@pytest.mark.parametrize("question", ["", " ", "x" * (1 << 21)])
def test_an_empty_or_huge_question_is_refused_and_the_mesh_serves_on(
    home: Path, ask: Ask, question: str
) -> None:
    from quorate.client import Client
    from quorate.errors import InvalidRequest

    with Client.from_mesh(home) as client, pytest.raises(InvalidRequest):
        client.ask(question)
    assert ask("What is 2 + 3?")["answer"] == "5"


def test_a_plan_lists_the_subtasks(command: Command) -> None:
    question = "Calculate 10% of 1000 then find best savings accounts"
    plan = json.loads(command("plan", question, "--json").stdout)
    assert [(task["id"], task["depends_on"]) for task in plan["subtasks"]] == [
        ("t1", []),
        ("t2", []),
    ]


@pytest.mark.parametrize(
    "question",
    ["Compare Romeo and Juliet with Hamlet", "What are the trade-offs between TCP and UDP?"],
)
def test_what_belongs_together_stays_whole(command: Command, question: str) -> None:
    plan = json.loads(command("plan", question, "--json").stdout)
    assert [task["text"] for task in plan["subtasks"]] == [question]
