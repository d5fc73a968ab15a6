"""Commands against a coordinator that is found by the state file of a running mesh."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from quorate.cli import ask
from quorate.cli.app import app
from quorate.cli.exits import Exit
from quorate.client import AsyncClient


def run(home: Path, *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, arguments, env={"QUORATE_HOME": str(home)}, input=stdin)
    return ended.exit_code, ended.stdout, ended.stderr


def test_ask_prints_ballots_decision_and_summary(home: Path) -> None:
    code, out, err = run(home, "ask", "2+2?")
    assert (code, err) == (Exit.OK, "")
    for line in ("» 2+2?", "plan: it is whole", "answer  4", "quorum  0 of 0 answered"):
        assert line in out
    assert "t1 n1/atlas votes: 4" in out


def test_ask_json_prints_one_object_for_each_question_on_a_line_of_its_own(home: Path) -> None:
    code, out, _ = run(home, "ask", "2+2?", "3+3?", "--json")
    assert code == Exit.OK
    assert [json.loads(line)["answer"] for line in out.splitlines()] == ["4", "4"]


def test_options_of_ask_reach_the_coordinator(home: Path, served: Any) -> None:
    code, _, err = run(
        home, "ask", "-", "--json", "--strategy", "weighted", "--seed", "7", "--temperature", "0.5",
        "--max-tokens", "64", "--max-models", "2", "--model", "atlas", "--model", "forge",
        "--node", "n1", "--decompose", "none", "--ground-truth", "4", stdin="2+2?\n",
    )  # fmt: skip
    assert code == Exit.OK, err
    asked = served.coordinator.requests["Ask"].question
    assert asked.messages[0].content == "2+2?"
    assert (asked.strategy, asked.ground_truth, asked.max_models) == ("weighted", "4", 2)
    assert (asked.sampling.seed, asked.sampling.temperature) == (7, 0.5)
    assert asked.sampling.max_tokens == 64
    assert (list(asked.models), list(asked.nodes)) == (["atlas", "forge"], ["n1"])
    assert asked.decompose == 4


def test_options_that_are_not_given_are_left_to_the_coordinator(home: Path, served: Any) -> None:
    run(home, "ask", "2+2?", "--json")
    asked = served.coordinator.requests["Ask"].question
    assert asked.strategy == ""
    assert asked.decompose == 0
    assert not asked.sampling.HasField("seed")
    assert not asked.sampling.HasField("max_tokens")


def test_no_tokens_are_not_even_sent(home: Path, served: Any) -> None:
    run(home, "ask", "2+2?", "--no-tokens")
    assert served.coordinator.requests["AskStream"].omit_tokens


def test_a_failed_question_does_not_keep_the_next_from_being_asked(home: Path) -> None:
    code, out, err = run(home, "ask", "fail", "2+2?")
    assert code == Exit.FAILED
    assert err == "quorate: nobody answered\n"
    assert out.rstrip().splitlines()[-1].startswith("time")


def test_failure_in_json_is_one_object(home: Path) -> None:
    code, out, err = run(home, "ask", "2+2?", "--strategy", "majorty", "--json")
    assert (code, err) == (Exit.USAGE, "")
    assert json.loads(out)["error"] == {
        "kind": "UNKNOWN_STRATEGY",
        "message": "no strategy 'majorty'",
        "retryable": False,
        "metadata": {"nearest": "majority"},
    }


def test_timeout_of_ask_is_told(home: Path) -> None:
    code, _out, _ = run(home, "ask", "go on", "--json", "--timeout", "20")
    assert code == Exit.OK  # Ask itself answers at once here
    code, _, err = run(home, "ask", "go on", "--timeout", "0.5")
    assert code == Exit.FAILED
    assert err.startswith("quorate: ")


def test_ask_on_a_terminal_ends_with_the_table_and_the_summary(home: Path) -> None:
    written = io.StringIO()
    console = Console(file=written, width=100, force_terminal=True, color_system=None)

    async def show() -> None:
        async with AsyncClient.from_mesh(home) as client:
            await ask.shown(client, "2+2?", {}, console)

    asyncio.run(show())
    assert "✓ n1/atlas" in written.getvalue()
    assert (
        "loading scribe on n2, 1.20 s, ahead" in written.getvalue()
    )  # though at once after others
    assert "answer  4" in written.getvalue()


@pytest.mark.parametrize(
    ("command", "expected"), [("nodes", "127.0.0.1:7001"), ("strategies", "majority_voting"),
                              ("models", "In the running mesh"), ("status", "A mesh is ready")]
)  # fmt: skip
def test_looking_commands_show_the_mesh(command: str, expected: str, home: Path) -> None:
    code, out, err = run(home, command)
    assert code == Exit.OK, err
    assert expected in out
    code, out, _ = run(home, command, "--json")
    assert code == Exit.OK
    assert isinstance(json.loads(out), dict)
