"""A user names the parts of a question in a file: they are planned and asked as they stand."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from quorate.client import Client, Subtask
from tests.e2e.conftest import quorate

Command = Callable[..., subprocess.CompletedProcess[str]]

QUESTION = "Do all that."
WRITTEN = """\
subtasks:
- {id: sum, description: "What is 9 + 9?", task_type: math, difficulty: easy, estimated_tokens: 8}
- {id: capital, description: "What is the capital of France?", task_type: facts}
- {id: double, description: Double it., depends_on: [sum], task_type: math, expected_answer: number}
"""


def test_parts_of_a_file_are_planned_and_asked_as_they_stand(
    command: Command, ask: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "parts.yaml"
    file.write_text(WRITTEN, "utf-8")
    plan = json.loads(command("plan", QUESTION, "--parts", str(file), "--json").stdout)
    shape = {"sum": [], "capital": [], "double": ["sum"]}
    assert {one["id"]: one["depends_on"] for one in plan["subtasks"]} == shape
    assert plan["reason"] == "as the caller split it"
    sums = next(one for one in plan["subtasks"] if one["id"] == "sum")
    assert (sums["difficulty"], sums["estimated_tokens"]) == ("easy", 8)
    answer = ask(QUESTION, "--parts", str(file))
    answers = {part["id"]: part["answer"] for part in answer["parts"]}
    assert set(answers) == set(shape)
    assert answers["sum"] == "18"


def test_a_plan_is_asked_again_from_what_it_printed(command: Command, tmp_path: Path) -> None:
    question = "First extract the ages as JSON from: Ana is 31 and Ben is 24, then sum the ages."
    printed = command("plan", question, "--max-models", "1", "--json").stdout
    file = tmp_path / "plan.json"
    file.write_text(printed, "utf-8")
    first, again = (
        json.loads(text)["subtasks"]
        for text in (printed, command("plan", question, "--parts", str(file), "--json").stdout)
    )
    assert len(first) == 2
    assert again == first


def test_the_client_takes_parts_as_values_and_as_mappings(home: Path) -> None:
    parts = [Subtask(**one) for one in _plain()]
    with Client.from_mesh(home) as client:
        as_values = client.plan(QUESTION, subtasks=parts)
        as_mappings = client.plan(QUESTION, subtasks=[dataclasses.asdict(one) for one in parts])
        answer = client.ask(QUESTION, subtasks=parts)
    assert as_values.subtasks == as_mappings.subtasks
    assert [part.subtask for part in answer.parts] == list(as_values.subtasks)


def _plain() -> list[dict[str, Any]]:
    rows = yaml.safe_load(WRITTEN)["subtasks"]
    names = {"description": "text", "expected_answer": "kind"}
    return [
        {names.get(key, key): tuple(value) if key == "depends_on" else value
         for key, value in row.items()}
        for row in rows
    ]  # fmt: skip


def test_parts_that_cannot_be_used_are_told_with_their_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "parts.yaml"
    file.write_text(WRITTEN.replace("task_type: facts", "task_type: fact"), "utf-8")
    refused = quorate(home, "ask", QUESTION, "--parts", str(file), check=False)
    assert refused.returncode == 2
    assert f"{file}: subtasks[1].task_type is 'fact'" in refused.stderr
    assert "Did you mean 'facts'" in refused.stderr
