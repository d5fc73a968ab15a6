"""A user plans: what is shown is what the mesh would do, and nothing is run."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from quorate.client import Client
from tests.e2e.conftest import quorate

Command = Callable[..., subprocess.CompletedProcess[str]]

STEPS = "First extract the ages as JSON from: Ana is 31 and Ben is 24, then sum the ages."
MODELS = {"abacus", "atlas", "scribe", "forge", "compass", "marshal"}


def planned(command: Command, *options: str) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(command("plan", STEPS, "--json", *options).stdout)
    return plan


def test_a_plan_says_who_would_answer_what_that_is_worth_and_that_nothing_is_better(
    command: Command,
) -> None:
    plan = planned(command, "--max-models", "2")
    assert [(task["id"], task["depends_on"]) for task in plan["subtasks"]] == [
        ("t1", []),
        ("t2", ["t1"]),
    ]
    assert Counter(one["subtask_id"] for one in plan["assignments"]) == {"t1": 2, "t2": 2}
    routing = plan["routing"]
    assert (routing["mode"], routing["status"], routing["violations"]) == ("mip", "optimal", [])
    assert routing["gap"] == pytest.approx(0.0, abs=1e-6)
    worth = {(one["subtask_id"], one["node"], one["model"]): one for one in routing["estimates"]}
    assert {model for _, _, model in worth} == MODELS
    assert len(worth) == 12
    for one in worth.values():
        cost = routing["lambda_token"] * one["token_cost"]
        assert one["utility"] == pytest.approx(one["reliability"] - cost)
    for part in ("t1", "t2"):
        chosen = [
            worth[part, one["node"], one["model"]]["utility"]
            for one in plan["assignments"]
            if one["subtask_id"] == part
        ]
        best = sorted((one["utility"] for key, one in worth.items() if key[0] == part))[-2:]
        assert sorted(chosen) == pytest.approx(best)


@pytest.mark.parametrize("mode", ["mip", "lp_relaxed", "greedy", "round_robin", "random"])
def test_every_mode_gives_each_part_its_voters_within_memory(command: Command, mode: str) -> None:
    plan = planned(command, "--routing", mode, "--max-models", "2")
    assert plan["routing"]["mode"] == mode
    assert plan["routing"]["violations"] == []
    assert Counter(one["subtask_id"] for one in plan["assignments"]) == {"t1": 2, "t2": 2}


def test_the_client_gives_the_same_plan(command: Command, home: Path) -> None:
    shown = planned(command, "--max-models", "1")
    with Client.from_mesh(home) as client:
        plan = client.plan(STEPS, max_models=1)
    assert plan.routing is not None
    assert [[one.node, one.model] for one in plan.assignments] == [
        [one["node"], one["model"]] for one in shown["assignments"]
    ]
    assert plan.routing.objective == pytest.approx(shown["routing"]["objective"])


def test_what_is_weighed_is_what_was_said(command: Command) -> None:
    routing = planned(command, "--lambda-token", "2", "--lambda-switch", "0")["routing"]
    assert (routing["lambda_token"], routing["lambda_switch"]) == (2.0, 0.0)


def test_the_frontier_holds_this_plan_and_none_of_the_others_beats_another(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "plan.svg"
    plan = planned(command, "--pareto", "--max-models", "2", "--picture", str(file))
    points = [
        (point["reliability"], -point["tokens"], -point["seconds"]) for point in plan["frontier"]
    ]
    chosen = [point["chosen"] for point in plan["frontier"]]
    assert sum(chosen) == 1
    for one, own in zip(points, chosen, strict=True):
        beaten = any(
            other != one and all(a >= b for a, b in zip(other, one, strict=True))
            for other in points
        )
        assert own or not beaten
    assert b"majority is right" in (tmp_path / "plan-pareto.svg").read_bytes()
    assert planned(command)["frontier"] == []


def test_a_plan_runs_nothing(command: Command, home: Path) -> None:
    finished = command("plan", STEPS, "--dry-run")
    assert "dry run" in finished.stderr
    with Client.from_mesh(home) as client:
        assert all(node.in_flight == 0 for node in client.nodes())


def test_the_tables_show_the_parts_the_worth_and_the_proof(command: Command) -> None:
    shown = command("plan", STEPS, "--max-models", "1").stdout
    for words in ("t2    t1", "*", "who answers", "memory, after the plan", "optimal", "gap 0"):
        assert words in shown
    assert all(f"/{model}" in shown for model in MODELS)


def test_the_picture_names_the_parts_and_their_models(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "plan.svg"
    plan = planned(command, "--max-models", "1", "--picture", str(file))
    drawn = "".join(ElementTree.fromstring(file.read_bytes()).itertext())
    assert all(task["id"] in drawn for task in plan["subtasks"])
    assert all(f"{one['node']}/{one['model']}" in drawn for one in plan["assignments"])


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        (("--memory", "n9=1GiB"), "UNKNOWN_NODE", "n1"),
        (("--planner", "abakus", "--routing", "model"), "UNKNOWN_MODEL", "abacus"),
        (("--memory", "1KiB"), "NO_PLAN", "smallest"),
        (("--lambda-token", "-1"), "INVALID_REQUEST", "lambda_token"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(
    home: Path, options: tuple[str, ...], kind: str, told: str
) -> None:
    finished = quorate(home, "plan", STEPS, "--json", *options, check=False)
    error = json.loads(finished.stdout)["error"]
    assert error["kind"] == kind
    assert told in error["message"]


def test_an_answer_tells_how_its_layers_were_planned(command: Command) -> None:
    shown = command("ask", STEPS, "--horizon", "1", "--no-tokens").stdout
    assert "layer 0 planned: t1, looking ahead at t2" in shown
    assert "layer 1 planned: t2" in shown
    answer = json.loads(command("ask", STEPS, "--horizon", "1", "--json").stdout)
    steps = answer["plan_steps"]
    assert [(step["layer"], step["subtask_ids"]) for step in steps] == [(0, ["t1"]), (1, ["t2"])]
    assert all(step["routing"]["violations"] == [] for step in steps)
    assert "55" in answer["parts"][1]["answer"]
