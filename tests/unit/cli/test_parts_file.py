"""`--parts` reads what a person, a model or `quorate plan --json` wrote, and says what is wrong."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quorate.cli import ask, ask_json, plan
from quorate.cli.app import app
from quorate.cli.parts_file import MOST_BYTES, read
from quorate.client import Plan, Subtask
from quorate.errors import InvalidRequest

FIRST = Subtask("t1", "What is 2 * 3?", task_type="math")
SECOND = Subtask("t2", "Put it in a sentence.", ("t1",), kind="text")
AS_YAML = """\
- id: t1
  text: What is 2 * 3?
  task_type: math
- {id: t2, description: Put it in a sentence., depends_on: [t1], expected_answer: text}
"""
AS_JSON = json.dumps(
    [
        {"id": "t1", "text": "What is 2 * 3?", "task_type": "math"},
        {"id": "t2", "text": "Put it in a sentence.", "depends_on": ["t1"], "kind": "text"},
    ]
)


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize("named", ["parts.yaml", "parts.yml", "parts"])
@pytest.mark.parametrize("text", [AS_YAML, AS_JSON, f'{{"subtasks": {AS_JSON}}}'])
def test_a_file_is_read_as_yaml_of_which_json_is_a_kind(
    tmp_path: Path, named: str, text: str
) -> None:
    file = tmp_path / named
    file.write_text(text, "utf-8")
    assert read(str(file)) == (FIRST, SECOND)


def test_a_json_file_may_be_a_list_or_an_object_as_a_model_writes_it(tmp_path: Path) -> None:
    for text in (AS_JSON, f'{{"subtasks": {AS_JSON}}}', "\ufeff" + AS_JSON):
        (tmp_path / "parts.json").write_text(text, "utf-8")
        assert read(str(tmp_path / "parts.json")) == (FIRST, SECOND)


@pytest.mark.parametrize("text", [AS_YAML, AS_JSON, f'{{"subtasks": {AS_JSON}}}'])
def test_stdin_may_be_json_or_yaml(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    piped(monkeypatch, text)
    assert read("-") == (FIRST, SECOND)


def test_what_plan_prints_as_json_is_such_a_file(
    tmp_path: Path, make_plan: Callable[..., Plan]
) -> None:
    made = make_plan(5, 6, {3: [1, 2], 5: [3]})
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(ask_json.plan(made)), "utf-8")
    assert read(str(file)) == made.subtasks


@pytest.mark.parametrize(
    ("named", "text", "told"),
    [
        ("p.json", "[{]", "p.json is not JSON: .* line 1 column 3"),
        ("p.json", AS_JSON + "\n" + AS_JSON, "p.json is not JSON: Extra data"),
        ("p.yaml", "- {id: [", "p.yaml is not YAML or JSON"),
        ("p.yaml", "[" * 20_000, "p.yaml is not YAML or JSON"),
        ("p.json", "[" * 200_000, "p.json is not YAML or JSON: maximum recursion"),
        ("p.yaml", "", "p.yaml is None, but it must be a list of parts"),
        ("p.json", "[]", "p.json holds no parts"),
        ("p.json", '{"subtasks": []}', "p.json holds no parts"),
        ("p.json", "{}", "p.json has no key 'subtasks'"),
        ("p.json", '{"subtask": []}', "p.json has the key 'subtask'.*Did you mean 'subtasks'"),
        ("p.json", '{"subtasks": "t1"}', "p.json: subtasks is 't1', but it must be a list"),
        ("p.yaml", "- {id: t1, text: x, type: math}", r"p\.yaml: subtasks\[0\] has the key 'type'"),
        ("p.yaml", "- {id: 1, text: x}", r"p\.yaml: subtasks\[0\]\.id is 1, but it must be text"),
        ("p.yaml", "- {id: a, text: x, depends_on: [a]}", r"p\.yaml: subtasks is 'a -> a'"),
        ("p.json", "x" * (MOST_BYTES + 1), f"more than {MOST_BYTES} bytes"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(
    tmp_path: Path, named: str, text: str, told: str
) -> None:
    file = tmp_path / named
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidRequest, match=told):
        read(str(file))


def test_what_cannot_be_read_is_told_with_the_file(tmp_path: Path) -> None:
    for file, told in ((tmp_path / "no.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InvalidRequest, match=f"{re.escape(str(file))}.*{told}"):
            read(str(file))
    (tmp_path / "latin.json").write_bytes(b'["\xe9"]')
    with pytest.raises(InvalidRequest, match=r"latin\.json is not UTF-8 text"):
        read(str(tmp_path / "latin.json"))


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Give what `ask` and `plan` would ask with."""
    kept: list[dict[str, Any]] = []

    def keep(home: object, texts: list[str], options: Any, *_: object, **__: object) -> int:
        kept.append(options)
        return 0

    monkeypatch.setattr(ask, "ask", keep)
    monkeypatch.setattr(plan, "plan", keep)
    return kept


@pytest.mark.parametrize("command", ["ask", "plan"])
def test_both_commands_take_parts(
    tmp_path: Path, options: list[dict[str, Any]], command: str
) -> None:
    (tmp_path / "parts.yaml").write_text(AS_YAML, "utf-8")
    arguments = [command, "Do it.", "--parts", str(tmp_path / "parts.yaml")]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    assert options == [{"subtasks": (FIRST, SECOND)}]
    ended = CliRunner().invoke(app, [*arguments[:3], "-"], input=AS_JSON)
    assert ended.exit_code == 0, ended.output
    assert options[1] == options[0]


@pytest.mark.parametrize("command", ["ask", "plan"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Do it.", "--parts", "p.json", "--decompose", "none"], "--decompose none exclude"),
        (["Do it.", "So?", "--parts", "p.json"], "there are 2 questions, and parts are"),
        (["-", "--parts", "-"], "the question is read from stdin already"),
        (["Do it.", "--parts", "p.json"], "p.json', but it cannot be read: No such file"),
    ],
)
def test_what_does_not_go_with_parts_is_refused_before_anything_is_asked(
    options: list[dict[str, Any]], command: str, arguments: list[str], told: str
) -> None:
    ended = CliRunner().invoke(app, [command, *arguments], input="x")
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert options == []
