"""Every option of `quorate ask` reaches the question on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from quorate.cli import ask as command
from quorate.cli.app import app
from quorate.client.question import question_of
from quorate.client.to_proto import question
from quorate.v1 import coordinator_pb2

RUNNER = CliRunner()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[coordinator_pb2.Question]:
    """Give what would be sent."""
    sent: list[coordinator_pb2.Question] = []

    def keep(home: object, texts: list[str], options: Any, **_: object) -> int:
        sent.extend(question(question_of(text, options)) for text in texts)
        return 0

    monkeypatch.setattr(command, "ask", keep)
    return sent


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("--samples 5", "samples", 5),
        ("--rounds 3", "rounds", 3),
        ("--topology full", "topology", coordinator_pb2.DEBATE_TOPOLOGY_FULL),
        ("--topology ring", "topology", coordinator_pb2.DEBATE_TOPOLOGY_RING),
        ("--width 4 --width 2", "widths", [4, 2]),
        ("--cascade", "cascade", True),
        ("--min-agreement 0.6", "min_agreement", 0.6),
        ("--confidence-threshold 0.2", "confidence_threshold", 0.2),
        ("--error-risk 0.05", "error_risk", 0.05),
        ("--stop-rule risk", "stop_rule", coordinator_pb2.STOP_RULE_RISK),
        ("--stop-rule never", "stop_rule", coordinator_pb2.STOP_RULE_NEVER),
        ("--risk 0.01", "risk", 0.01),
        ("--delta 0.1", "delta", 0.1),
        ("--topic math", "topic", "math"),
        ("--frozen", "frozen", True),
        ("--ground-truth 18", "ground_truth", "18"),
        ("--strategy debate", "strategy", "debate"),
        ("--decompose model", "decompose", coordinator_pb2.DECOMPOSE_MODE_MODEL),
        ("--planner marshal", "planner", "marshal"),
        ("--routing round_robin", "routing", "round_robin"),
        ("--horizon 2", "horizon", 2),
        ("--lambda-token 0", "lambda_token", 0.0),
        ("--lambda-switch 1.5", "lambda_switch", 1.5),
        ("--memory n1=1KiB --memory 2KiB", "memory_bytes", {"n1": 1024, "": 2048}),
        ("--budget-seconds 2.5", "budget", coordinator_pb2.Budget(seconds=2.5)),
        ("--budget-tokens 900", "budget", coordinator_pb2.Budget(tokens=900)),
    ],
)
def test_an_option_is_sent(
    asked: list[coordinator_pb2.Question], arguments: str, field: str, value: object
) -> None:
    ended = RUNNER.invoke(app, ["ask", "What is 9 + 9?", *arguments.split()])
    assert ended.exit_code == 0, ended.output
    sent = getattr(asked[0], field)
    assert (type(value)(sent) if isinstance(value, list | dict) else sent) == value


def test_what_is_not_given_is_the_coordinators_to_choose(
    asked: list[coordinator_pb2.Question],
) -> None:
    assert RUNNER.invoke(app, ["ask", "What is 9 + 9?"]).exit_code == 0
    assert {field.name for field, _ in asked[0].ListFields()} <= {"messages", "sampling", "budget"}


@pytest.mark.parametrize(
    "arguments",
    ["--topology star", "--stop-rule soon", "--rounds many", "--routing best", "--decompose ruls"],
)
def test_a_value_that_does_not_exist_is_refused(arguments: str) -> None:
    ended = RUNNER.invoke(app, ["ask", "What is 9 + 9?", *arguments.split()])
    assert ended.exit_code == 2
    assert arguments.split()[0] in ended.output
